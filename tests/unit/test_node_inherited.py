"""A node of a merged region: nothing is charged before it took over what the regions before it had spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from rondgang.notes import Checkpoint
from rondgang.signed import sign

from node.inheriting import inherited
from node.recovering import Plan, reset
from node.region import InForce
from node.status import status_of
from node.terms import terms_of
from policies.documents import to_canonical
from policies.rules.entries import Entry, Imported, Inherited
from policies.rules.refusals import Reason, Refused
from policies.study.calendar import Calendar
from policies.units.money import NanoRho
from tests.node_world import CONSORTIUM, SNAPSHOT, World, make_home, put_snapshot
from tests.small_study import calendar, hashes, planned

PRICE = planned().charge.amount.nano
NANO = 10**9
Amounts = Mapping[str, tuple[dict[str, str], str] | None]
STATED: dict[str, tuple[dict[str, str], str] | None] = {
    "AX": ({"c1": "0.1"}, "0.3"),
    "AY": ({"c2": "0.2000000001"}, "0.25"),
}


def merged(version: int, spent: Amounts) -> Calendar:
    """The small calendar, in which AA was formed of others long before the cohort began."""
    body = calendar().model_dump(mode="json", exclude_defaults=True)
    body["calendar"]["version"] = version
    since, regions = 1_600_000_000, body["regions"]
    for code in spent:
        regions[code] = {"name": {"nl": code, "en": code}, "group": "A", "until": since - 1}
    stated = {code: {"cohorts": one[0], "lifetime": one[1]} for code, one in spent.items() if one is not None}
    regions["AA"] = {"name": regions["AA"]["name"], "formed_of": list(spent), "since": since, "spent": stated}
    return Calendar.model_validate(body)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    home = make_home(tmp_path / "home", cohorts={"c1": {"rho": "0.5"}})
    put_snapshot(home)
    made = World(home)
    yield made
    made.region.close()


def adopt(world: World, document: Calendar) -> None:
    found = world.region.adopt(sign("calendar", to_canonical(document), CONSORTIUM).to_bytes())
    assert isinstance(found, InForce), found


def totals(world: World) -> tuple[dict[str, int], int]:
    book = world.region.ledger.book
    return {cohort: rho.nano for cohort, rho in book.cohorts.items() if rho.nano}, book.lifetime.nano


def last(world: World, count: int = 2) -> list[str]:
    return [entry.body.event for entry in world.region.ledger.last_entries(count)]


def test_what_was_spent_before_is_taken_over_with_the_calendar_and_counts(world: World) -> None:
    adopt(world, merged(2, STATED))
    assert last(world) == ["adopted", "inherited"]
    assert totals(world) == ({"c1": NANO // 10, "c2": 200_000_001}, 3 * NANO // 10)
    assert isinstance(world.ask(), bytes)
    assert totals(world) == ({"c1": NANO // 10 + PRICE, "c2": 200_000_001}, 3 * NANO // 10 + PRICE)
    world.restart()
    assert totals(world)[1] == 3 * NANO // 10 + PRICE
    refused = world.ask(planned().model_copy(update={"programme": planned().programme.model_copy(update={"id": "b"})}))
    assert isinstance(refused, bytes), "0.5 of the cohort holds 0.1 before and two of 0.2"


def test_nothing_is_charged_while_the_calendar_does_not_say_it(world: World) -> None:
    adopt(world, merged(2, STATED | {"AY": None}))
    assert last(world, 1) == ["adopted"]
    refused = world.ask()
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.OVER_LIFETIME_CAP
    assert "Ask the consortium for a calendar that states `spent`" in refused.sentence
    shown = status_of(world.region)
    assert shown.awaits_inheritance
    assert {one.left.rho for one in shown.budgets} == {one.left_lifetime.rho for one in shown.budgets} == {"0"}
    assert world.spent == 0
    adopt(world, merged(3, STATED))
    assert not status_of(world.region).awaits_inheritance
    assert isinstance(world.ask(), bytes)


def test_a_later_calendar_only_adds(world: World) -> None:
    adopt(world, merged(2, STATED))
    adopt(world, merged(3, {"AX": ({"c1": "0.05"}, "0.05"), "AY": ({}, "0")}))
    assert totals(world) == ({"c1": NANO // 10, "c2": 200_000_001}, 3 * NANO // 10)
    adopt(world, merged(4, {"AX": ({"c1": "0.12"}, "0.3"), "AY": ({"c2": "0.31"}, "0.31")}))
    assert totals(world) == ({"c1": 12 * NANO // 100, "c2": 31 * NANO // 100}, 31 * NANO // 100)


def test_a_region_that_was_not_formed_of_others_takes_nothing_over(world: World) -> None:
    assert inherited(calendar(), "AA", "0" * 64) is None
    assert inherited(merged(2, STATED), "BB", "0" * 64) is None
    assert inherited(merged(2, STATED), "ZZ", "0" * 64) is None
    assert inherited(merged(2, STATED | {"AX": None}), "AA", "0" * 64) is None
    assert isinstance(world.ask(), bytes)


def test_a_reset_charges_it_and_takes_it_over_again(world: World) -> None:
    """The ledger is gone altogether: what the calendar states is known all the same."""
    adopt(world, merged(2, STATED | {"AY": ({"c2": "0.9"}, "0.95")}))
    home = world.region.home
    world.region.close()
    home.ledger_file.unlink()
    plan = reset(home, world.clock, Checkpoint("AA/1", 9, bytes(32)))
    assert isinstance(plan, Plan)
    assert {cohort: charge.charged.text() for cohort, charge in plan.cohorts.items()} == {"c1": "0.5", "c2": "0.9"}
    assert plan.lifetime.charged == NanoRho(95 * NANO // 100)
    world._open()
    assert totals(world) == ({"c1": NANO // 2, "c2": 9 * NANO // 10}, 95 * NANO // 100)
    entries: list[Entry] = list(world.region.ledger.last_entries(20))
    place = next(entry.seq for entry in entries if isinstance(entry.body, Inherited))
    assert entries[place - 1].body.event == "adopted"
    assert world.region.place().imported == {"c1", "c2"}


def limited(folder: Path, most: int | None, *, late: bool) -> World:
    """A node where all cohorts together may cost 0.45. `late`: the calendar comes when the data are there already."""
    caps = {"c1": {"rho": "0.5"}, "c2": {"rho": "0.5"}}
    rule = None if most is None else {"most_cohorts": most}
    made = World(make_home(folder, cohorts=caps, lifetime={"rho": "0.45"}, households=rule))
    if late:
        _imports(made)
    adopt(made, merged(2, {"AX": ({"c2": "0.3"}, "0.3")}))
    if not late:
        _imports(made)
    return made


def _imports(world: World) -> None:
    assert isinstance(world.region.record_import(SNAPSHOT, "c1", hashes()[0], most=1), Imported)


@pytest.mark.parametrize(("most", "late"), [(None, False), (1, True), (1, False)], ids=["all", "late", "one"])
def test_with_a_limit_on_cohorts_the_dearest_count(tmp_path: Path, most: int | None, late: bool) -> None:
    """0.3 of another cohort and 0.2 for this one are too much together; but nobody is in both.

    Unless import could not know: then what was spent before counts for everybody.
    """
    made = limited(tmp_path / "home", most, late=late)
    outcome = made.ask()
    shown, left = status_of(made.region), {one.cohort: one.left_lifetime.rho for one in status_of(made.region).budgets}
    made.region.close()
    assert (shown.most_cohorts, shown.budgets[-1].spent.rho) == (most, "0.3")
    if most is None or late:
        assert isinstance(outcome, Refused)
        assert outcome.reason is Reason.OVER_LIFETIME_CAP
        assert left == dict.fromkeys(("", "c1", "c2"), "0.15")
    else:
        assert isinstance(outcome, bytes)
        assert left == {"": "0.15", "c1": NanoRho(45 * NANO // 100 - PRICE).text(), "c2": "0.15"}


def test_terms_of_an_import_wait_until_it_is_known_who_was_where(world: World) -> None:
    adopt(world, merged(2, STATED | {"AY": None}))
    assert terms_of(world.region, "c1").awaits
    adopt(world, merged(3, STATED))
    terms = terms_of(world.region, "c1")
    assert (terms.awaits, terms.inherited, terms.snapshot) == (False, ("c1", "c2"), SNAPSHOT)
