"""A region with a wide budget, two witnesses and noise that differs: what tests of witnessed answers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rondgang.keys import SigningKey
from rondgang.merkle import Tree
from rondgang.notes import Checkpoint, Note, cosign, sign_checkpoint

from node.answering import Step
from policies.rules.entries import Debited
from policies.rules.refusals import Reason, Refused
from policies.statistics.programme import Programme
from tests.applicants import signing_key
from tests.node_notes import Notes
from tests.node_world import CHECKPOINT, COHORT, CountedRows, World, make_home, put_snapshot
from tests.small_study import OPEN, heading, planned

PRICE = planned().charge.amount.nano
RUNS = tuple(f"run-{number:016x}" for number in range(100))


STRANGER = signing_key("stranger")
TREE = Tree(bytes([number]) * 32 for number in range(12))
"""A log of twelve entries."""


def checkpoint_at(size: int, origin: str = "AA/1") -> Checkpoint:
    return Checkpoint(origin, size, TREE.root(size))


def note(size: int, *keys: SigningKey, time: int = OPEN, origin: str = "AA/1", by: SigningKey = CHECKPOINT) -> Note:
    """A checkpoint, signed and cosigned."""
    made = sign_checkpoint(checkpoint_at(size, origin), by)
    for key in keys:
        made = made.with_signature(cosign(made, key, time))
    return made


class Noisy(CountedRows):
    """Rows with other noise each time, over all copies of a world."""

    drawn = 0

    def noisy(self, values: Sequence[int], planned_block: object) -> list[int]:
        Noisy.drawn += 1
        return [value + Noisy.drawn for value in values]


def watched_world(folder: Path) -> World:
    """A world that has met its witnesses."""
    home = make_home(folder, cohorts={COHORT: {"rho": "9"}}, lifetime={"rho": "9"})
    put_snapshot(home)
    made = World(home, rows=Noisy(), journal=Notes())
    assert made.witnesses.watch() is None
    return made


def another(number: int) -> Programme:
    return planned().model_copy(update={"programme": heading(id=f"another_{number}")})


def why(outcome: bytes | Refused) -> Reason:
    assert isinstance(outcome, Refused)
    return outcome.reason


def events(world: World) -> list[str]:
    """What happened since the world was made."""
    return [str(entry.body.event) for entry in world.region.ledger.last_entries(1000)][6:]


def debits(world: World) -> list[Debited]:
    bodies = [entry.body for entry in world.region.ledger.last_entries(1000)]
    return [body for body in bodies if isinstance(body, Debited)]


def at(step: Step, do: Callable[[], object]) -> Callable[[Step], None]:
    """Steps that do something the first time that they come here."""
    due = [do]

    def after(found: Step) -> None:
        if found == step and due:
            due.pop()()

    return after
