"""The book: which entry may follow which, what they add up to, and back again when a transaction breaks."""

from copy import deepcopy

import pytest

from node.errors import BrokenLedger
from node.ledger.book import Book
from policies.documents import to_canonical
from policies.rules.entries import (
    Adopted,
    Answered,
    Approved,
    AskedEntry,
    Attempted,
    Debited,
    Declined,
    Entry,
    Event,
    Inherited,
    Opened,
    RefusedEntry,
    Reset,
    ResultEntry,
    Summed,
)
from policies.units.money import NanoRho
from tests.ledger_world import KEY, NOW, SNAPSHOT, imported, programme, run

P, OTHER, HASH = programme(), programme("other"), "e" * 64
OPENED = Opened(event="opened", region="AA")
ASKED = AskedEntry(event="asked", programme=P, run=run(), researcher=KEY, order=HASH)
APPROVED = Approved(event="approved", programme=P, approval=HASH)
DECLINED = Declined(event="declined", programme=P, approval=HASH, reason="price")
REFUSED = RefusedEntry(event="refused", programme=P, run=run(), reason="late")
ADOPTED = Adopted(event="adopted", kind="policy", name="1", hash=HASH)
CALENDAR = ADOPTED.model_copy(update={"kind": "calendar", "name": "turn@1"})
INHERITED = Inherited(event="inherited", calendar=HASH, cohorts={"c0": 25, "c1": 15}, lifetime=30)
RESULT = ResultEntry(event="result", run=run(), programme=P, hash=HASH)
RESET = Reset(
    event="reset",
    region="AA",
    epoch=3,
    old_size=9,
    old_root=HASH,
    policy=HASH,
    cohorts={"c1": 40, "c2": 0},
    lifetime_total=50,
)


def debited(total: int = 10, **changes: object) -> Debited:
    facts = {"event": "debited", "programme": P, "run": run(), "researcher": KEY, "snapshot": SNAPSHOT, "cohort": "c1"}
    totals = {"charge": 10, "cohort_total": total, "lifetime_total": total}
    return Debited.model_validate(facts | totals | changes)


def answered(debit: int, **changes: object) -> Answered:
    facts = {"event": "answered", "programme": P, "snapshot": SNAPSHOT, "debit": debit, "answer": HASH}
    return Answered.model_validate(facts | changes)


def attempted(debit: int, attempt: int = 1, **changes: object) -> Attempted:
    facts = {"event": "attempted", "programme": P, "run": run(), "attempt": attempt, "debit": debit}
    return Attempted.model_validate(facts | {"participants": HASH, "commitment": HASH} | changes)


def book(*events: Event, carried: frozenset[tuple[str, str]] = frozenset()) -> Book:
    made = Book(carried=carried)
    for event in events:
        made.take(made.entry(event, NOW))
    return made


STARTED = (OPENED, imported(), ASKED)
CHARGED = (*STARTED, debited())
TRIED = (*STARTED, debited(attempt=1))
"""With the debit at place 3: for an answer, and for an attempt."""
SUM = Summed(event="summed", programme=P, run=run(), attempt=1, hash=HASH)


