"""A merged region in the evidence: nothing to find where it took over what it should, and each word of it explained."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rondgang.canonical import Json

from audit.checks.inheritance import stated
from audit.diff import Difference, diff
from audit.explain import Explanation, explain
from audit.findings import Severity
from audit.lifetime import TakenOver, counted
from audit.model import LoggedEntry
from audit.practise.frauds.inheriting import BEFORE, TAKEN, TAKEN_LIFETIME, Amounts, merged
from audit.practise.log import Log
from audit.practise.papers import CODEBOOK, OTHER_COHORT
from audit.practise.story import GRONINGEN_CAPS, Chapter, Chapters, first, tell
from audit.practise.story import opening as whole
from audit.verify import verify
from node.ledger.book import Book
from policies.documents import from_canonical, parse_yaml
from policies.rules.entries import Adopted, Event, Imported, Inherited, Opened, Reset
from policies.rules.spent import Spent
from policies.study.calendar import Calendar
from policies.units.money import NanoRho
from tests.made_up import people, study
from tests.small_study import CALENDAR

PINNED = people().consortium.public
CORRECTED: Mapping[str, Amounts | None] = BEFORE | {"FB": ({OTHER_COHORT: "0.25"}, "0.25")}


def opening(log: Log) -> None:
    """As in the story, but for the calendar: FR was formed of two others."""
    log.open()
    calendar = merged(log.study, BEFORE)
    log.adopt("roster", "1", log.study.rosters[0])
    log.adopt("calendar", "madeup_rotation@2", calendar)
    log.inherit(calendar, TAKEN, TAKEN_LIFETIME)
    log.adopt("codebook", CODEBOOK, log.study.codebook)
    log.adopt("policy", "1", log.study.policy(log.region, 1, "1.2", "0.45", households={"most_cohorts": 2}))
    log.load()
    log.look()


def corrected(log: Log) -> None:
    """A later calendar states 0.05 rho more of a cohort; the lifetime stays what it was."""
    calendar = merged(log.study, CORRECTED, 3)
    log.adopt("calendar", "madeup_rotation@3", calendar)
    log.cohorts[OTHER_COHORT] += 50_000_000
    totals: dict[str, Json] = {"c1": "100000000", OTHER_COHORT: "250000000"}
    log.write("inherited", calendar=calendar.digest, cohorts=totals, lifetime=str(TAKEN_LIFETIME))
    log.look()


def story(**chapters: Chapter) -> dict[str, bytes]:
    beside: Chapters = {"opening": lambda log: whole(log, GRONINGEN_CAPS), "first": first}
    return tell(study("merged"), {"opening": opening, "first": first, **chapters}, beside).sealed()


@pytest.mark.parametrize("chapters", [{}, {"corrected": corrected}], ids=["merged", "corrected"])
def test_a_merged_region_that_took_over_what_it_should_has_nothing_to_explain(chapters: dict[str, Chapter]) -> None:
    findings = verify(list(story(**chapters).items()), PINNED).findings
    # A calendar that states other amounts for the past is to be asked about.
    assert {one.code for one in findings if one.severity is not Severity.NOTE} <= {"calendar.rewritten"}


def test_what_was_taken_over_counts_for_its_cohorts_and_the_lifetime() -> None:
    """0.45 rho hold 0.3 that were taken over and the charge; with the plain sum of all cohorts they do too."""
    files = story()
    verdict = verify(list(files.items()), PINNED)
    (region,) = [one for one in verdict.regions if one.code == "FR"]
    (spend,) = region.spends
    assert spend.entry.money("cohort_total") == TAKEN["c1"] + spend.charge
    assert spend.entry.money("lifetime_total") == TAKEN_LIFETIME + spend.charge


def test_an_entry_that_takes_over_is_told_in_words() -> None:
    files = list(story().items())
    found = explain("FR/1#3", files, PINNED)
    assert isinstance(found, Explanation)
    text = "\n".join(found.lines)
    assert "cohort c2: the most that one of them had spent is 0.2 rho" in text
    assert "over the lifetime: the most that one of them had spent is 0.3 rho" in text
    debit = next(one.entry for one in verify(files, PINNED).regions[0].spends)
    told = explain(debit.place, files, PINNED)
    assert isinstance(told, Explanation)
    assert "of which only the 2 dearest cohorts count" in "\n".join(told.lines)
    policy = explain("FR/1#5", files, PINNED)
    assert isinstance(policy, Explanation)
    assert "  cohorts that a household may be in: 2" in policy.lines


def test_two_visits_tell_what_was_taken_over_in_between() -> None:
    old, new = story()["FR.bundle"], story(corrected=corrected)["FR.bundle"]
    found = diff(("old", old), ("new", new))
    assert isinstance(found, Difference)
    assert found.facts["inherited"] == ["FR/1#11"]
    assert any("taken over, at most 0.3 rho" in line for line in found.lines)


def test_after_a_reset_it_is_taken_over_again_and_adds_nothing() -> None:
    def again(log: Log) -> None:
        """The caps are above what was taken over, so nothing more is counted."""
        log.reset()
        log.adopt_again()
        calendar = merged(log.study, BEFORE, 4)
        log.adopt("calendar", "madeup_rotation@4", calendar)
        cohorts: dict[str, Json] = {name: str(nano) for name, nano in TAKEN.items()}
        log.write("inherited", calendar=calendar.digest, cohorts=cohorts, lifetime=str(TAKEN_LIFETIME))
        log.look()

    findings = verify(list(story(again=again).items()), PINNED).findings
    wrong = {one.code for one in findings if one.severity is Severity.ERROR}
    # The made-up log resets one cohort only, and leaves the other's total out.
    assert wrong == {"reset.cheap"}


AMOUNTS = st.dictionaries(st.sampled_from(["c1", "c2", "c3", "c4"]), st.integers(0, 9), max_size=4)
H = "e" * 64


def entry(cohorts: dict[str, int], lifetime: int) -> LoggedEntry:
    body: dict[str, Json] = {
        "event": "inherited",
        "calendar": H,
        "cohorts": {name: str(nano) for name, nano in cohorts.items()},
        "lifetime": str(lifetime),
    }
    return LoggedEntry("FR", 1, 0, 0, "", body, b"")


@given(
    AMOUNTS,
    st.integers(0, 30),
    st.lists(st.tuples(AMOUNTS, st.integers(0, 30)), max_size=3),
    st.integers(0, 3),
    AMOUNTS,
)
@example({}, 0, [({}, 1), ({"c1": 0}, 0)], 1, {"c1": 1})
@settings(max_examples=200, deadline=None)
def test_the_auditor_counts_as_the_node_does(
    reset: dict[str, int], began: int, taken: list[tuple[dict[str, int], int]], place: int, charged: dict[str, int]
) -> None:
    """Two folds that share no code: the node's book, and the auditor's own."""
    first_event: Event = Opened(event="opened", region="FR")
    if reset:
        first_event = Reset(
            event="reset", region="FR", epoch=2, old_size=0, old_root=H, policy=H, cohorts=reset, lifetime_total=began
        )
    book = Book()
    events: list[Event] = [first_event, Adopted(event="adopted", kind="calendar", name="x@1", hash=H)]
    events += [Inherited(event="inherited", calendar=H, cohorts=cohorts, lifetime=life) for cohorts, life in taken]
    events.insert(2 + place, Imported(event="imported", snapshot="5" * 32, cohort="c1", codebook=H))
    for event in events:
        book.take(book.entry(event, 0))
    mine = TakenOver.began(reset, began if reset else 0)
    totals, plain = dict(reset), began if reset else 0
    for number, (cohorts, life) in enumerate(taken):
        added, more = mine.more(cohorts, life)
        totals = {name: totals.get(name, 0) + added.get(name, 0) for name in {*totals, *added}}
        plain += more
        mine.take(entry(cohorts, life), cohorts, life)
        if number >= place and (more or any(added.values())):
            mine.base, mine.base_lifetime = dict(totals), plain
    totals = {name: totals.get(name, 0) + charged.get(name, 0) for name in {*totals, *charged}}
    plain += sum(charged.values())
    spent = book.spent
    after = Spent(
        {name: spent.cohort(name) + NanoRho(charged.get(name, 0)) for name in totals},
        spent.lifetime + NanoRho(sum(charged.values())),
        spent.base,
        spent.inherited,
    )
    for most in (None, 1, 2, 3, 4, 5):
        assert counted(totals, plain, most, mine) == after.counted(most).nano


def test_what_a_calendar_hands_over_is_the_same_by_both_hands() -> None:
    signed = merged(study(), BEFORE)
    calendar = from_canonical(Calendar, signed.document)
    theirs, mine = calendar.inheritance("FR"), stated(calendar, "FR")
    assert mine == (TAKEN, TAKEN_LIFETIME)
    assert theirs is not None
    assert theirs != "unknown"
    assert ({name: rho.nano for name, rho in theirs[0].items()}, theirs[1].nano) == mine
    unknown = from_canonical(Calendar, merged(study(), BEFORE | {"FB": None}).document)
    assert stated(unknown, "FR") == unknown.inheritance("FR") == "unknown"
    plain = parse_yaml(Calendar, CALENDAR, "calendar.yaml")
    assert stated(plain, "AA") is plain.inheritance("AA") is None
