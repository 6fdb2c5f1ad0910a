"""Eight years in a few seconds: cohorts 3, 4 and 5, across a merger, with a clock that the test sets.

The desk is the real one over mutual TLS; nodes have real ledgers, rows and noise, and decide for themselves. One story
is told once (`trip`); the tests ask what came of it. What depends on noise is not asked: nothing fails by chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from coordinator.client import Planned
from coordinator.errors import DeskRefused
from coordinator.gather import State
from policies.documents import parse_yaml
from policies.rules.refusals import Reason
from policies.study.calendar import Calendar, instant
from tests import rotating_study
from tests.rotating_study import MERGED, TODAY
from tests.travel_world import Outcome, Travel

LAST = MERGED - 1
DAY_S = 86_400


@dataclass
class Trip:
    """What happened on the way, by a word for each event."""

    travel: Travel
    came: dict[str, Outcome] = field(default_factory=dict)
    refused: dict[str, Reason | None] = field(default_factory=dict)
    spent: dict[str, str] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    events: dict[str, list[str]] = field(default_factory=dict)
    weights: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def desk_refuses(self, word: str, planned: Planned) -> None:
        with pytest.raises(DeskRefused) as error:
            self.travel.desk.submit(planned)
        self.refused[f"desk: {word}"] = error.value.refused.reason

    def node_says(self, word: str, region: str, planned: Planned) -> None:
        """By an order with the coordinator's own signature, that no honest desk gives."""
        self.refused[f"{region}: {word}"] = self.travel.says(region, planned)


def homes(first: int, last: int) -> list[str]:
    """Households by what they are known by in every cohort."""
    return [f"h{number}" for number in range(first, last)]


def third_cohort(trip: Trip) -> None:
    """November 2026: CC and DD are asked about cohort 3; nobody else, and about nothing else."""
    travel = trip.travel
    # In CC a household is in one cohort at most, whatever else is delivered.
    travel.stations["CC"].rule(households={"most_cohorts": 1}, lifetime={"rho": "0.05"})
    trip.kept["CC c3"] = travel.stations["CC"].deliver("c3", ("T0", "T1"), homes(0, 50))
    travel.stations["DD"].deliver("c3", ("T0", "T1"), homes(0, 45))
    planned = travel.planned("third", "c3")
    trip.weights["2026 c3"] = planned.programme.regions
    trip.came["2026 c3"] = travel.asked(planned)
    trip.desk_refuses("c4 in 2026", travel.planned("early", "c4"))
    trip.node_says("c4 in 2026", "AA", travel.planned("early", "c4"))
    forged = travel.forged(planned, AA=1000, BB=1000, CC=1000, MM=1000)
    trip.desk_refuses("regions of the other group", forged)
    for region in ("AA", "BB", "MM"):
        trip.node_says("c3 in 2026", region, forged)


def recruiting(trip: Trip) -> None:
    """2027 and 2028: cohort 4 is measured twice. FF is away for the whole second wave."""
    travel = trip.travel
    travel.clock.now = instant("2027-12-01")
    for region, count in (("AA", 60), ("BB", 40), ("FF", 31)):
        travel.stations[region].deliver("c4", ("T0",), homes(0, count))
    travel.clock.now = instant("2028-12-01")
    for region, count in (("AA", 60), ("BB", 40)):
        trip.kept[f"{region} c4"] = travel.stations[region].deliver("c4", ("T1",), homes(0, count), "add")
    trip.node_says("c4 in 2028", "AA", travel.planned("still_early", "c4"))
    travel.clock.now = LAST
    trip.came["last second of c3"] = travel.asked(travel.planned("third_again", "c3"))
    trip.came["one too many"] = travel.asked(travel.planned("third_more", "c3"))
    trip.spent |= {region: travel.stations[region].spent("c3") for region in ("CC", "DD")}


def merger(trip: Trip) -> None:
    """2029: BB and DD are MM. It answers for both, once the calendar says what they had spent."""
    travel = trip.travel
    late = travel.planned("third_late", "c3")
    travel.clock.now = MERGED
    trip.node_says("c3 after its window", "CC", late)
    trip.desk_refuses("c3 after its window", travel.planned("third_later", "c3"))
    travel.clock.now = instant("2029-01-10")
    planned = travel.planned("fourth", "c4")
    trip.weights["2029 c4"] = planned.programme.regions
    trip.node_says("c4 after it ended", "BB", travel.forged(planned, AA=1000, BB=1000))
    merged = travel.stations["MM"]
    merged.deliver("c4", ("T0", "T1"), homes(0, 40))
    trip.came["c4 before it is known"] = travel.asked(planned)
    trip.spent["MM before"] = merged.spent()
    travel.adopt_calendar(_stated(travel))
    trip.events["MM"] = merged.events
    trip.spent |= {"MM c3 after": merged.spent("c3"), "MM after": merged.spent()}
    trip.came["2029 c4"] = travel.asked(travel.planned("fourth_whole", "c4"))
    trip.came["2029 c4 again"] = travel.asked(travel.planned("fourth_again", "c4"))
    trip.spent |= {"MM c4": merged.spent("c4"), "MM with c4": merged.spent()}
    trip.spent |= {region: travel.stations[region].spent() for region in ("AA", "FF")}


