"""The ledger: one answer for one debit, nothing spent twice or silently, and every change shows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import ValidationError
from rondgang.leaves import first_break, leaf_hash
from rondgang.merkle import Tree, extends, includes
from rondgang.notes import Checkpoint, Note, sign_checkpoint

from node.errors import BrokenLedger
from node.ledger.book import Book
from node.ledger.ledger import Ledger
from node.ledger.log import Connect
from node.ledger.schema import connect
from policies.rules.decide import Granted
from policies.rules.entries import Adopted, ResultEntry, Summed
from policies.rules.refusals import Refused
from policies.units.money import NanoRho
from tests import ledger_world
from tests.applicants import signing_key
from tests.ledger_world import (
    CHECKPOINT_KEY,
    NO,
    NOW,
    SNAPSHOT,
    answered,
    ask,
    cosigned,
    debited,
    document,
    events,
    grant,
    imported,
    programme,
    refusal,
    run,
    tried,
)

_OPEN: list[Ledger] = []


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


def opened(path: Path, connect: Connect = connect) -> Ledger:
    _OPEN.append(ledger_world.opened(path, connect))
    return _OPEN[-1]


def closed(ledger: Ledger) -> None:
    _OPEN.remove(ledger)
    ledger.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def full(path: Path) -> Path:
    return ledger_world.full(path)


def test_what_was_written_is_there_after_reopening(full: Path) -> None:
    ledger = opened(full)
    assert ledger.book.lifetime == ledger.book.cohorts["c1"] == NanoRho(17)
    assert ledger.answer(programme(), SNAPSHOT) == b"reply"
    assert ledger.answer(programme("other"), SNAPSHOT) is None
    assert events(ledger) == ["opened", "imported", "asked", "debited", "answered", "refused", "asked", "debited"]
    assert list(ledger.book.unanswered) == [7]
    assert (ledger.book.asked, ledger.book.time) == ({(programme(), run(1)), (programme("other"), run(3))}, NOW)
    assert (ledger.origin, ledger.epoch, ledger.cosigned) == ("AA/1", 1, 5)


def test_entries_are_the_chain_and_the_tree_that_everyone_can_check(full: Path) -> None:
    ledger = opened(full)
    with closing(sqlite3.connect(full)) as connection:
        bodies = [bytes(body) for (body,) in connection.execute("SELECT body FROM entries ORDER BY seq")]
    assert first_break(bodies) is None
    assert ledger.head() == Checkpoint("AA/1", 8, Tree(bytes.fromhex(leaf_hash(body)) for body in bodies).root())
    assert ledger.first_entry() == bodies[0]
    tree, root = ledger.tree, ledger.head().root
    assert extends(5, ledger.checkpoints()[0].checkpoint.root, 8, root, tree.consistency(5))
    assert includes(bytes.fromhex(leaf_hash(bodies[3])), 3, 8, root, tree.inclusion(3))


def test_a_refusal_in_the_debit_is_logged_once_and_charges_nothing(full: Path) -> None:
    ledger = opened(full)
    size = ledger.book.size
    for _ in range(2):
        assert ledger.debit([ask("third", 4, lambda _book: NO)]) == (NO,)
    assert events(ledger)[size:] == ["asked", "refused"]
    assert ledger.book.lifetime == NanoRho(17)


def test_a_second_run_of_a_programme_is_asked_anew_and_a_second_order_of_a_run_is_not(full: Path) -> None:
    ledger = opened(full)
    size = ledger.book.size
    ledger.debit([ask("other", 3, lambda _book: NO), ask("other", 4, lambda _book: NO)])
    assert events(ledger)[size:] == ["refused", "asked", "refused"]


def test_what_was_asked_is_kept_with_its_order(full: Path) -> None:
    ledger = opened(full)
    assert ledger.document("programme", programme()) == document("programme", "first")
    order = document("order", "first 1")
    assert ledger.document("order", order.digest) == order
    assert ledger.document("order", "0" * 64) is None


def test_a_document_that_is_not_the_one_cited_is_not_kept(path: Path) -> None:
    ledger = opened(path)
    event = Adopted(event="adopted", kind="roster", name="1", hash="e" * 64)
    with pytest.raises(BrokenLedger, match="not the one that is cited"):
        ledger.log_adopted(event, document("roster", "1"))
    assert ledger.book.adopted == {}


def test_each_decision_of_a_batch_sees_the_debits_before_it(path: Path) -> None:
    ledger, seen = opened(path), list[int]()

    def decide(book: Book) -> Granted | Refused:
        seen.append(book.lifetime.nano)
        return NO if book.lifetime.nano >= 20 else grant()(book)

    outcomes = ledger.debit([ask(name, number, decide) for number, name in enumerate("abcd")])
    assert seen == [0, 10, 20, 20]
    assert [isinstance(one, Refused) for one in outcomes] == [False, False, True, True]
    assert ledger.book.lifetime == NanoRho(20)


def test_a_batch_is_one_commit(path: Path) -> None:
    statements: list[str] = []

    def traced(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(statements.append)
        return connection

    ledger = opened(path, traced)
    statements.clear()
    made = ledger.debit([ask(str(number), number) for number in range(5)])
    for one in made:
        assert not isinstance(one, Refused)
        ledger.begin(one)
    ledger.store_answers([(one, b"reply") for one in made if not isinstance(one, Refused)])
    assert statements.count("COMMIT") == 2
    assert (len(ledger.book.answered), ledger.book.unanswered) == (5, {})


def test_a_batch_in_which_a_decision_breaks_leaves_nothing(path: Path) -> None:
    ledger = opened(path)

    def breaks(_book: Book) -> Granted | Refused:
        raise ArithmeticError

    before = (ledger.head(), ledger.book.lifetime, events(ledger))
    with pytest.raises(ArithmeticError):
        ledger.debit([ask("a", 1), ask("b", 2), ask("c", 3, breaks)])
    assert (ledger.head(), ledger.book.lifetime, events(ledger)) == before
    assert (ledger.book.asked, ledger.in_hand(programme("a"), SNAPSHOT)) == (set(), None)
    debited(ledger, "a")


def test_a_debit_in_hand_is_used_at_no_further_charge(path: Path) -> None:
    ledger = opened(path)
    made = debited(ledger)
    size = ledger.book.size
    assert ledger.in_hand(programme(), SNAPSHOT) is made
    assert ledger.debit([ask(), ask("first", 2)]) == (made, made)
    assert (ledger.book.size, ledger.book.lifetime) == (size, NanoRho(10))


def test_two_orders_of_one_programme_in_a_batch_share_a_debit(path: Path) -> None:
    ledger = opened(path)
    first, second = ledger.debit([ask("first", 1), ask("first", 2)])
    assert first is second
    assert ledger.book.lifetime == NanoRho(10)


def test_a_debit_that_was_begun_is_no_longer_in_hand_and_another_one_costs_again(path: Path) -> None:
    ledger = opened(path)
    made = debited(ledger)
    ledger.begin(made)
    assert ledger.in_hand(programme(), SNAPSHOT) is None
    with pytest.raises(BrokenLedger, match="in hand"):
        ledger.begin(made)
    assert debited(ledger) is not made
    assert ledger.book.lifetime == NanoRho(20)


def test_a_debit_is_answered_only_when_it_was_begun(path: Path) -> None:
    ledger = opened(path)
    made = debited(ledger)
    with pytest.raises(BrokenLedger, match="begun"):
        ledger.store_answers([(made, b"reply")])
    ledger.begin(made)
    ledger.store_answers([(made, b"reply")])
    assert ledger.answer(programme(), SNAPSHOT) == b"reply"


def test_a_debit_of_an_earlier_process_is_dead(path: Path) -> None:
    ledger = opened(path)
    in_hand, begun = debited(ledger), debited(ledger, "other", 2)
    ledger.begin(begun)
    closed(ledger)
    again = opened(path)
    assert again.in_hand(programme(), SNAPSHOT) is None
    with pytest.raises(BrokenLedger):
        again.begin(in_hand)
    with pytest.raises(BrokenLedger):
        again.store_answers([(begun, b"late reply")])
    assert again.answer(programme("other"), SNAPSHOT) is None
    answered(again)
    assert again.book.lifetime == NanoRho(30)


def test_a_debit_has_one_answer(path: Path) -> None:
    ledger = opened(path)
    made = answered(ledger, reply=b"first")
    with pytest.raises(BrokenLedger):
        ledger.store_answers([(made, b"second")])
    twice = debited(ledger, "other")
    ledger.begin(twice)
    with pytest.raises(BrokenLedger, match="no open debit"):
        ledger.store_answers([(twice, b"one"), (twice, b"two")])
    assert ledger.answer(programme(), SNAPSHOT) == b"first"
    assert ledger.answer(programme("other"), SNAPSHOT) is None


def test_an_attempt_uses_its_debit_up(path: Path) -> None:
    ledger = opened(path)
    made = tried(ledger)
    with pytest.raises(BrokenLedger, match="begun"):
        ledger.log_attempt(made, "e" * 64, "f" * 64)
    ledger.begin(made)
    ledger.log_attempt(made, "e" * 64, "f" * 64)
    with pytest.raises(BrokenLedger, match="begun"):
        ledger.store_answers([(made, b"reply")])
    with pytest.raises(BrokenLedger, match="begun"):
        ledger.log_attempt(made, "e" * 64, "f" * 64)
    assert (ledger.book.unanswered, ledger.book.vectors) == ({}, {(programme(), run()): 1})
    with pytest.raises(BrokenLedger, match="made before"):
        tried(ledger)
    again = tried(ledger, attempt=2)
    ledger.begin(again)
    ledger.log_attempt(again, "e" * 64, "f" * 64)
    assert ledger.book.lifetime == NanoRho(20)


def test_an_answer_and_the_attempts_of_its_runs_have_debits_of_their_own(path: Path) -> None:
    ledger = opened(path)
    made = [debited(ledger), tried(ledger), tried(ledger, number=2)]
    assert len({one.seq for one in made}) == 3
    assert tried(ledger) is made[1], "it is in hand"
    assert ledger.in_hand(programme(), SNAPSHOT) is made[0]
    assert ledger.in_hand(programme(), run(2), 1) is made[2]
    assert ledger.in_hand(programme(), run(2), 2) is None
    for one in made:
        ledger.begin(one)
    with pytest.raises(BrokenLedger, match="no open debit"):
        ledger.store_answers([(made[1], b"reply")])
    with pytest.raises((BrokenLedger, ValidationError)):
        ledger.log_attempt(made[0], "e" * 64, "f" * 64)
    ledger.store_answers([(made[0], b"reply")])
    assert ledger.book.lifetime == NanoRho(30)


def test_a_sum_is_logged_once_for_a_run_that_was_asked(path: Path) -> None:
    ledger = opened(path)
    event = Summed(event="summed", programme=programme(), run=run(), attempt=1, hash="e" * 64)
    with pytest.raises(BrokenLedger, match="never asked"):
        ledger.log_sum(event)
    tried(ledger)
    ledger.log_sum(event)
    with pytest.raises(BrokenLedger, match="second sum"):
        ledger.log_sum(event.model_copy(update={"hash": "f" * 64}))
    ledger.close()
    with closing(opened(path)) as again:
        assert again.book.sums == {(programme(), run()): event}


def test_an_answered_programme_is_not_charged_again_for_the_same_snapshot(path: Path) -> None:
    ledger = opened(path)
    answered(ledger)
    with pytest.raises(BrokenLedger):
        ledger.debit([ask()])
    assert ledger.book.lifetime == NanoRho(10)
    ledger.log_import(imported("6" * 32))
    ledger.debit([ask(snapshot="6" * 32)])
    assert ledger.book.lifetime == NanoRho(20)


def test_a_debit_for_a_snapshot_that_is_not_in_force_is_refused(path: Path) -> None:
    ledger = opened(path)
    with pytest.raises(BrokenLedger):
        ledger.debit([ask(snapshot="7" * 32)])
    assert ledger.book.size == 2


def test_the_same_refusal_is_logged_once(path: Path) -> None:
    ledger = opened(path)
    assert ledger.log_refusal(refusal())
    assert not ledger.log_refusal(refusal())
    assert ledger.book.size == 3


def test_an_answer_may_leave_when_its_entry_is_below_a_cosigned_size(path: Path) -> None:
    ledger = opened(path)
    before = cosigned(ledger)
    answered(ledger)
    assert not ledger.released(programme(), SNAPSHOT)
    ledger.hold_checkpoint(before)
    assert (ledger.cosigned, ledger.released(programme(), SNAPSHOT)) == (2, False)
    ledger.hold_checkpoint(cosigned(ledger))
    assert (ledger.cosigned, ledger.released(programme(), SNAPSHOT)) == (5, True)
    assert not ledger.released(programme("other"), SNAPSHOT)
    closed(ledger)
    assert opened(path).released(programme(), SNAPSHOT)


def test_checkpoints_are_written_with_the_next_transaction_and_shown_at_once(path: Path) -> None:
    ledger = opened(path)
    first = cosigned(ledger)
    ledger.hold_checkpoint(first)
    assert ledger.checkpoints() == (first,)
    with closing(sqlite3.connect(path)) as beside:
        assert beside.execute("SELECT count(*) FROM checkpoints").fetchone() == (0,)
        debited(ledger)
        assert beside.execute("SELECT count(*) FROM checkpoints").fetchone() == (1,)
        ledger.hold_checkpoint(cosigned(ledger))
        ledger.flush()
        assert beside.execute("SELECT size FROM checkpoints ORDER BY size").fetchall() == [(2,), (4,)]
    size = ledger.book.size
    ledger.hold_checkpoint(sign_checkpoint(first.checkpoint, signing_key("another")))
    ledger.flush()
    assert (ledger.checkpoints()[0], len(ledger.checkpoints()), ledger.book.size) == (first, 2, size)


@pytest.mark.parametrize(
    ("origin", "size", "root", "said"),
    [
        ("BB/1", 2, None, "of BB/1"),
        ("AA/2", 2, None, "of AA/2"),
        ("AA/1", 3, b"\0" * 32, "size 3 was cosigned and the ledger has 2"),
        ("AA/1", 2, b"\0" * 32, "size 2 was cosigned with other entries"),
    ],
)
def test_a_checkpoint_of_another_log_is_not_held(
    path: Path, origin: str, size: int, root: bytes | None, said: str
) -> None:
    ledger = opened(path)
    note = sign_checkpoint(Checkpoint(origin, size, root or ledger.head().root), CHECKPOINT_KEY)
    with pytest.raises(BrokenLedger, match=said):
        ledger.hold_checkpoint(note)
    assert (ledger.cosigned, ledger.checkpoints()) == (0, ())


def test_the_newest_checkpoint_of_each_other_region_is_kept(path: Path) -> None:
    def note(origin: str, size: int) -> Note:
        return sign_checkpoint(Checkpoint(origin, size, bytes([size]) * 32), CHECKPOINT_KEY)

    ledger = opened(path)
    ledger.hold_seen([note("BB/1", 9), note("CC/1", 3), note("BB/1", 8), note("CC/2", 1), note("BB/1", 9)])
    expected = (note("BB/1", 9), note("CC/2", 1))
    assert ledger.seen() == expected
    closed(ledger)
    again = opened(path)
    assert again.seen() == expected
    again.hold_seen([note("BB/1", 10)])
    closed(again)
    assert opened(path).seen() == (note("BB/1", 10), note("CC/2", 1))


def test_a_result_needs_an_answer_from_any_snapshot(full: Path) -> None:
    ledger = opened(full)
    entry = ResultEntry(event="result", run=run(1), programme=programme(), hash="e" * 64)
    with pytest.raises(BrokenLedger, match="never answered"):
        ledger.log_result(entry.model_copy(update={"programme": programme("other")}))
    ledger.log_result(entry)
    assert (ledger.book.results, ledger.book.received) == ({run(1): entry}, {run(1): NOW})


def test_time_never_goes_back(path: Path) -> None:
    times = iter((NOW, NOW + 5, NOW - 100, NOW + 6))
    with closing(Ledger(path, "AA", lambda: next(times))) as ledger:
        for number in range(3):
            ledger.log_refusal(refusal(number=number))
        assert [entry.time - NOW for entry in ledger.last_entries(4)] == [0, 5, 5, 6]
