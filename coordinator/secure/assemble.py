"""The end of an attempt: secrets from shares, masks off, noise that was not needed taken out. Pure; takes its time.

A survivor's vectors stay hidden until `Group.threshold` regions gave shares; of nobody both secrets are put together.
A wrong share is found where there are more than the threshold, and the region that gave it is left out altogether: the
noise it would have taken back stays in the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from coordinator.secure.asked import Asked
from policies.secure.lanes import total, unpack
from policies.secure.masks import public_of, unmask
from policies.secure.messages import SharesSaid
from policies.secure.rounds import NationalSum
from policies.secure.shares import combine
from policies.statistics.answer import BlockValues, block_values

MOST_WRONG = 2
"""So many wrong shares of one secret are looked for; with more the attempt is over."""


@dataclass(frozen=True, slots=True)
class Masked:
    """All that came in during an attempt. `participants` stand in order: the places of the shares count from 1.

    `mask_keys` are the public ones of the regions of the Sharing document; `sharing` and `survivors` are hashes.
    """

    asked: Asked
    participants: tuple[str, ...]
    mask_keys: Mapping[str, bytes]
    sharing: str
    survivors: str
    vectors: Mapping[str, bytes] = field(repr=False)
    shares: Mapping[str, SharesSaid] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assembled:
    """The finished sum, and the regions that gave wrong shares."""

    sum: NationalSum
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unfit:
    """The shares of this region's secret do not fit together, whoever's fault it is."""

    region: str


def assemble(masked: Masked) -> Assembled | Unfit:
    """The sum of the survivors' vectors without masks, less the parts of their noise that they took back.

    Privacy: post-processing of what the nodes sent; what is left of the noise is what their group needs for as many as
    survived (`policies.secure.group`), or more.
    """
    wrong: set[str] = set()
    of_own: dict[str, bytes] = {}
    of_mask: dict[str, bytes] = {}
    for region in sorted(masked.mask_keys):
        survived = region in masked.vectors
        secret = _secret(masked, region, survived, wrong)
        if secret is None:
            return Unfit(region)
        (of_own if survived else of_mask)[region] = secret
    whole = unmask(masked.vectors, of_own, of_mask, masked.mask_keys, bytes.fromhex(masked.sharing))
    backs = {helper: said.taken_back for helper, said in masked.shares.items() if helper not in wrong}
    parts = [part for back in backs.values() for part in back]
    numbers = unpack(total(len(whole) // 8, [whole], parts))
    asked = masked.asked
    finished = NationalSum(
        run=asked.run,
        programme=asked.signed.digest,
        cohort=asked.programme.programme.cohort,
        attempt=asked.attempt,
        survivors=masked.survivors,
        regions=tuple(sorted(masked.vectors)),
        taken_back={region: len(backs.get(region, ())) for region in sorted(masked.vectors)},
        blocks=tuple(_by_block(asked, numbers)),
    )
    return Assembled(finished, tuple(sorted(wrong)))


def recover(
    shares: Mapping[int, bytes], threshold: int, right: Callable[[bytes], bool]
) -> tuple[bytes, frozenset[int]] | None:
    """The one secret that the shares (by place) give, and the places of the fewest wrong ones.

    None where even without `MOST_WRONG` of them they do not lie on one polynomial, or where two secrets would do.
    `right` knows the secret when it sees it, as far as anyone can.
    """
    for count in range(max(0, min(MOST_WRONG, len(shares) - threshold)) + 1):
        found: dict[bytes, frozenset[int]] = {}
        for wrong in combinations(sorted(shares), count):
            secret = combine({place: share for place, share in shares.items() if place not in wrong}, threshold)
            if secret is not None and right(secret):
                found[secret] = frozenset(wrong)
        if found:
            return found.popitem() if len(found) == 1 else None
    return None


def _secret(masked: Masked, region: str, survived: bool, wrong: set[str]) -> bytes | None:
    """A region's secret; adds to `wrong` who gave a wrong share of it. Whoever did so before is asked last."""
    threshold = masked.asked.group.threshold
    helpers = set(masked.shares) - wrong
    if len(helpers) < threshold:
        helpers = set(masked.shares)
    given = {
        place: (masked.shares[helper].own if survived else masked.shares[helper].lost)[region]
        for place, helper in enumerate(masked.participants, 1)
        if helper in helpers
    }
    found = recover(given, threshold, lambda secret: survived or public_of(secret) == masked.mask_keys[region])
    if found is None:
        return None
    secret, places = found
    wrong |= {masked.participants[place - 1] for place in places}
    return secret


def _by_block(asked: Asked, numbers: tuple[int, ...]) -> Iterator[BlockValues]:
    start = 0
    for block in asked.blocks:
        yield block_values(block.id, numbers[start : start + block.cells])
        start += block.cells
