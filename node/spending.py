"""From a debit to a reply: the one place where a row is read, and noise drawn, for an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from rondgang.keys import SigningKey
from rondgang.signed import sign

from node.ledger.ledger import Debit
from node.region import Region
from policies.documents import to_canonical
from policies.statistics.answer import Answer, block_values
from policies.statistics.blocks import Block
from policies.statistics.programme import PlannedBlock, Programme

Step = Literal["authenticated", "decided", "debited", "cosigned", "read", "noised", "stored", "released"]
"""`cosigned` is the first cosignature, after the debit; `released` the second, after the replies are stored."""
Steps = Callable[[Step], None]
"""Called after each step; tests stop the world there."""


class Rows(Protocol):
    """The only way to the microdata. `sums` gives each block's exact integers; `noisy` is what may leave."""

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> Mapping[str, Sequence[int]]: ...

    def noisy(self, values: Sequence[int], planned: PlannedBlock) -> Sequence[int]: ...


class Spending:
    """Uses up debits that are cosigned. One call at a time."""

    def __init__(self, region: Region, rows: Rows, key: SigningKey, steps: Steps) -> None:
        self._region = region
        self._rows = rows
        self._key = key
        self._steps = steps

    def spend(self, debit: Debit, programme: Programme) -> bytes:
        """The signed reply to a debit, which must be in hand and below a cosigned size. Nothing is stored yet.

        Raises whatever breaks, and the debit is dead then.

        Privacy: every block gets the noise that its signed sigma says, once; only noisy integers go into the answer.
        """
        self._region.ledger.begin(debit)
        blocks = tuple(block for block in debit.granted.compilation.blocks if block.mode == "regional")
        exact = self._rows.sums(debit.claim.snapshot, blocks)
        self._steps("read")
        noisy = tuple(block_values(p.id, self._rows.noisy(exact[p.id], p)) for p in programme.of_mode("regional"))
        answer = Answer(
            region=self._region.code,
            programme=debit.claim.programme,
            cohort=debit.claim.cohort,
            snapshot=debit.claim.snapshot,
            blocks=noisy,
        )
        if not answer.fits(programme):
            raise ArithmeticError("the sums do not have the shape of the programme")
        reply = sign("answer", to_canonical(answer), self._key).to_bytes()
        self._steps("noised")
        return reply
