"""Parties of an attempt at national sums, and a small honest server for them: what tests of the protocol share."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rondgang.keys import SigningKey
from rondgang.roles import Role
from rondgang.signed import Signed, sign

from node.authenticate import Ordered, read_order
from node.secure.noise import Noise
from node.secure.party import Party
from policies.documents import to_canonical
from policies.rules.order import Order
from policies.rules.refusals import Refused
from policies.secure.lanes import total, unpack
from policies.secure.masks import unmask
from policies.secure.messages import SharesSaid
from policies.secure.rounds import Participants, SecureKeys, Sharing, Survivors
from policies.secure.shares import combine
from policies.statistics.programme import PlannedBlock, Programme, Secure
from policies.study.roster import Roster
from policies.units.noise import Sigma
from tests.applicants import signing_key
from tests.national_study import codes
from tests.node_world import DESK, RUN, member, roster, signed_programme
from tests.small_study import OPEN, planned

SCALE = Sigma(1000, 0)
NOTHING: frozenset[str] = frozenset()
Sums = Mapping[str, Sequence[int]]


def checkpoint_key(region: str) -> SigningKey:
    return signing_key(f"{region} checkpoint")


def regions_roster(regions: Iterable[str]) -> Roster:
    """The usual roster (with AA), and these regions."""
    return roster(
        *(
            member(
                Role.REGION,
                {"checkpoint": checkpoint_key(region), "steward": signing_key(f"{region} steward")},
                region=region,
                name=f"region {region}",
            )
            for region in regions
            if region != "AA"
        )
    )


def national(regions: int, secure: Secure, cells: Sequence[int] = (3, 2)) -> Programme:
    """A programme with national blocks of so many cells, for parties alone: no node would verify it."""
    blocks = tuple(
        PlannedBlock(
            id=f"block_{place}",
            cells=count,
            multiplier=1,
            bound_squared=1,
            sigma=(SCALE.numerator, SCALE.shift),
            mode="national",
        )
        for place, count in enumerate(cells)
    )
    changes = {"weights": dict.fromkeys(codes(regions), 1000), "secure": secure, "blocks": blocks}
    return planned().model_copy(update=changes)


FOUR = national(4, Secure(colluders=1, dropouts=1))


def sums(regions: Sequence[str]) -> dict[str, Sums]:
    """Numbers that tell every subset of regions apart, negative ones among them."""
    return {
        region: {"block_0": [7**place, -(7**place), 0], "block_1": [-5, 2**40 * place]}
        for place, region in enumerate(regions)
    }


def attempt_order(programme: Programme, attempt: int = 1, run: str = RUN) -> Ordered:
    """The desk's order of an attempt, as a node reads it."""
    signed = signed_programme(programme)
    order = Order(run=run, programme=signed.digest, issued=OPEN, deadline=OPEN + 3600, attempt=attempt)
    read = read_order(run, sign("order", to_canonical(order), DESK).to_bytes(), signed.to_bytes())
    assert not isinstance(read, Refused)
    return read


class NoNoise:
    """A source that draws zeros. Only a test can put it in the place of the product's."""

    def draw(self, cells: int, sigma: Sigma) -> list[int]:
        return [0] * cells


@dataclass
class Drawn:
    """Draws that are told apart: the next whole number for each coordinate, and what was asked for."""

    asked: list[tuple[int, Sigma]] = field(default_factory=list)
    next: int = 1

    def draw(self, cells: int, sigma: Sigma) -> list[int]:
        self.asked.append((cells, sigma))
        self.next += cells
        return list(range(self.next - cells, self.next))


@dataclass(frozen=True)
class Lost:
    """Who is gone before it says anything in these rounds; who is lost in an earlier one is in the later ones too."""

    keys: Collection[str] = NOTHING
    sharing: Collection[str] = NOTHING
    vectors: Collection[str] = NOTHING
    seen: Collection[str] = NOTHING
    shares: Collection[str] = NOTHING


