"""Whatever happens to a node, its copies and its witnesses, in whatever order: answers are paid for, and each is one.

What must hold after every operation, over all copies together:
- of one programme from one snapshot there is one released answer, whoever is asked;
- all released answers together cost no more than the caps;
- what is released is in the ledger of whoever released it, after a debit.

What is no failure: a copy that is refused, a charge without an answer, witnesses that hold two histories of which none
goes on (until a reset). One witness of the two may cosign everything that it is shown.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rondgang.notes import cosign
from rondgang.witnessing import Submission

from node.home import Home, Witnessing, write_config
from node.spending import Step
from node.witnessing.said import Cosigned, Told
from tests.node_world import COHORT, Clock, World, make_home, ordered, put_snapshot, witnesses
from tests.small_study import OPEN, planned
from tests.witnessed_world import Noisy, another, at
from tests.witnesses import Fault

PRICE = planned().charge.amount
CAP = PRICE + PRICE + PRICE
PROGRAMMES = tuple(another(number) for number in range(5))
ORDERS = tuple(ordered(one) for one in PROGRAMMES)
MOST_COPIES = 4
STEPS = get_args(Step)
FAULTS = get_args(Fault)


@dataclass(frozen=True)
class Ask:
    """A copy is asked, several programmes at once; at a step something may befall a witness, or nothing."""

    copy: int
    programmes: tuple[int, ...]
    step: Step
    witness: int
    fault: Fault


@dataclass(frozen=True)
class Befall:
    """From now on this befalls a witness's calls."""

    witness: int
    fault: Fault


@dataclass(frozen=True)
class Copy:
    """The disk of a node is copied, and the copy started."""

    copy: int


@dataclass(frozen=True)
class Snapshot:
    """While a copy is asked, the machine is copied after a step, with what the process has in hand, and asked too."""

    copy: int
    programmes: tuple[int, ...]
    step: Step


@dataclass(frozen=True)
class Restart:
    copy: int


@dataclass(frozen=True)
class Watch:
    copy: int


@dataclass(frozen=True)
class Corrupt:
    """The first witness cosigns everything from now on, or is itself again."""


Op = Ask | Befall | Copy | Snapshot | Restart | Watch | Corrupt
COPIES, WITNESSES = st.integers(0, MOST_COPIES - 1), st.integers(0, 1)
ASKED = st.lists(st.integers(0, len(PROGRAMMES) - 1), min_size=1, max_size=3).map(tuple)
OPERATIONS = st.lists(
    st.one_of(
        st.builds(Ask, COPIES, ASKED, st.sampled_from(STEPS), WITNESSES, st.sampled_from(FAULTS)),
        st.builds(Ask, COPIES, ASKED, st.just("released"), WITNESSES, st.just("none")),
        st.builds(Befall, WITNESSES, st.sampled_from(FAULTS)),
        st.builds(Befall, WITNESSES, st.just("none")),
        st.builds(Copy, COPIES),
        st.builds(Snapshot, COPIES, ASKED, st.sampled_from(("debited", "cosigned"))),
        st.builds(Restart, COPIES),
        st.builds(Watch, COPIES),
        st.builds(Corrupt),
    ),
    min_size=4,
    max_size=25,
)


def _anything(told: Told, given: Submission) -> Told:
    return Cosigned(cosign(given.note, witnesses(Clock())[0].key, OPEN))


