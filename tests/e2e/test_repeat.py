"""A repeat costs nothing and brings the same bytes, whatever was killed in between; who is away answers later."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from compose.demo.federation import Federation
from coordinator.client import Desk
from coordinator.desk.views import Results
from coordinator.gather import Asked, State
from coordinator.table import read_rows
from policies.rules.entries import Answered, Debited
from tests.e2e.world import draft, entries, finished, quiet, small_federation, status_of, stored_answers, until


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    made = small_federation(tmp_path_factory.mktemp("repeat"))
    try:
        made.start(quiet)
        yield made
    finally:
        made.stop()


@pytest.fixture
def desk(federation: Federation) -> Iterator[Desk]:
    everybody_is_there(federation)
    with Desk.open(federation.researcher) as opened:
        yield opened


def everybody_is_there(federation: Federation) -> None:
    if "coordinator" not in federation.processes:
        federation.start_one("coordinator", "coordinator", federation.coordinator)
    for region in federation.regions:
        if region not in federation.processes:
            federation.start_node(region)
    federation.wait_for(federation.regions, 60, quiet)


def money(federation: Federation) -> list[object]:
    """Budgets, debits and answers of every region. Equal lists: nobody was charged, and no answer was made."""
    kept: list[object] = []
    for region in federation.regions:
        paid = [one for one in entries(federation, region) if isinstance(one.body, Debited | Answered)]
        kept.append((status_of(federation, region).budgets, paid, stored_answers(federation, region)))
    return kept


def test_a_repeat_is_free_and_the_same_bytes_also_after_kill_minus_nine(federation: Federation, desk: Desk) -> None:
    before = money(federation)
    planned = desk.plan(draft("twice"))
    run = desk.submit(planned).run
    assert finished(desk, run).count(Asked.ANSWERED) == 2
    first, after_first = desk.fetch(run), money(federation)
    assert after_first != before
    submitted = desk.submit(planned, again=True)
    assert (submitted.run, submitted.existed) == (run, True)
    assert [(one.same, one.other) for one in finished(desk, run).regions] == [(1, 0), (1, 0)]
    assert desk.fetch(run).signed_answers == first.signed_answers
    assert money(federation) == after_first
    for name in ("AA", "coordinator"):
        federation.kill(name)
    everybody_is_there(federation)
    assert money(federation) == after_first
    desk.submit(planned, again=True)
    assert [(one.same, one.other) for one in finished(desk, run).regions] == [(2, 0), (2, 0)]
    assert desk.fetch(run).signed_answers == first.signed_answers
    assert desk.fetch(run).rows_json == first.rows_json
    assert money(federation) == after_first


def test_the_same_programme_signed_anew_is_the_same_question(federation: Federation, desk: Desk) -> None:
    run = desk.submit(desk.plan(draft("signed_anew"))).run
    finished(desk, run)
    charged = money(federation)
    again = desk.submit(desk.plan(draft("signed_anew")), again=True)
    assert (again.run, again.existed) == (run, True)
    finished(desk, run)
    assert money(federation) == charged


def test_a_price_says_that_a_repeat_costs_nothing_and_what_anything_else_would(
    federation: Federation, desk: Desk
) -> None:
    planned = desk.plan(draft("priced"))
    assert all(one.charge == planned.programme.charge.amount for one in desk.price(planned).regions)
    finished(desk, desk.submit(planned).run)
    charged = money(federation)
    assert [one.charge.nano for one in desk.price(planned).regions if one.charge is not None] == [0, 0]
    other = desk.plan(draft("priced", rho="0.1"))
    assert all(one.charge == other.programme.charge.amount for one in desk.price(other).regions)
    assert money(federation) == charged


def test_who_is_away_answers_when_it_is_back_and_results_say_which_regions_they_cover(
    federation: Federation, desk: Desk
) -> None:
    federation.kill("BB")
    run = desk.submit(desk.plan(draft("away"))).run
    until(lambda: next(iter(desk.watch(run))).count(Asked.ANSWERED) == 1, "for AA")
    partial = desk.fetch(run)
    assert partial.state is State.ASKING
    note = "without BB, taken to be like the other regions; the interval has nothing for how they may differ"
    assert covered(partial) == {
        "national": (1, 2, "provisional", note), "AA": (1, 1, "ok", ""),
        "BB": (0, 1, "missing", "this region has not answered"),
    }  # fmt: skip
    federation.start_node("BB")
    assert finished(desk, run).state is State.COMPLETE
    whole = desk.fetch(run)
    assert covered(whole) == {
        "national": (2, 2, "ok", ""), "AA": (1, 1, "ok", ""), "BB": (1, 1, "ok", ""),
    }  # fmt: skip
    assert partial.signed_answers[0] in whole.signed_answers
    assert {row["revision"] for row in read_rows(whole.rows_json)} == {2}


def covered(found: Results) -> dict[object, tuple[object, ...]]:
    """What each row says of the regions in it, by scope."""
    columns = ("regions_included", "regions_expected", "status", "note")
    return {row["scope"]: tuple(row[name] for name in columns) for row in read_rows(found.rows_json)}


def test_a_desk_that_was_killed_takes_its_runs_up_again(federation: Federation, desk: Desk) -> None:
    federation.kill("BB")
    planned = desk.plan(draft("resumed"))
    run = desk.submit(planned).run
    until(lambda: next(iter(desk.watch(run))).count(Asked.ANSWERED) == 1, "for AA")
    kept = desk.fetch(run).signed_answers
    federation.kill("coordinator")
    # The node that answered is killed too: neither may ask or answer twice for want of a memory.
    federation.kill("AA")
    everybody_is_there(federation)
    assert finished(desk, run).count(Asked.ANSWERED) == 2
    assert set(kept) < set(desk.fetch(run).signed_answers)
    assert desk.submit(planned).existed
    for region in federation.regions:
        mine = [entry.body for entry in entries(federation, region)]
        debits = [body for body in mine if isinstance(body, Debited) and body.programme == planned.hash]
        answers = [body for body in mine if isinstance(body, Answered) and body.programme == planned.hash]
        assert (len(debits), len(answers)) == (1, 1)
        assert status_of(federation, region).dead_debits == 0


def test_the_answers_a_researcher_gets_are_the_ones_in_the_ledgers(federation: Federation, desk: Desk) -> None:
    run = desk.submit(desk.plan(draft("compared"))).run
    finished(desk, run)
    stored = [stored_answers(federation, region)[-1] for region in federation.regions]
    assert list(desk.fetch(run).signed_answers) == stored