@dataclass
class Server:
    """What an honest coordinator does in one attempt, as plainly as can be."""

    ordered: Ordered
    who: Roster
    key: SigningKey = DESK
    now: int = OPEN
    keys: dict[str, bytes] = field(default_factory=dict)
    boxes: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    vectors: dict[str, bytes] = field(default_factory=dict)
    seen: dict[str, bytes] = field(default_factory=dict)
    shares: dict[str, SharesSaid] = field(default_factory=dict)
    participants: Signed | None = None
    sharing: Signed | None = None
    survivors: Signed | None = None

    def name_participants(self) -> bytes:
        order = self.ordered.order
        listed = {region: Signed.from_bytes(data).digest for region, data in self.keys.items()}
        named = Participants(run=order.run, programme=order.programme, attempt=order.attempt, keys=listed)
        self.participants = sign("participants", to_canonical(named), self.key)
        return self.participants.to_bytes()

    def name_sharing(self) -> bytes:
        assert self.participants is not None
        named = Sharing(participants=self.participants.digest, regions=tuple(sorted(self.boxes)))
        self.sharing = sign("sharing", to_canonical(named), self.key)
        return self.sharing.to_bytes()

    def name_survivors(self) -> bytes:
        assert self.sharing is not None
        named = Survivors(sharing=self.sharing.digest, regions=tuple(sorted(self.vectors)))
        self.survivors = sign("survivors", to_canonical(named), self.key)
        return self.survivors.to_bytes()

    def boxes_for(self, region: str) -> dict[str, bytes]:
        return {sender: boxes[region] for sender, boxes in self.boxes.items() if sender != region}

    def finish(self, threshold: int) -> tuple[int, ...]:
        """The sum, without masks and without the parts of the noise that came back."""
        assert self.sharing is not None
        order = sorted(self.keys)
        mask_keys = {region: bytes.fromhex(_keys(self.keys[region]).mask) for region in self.boxes}
        of_own: dict[str, bytes] = {}
        of_mask: dict[str, bytes] = {}
        for region in self.boxes:
            survived = region in self.vectors
            found = {
                order.index(helper) + 1: (given.own if survived else given.lost)[region]
                for helper, given in self.shares.items()
            }
            secret = combine(found, threshold)
            assert secret is not None, region
            (of_own if survived else of_mask)[region] = secret
        whole = unmask(self.vectors, of_own, of_mask, mask_keys, bytes.fromhex(self.sharing.digest))
        back = [part for given in self.shares.values() for part in given.taken_back]
        return unpack(total(len(whole) // 8, [whole], back))


def _keys(data: bytes) -> SecureKeys:
    return SecureKeys.model_validate_json(Signed.from_bytes(data).document)


@dataclass
class Played:
    """An attempt with real parties, from begin to where a test wants to look."""

    programme: Programme
    attempt: int = 1
    run: str = RUN
    noise: Callable[[str], Noise] = lambda _region: NoNoise()
    entropy: Callable[[int], bytes] = os.urandom

    def __post_init__(self) -> None:
        self.who = regions_roster(self.programme.weights)
        self.ordered = attempt_order(self.programme, self.attempt, self.run)
        self.server = Server(self.ordered, self.who)
        self.parties = {
            region: Party.begin(region, checkpoint_key(region), self.ordered, self.entropy)
            for region in self.programme.weights
        }

    def keys(self, lost: Collection[str] = NOTHING) -> None:
        self.server.keys = {name: party.signed_keys for name, party in self.parties.items() if name not in lost}

    def share(self, lost: Collection[str] = NOTHING) -> None:
        participants = self.server.name_participants()
        for name in sorted(set(self.server.keys) - set(lost)):
            boxes = self.parties[name].share(participants, list(self.server.keys.values()), self.who, OPEN)
            assert not isinstance(boxes, Refused), boxes
            self.server.boxes[name] = boxes

    def open(self, lost: Collection[str] = NOTHING) -> None:
        sharing = self.server.name_sharing()
        for name in sorted(set(self.server.boxes) - set(lost)):
            assert self.parties[name].open(sharing, self.server.boxes_for(name)) is None

    def mask(self, sums: Mapping[str, Sums], lost: Collection[str] = NOTHING) -> None:
        for name in sorted(set(self.server.boxes) - set(lost)):
            self.server.vectors[name] = self.parties[name].mask(sums[name], self.noise(name))

    def see(self, lost: Collection[str] = NOTHING) -> None:
        survivors = self.server.name_survivors()
        for name in sorted(set(self.server.vectors) - set(lost)):
            seen = self.parties[name].see(survivors)
            assert isinstance(seen, bytes), seen
            self.server.seen[name] = seen

    def unmask(self, lost: Collection[str] = NOTHING) -> None:
        for name in sorted(set(self.server.seen) - set(lost)):
            shares = self.parties[name].unmask(list(self.server.seen.values()), self.who, OPEN)
            assert isinstance(shares, SharesSaid), shares
            self.server.shares[name] = shares

    def whole(self, sums: Mapping[str, Sums], lost: Lost | None = None) -> tuple[int, ...]:
        """The finished sum, where these are lost on the way."""
        gone = lost or Lost()
        self.keys(gone.keys)
        self.share(gone.sharing)
        self.open(gone.vectors)
        self.mask(sums, gone.vectors)
        self.see(gone.seen)
        self.unmask(gone.shares)
        return self.server.finish(next(iter(self.parties.values())).group.threshold)
