"""What `price` says beyond today: what dropping a statistic buys, and what waves still to come would need."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from rondgang.signed import Signed

from coordinator.cli import asking
from coordinator.client import Planned
from coordinator.desk.views import Prices, RegionPrice
from coordinator.estimates.margins import expected_margins
from coordinator.planning.ahead import ahead
from coordinator.prices import PriceList, price_file, price_list
from policies.documents import to_canonical
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, DraftPrice, Programme
from policies.study.calendar import Calendar
from policies.units.money import NanoRho
from tests import small_study

RHO = NanoRho(200_000_000)


def calendar(*waves: str) -> Calendar:
    """The small calendar, its first cohort with these waves."""
    plain = small_study.calendar()
    cohort = plain.cohorts["c1"]
    windows = {"release": cohort.windows["release"], **dict.fromkeys(waves, cohort.windows["release"])}
    changed = cohort.model_copy(update={"windows": windows})
    return plain.model_copy(update={"cohorts": {**plain.cohorts, "c1": changed}})


def at(wave: str, *ids: str) -> Draft:
    """One or more questions about one wave."""
    asked = [
        {"id": name, "kind": "proportion", "of": "state == none", "unit": "household", "wave": wave} for name in ids
    ]
    return Draft.model_validate({**small_study.draft().model_dump(), "statistics": asked})


def planned(draft: Draft, by: Calendar) -> Planned:
    programme = plan(draft, small_study.codebook(), by, small_study.hashes())
    return Planned(Signed("programme", to_canonical(programme), ()), programme, small_study.codebook(), by, draft)


def quoted(region: str, left: str) -> RegionPrice:
    return RegionPrice(region, "granted", None, RHO, _rho(left), _rho("9"))


def _rho(text: str) -> NanoRho:
    return NanoRho(int(Decimal(text) * 10**9))


def listed(draft: Draft, by: Calendar, *regions: RegionPrice) -> PriceList:
    return price_list(planned(draft, by), Prices(regions))


@pytest.mark.parametrize(
    ("waves", "asked", "later", "times"),
    [
        (("T0", "T1"), "T0", ("T1",), 1),
        (("T0", "T1", "T2"), "T0", ("T1", "T2"), 2),
        (("T0", "T1", "T2"), "T1", ("T2",), 1),
        (("T0", "T1"), "T1", (), 0),
        ((), "T0", (), 0),
    ],
)
def test_each_wave_to_come_needs_as_much_again(
    waves: tuple[str, ...], asked: str, later: tuple[str, ...], times: int
) -> None:
    by = calendar(*waves)
    programme = planned(at(asked, "a"), by).programme
    found = ahead(programme, by, [])
    assert found.waves == later
    assert found.need.nano == times * programme.charge.amount.nano


def test_regions_that_would_have_less_are_named_by_the_smaller_of_their_two_caps() -> None:
    by = calendar("T0", "T1")
    programme = planned(at("T0", "a"), by).programme
    exact = NanoRho(2 * programme.most_charge.nano)
    regions = [
        RegionPrice("AA", "granted", None, RHO, exact, exact),
        RegionPrice("BB", "granted", None, RHO, exact.left_after(NanoRho(1)), exact),
        RegionPrice("CC", "granted", None, RHO, exact, NanoRho(5)),
        RegionPrice("DD", "away"),
        # Answered before: it is charged nothing more, and has enough for what is to come.
        RegionPrice("EE", "granted", None, NanoRho(0), programme.most_charge, exact),
    ]
    found = ahead(programme, by, regions)
    assert [(one.region, one.left) for one in found.starved] == [
        ("BB", programme.most_charge.left_after(NanoRho(1))),
        ("CC", NanoRho(0)),
    ]


def test_people_and_programs_are_told_the_rule_and_who_would_starve(capsys: pytest.CaptureFixture[str]) -> None:
    prices = listed(at("T0", "a"), calendar("T0", "T1"), quoted("AA", "0.3"), quoted("BB", "0.5"))
    asking.show(prices)
    words = " ".join(capsys.readouterr().out.split())
    assert "Still to come in this cohort: T1. Once such a wave is added, this same programme is a new question" in words
    assert "WARNING: too little would be left for T1." in words
    assert "there would be less in: AA (0.1" in words
    shown: dict[str, Any] = json.loads(price_file(prices))
    assert shown["ahead"]["waves"] == ["T1"]
    assert [one["region"] for one in shown["ahead"]["too_little"]] == ["AA"]


def test_nothing_is_said_where_no_wave_is_to_come(capsys: pytest.CaptureFixture[str]) -> None:
    prices = listed(at("T1", "a"), calendar("T0", "T1"), quoted("AA", "0.2"))
    asking.show(prices)
    assert "Still to come" not in capsys.readouterr().out
    assert "ahead" not in json.loads(price_file(prices))


def _margins(programme: Programme) -> dict[str, tuple[float, float]]:
    compilation = compile_blocks(programme.statistics, small_study.codebook())
    found = expected_margins(programme, compilation, small_study.codebook(), small_study.calendar())
    return {one.statistic: (one.weighted, one.regional) for one in found}


def test_dropping_tells_what_is_saved_and_what_the_others_would_gain() -> None:
    """Both as planning without it would have it: the same noise for the others, or the same price between them."""
    draft = small_study.draft()
    prices = listed(draft, small_study.calendar())
    whole = planned(draft, small_study.calendar()).programme
    rho = {block.id: block.rho for block in whole.blocks}
    assert [one.saves for one in prices.dropping] == sorted((one.saves for one in prices.dropping), reverse=True)
    assert len(prices.dropping) == len(draft.statistics)
    left = tuple(one for one in draft.statistics if one.id != "wellbeing")
    compilation = compile_blocks(left, small_study.codebook())
    # Ids of denominators count on from the first: those of the others keep their order.
    kept = [block for name, block in rho.items() if name not in ("wellbeing", "n6")]
    parts = {block.id: str(float(part)) for block, part in zip(compilation.blocks, kept, strict=True)}
    dropped = next(one for one in prices.dropping if one.statistic == "wellbeing")
    cheaper = {"rho": f"{float(sum(kept)):.9f}"}
    for price, gained in ((cheaper, False), ({"rho": "0.2"}, True)):
        other = draft.model_copy(
            update={
                "statistics": left,
                "price": DraftPrice.model_validate(price),
                "split": {block: Decimal(part) for block, part in parts.items()},
            }
        )
        programme = planned(other, small_study.calendar()).programme
        margins = _margins(programme)
        if gained:
            for name, bought in dropped.others.items():
                assert (bought.national, bought.regional) == pytest.approx(margins[name], rel=1e-4)
        else:
            assert whole.charge.amount.left_after(programme.charge.amount).nano == pytest.approx(
                dropped.saves.nano, abs=9
            )
            now = _margins(whole)
            assert all(margins[name] == pytest.approx(now[name], rel=1e-4) for name in margins)


def test_a_statistic_alone_has_nothing_to_drop() -> None:
    assert listed(at("T1", "a"), small_study.calendar()).dropping == ()


def test_every_block_that_a_split_must_name_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    statistics = [{"id": "v", "kind": "variance", "of": "incidents", "unit": "household", "wave": "T1"}]
    draft = Draft.model_validate({**small_study.draft().model_dump(), "statistics": statistics})
    prices = listed(draft, small_study.calendar())
    asking.show(prices)
    shown = capsys.readouterr().out
    blocks = {block.id for block in planned(draft, small_study.calendar()).programme.blocks}
    assert {line.split()[0] for line in shown.splitlines() if line.strip()} >= blocks
