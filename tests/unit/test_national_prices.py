"""What `price` says of national statistics: margins beside those of asking regionally, attempts, weights, trimming."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any

import pytest
from rondgang.signed import Signed

from compose.demo.federation import SHIPPED
from compose.demo.programme import demo_programme
from coordinator.cli import asking
from coordinator.client import Planned
from coordinator.desk.views import Prices, RegionPrice
from coordinator.estimates.margins import Margin, expected_margins
from coordinator.prices import PriceList, moved, price_file, price_json, price_list
from policies.documents import load_yaml, parse_yaml, to_canonical
from policies.secure.rounds import group_of
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, DraftPrice, Programme, Secure
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

CONTRACT = ("statistic", "mode", "rho", "margin_regional", "margin_national", "by_region")
HASHES = ("0" * 64, "1" * 64)


@cache
def codebook() -> Codebook:
    return load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")


@cache
def calendar() -> Calendar:
    return load_yaml(Calendar, SHIPPED / "rotation.yaml")


def shipped(**update: object) -> Draft:
    """The demo's programme, with other fields at will."""
    draft = parse_yaml(Draft, demo_programme(None), "programme.yaml")
    return Draft.model_validate({**draft.model_dump(), **update})


def planned(draft: Draft) -> Programme:
    return plan(draft, codebook(), calendar(), HASHES)


def listed(draft: Draft) -> PriceList:
    programme = planned(draft)
    unsigned = Planned(Signed("programme", to_canonical(programme), ()), programme, codebook(), calendar(), draft)
    return price_list(unsigned, Prices(tuple(RegionPrice(region, "away") for region in programme.regions)))


def document(draft: Draft) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(price_file(listed(draft)))
    return found


def margins(draft: Draft) -> dict[str, Margin]:
    programme = planned(draft)
    found = expected_margins(programme, compile_blocks(programme.statistics, codebook()), codebook(), calendar())
    return {one.statistic: one for one in found}


def in_mode(draft: Draft, mode: str) -> Draft:
    return draft.model_copy(
        update={"statistics": tuple(one.model_copy(update={"mode": mode}) for one in draft.statistics)}
    )


def weights(**heavy: str) -> dict[str, str]:
    return dict.fromkeys(calendar().members("c3"), "1") | heavy


def test_in_the_demo_every_national_margin_is_at_most_a_22nd_tenth_of_the_median_regions() -> None:
    price = document(shipped())
    assert {one["mode"] for one in price["statistics"]} == {"regional", "national"}
    assert min(one["margin_regional"] / one["margin_national"] for one in price["statistics"]) >= 2.2
    assert price["epsilon"] == pytest.approx(3, abs=1e-4)


def test_the_fields_of_the_contract_come_first_and_more_is_said_only_where_it_is_so() -> None:
    plain = document(in_mode(shipped(), "regional"))
    assert tuple(plain) == ("programme", "hash", "rho", "epsilon", "delta", "statistics", "regions", "dropping")
    assert {tuple(one) for one in plain["statistics"]} == {CONTRACT}
    both = document(shipped())
    fields = {one["mode"]: tuple(one) for one in both["statistics"]}
    assert fields["regional"] == CONTRACT
    assert fields["national"] == (*CONTRACT, "margin_national_if_regional", "margin_national_with_dropouts")
    assert tuple(both)[7:] == (
        "colluders", "dropouts", "attempts", "rho_attempt", "rho_most", "epsilon_most", "own_noise_rho",
        "own_noise_epsilon", "dropping",
    )  # fmt: skip
    weighted = document(shipped(weights=weights(ZE="2")))
    assert all(tuple(one)[-2:] == ("margin_national_weighted", "loss_by_weights") for one in weighted["statistics"])


