"""The independent witness and the desk remember alike: one suite for both stores, and for the desk's databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from rondgang.notes import Note, cosign, cosigned_at, signed_by
from rondgang.witnessing import Submission, Why

import audit.witness.store
import coordinator.witness.store
from coordinator.store.store import Store, open_store
from coordinator.witness import memory
from policies.rules.witness import MOST_FORKS, Ask, Cosigned, Exchanged, Fork, HeldOther, NotCosigned, Reply
from policies.study.roster import Roster
from tests.applicants import signing_key
from tests.desk import empty
from tests.region_log import DAY_S, NOW, Log, cosigned, roster

KEY = signing_key("the witness")
OTHER = signing_key("another witness")
ROSTER = roster(("AA", "BB", "CC"), KEY.public, OTHER.public)


class Witness(Protocol):
    """What both stores can be asked."""

    def add(self, asks: Sequence[Ask], now: int) -> list[Reply]: ...

    def exchange(self, roster: Roster, region: str, shown: Sequence[Note], now: int) -> Exchanged: ...

    def checkpoints(self, region: str) -> list[str]: ...

    def forks(self) -> list[Fork]: ...


class Independent:
    def __init__(self, store: audit.witness.store.Store) -> None:
        self.exchange = store.exchange
        self.checkpoints = store.checkpoints
        self.forks = store.forks
        self._store = store

    def add(self, asks: Sequence[Ask], now: int) -> list[Reply]:
        return self._store.add(asks, KEY, now)


class Desk:
    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, asks: Sequence[Ask], now: int) -> list[Reply]:
        return coordinator.witness.store.add(self._store, asks, KEY, now)

    def exchange(self, roster: Roster, region: str, shown: Sequence[Note], now: int) -> Exchanged:
        return coordinator.witness.store.exchange_with(self._store, roster, region, shown, now)

    def checkpoints(self, region: str) -> list[str]:
        return self._store.within(lambda connection: memory.checkpoints(connection, region))

    def forks(self) -> list[Fork]:
        return self._store.within(memory.forks)


Opened = Callable[[], AbstractContextManager[Witness]]


@pytest.fixture(params=["independent", "desk", pytest.param("desk on postgres", marks=pytest.mark.postgres)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Opens the same witness each time it is called; leaving the block is the end of its process."""

    @contextmanager
    def independent() -> Iterator[Witness]:
        with audit.witness.store.open_store(tmp_path / "witness.sqlite") as store:
            yield Independent(store)

    @contextmanager
    def desk() -> Iterator[Witness]:
        with open_store(url) as store:
            yield Desk(store)

    url = f"sqlite:///{tmp_path / 'desk.sqlite'}"
    if request.param == "independent":
        yield independent
    elif request.param == "desk":
        yield desk
    else:
        url = request.getfixturevalue("postgres_url")
        yield desk
        empty(url)


@pytest.fixture
def witness(opened: Opened) -> Iterator[Witness]:
    with opened() as found:
        yield found


def ask(witness: Witness, given: Submission | None, region: str = "AA", now: int = NOW, of: Roster = ROSTER) -> Reply:
    (reply,) = witness.add([Ask(of, region, given)], now)
    return reply


def time_of(reply: Reply, note: Note) -> int:
    """The time under a cosignature, which must be the witness's own."""
    assert isinstance(reply, Cosigned), reply
    time = cosigned(note, reply.line, KEY.public)
    assert time is not None
    return time


def refused(reply: Reply) -> Why:
    assert isinstance(reply, NotCosigned), reply
    return reply.why


def test_what_extends_the_log_is_cosigned_and_kept(witness: Witness) -> None:
    log = Log.of("AA")
    for old, size in ((0, 1), (1, 5), (5, 5), (5, 8), (8, 31)):
        given = log.brings(size, old)
        assert time_of(ask(witness, given, now=NOW + size), given.note) == NOW + size
    kept = [Note.parse(text) for text in witness.checkpoints("AA")]
    assert [note.checkpoint.size for note in kept] == [1, 5, 8, 31]
    assert all(signed_by(note, "AA/1", log.key.public) for note in kept)
    assert [cosigned_at(note, KEY.public) for note in kept] == [NOW + 1, NOW + 5, NOW + 8, NOW + 31]
    assert witness.checkpoints("BB") == []


