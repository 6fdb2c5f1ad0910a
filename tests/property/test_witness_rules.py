"""Whatever regions bring, in whatever order, with kills and wrong clocks between: what a witness signed is one history.

Invariants: of one origin and size at most one root is ever cosigned; sizes never shrink within an epoch, and an epoch
that was left is never signed again; each cosigned log extends the one before; times never go back. Not an invariant:
that a node gets on; one that is behind is refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from rondgang.merkle import extends
from rondgang.notes import Checkpoint, Note, cosigned_at
from rondgang.witnessing import Submission

from audit.witness.schema import migrations
from audit.witness.store import Store
from policies.rules.witness import Ask, Cosigned, NotCosigned
from tests.applicants import signing_key
from tests.region_log import NOW, Log, cosigned, roster

KEY = signing_key("the witness")
ROSTER = roster(("AA", "BB"), KEY.public)


@dataclass(frozen=True)
class Bring:
    """A node of AA brings story `log` at `size`, with a proof from `old`; in an epoch opened at `reset`, if not 0."""

    log: int
    size: int
    old: int
    reset: int


@dataclass(frozen=True)
class Show:
    """A node of BB shows a checkpoint of AA."""

    log: int
    size: int


@dataclass(frozen=True)
class Jump:
    """The witness's clock jumps."""

    seconds: int


@dataclass(frozen=True)
class Kill:
    """The witness's process ends between two commits and starts again: it knows what is in its tables only."""


sizes = st.integers(0, 12)
bring = st.builds(Bring, st.integers(0, 2), sizes, sizes, st.sampled_from([0, 0, 0, 2, 5, 9]))
operations = st.one_of(
    bring,
    bring,
    st.builds(Show, st.integers(0, 2), st.integers(1, 12)),
    st.builds(Jump, st.integers(-(10**6), 10**6)),
    st.just(Kill()),
)


@dataclass
class World:
    """Three stories of one region that share their first entries, and what a witness signed."""

    connection: sqlite3.Connection
    clock: int = NOW
    signed: list[tuple[Checkpoint, int]] = field(default_factory=list)
    forks: int = 0

    def __post_init__(self) -> None:
        trunk = Log.of("AA").grown(12)
        self.logs = [trunk, trunk.branched(4, "second").grown(12), trunk.branched(8, "third").grown(12)]
        self.resets: dict[tuple[int, int], Log] = {}
        self.store = Store(self.connection)

    def log(self, of: int, reset: int) -> Log:
        """A story, or the epoch after it; each is reset once at each size."""
        return self.resets.setdefault((of, reset), self.logs[of].reset(reset, f"{of}")) if reset else self.logs[of]

    def does(self, operation: Bring | Show | Jump | Kill) -> None:
        match operation:
            case Bring(of, size, old, reset):
                self._bring(self.log(of, reset), size, min(old, size))
            case Show(of, size):
                found = self.store.exchange(ROSTER, "BB", (self.logs[of].note(size),), self.clock)
                self.forks += len(found.forks)
            case Jump(seconds):
                self.clock = max(NOW - 10**7, min(NOW + 10**7, self.clock + seconds))
            case Kill():
                self.store = Store(self.connection)

    def _bring(self, log: Log, size: int, old: int) -> None:
        opening = log.epoch > 1 and old == 0 and size > 0
        given = log.opens(size) if opening else Submission(log.note(size), old, log.tree.consistency(old, size))
        (reply,) = self.store.add([Ask(ROSTER, "AA", given)], KEY, self.clock)
        if isinstance(reply, Cosigned):
            time = cosigned(given.note, reply.line, KEY.public)
            assert time is not None
            self.signed.append((given.note.checkpoint, time))
            self._extends(log)
        elif isinstance(reply, NotCosigned) and reply.fork is not None:
            self.forks += 1

    def _extends(self, log: Log) -> None:
        """The log just cosigned begins with the one that was cosigned before it, in the same epoch."""
        *before, (last, _) = self.signed
        same = [checkpoint for checkpoint, _ in before if checkpoint.origin == last.origin]
        if same:
            proof = log.tree.consistency(same[-1].size, last.size)
            assert extends(same[-1].size, same[-1].root, last.size, last.root, proof)


@contextmanager
def world() -> Iterator[World]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for _, sql in migrations():
            connection.executescript(sql)
        yield World(connection)


@settings(max_examples=150, deadline=None)
@given(st.lists(operations, max_size=25))
def test_what_a_witness_signed_is_one_history(told: list[Bring | Show | Jump | Kill]) -> None:
    with world() as made:
        for operation in told:
            made.does(operation)
        checkpoints = [checkpoint for checkpoint, _ in made.signed]
        roots = {(one.origin, one.size): one.root for one in checkpoints}
        assert all(roots[one.origin, one.size] == one.root for one in checkpoints)
        places = [(one.epoch, one.size) for one in checkpoints]
        assert places == sorted(places)
        times = [time for _, time in made.signed]
        assert times == sorted(times)
        kept = [Note.parse(text) for text in made.store.checkpoints("AA")]
        assert {note.checkpoint for note in kept} == set(checkpoints)
        latest = dict(made.signed)
        assert {note.checkpoint: cosigned_at(note, KEY.public) for note in kept} == latest
        assert len(made.store.forks()) <= made.forks


def test_the_operations_reach_every_outcome() -> None:
    """The generator is worth something: each kind of reply and of evidence comes up."""
    with world() as made:
        for operation in (
            Bring(0, 4, 0, 0), Bring(0, 9, 4, 0), Jump(-50), Bring(1, 9, 9, 0), Kill(), Bring(2, 12, 9, 0), Show(1, 9),
            Bring(0, 3, 0, 0), Bring(0, 3, 0, 5), Bring(0, 3, 0, 9), Bring(0, 12, 9, 0), Bring(0, 7, 3, 9),
        ):  # fmt: skip
            made.does(operation)
        assert [(one.origin, one.size) for one, _ in made.signed] == [
            ("AA/1", 4),
            ("AA/1", 9),
            ("AA/2", 3),
            ("AA/2", 7),
        ]
        assert {fork.why for fork in made.store.forks()} == {"forked", "bad_proof", "bad_reset"}