def test_asking_regionally_at_the_same_price_is_what_the_price_says_it_is() -> None:
    """A programme of one mode has the same shares of the price in the other, so each margin is the other plan's."""
    national, regional = (margins(in_mode(shipped(), mode)) for mode in ("national", "regional"))
    for name, found in national.items():
        assert found.if_regional == pytest.approx(regional[name].national, rel=1e-5)
        assert found.regional == pytest.approx(regional[name].regional, rel=1e-5)
        assert found.national < found.if_regional
        assert found.national < found.reduced
        assert found.weighted == pytest.approx(found.national)
    for found in regional.values():
        assert found.national == found.reduced == found.if_regional == pytest.approx(found.weighted)


def test_noise_falls_by_the_root_of_n_less_t() -> None:
    """So little money that sampling hardly counts: 13 regions of which 4 may collude have a third of the noise."""
    dear = shipped(price={"rho": "0.0001"})
    one = margins(in_mode(dear, "national"))["child_wellbeing"]
    assert one.if_regional / one.national == pytest.approx(sqrt(13 - 4), rel=1e-3)
    # Two lost: the noise of 11 survivors is 11/7 of sigma^2 instead of 13/9, and two regions' children are missing.
    children = sorted(each.child for each in calendar().cohorts["c3"].expected.values())
    fewer = sum(children[:-2]) / sum(children)
    assert one.reduced / one.national == pytest.approx(sqrt((11 / 7) / (13 / 9)) / fewer, rel=1e-3)


def test_the_price_tells_what_attempts_and_colluders_can_come_to() -> None:
    secure = Secure(colluders=3, dropouts=1, attempts=2)
    price, programme = document(shipped(secure=secure)), planned(shipped(secure=secure))
    attempt = Decimal(programme.charge.national) / 10**9
    assert (price["colluders"], price["dropouts"], price["attempts"]) == (3, 1, 2)
    assert price["rho_attempt"] == float(attempt)
    assert price["rho_most"] == pytest.approx(price["rho"] + float(attempt))
    assert price["own_noise_rho"] == float(attempt * 10)
    assert price["epsilon"] < price["epsilon_most"] < price["own_noise_epsilon"]


@pytest.mark.parametrize("mode", ["regional", "national"])
def test_unequal_weights_widen_and_the_price_says_how_much(mode: str) -> None:
    """Regionally by sum(w^2) against (sum w)^2 / n; in a national sum all noise is that of the heaviest weight."""
    heavy = weights(ZE="2", DR="0.5")
    draft = in_mode(shipped(price={"rho": "0.0001"}, weights=heavy), mode)
    found = margins(draft)["child_wellbeing"]
    children = {code: each.child for code, each in calendar().cohorts["c3"].expected.items()}
    w = {code: float(weight) for code, weight in heavy.items()}
    reached = sum(w[code] * children[code] for code in w) / sum(children.values())
    if mode == "regional":
        wanted = sqrt(sum(each**2 for each in w.values()) / 13) / reached
    else:
        wanted = max(w.values()) / reached
    assert found.weighted / found.national == pytest.approx(wanted, rel=1e-3)
    price = document(draft)
    shown = next(one for one in price["statistics"] if one["statistic"] == "child_wellbeing")
    assert shown["loss_by_weights"] == pytest.approx(wanted, rel=1e-3)


def test_margins_at_equal_weights_are_those_of_equal_weights() -> None:
    """But for the split of the price, which is of the programme as it is asked."""
    equal, heavy = (
        margins(in_mode(shipped(), "national")),
        margins(in_mode(shipped(weights=weights(ZE="2")), "national")),
    )
    for name, found in equal.items():
        assert heavy[name].national == pytest.approx(found.national, rel=1e-5)
        assert heavy[name].weighted > 1.15 * found.weighted