@dataclass
class Field:
    """All copies of one node, and what they have released."""

    folder: Path
    template: Path
    worlds: list[World] = field(default_factory=list)
    released: dict[str, set[bytes]] = field(default_factory=dict)
    charged: int = 0

    def __post_init__(self) -> None:
        clock = Clock()
        home = Home(shutil.copytree(self.template, self.folder / "0"))
        self.worlds.append(World(home, clock, Noisy(), watching=witnesses(clock)))

    def do(self, operation: Op) -> None:
        match operation:
            case Ask():
                self._ask(operation)
            case Befall(witness, fault):
                self.worlds[0].befall(fault, witness)
            case Copy(copy) if len(self.worlds) < MOST_COPIES:
                self._copied(self._world(copy))
            case Snapshot() if len(self.worlds) < MOST_COPIES:
                self._snapshot(operation)
            case Restart(copy):
                self._world(copy).restart()
            case Watch(copy):
                self._world(copy).witnesses.watch()
            case Corrupt():
                corrupted = self.worlds[0].watching[0]
                corrupted.lie = None if corrupted.lie else _anything
            case _:
                pass

    def _world(self, copy: int) -> World:
        return self.worlds[copy % len(self.worlds)]

    def _ask(self, ask: Ask) -> None:
        world = self._world(ask.copy)

        def befall() -> None:
            if ask.fault != "none":
                world.befall(ask.fault, ask.witness)

        self._answer(world, ask.programmes, ask.step, befall)

    def _copied(self, world: World) -> World:
        made = world.copied(self.folder / str(len(self.worlds)))
        made.rows = Noisy()
        self.worlds.append(made)
        return made

    def _snapshot(self, asked: Snapshot) -> None:
        world = self._world(asked.copy)

        def copy() -> None:
            made = self._copied(world)
            made.region.ledger._in_hand = dict(world.region.ledger._in_hand)
            self._answer(made, asked.programmes, "released", lambda: None)

        self._answer(world, asked.programmes, asked.step, copy)

    def _answer(self, world: World, programmes: tuple[int, ...], step: Step, do: Callable[[], None]) -> None:
        outcomes = world.answering(at(step, do)).answer([ORDERS[number] for number in programmes])
        for number, outcome in zip(programmes, outcomes, strict=True):
            if isinstance(outcome, bytes):
                programme = ORDERS[number].asked.digest
                self.released.setdefault(programme, set()).add(outcome)
                assert any(answered == programme for answered, _snapshot in world.region.ledger.book.answered)

    def check(self) -> None:
        assert all(len(answers) == 1 for answers in self.released.values()), "one answer from one snapshot"
        assert len(self.released) * PRICE.nano <= CAP.nano, "what was released was paid for within the caps"
        for world in self.worlds:
            book = world.region.ledger.book
            assert book.lifetime.nano <= CAP.nano
            assert book.lifetime.nano >= len(book.answered) * PRICE.nano

    def close(self) -> None:
        for world in self.worlds:
            world.region.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = make_home(
        tmp_path_factory.mktemp("witnessed") / "home", cohorts={COHORT: {"rho": CAP.text()}}, lifetime={"rho": "9"}
    )
    put_snapshot(home)
    # Nobody waits long for a witness that is slow on purpose.
    write_config(home, home.config().model_copy(update={"witnessing": Witnessing(within_ms=50)}))
    return home.root


def run(template: Path, operations: list[Op]) -> Field:
    with tempfile.TemporaryDirectory() as folder:
        made = Field(Path(folder), template)
        try:
            for operation in operations:
                made.do(operation)
                made.check()
        finally:
            made.close()
    return made


def test_every_operation_and_every_fault_is_drawn() -> None:
    drawn: set[object] = set()

    @given(OPERATIONS)
    @settings(max_examples=200)
    def collect(operations: list[Op]) -> None:
        for one in operations:
            drawn.add(type(one))
            drawn.update((one.step, one.fault) if isinstance(one, Ask) else ())

    collect()
    assert drawn == {*get_args(Op), *STEPS, *FAULTS}


QUIET = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)


@given(operations=OPERATIONS)
@settings(max_examples=15, deadline=None, suppress_health_check=QUIET)
def test_answers_are_paid_for_and_each_is_one(template: Path, operations: list[Op]) -> None:
    run(template, operations)


@pytest.mark.thorough
@given(operations=OPERATIONS)
@settings(max_examples=400, deadline=None, suppress_health_check=QUIET)
def test_answers_are_paid_for_and_each_is_one_in_many_lives(template: Path, operations: list[Op]) -> None:
    run(template, operations)


def _plain(copy: int, *programmes: int) -> Ask:
    return Ask(copy, programmes, "released", 0, "none")


LIVES: dict[str, tuple[list[Op], int]] = {
    "an ordinary one": ([_plain(0, 0), _plain(0, 1, 2), _plain(0, 3)], 3),
    "a copy that goes on alone": ([_plain(0, 0), Copy(0), _plain(1, 1), _plain(1, 2)], 3),
    "a copy that comes too late": ([Copy(0), _plain(0, 0), _plain(1, 1)], 1),
    "a witness that cosigns everything": ([Corrupt(), Copy(0), _plain(0, 0), _plain(1, 1), _plain(1, 0)], 1),
    "a machine copied after the debit": ([Snapshot(0, (0,), "debited"), _plain(0, 0), _plain(1, 0)], 1),
    "a machine copied before rows are read": ([Snapshot(0, (0, 1), "cosigned"), _plain(0, 1), _plain(1, 1)], 2),
    "an outage after the debit": (
        [Ask(0, (0,), "debited", 1, "lost_request"), Befall(1, "none"), _plain(0, 0), _plain(0, 1), _plain(0, 2)], 3,
    ),
    "an outage after the debit, and a restart": (
        [Ask(0, (0,), "debited", 1, "lost_request"), Restart(0), Befall(1, "none"), _plain(0, 0, 1, 2)], 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIVES)
def test_lives_of_which_the_end_is_known(template: Path, name: str) -> None:
    operations, answers = LIVES[name]
    assert len(run(template, operations).released) == answers