@pytest.mark.parametrize(
    ("before", "event", "said"),
    [
        ((), ASKED, "opened once"),
        ((OPENED,), OPENED, "opened once"),
        ((OPENED,), RESET, "opened once"),
        (STARTED, ASKED, "a second time"),
        (STARTED, APPROVED.model_copy(update={"programme": OTHER}), "never asked"),
        ((OPENED,), DECLINED, "never asked"),
        (STARTED, debited(11), "totals"),
        (STARTED, debited(lifetime_total=9), "totals"),
        (STARTED, debited(-1, charge=-1), "totals"),
        ((OPENED, ASKED), debited(), "snapshot that was not in force"),
        ((*STARTED, imported("6" * 32)), debited(), "snapshot that was not in force"),
        ((*CHARGED, answered(3)), debited(20), "answered from this snapshot"),
        (STARTED, answered(3), "no open debit"),
        (CHARGED, answered(2), "no open debit"),
        (CHARGED, answered(3, programme=OTHER), "no open debit"),
        (CHARGED, answered(3, snapshot="6" * 32), "no open debit"),
        ((*CHARGED, debited(20), answered(3)), answered(4), "second answer"),
        ((*CHARGED, answered(3)), answered(3), "no open debit"),
        ((*CHARGED, answered(3)), attempted(3), "no open debit"),
        (CHARGED, attempted(3), "no open debit"),
        (TRIED, answered(3), "no open debit"),
        (TRIED, attempted(3, programme=OTHER), "no open debit"),
        (TRIED, attempted(3, run=run(2)), "no open debit"),
        (TRIED, attempted(3, 2), "no open debit"),
        ((*TRIED, attempted(3)), attempted(3), "no open debit"),
        ((*TRIED, attempted(3)), answered(3), "no open debit"),
        (TRIED, debited(20, attempt=1), "made before"),
        ((*TRIED, attempted(3)), debited(20, attempt=1), "made before"),
        ((*STARTED, debited(attempt=2)), debited(20, attempt=1), "made before"),
        ((OPENED, imported()), SUM, "never asked"),
        ((*STARTED, SUM), SUM.model_copy(update={"attempt": 2}), "second sum"),
        (CHARGED, RESULT, "never answered"),
        ((OPENED,), INHERITED, "not in force"),
        ((OPENED, CALENDAR), INHERITED.model_copy(update={"calendar": KEY}), "not in force"),
        ((OPENED, CALENDAR), INHERITED.model_copy(update={"lifetime": -1}), "less than nothing"),
        ((OPENED, CALENDAR), INHERITED.model_copy(update={"cohorts": {"c1": -1}}), "less than nothing"),
    ],
)
def test_an_entry_that_does_not_follow_is_refused_and_changes_nothing(
    before: tuple[Event, ...], event: Event, said: str
) -> None:
    made = book(*before)
    as_it_was = deepcopy(made)
    with pytest.raises(BrokenLedger, match=said) as caught:
        made.take(made.entry(event, NOW))
    assert caught.value.seq == len(before)
    assert made == as_it_was


def test_a_reset_opens_an_epoch_with_everything_charged() -> None:
    made = book(RESET, imported(), ASKED, debited(50, lifetime_total=60))
    assert (made.region, made.epoch) == ("AA", 3)
    assert (made.cohorts, made.lifetime) == ({"c1": NanoRho(50), "c2": NanoRho(0)}, NanoRho(60))


def more(lifetime: int, **cohorts: int) -> Inherited:
    return Inherited(event="inherited", calendar=HASH, cohorts=cohorts, lifetime=lifetime)


def spent(made: Book) -> tuple[dict[str, int], int]:
    return {cohort: rho.nano for cohort, rho in made.cohorts.items()}, made.lifetime.nano


def test_what_predecessors_spent_counts_once_and_a_correction_only_upward() -> None:
    start = (OPENED, CALENDAR, INHERITED, imported(), ASKED, debited(25, lifetime_total=40))
    assert spent(book(*start)) == ({"c0": 25, "c1": 25}, 40)
    assert spent(book(*start, INHERITED)) == ({"c0": 25, "c1": 25}, 40)
    assert spent(book(*start, more(20, c1=5))) == ({"c0": 25, "c1": 25}, 40)
    corrected = book(*start, more(37, c0=20, c1=17, c2=4))
    assert spent(corrected) == ({"c0": 25, "c1": 27, "c2": 4}, 47)
    assert corrected.inherited.covers(book(*start).inherited)
    assert spent(book(*start, more(37, c1=17), more(35, c1=16))) == ({"c0": 25, "c1": 27}, 47)


