"""What the rules say beforehand of a programme's margins is what the desk says of them, whose formulas need numpy."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rondgang.canonical import digest

from coordinator.estimates.margins import expected_margins
from policies.documents import load_yaml, parse_yaml, to_canonical
from policies.statistics.compile import compile_blocks
from policies.statistics.gains import Gain, expected_gains
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, DraftPrice, Programme, Secure
from policies.statistics.statistic import Statistic
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from tests import national_study, small_study

SHIPPED = Path(__file__).parents[2] / "policies" / "shipped"
CALENDAR = load_yaml(Calendar, SHIPPED / "rotation.yaml")
CODEBOOKS = {
    found.label: found for found in (load_yaml(Codebook, path) for path in sorted(SHIPPED.glob("*.codebook.yaml")))
}
DRAFTS = sorted([*SHIPPED.glob("*.programme.yaml"), *(SHIPPED / "programmes").glob("*.yaml")])
EXACTLY = 1e-6
BETTER = small_study.CODEBOOK.replace("bounds: [0, 4], sd: 1", "bounds: [0, 4], sd: 1, better: lower")
BOOK = parse_yaml(Codebook, BETTER, "codebook.yaml")

ASKED = (
    {"kind": "count", "unit": "adult", "wave": "T1", "by": ("profile",)},
    {"kind": "count", "unit": "household", "wave": "T0+T1"},
    {"kind": "proportion", "of": "safe == yes", "unit": "adult", "wave": "T1", "by": ("profile",)},
    {"kind": "proportion", "of": "trauma == yes", "unit": "child", "wave": "T0+T1"},
    {"kind": "mean", "of": "incidents", "unit": "household", "wave": "T1"},
    {"kind": "mean", "of": "grade", "unit": "household", "wave": "T1", "within": ("-0.5", "1")},
    {"kind": "mean", "of": "wellbeing", "unit": "adult", "wave": "T0"},
    {"kind": "sum", "of": "incidents", "unit": "household", "wave": "T1", "by": ("profile",)},
    {"kind": "sum", "of": "grade", "unit": "household", "wave": "T1"},
    {"kind": "transition", "of": "state", "unit": "household", "wave": "T0->T1", "by": ("profile",)},
    {"kind": "histogram", "of": "incidents", "unit": "household", "wave": "T0", "bins": ("1", "3")},
    {"kind": "cross_table", "of": ("profile", "help"), "unit": "household", "wave": "T1"},
    {"kind": "paired_change", "of": "incidents", "unit": "household", "wave": "T0->T1"},
    {"kind": "variance", "of": "incidents", "unit": "household", "wave": "T1"},
    {"kind": "variance", "of": "wellbeing", "unit": "adult", "wave": "T1"},
    {"kind": "standard_deviation", "of": "incidents", "unit": "household", "wave": "T1"},
    {"kind": "covariance", "of": ("incidents", "help == yes"), "unit": "household", "wave": "T1"},
    {"kind": "covariance", "of": ("grade", "incidents"), "unit": "household", "wave": "T1", "by": ("profile",)},
    {"kind": "correlation", "of": ("incidents", "grade"), "unit": "household", "wave": "T1"},
    {"kind": "correlation", "of": ("safe == yes", "wellbeing"), "unit": "adult", "wave": "T1"},
    {"kind": "regression", "of": ("incidents", "help == yes", "grade"), "unit": "household", "wave": "T1"},
    {"kind": "regression", "of": ("state == none", "incidents@T0"), "unit": "household", "wave": "T1"},
    {
        "kind": "adjusted_difference", "of": "state == none", "compare": "help", "strata": ("profile",),
        "unit": "household", "wave": "T1", "where": "profile != c",
    },
    {
        "kind": "adjusted_difference", "of": "incidents", "compare": "profile", "strata": ("state@T0", "help"),
        "unit": "household", "wave": "T1",
    },
    {"kind": "quantile", "of": "incidents", "at": ("0.5", "0.9"), "leaves": 4, "unit": "household", "wave": "T1"},
    {"kind": "quantile", "of": "grade", "at": ("0.25",), "leaves": 2, "unit": "household", "wave": "T1"},
)  # fmt: skip


def alike(programme: Programme, codebook: Codebook, calendar: Calendar) -> tuple[Gain, ...]:
    """Holds every region's gains against the desk's margins; gives those of the last one."""
    compilation = compile_blocks(programme.statistics, codebook)
    margins = expected_margins(programme, compilation, codebook, calendar)
    found: tuple[Gain, ...] = ()
    for region in programme.regions:
        found = expected_gains(programme, compilation, codebook, calendar, region)
        for gain, margin, asked in zip(found, margins, programme.statistics, strict=True):
            assert gain.statistic == margin.statistic == asked.id
            told = f"{asked.id}: a {asked.kind} in {region}"
            if asked.ridge is not None:
                assert (gain.region, gain.national) == (None, None), told
                continue
            same(gain.national, margin.national, told)
            if asked.mode == "national":
                assert gain.region is None, told
                continue
            same(gain.region, margin.by_region[region], told)
            assert gain.region_readable == (region not in margin.withheld), told
    return found


def same(own: float | None, desk: float, told: str) -> None:
    """None only where the desk has no number either."""
    if own is None:
        assert desk != desk, told
    else:
        assert own == pytest.approx(desk, rel=EXACTLY), told


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_of_every_shipped_programme_the_gains_are_the_desks_margins(path: Path) -> None:
    draft = load_yaml(Draft, path)
    codebook = CODEBOOKS[draft.programme.codebook]
    hashes = digest(to_canonical(codebook)), digest(to_canonical(CALENDAR))
    found = alike(plan(draft, codebook, CALENDAR, hashes), codebook, CALENDAR)
    assert all(one.national is not None for one in found)


def statistics(places: list[int], modes: list[str]) -> tuple[Statistic, ...]:
    pairs = enumerate(zip(places, modes, strict=True))
    return tuple(
        Statistic.model_validate({"id": f"s{number}", "mode": mode, **ASKED[place]}) for number, (place, mode) in pairs
    )


def planned(asked: tuple[Statistic, ...], rho: str, secure: Secure | None, weights: object) -> Programme:
    draft = national_study.draft((), secure)
    update = {"price": DraftPrice.model_validate({"rho": rho}), "statistics": asked, "weights": weights}
    made = Draft.model_validate({**draft.model_dump(), **{name: _plain(value) for name, value in update.items()}})
    calendar = national_study.calendar()
    hashes = digest(to_canonical(BOOK)), digest(to_canonical(calendar))
    return plan(made, BOOK, calendar, hashes)


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(one.model_dump() for one in value)
    return value.model_dump() if isinstance(value, DraftPrice) else value


@pytest.mark.parametrize("mode", ["regional", "national"])
@pytest.mark.parametrize("rho", ["0.05", "2", "400"])
def test_of_every_kind_in_both_modes_the_gains_are_the_desks_margins(mode: str, rho: str) -> None:
    """From noise in which everything drowns to hardly any."""
    secure = Secure(colluders=1, dropouts=1, attempts=2) if mode == "national" else None
    for place in range(len(ASKED)):
        programme = planned(statistics([place], [mode]), rho, secure, "equal")
        alike(programme, BOOK, national_study.calendar())


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    places=st.lists(st.integers(0, len(ASKED) - 1), min_size=2, max_size=6, unique=True),
    national=st.integers(0, 63),
    rho=st.sampled_from(["0.1", "1", "30"]),
    heavy=st.sampled_from(["1", "2.5", "9"]),
)
def test_of_any_programme_the_gains_are_the_desks_margins(
    places: list[int], national: int, rho: str, heavy: str
) -> None:
    modes = ["national" if national >> number & 1 else "regional" for number in range(len(places))]
    secure = Secure(colluders=1, dropouts=1) if "national" in modes else None
    weights = {code: heavy if code == "AA" else "1" for code in national_study.codes()}
    programme = planned(statistics(places, modes), rho, secure, weights)
    alike(programme, BOOK, national_study.calendar())


def test_of_a_ridge_no_margin_is_known_and_that_is_said() -> None:
    (asked,) = statistics([20], ["regional"])
    programme = planned((asked.model_copy(update={"ridge": Decimal("0.1")}),), "2", None, "equal")
    (gain,) = alike(programme, BOOK, national_study.calendar())
    assert (gain.region, gain.national, gain.region_readable) == (None, None, True)


def test_a_margin_shrinks_with_the_price_and_with_the_number_of_regions() -> None:
    asked = statistics([2], ["regional"])
    dear, cheap = (
        alike(planned(asked, rho, None, "equal"), BOOK, national_study.calendar())[0] for rho in ("2", "0.2")
    )
    assert dear.region is not None
    assert cheap.region is not None
    assert dear.national is not None
    assert dear.national < dear.region < cheap.region
    assert dear.points