def test_the_same_checkpoint_again_is_cosigned_anew_and_takes_no_room(witness: Witness) -> None:
    log = Log.of("AA")
    for moment in range(4):
        given = log.brings(7, 7 if moment else 0)
        assert time_of(ask(witness, given, now=NOW + moment), given.note) == NOW + moment
    (text,) = witness.checkpoints("AA")
    names = [one.name for one in Note.parse(text).signatures]
    assert names == ["AA/1", f"witness-{KEY.public.fingerprint[:16]}", f"witness-{KEY.public.fingerprint[:16]}"]
    assert cosigned_at(Note.parse(text), KEY.public) == NOW + 3


def test_a_node_that_proves_from_another_size_is_told_which_was_seen(witness: Witness) -> None:
    log = Log.of("AA")
    assert ask(witness, log.brings(9, 4)) == HeldOther(0, "")
    ask(witness, log.brings(4))
    reply = ask(witness, log.brings(9, 3))
    assert isinstance(reply, HeldOther)
    assert (reply.size, Note.parse(reply.note).checkpoint) == (4, log.note(4).checkpoint)
    assert cosigned_at(Note.parse(reply.note), KEY.public) == NOW


def test_a_smaller_log_is_never_cosigned_also_after_a_restart(opened: Opened) -> None:
    log = Log.of("AA")
    with opened() as witness:
        ask(witness, log.brings(6))
    for _ in range(2):
        with opened() as witness:
            for old in (0, 3, 6):
                assert not isinstance(ask(witness, log.brings(3, min(old, 3))), Cosigned)
            assert isinstance(ask(witness, log.brings(6, 6)), Cosigned)


def test_a_fork_is_never_cosigned_and_both_notes_stay_as_evidence_after_a_restart(opened: Opened) -> None:
    log = Log.of("AA").grown(9)
    fork = log.branched(3, "another")
    with opened() as witness:
        ask(witness, log.brings(6))
        reply = ask(witness, fork.brings(6, 6), now=NOW + 9)
        assert refused(reply) is Why.FORKED
        assert isinstance(reply, NotCosigned)
        assert Note.parse(reply.note).checkpoint == log.note(6).checkpoint
        assert refused(ask(witness, fork.brings(8, 6), now=NOW + 10)) is Why.BAD_PROOF
    with opened() as witness:
        assert refused(ask(witness, fork.brings(6, 6))) is Why.FORKED
        found = witness.forks()
        assert [(one.region, one.why, one.at) for one in found] == [
            ("AA", "forked", NOW + 9),
            ("AA", "bad_proof", NOW + 10),
        ]
        held, offered = Note.parse(found[0].held), Note.parse(found[0].offered)
        assert (held.checkpoint, offered.checkpoint) == (log.note(6).checkpoint, fork.note(6).checkpoint)
        assert signed_by(held, "AA/1", log.key.public)
        assert signed_by(offered, "AA/1", log.key.public)
        assert cosigned_at(held, KEY.public) is not None
        assert cosigned_at(offered, KEY.public) is None
        assert isinstance(ask(witness, log.brings(9, 6)), Cosigned)


def test_another_root_at_a_size_cosigned_long_ago_is_a_fork(witness: Witness) -> None:
    log = Log.of("AA").grown(9)
    for old, size in ((0, 3), (3, 9)):
        ask(witness, log.brings(size, old))
    assert refused(ask(witness, log.branched(1, "another").brings(3))) is Why.FORKED
    assert isinstance(ask(witness, log.brings(3)), HeldOther)
    assert [Note.parse(fork.held).checkpoint.size for fork in witness.forks()] == [3]


def test_cosignatures_never_go_back_in_time_whatever_the_clock_does(opened: Opened) -> None:
    ours, theirs = Log.of("AA"), Log.of("BB")
    with opened() as witness:
        assert time_of(ask(witness, ours.brings(1), now=NOW + 1_000), ours.note(1)) == NOW + 1_000
        assert time_of(ask(witness, theirs.brings(1), "BB", now=NOW), theirs.note(1)) == NOW + 1_000
    with opened() as witness:
        assert time_of(ask(witness, ours.brings(2, 1), now=NOW - 30 * DAY_S), ours.note(2)) == NOW + 1_000
        assert time_of(ask(witness, ours.brings(3, 2), now=NOW + 1_001), ours.note(3)) == NOW + 1_001