def test_trimming_gives_back_most_of_what_a_heavy_region_took_and_names_its_bias() -> None:
    heavy = weights(ZE="3")
    whole, cut = (margins(in_mode(shipped(weights=heavy, trim=trim), "national")) for trim in (None, "1.3"))
    assert all(cut[name].weighted < 0.75 * whole[name].weighted for name in whole)
    trim = document(shipped(weights=heavy, trim="1.3"))["trim"]
    assert trim["factor"] == "1.3"
    assert trim["weights"] == {"ZE": {"written": 3.0, "asked": 1.3}}
    children = {code: each.child for code, each in calendar().cohorts["c3"].expected.items()}
    others = sum(children.values()) - children["ZE"]
    part = 3 * children["ZE"] / (3 * children["ZE"] + others) - 1.3 * children["ZE"] / (1.3 * children["ZE"] + others)
    assert trim["bias_at_most"]["child"] == pytest.approx(part)
    assert set(trim["bias_at_most"]) == {"household", "adult", "child"}
    assert "trim" not in document(shipped(weights=heavy))


def test_what_moves_is_what_a_figure_can_change_by() -> None:
    """The worst case: the regions that lose weight all have one value, the others another."""
    before, after, units = {"A": 4, "B": 1, "C": 2}, {"A": 2, "B": 1, "C": 2}, {"A": 10, "B": 30, "C": 20}

    def mean(of: Mapping[str, int], values: Mapping[str, float]) -> float:
        whole = sum(of[code] * n for code, n in units.items())
        return sum(of[code] * n * values[code] for code, n in units.items()) / whole

    worst = {"A": 0.0, "B": 0.7, "C": 0.7}
    assert abs(mean(after, worst) - mean(before, worst)) == pytest.approx(0.7 * moved(before, after, units))
    assert abs(mean(after, {**worst, "C": 0.2}) - mean(before, {**worst, "C": 0.2})) <= 0.7 * moved(
        before, after, units
    )
    assert moved(before, {"A": 8, "B": 2, "C": 4}, units) == pytest.approx(0)


@pytest.mark.parametrize(("regions", "said"), [(3, True), (4, False)])
def test_with_fewer_than_four_regions_it_says_that_all_is_asked_regionally(
    regions: int, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = calendar().members("c3")[:regions]
    draft = parse_yaml(Draft, demo_programme(codes), "programme.yaml")
    prices = listed(draft)
    asking.show(prices)
    shown = capsys.readouterr().out
    assert ("National sums take at least 4 regions. With 3," in shown) is said
    assert {one.mode for one in prices.statistics} == ({"regional"} if said else {"regional", "national"})
    assert "attempts" not in price_json(prices) or not said


def test_the_table_shows_both_margins_attempts_weights_and_trimming(capsys: pytest.CaptureFixture[str]) -> None:
    secure = Secure(colluders=4, dropouts=2, attempts=2)
    prices = listed(shipped(secure=secure, weights=weights(ZE="3"), trim="1.3"))
    asking.show(prices)
    shown = capsys.readouterr().out
    words = " ".join(shown.split())
    assert prices.national is not None
    assert f"with all 2 it may make, at most {prices.national.most.text()} rho" in words
    assert "up to 4 of the 13 regions, with up to 2 lost" in words
    assert "Weights cut at 1.3 times their median: ZE 3 to 1.3." in words
    assert "national if asked regionally" in words
    assert "national weighted" in words
    # A national statistic has no figure of a region to show a margin of.
    line = next(line for line in shown.splitlines() if line.startswith("children_safe"))
    one = next(one for one in prices.statistics if one.statistic == "children_safe")
    assert f"{one.margin.if_regional:.3g}" in line
    assert f"{one.margin.regional:.3g}" not in line


def test_the_starters_tell_the_truth_about_half_the_margin() -> None:
    """What violence.yaml says: all of it nationally gives the country half the margin."""
    draft = load_yaml(Draft, Path(SHIPPED) / "programmes" / "violence.yaml")
    before, after = margins(draft), margins(in_mode(draft, "national"))
    assert all(0.45 < after[name].national / before[name].national < 0.56 for name in before)
    assert planned(draft.model_copy(update={"price": DraftPrice.model_validate({"rho": "0.03"})})).secure is None
    assert group_of(planned(in_mode(draft, "national"))) is not None