def test_a_reset_holds_what_was_taken_over_before_it() -> None:
    assert spent(book(RESET, CALENDAR, INHERITED)) == ({"c0": 25, "c1": 40, "c2": 0}, 50)
    assert spent(book(RESET, CALENDAR, more(60, c1=41))) == ({"c1": 41, "c2": 0}, 60)


def test_cohorts_of_which_data_ever_came_into_force_stay_known() -> None:
    assert book(OPENED, imported(), imported("6" * 32), imported(cohort="c2")).cohorts_held == {"c1", "c2"}
    assert book(OPENED, CALENDAR, more(9, c0=9, c9=0), imported()).cohorts_held == {"c0", "c1"}
    assert book(RESET).cohorts_held == frozenset()


def test_an_attempt_is_known_from_its_debit_on() -> None:
    made = book(*TRIED)
    assert (made.attempts, made.vectors, list(made.unanswered)) == ({(P, run()): 1}, {}, [3])
    made = book(*TRIED, attempted(3), debited(20, attempt=2), debited(30, run=run(2), attempt=1))
    assert (made.attempts, made.vectors) == ({(P, run()): 2, (P, run(2)): 1}, {(P, run()): 1})
    assert made.has_answered(P)
    assert list(made.unanswered) == [5, 6]


def test_the_stewards_last_word_counts() -> None:
    assert book(*STARTED).approvals == {}
    declined = book(*STARTED, APPROVED, DECLINED)
    assert (declined.approvals, declined.declined) == ({P: "decline"}, {P: "price"})
    approved = book(*STARTED, DECLINED, APPROVED)
    assert (approved.approvals, approved.declined) == ({P: "approve"}, {})


def test_an_answer_of_a_closed_epoch_counts_as_one() -> None:
    carried = frozenset({(P, SNAPSHOT)})
    with pytest.raises(BrokenLedger, match="answered from this snapshot"):
        book(*CHARGED, carried=carried)
    assert book(OPENED, RESULT, carried=carried).results == {run(): RESULT}


def test_time_is_that_of_the_entry_before_where_the_clock_went_back() -> None:
    made = book(OPENED)
    made.take(made.entry(ASKED, NOW - 1))
    assert made.time == NOW


@pytest.mark.parametrize(
    "change", [{"seq": 2}, {"previous": HASH}, {"seq": 0}], ids=["skipped", "other chain", "same again"]
)
def test_an_entry_out_of_its_place_is_refused(change: dict[str, object]) -> None:
    made = book(OPENED)
    entry = Entry(seq=1, time=NOW, previous=made.head, body=ASKED)
    with pytest.raises(BrokenLedger):
        made.take(to_canonical(entry.model_copy(update=change)))
    made.take(to_canonical(entry))


EVERYTHING = (
    *CHARGED,
    answered(3),
    RESULT,
    DECLINED,
    APPROVED,
    ADOPTED,
    REFUSED,
    imported("6" * 32),
    imported(cohort="c2"),
    debited(20, snapshot="6" * 32, attempt=2),
    attempted(12, 2),
    SUM.model_copy(update={"attempt": 2}),
    debited(30, snapshot="6" * 32),
    RESULT.model_copy(update={"hash": KEY}),
    DECLINED,
    CALENDAR,
    INHERITED,
    more(50, c1=40),
)
"""Every kind of event that may follow the first."""


def test_what_was_taken_on_trial_can_be_undone_from_every_place() -> None:
    assert {event.event for event in (*EVERYTHING, RESET)} == {
        one.model_fields["event"].annotation.__args__[0] for one in Event.__args__[0].__args__
    }
    for place in range(len(EVERYTHING)):
        made = book(*EVERYTHING[:place])
        as_it_was = deepcopy(made)
        made.begin()
        for event in EVERYTHING[place:]:
            made.take(made.entry(event, NOW + 1))
        made.undo()
        assert made == as_it_was
        made.begin()
        made.take(made.entry(EVERYTHING[place], NOW))
        made.settle()
        made.undo()
        assert made == book(*EVERYTHING[: place + 1])