def _stated(travel: Travel) -> Calendar:
    """The next calendar, with what the ledgers of BB and DD say."""
    told = []
    for region in ("BB", "DD"):
        station = travel.stations[region]
        cohorts = ", ".join(f'{cohort}: "{station.spent(cohort)}"' for cohort in ("c3", "c4"))
        told.append(f'{region}: {{cohorts: {{{cohorts}}}, lifetime: "{station.spent()}"}}')
    text = rotating_study.text(2).replace(rotating_study.SPENT, f"spent: {{{', '.join(told)}}}")
    return parse_yaml(Calendar, text, "rotation.yaml")


def fifth_cohort(trip: Trip) -> None:
    """2031: cohort 5, with households that were reported before; then CC is away until a deadline has passed."""
    travel = trip.travel
    travel.clock.now = instant("2030-12-01")
    # Twenty of these fifty were in cohort 3.
    trip.kept["CC c5"] = travel.stations["CC"].deliver("c5", ("T0", "T1"), homes(30, 80))
    travel.stations["MM"].deliver("c5", ("T0", "T1"), homes(100, 185))
    travel.clock.now = instant("2031-01-10")
    planned = travel.planned("fifth", "c5")
    trip.weights["2031 c5"] = planned.programme.regions
    trip.node_says("c5 in 2031", "AA", travel.forged(planned, AA=1000, CC=1000))
    trip.node_says("c4 after its window", "AA", travel.forged(travel.planned("fourth_late", "c4"), AA=1000))
    trip.came["c5 beyond a lifetime"] = travel.asked(planned)
    trip.spent |= {"CC c5": travel.stations["CC"].spent("c5"), "CC": travel.stations["CC"].spent()}
    travel.stations["MM"].rule(lifetime={"rho": "0.2"})
    trip.came["2031 c5"] = travel.asked(planned)
    away = travel.planned("fifth_away", "c5")
    travel.leave("CC")
    run = travel.asked(away).progress.run
    travel.clock.now += 40 * DAY_S
    trip.came["c5 without CC"] = travel.closed(run)


@pytest.fixture(scope="module")
def trip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trip]:
    with Travel.begun(tmp_path_factory.mktemp("travel"), TODAY) as travel:
        made = Trip(travel)
        for chapter in (third_cohort, recruiting, merger, fifth_cohort):
            chapter(made)
        yield made


def test_a_programme_asks_the_regions_on_rotation_and_their_heirs(trip: Trip) -> None:
    assert trip.weights == {"2026 c3": ("CC", "DD"), "2029 c4": ("AA", "FF", "MM"), "2031 c5": ("CC", "MM")}


def test_off_rotation_and_out_of_window_are_refused_by_the_desk_and_by_every_node_itself(trip: Trip) -> None:
    off, outside = Reason.OFF_ROTATION, Reason.OUTSIDE_WINDOW
    assert trip.refused == {
        "desk: c4 in 2026": outside,
        "AA: c4 in 2026": outside,
        "desk: regions of the other group": off,
        "AA: c3 in 2026": off,
        "BB: c3 in 2026": off,
        # MM does not exist yet.
        "MM: c3 in 2026": off,
        "AA: c4 in 2028": outside,
        "CC: c3 after its window": outside,
        "desk: c3 after its window": outside,
        "BB: c4 after it ended": off,
        "AA: c5 in 2031": off,
        "AA: c4 after its window": outside,
    }


def test_the_window_is_open_until_its_last_second_and_the_cap_holds_over_the_years(trip: Trip) -> None:
    assert trip.came["2026 c3"].refused == trip.came["last second of c3"].refused == {}
    # 0.02 twice of 0.05; a third time is one too many, two years after the first.
    assert trip.came["one too many"].refused == dict.fromkeys(("CC", "DD"), Reason.OVER_COHORT_CAP)
    assert (trip.spent["CC"], trip.spent["DD"]) == ("0.06", "0.04")


def test_a_merged_region_spends_nothing_until_the_calendar_says_what_was_spent(trip: Trip) -> None:
    assert trip.came["c4 before it is known"].refused == {"MM": Reason.OVER_LIFETIME_CAP}
    assert trip.spent["MM before"] == "0"
    # Right behind the calendar that says so, before anything else.
    assert trip.events["MM"][-2:] == ["adopted", "inherited"]
    assert "debited" not in trip.events["MM"]
    assert (trip.spent["MM c3 after"], trip.spent["MM after"]) == ("0.04", "0.04")
    assert trip.came["2029 c4"].refused == {}
    assert (trip.spent["MM c4"], trip.spent["MM with c4"]) == ("0.04", "0.08")


