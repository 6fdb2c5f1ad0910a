"""What the rules say beforehand of a programme's margins is what the desk says of them, whose formulas need numpy."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rondgang.canonical import digest

from coordinator.estimates.margins import expected_margins
from policies.documents import load_yaml, to_canonical
from policies.statistics.compile import compile_blocks
from policies.statistics.gains import Gain, expected_gains
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, DraftPrice, Programme, Secure
from policies.statistics.statistic import Statistic
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from tests import national_study
from tests.kinds_asked import ASKED, BOOK

SHIPPED = Path(__file__).parents[2] / "policies" / "shipped"
CALENDAR = load_yaml(Calendar, SHIPPED / "rotation.yaml")
CODEBOOKS = {
    found.label: found for found in (load_yaml(Codebook, path) for path in sorted(SHIPPED.glob("*.codebook.yaml")))
}
DRAFTS = sorted([*SHIPPED.glob("*.programme.yaml"), *(SHIPPED / "programmes").glob("*.yaml")])
EXACTLY = 1e-6


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
    place = next(place for place, one in enumerate(ASKED) if one["kind"] == "regression")
    (asked,) = statistics([place], ["regional"])
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