def test_a_region_speaks_for_its_own_log_under_a_live_key_only(witness: Witness) -> None:
    ours, theirs = Log.of("AA"), Log.of("BB")
    assert refused(ask(witness, theirs.brings(1), "AA")) is Why.OTHER_REGION
    stranger = Log("AA", OTHER)
    assert refused(ask(witness, stranger.brings(1))) is Why.UNKNOWN_KEY
    unsigned = Submission(Note(ours.note(1).text, theirs.note(1).signatures), 0, ())
    assert refused(ask(witness, unsigned)) is Why.UNKNOWN_KEY
    assert refused(ask(witness, ours.brings(1), of=roster(revoked=["AA"]))) is Why.UNKNOWN_KEY
    assert refused(ask(witness, ours.brings(1), now=NOW + 10**9)) is Why.UNKNOWN_KEY
    assert refused(ask(witness, None)) is Why.MALFORMED
    assert (witness.checkpoints("AA"), witness.forks()) == ([], [])
    assert isinstance(ask(witness, ours.brings(1)), Cosigned)
    reply = ask(witness, None)
    assert isinstance(reply, NotCosigned)
    assert Note.parse(reply.note).checkpoint == ours.note(1).checkpoint


def test_a_reset_is_followed_only_on_top_of_all_that_was_seen_and_closes_the_epoch(opened: Opened) -> None:
    log = Log.of("AA").grown(9)
    with opened() as witness:
        ask(witness, log.brings(6))
        assert refused(ask(witness, log.reset(5).opens(2))) is Why.BAD_RESET
        assert refused(ask(witness, Log.of("AA", epoch=2).grown(2).opens(2))) is Why.BAD_RESET
        later = log.reset(6)
        assert ask(witness, later.brings(2, 2)) == HeldOther(0, "")
        assert isinstance(ask(witness, later.opens(2)), Cosigned)
    with opened() as witness:
        assert refused(ask(witness, log.brings(9, 6))) is Why.CLOSED
        assert isinstance(ask(witness, later.brings(5, 2)), Cosigned)
        assert [Note.parse(text).checkpoint.origin for text in witness.checkpoints("AA")] == ["AA/1", "AA/2", "AA/2"]
        assert [fork.why for fork in witness.forks()] == ["bad_reset"]


def test_where_two_copies_split_the_witnesses_a_reset_goes_on_and_both_histories_are_kept(opened: Opened) -> None:
    log = Log.of("AA").grown(6)
    with opened() as witness:
        ask(witness, log.brings(6))
        assert isinstance(ask(witness, log.branched(2, "another").grown(6).reset(6).opens(2)), Cosigned)
        (fork,) = witness.forks()
        assert Note.parse(fork.held).checkpoint == log.note(6).checkpoint


def test_of_two_that_come_together_one_is_cosigned(witness: Witness) -> None:
    log = Log.of("AA").grown(6)
    ask(witness, log.brings(4))
    one, other = log.brings(6, 4), log.branched(4, "another").brings(6, 4)
    replies = witness.add([Ask(ROSTER, "AA", one), Ask(ROSTER, "AA", other), Ask(ROSTER, "AA", one)], NOW)
    assert isinstance(replies[0], Cosigned)
    assert refused(replies[1]) is Why.FORKED
    assert isinstance(replies[2], HeldOther)


def test_what_fails_half_way_leaves_nothing(opened: Opened) -> None:
    log = Log.of("AA")
    with opened() as witness:
        broken = Ask(ROSTER, "AA", Submission(log.note(2), "two", ()))  # type: ignore[arg-type]  # as no caller does
        with pytest.raises(TypeError):
            witness.add([Ask(ROSTER, "AA", log.brings(1)), broken], NOW)
        assert witness.checkpoints("AA") == []
        assert isinstance(ask(witness, log.brings(1)), Cosigned)


def test_nodes_get_their_own_last_checkpoint_and_the_newest_of_others(witness: Witness) -> None:
    ours, theirs, third = Log.of("AA"), Log.of("BB"), Log.of("CC")
    assert witness.exchange(ROSTER, "AA", (), NOW) == Exchanged("", ())
    ask(witness, ours.brings(3))
    ask(witness, theirs.brings(5), "BB")
    seen = third.note(4).with_signature(cosign(third.note(4), OTHER, NOW - 5))
    assert witness.exchange(ROSTER, "AA", (seen, theirs.note(4)), NOW).forks == ()
    told = witness.exchange(ROSTER, "AA", (), NOW)
    assert cosigned_at(Note.parse(told.own), KEY.public) == NOW
    others = [Note.parse(text) for text in told.notes]
    assert [note.checkpoint for note in others] == [theirs.note(5).checkpoint, third.note(4).checkpoint]
    assert cosigned_at(others[0], KEY.public) == NOW
    assert cosigned_at(others[1], OTHER.public) == NOW - 5
    assert [Note.parse(text).checkpoint.region for text in witness.exchange(ROSTER, "BB", (), NOW).notes] == [
        "AA",
        "CC",
    ]