def test_what_predecessors_spent_counts_against_the_lifetime_of_the_region_that_came_of_them(trip: Trip) -> None:
    # 0.04 of DD, 0.04 on cohort 4, and 0.02 more are above 0.09.
    assert trip.came["c5 beyond a lifetime"].refused == {"MM": Reason.OVER_LIFETIME_CAP}
    # Its steward allowed more, and the same run went on.
    assert trip.came["2031 c5"].refused == {}
    assert trip.came["2031 c5"].progress.run == trip.came["c5 beyond a lifetime"].progress.run


def test_waves_are_added_and_a_household_reported_again_is_in_one_cohort_only(trip: Trip) -> None:
    # Of fifty households reported for cohort 5 twenty were in cohort 3, where CC lets each be in one cohort.
    assert trip.kept == {"CC c3": 50, "AA c4": 60, "BB c4": 40, "CC c5": 30}
    # So a household of CC pays for one cohort: 0.04 at most, though the region spent 0.06 in all and allows 0.05.
    assert (trip.spent["CC c5"], trip.spent["CC"]) == ("0.02", "0.06")


@pytest.mark.parametrize(
    ("word", "state", "included", "expected", "missing"),
    [
        ("2026 c3", State.COMPLETE, 2, 2, set()),
        ("one too many", State.COMPLETE, 0, 2, {"CC", "DD"}),
        ("c4 before it is known", State.COMPLETE, 2, 3, {"MM"}),
        ("2029 c4", State.COMPLETE, 3, 3, set()),
        ("2029 c4 again", State.COMPLETE, 1, 3, {"AA", "FF"}),
        ("c5 beyond a lifetime", State.COMPLETE, 1, 2, {"MM"}),
        ("2031 c5", State.COMPLETE, 2, 2, set()),
        ("c5 without CC", State.CLOSED, 1, 2, {"CC"}),
    ],
)
def test_every_result_says_how_many_regions_it_is_of_and_which_are_missing(
    trip: Trip, word: str, state: State, included: int, expected: int, missing: set[str]
) -> None:
    came = trip.came[word]
    national = came.row()
    assert national is not None
    assert came.progress.state is state
    assert (national["regions_included"], national["regions_expected"]) == (included, expected)
    assert national["note"].startswith("SYNTHETIC data")
    absent = {row["scope"] for row in came.rows if row["status"] == "missing" and row["scope"] != "national"}
    assert absent == missing
    if missing and state is State.COMPLETE:
        # They may still answer until the deadline.
        assert national["status"] != "ok"
    if missing and included:
        assert f"without {', '.join(sorted(missing))}" in national["note"]


def test_a_region_that_was_away_for_a_whole_wave_answers_with_noise_and_pays_like_the_others(trip: Trip) -> None:
    """FF never measured T1 of cohort 4. That is in its rows alone, so nothing that leaves it may tell."""
    for word in ("c4 before it is known", "2029 c4"):
        row = trip.came[word].row("FF")
        assert row is not None
        assert (row["status"] != "missing", row["regions_included"]) == (True, 1)
    assert trip.spent["FF"] == trip.spent["AA"] == "0.04"


def test_only_from_the_second_cohort_on_there_is_a_composite(trip: Trip) -> None:
    assert trip.came["2026 c3"].row(estimator="composite") is None
    composite, direct = trip.came["2029 c4"].row(estimator="composite"), trip.came["2029 c4"].row()
    before = trip.came["last second of c3"]
    earlier = before.row()
    assert composite is not None
    assert direct is not None
    assert earlier is not None
    # By expected households: AA, BB and FF of cohort 4 beside CC and DD of cohort 3, three cycles earlier.
    part = 131 / (131 + 95)
    assert composite["estimate"] == pytest.approx(part * direct["estimate"] + (1 - part) * earlier["estimate"])
    variance = part**2 * direct["std_error"] ** 2 + (1 - part) ** 2 * (earlier["std_error"] ** 2 + 3 * 0.02**2)
    assert composite["std_error"] == pytest.approx(math.sqrt(variance))
    assert (composite["regions_included"], composite["regions_expected"]) == (5, 5)
    for said in (f"the figure of c3 ({before.progress.run})", "carried forward 3 cycles", "a drift of 0.02 a cycle"):
        assert said in composite["note"]


def test_the_composite_of_cohort_5_carries_cohort_4_forward_across_the_merger(trip: Trip) -> None:
    composite = trip.came["2031 c5"].row(estimator="composite")
    assert composite is not None
    assert "for the rest the figure of c4" in composite["note"]
    assert "is carried forward 1 cycle;" in composite["note"]
    assert composite["regions_expected"] == 5
    # CC and MM are asked now: 135 households; of cohort 4 BB came to MM, so AA and FF are the rest.
    assert f"{135 / (135 + 91):.0%} is asked now" in composite["note"]
