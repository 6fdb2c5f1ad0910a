"""From a debit to a masked vector: the one place where rows are read for a national sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from node.ledger.ledger import Debit
from node.region import Region
from node.secure.noise import Noise
from node.secure.openings import keep_opening
from node.secure.party import Party
from node.spending import Rows
from policies.secure.opening import Opening, part_of, sums_of
from policies.secure.shares import Entropy
from policies.statistics.programme import Programme

SecureStep = Literal["begun", "debited", "cosigned", "read", "noised", "attempted", "released"]
"""`cosigned` is the first cosignature, after the debit; `released` the second, after `attempted` is in the ledger."""
SecureSteps = Callable[[SecureStep], None]
"""Called after each step; tests stop the world there."""
_SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Sources:
    """Where everything in a vector comes from: the data, the noise, and the entropy of masks and salts."""

    rows: Rows
    noise: Noise
    entropy: Entropy


class Masking:
    """Uses up debits of attempts that are cosigned. One call at a time."""

    def __init__(self, region: Region, sources: Sources, steps: SecureSteps) -> None:
        self._region = region
        self._from = sources
        self._steps = steps

    def spend(self, debit: Debit, party: Party) -> bytes:
        """The masked vector for a debit, which must be in hand and below a cosigned size.

        On return the opening of its commitment is on disk in the home, and `attempted` in the ledger; the vector must
        not leave before that is cosigned. Raises whatever breaks: then the debit is dead, and so is the attempt.

        Privacy: the exact sums go into the vector, under noise and masks (`Party.mask`), and into the opening, which
        stays in the home; the log gets a salted hash.
        """
        claim, programme = debit.claim, party.ordered.asked.programme
        self._region.ledger.begin(debit)
        blocks = tuple(block for block in debit.granted.compilation.blocks if block.mode == "national")
        exact = self._from.rows.sums(claim.snapshot, blocks)
        self._steps("read")
        sums = weighted(exact, programme, self._region.code)
        masked = party.mask(sums, self._from.noise)
        self._steps("noised")
        opening = Opening(
            region=self._region.code,
            run=claim.run,
            programme=claim.programme,
            attempt=claim.attempt,
            snapshot=claim.snapshot,
            participants=party.participants,
            salt=self._from.entropy(_SALT_BYTES).hex(),
            sums=sums_of(sums, party.blocks),
            parts=tuple(part_of(part, party.blocks) for part in party.parts),
        )
        # The file comes first: a commitment in the log can always be opened.
        keep_opening(self._region.home, opening)
        self._region.ledger.log_attempt(debit, party.participants, opening.commitment)
        self._steps("attempted")
        return masked


def weighted(exact: Mapping[str, Sequence[int]], programme: Programme, region: str) -> dict[str, list[int]]:
    """The sums as they stand in the vector: times the block's multiplier and the region's weight in steps.

    Privacy: a household moves them by no more than the block's bound, which is that of the heaviest region; exact.
    """
    step = programme.steps[region]
    return {
        block.id: [value * block.multiplier * step for value in exact[block.id]]
        for block in programme.of_mode("national")
    }