def test_only_what_a_live_key_signed_is_passed_on(witness: Witness) -> None:
    log, stranger = Log.of("BB"), signing_key("stranger")
    forged = Log("BB", stranger).note(9)
    garbled = Note("BB/1\n9\nno root\n", forged.signatures)
    padded = log.note(4)
    for one in (cosign(padded, stranger, NOW), cosign(padded, OTHER, NOW), *forged.signatures):
        padded = padded.with_signature(one)
    witness.exchange(ROSTER, "AA", (forged, garbled, padded, Log.of("AA").note(50)), NOW)
    (text,) = witness.exchange(ROSTER, "AA", (), NOW).notes
    assert Note.parse(text).checkpoint == log.note(4).checkpoint
    assert [one.name for one in Note.parse(text).signatures] == ["BB/1", f"witness-{OTHER.public.fingerprint[:16]}"]
    assert witness.exchange(ROSTER, "BB", (), NOW).notes == ()
    assert witness.exchange(roster(revoked=["BB"]), "CC", (log.note(6),), NOW).notes == (text,)


def test_a_node_that_shows_two_histories_is_found_out_through_others(opened: Opened) -> None:
    log = Log.of("BB").grown(9)
    fork = log.branched(2, "another")
    with opened() as witness:
        ask(witness, log.brings(6), "BB")
        (found,) = witness.exchange(ROSTER, "AA", (fork.note(6),), NOW + 1).forks
        assert (found.region, Note.parse(found.offered).checkpoint) == ("BB", fork.note(6).checkpoint)
        assert witness.exchange(ROSTER, "CC", (fork.note(8),), NOW + 2).forks == ()
    with opened() as witness:
        assert witness.forks() == [found]
        assert len(witness.exchange(ROSTER, "AA", (log.note(8),), NOW + 3).forks) == 1
        assert refused(ask(witness, log.brings(8, 6), "BB")) is Why.FORKED
        assert isinstance(ask(witness, log.brings(9, 6), "BB"), Cosigned)
        assert len(witness.forks()) == 2


def test_what_a_revoked_key_showed_stands_in_nobodys_way(witness: Witness) -> None:
    thief = Log("BB", signing_key("old BB checkpoint"))
    before = ROSTER.model_copy(update={"members": tuple(
        one.model_copy(update={"keys": {**one.keys, "checkpoint": thief.key.public.hex}}) if one.name == "BB" else one
        for one in ROSTER.members
    )})  # fmt: skip
    witness.exchange(before, "AA", (Log("BB", thief.key, story="stolen").note(4),), NOW)
    witness.exchange(before, "AA", (Log("BB", thief.key, story="stolen").note(400),), NOW)
    honest = Log.of("BB")
    witness.exchange(ROSTER, "AA", (honest.note(3),), NOW)
    assert Note.parse(witness.exchange(ROSTER, "AA", (), NOW).notes[0]).checkpoint == honest.note(3).checkpoint
    assert isinstance(ask(witness, honest.brings(4), "BB"), Cosigned)


def test_evidence_is_kept_once_and_never_fills_the_disk(tmp_path: Path) -> None:
    log = Log.of("AA").grown(3)
    with audit.witness.store.open_store(tmp_path / "witness.sqlite") as store:
        witness = Independent(store)
        ask(witness, log.brings(2))
        lies = [Log.of("AA", f"lie {number}").brings(2, 2) for number in range(MOST_FORKS + 20)]
        for _ in range(2):
            witness.add([Ask(ROSTER, "AA", lie) for lie in lies[:100]], NOW)
        assert len(witness.forks()) == 100
        replies = witness.add([Ask(ROSTER, "AA", lie) for lie in lies], NOW)
        assert {refused(reply) for reply in replies} == {Why.FORKED}
        assert len(witness.forks()) == MOST_FORKS
        assert isinstance(ask(witness, log.brings(3, 2)), Cosigned)
