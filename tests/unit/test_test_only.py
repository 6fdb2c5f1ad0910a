"""A federation for tests alone: its caps may be wide, and no study's region answers what was asked of it."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from typer.testing import CliRunner

from coordinator.desk.views import Prices, RegionPrice
from coordinator.desk.wire import prices_from_wire, prices_to_wire
from coordinator.prices import PriceList, price_json
from node.authenticate import Asked, read_programme
from node.cli import app
from node.status import status_of
from policies.documents import BadDocument, from_canonical, parse_yaml, to_canonical
from policies.rules.decide import Granted, Spent, Standing, decide
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import RegionPolicy
from policies.statistics.plan import BadPlan, plan
from policies.statistics.programme import DraftPrice, Programme
from policies.units.money import NanoRho
from tests.node_world import World, make_home, put_snapshot, signed_programme
from tests.small_study import OPEN, POLICY, calendar, codebook, draft, hashes, planned, region_policy

WIDE = """
policy: {version: 1}
test_only: true
cohorts: {c1: {rho: "1000000000"}}
lifetime: {rho: "1000000000"}
programme: {rho: "999999999.5"}
"""


def standing() -> Standing:
    """A study's region on an open day, with nothing spent."""
    of, nothing = hashes()[0], Spent({}, NanoRho(0))
    return Standing("AA", region_policy(), calendar(), {of: codebook()}, {"c1": of}, nothing, OPEN)


def dear(*, test_only: bool, rho: str = "1e8") -> Programme:
    heading = draft().programme.model_copy(update={"test_only": test_only})
    price = DraftPrice.model_validate({"rho": rho})
    asked = draft().model_copy(update={"programme": heading, "price": price})
    return plan(asked, codebook(), calendar(), hashes())


def test_wide_caps_are_read_in_a_policy_for_tests_alone_and_hash_the_same() -> None:
    policy = parse_yaml(RegionPolicy, WIDE, "policy.yaml")
    assert policy.programme.rho == Decimal("999999999.5")
    assert from_canonical(RegionPolicy, to_canonical(policy)) == policy
    assert RegionPolicy.model_validate(policy.model_dump()) == policy


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("test_only: true\n", "", 'cohorts.c1.rho: expected a cap between "0" and "1000" rho'),
        ("test_only: true\n", "test_only: false\n", 'lifetime.rho: expected a cap between "0" and "1000" rho'),
        ("test_only: true\n", "test_only: maybe\n", "test_only: "),
        ('"1000000000"', '"1000000001"', 'policy.yaml:4: cohorts.c1.rho: expected a cap between "0" and "1000000000"'),
    ],
)  # fmt: skip
def test_caps_stay_narrow_elsewhere_and_finite_everywhere(before: str, after: str, said: str) -> None:
    with pytest.raises(BadDocument) as caught:
        parse_yaml(RegionPolicy, WIDE.replace(before, after, 1), "policy.yaml")
    assert said in str(caught.value)


def test_an_ordinary_policy_keeps_its_bytes() -> None:
    assert b"test_only" not in to_canonical(parse_yaml(RegionPolicy, POLICY, "policy.yaml"))
    assert b"test_only" not in to_canonical(planned())


def test_only_a_programme_for_tests_costs_more_than_a_million_rho() -> None:
    with pytest.raises(BadPlan, match="a million rho"):
        dear(test_only=False, rho="1000000.1")
    assert dear(test_only=True).charge.amount.rho > 99_000_000


def test_a_programme_for_tests_is_answered_by_regions_for_tests_alone() -> None:
    wide = parse_yaml(RegionPolicy, WIDE, "policy.yaml")
    study = standing()
    for programme in (dear(test_only=True), dear(test_only=True, rho="0.1")):
        refused = decide(programme, study)
        assert isinstance(refused, Refused)
        assert refused.reason is Reason.TEST_ONLY
        assert isinstance(decide(programme, replace(study, policy=wide)), Granted)


def test_a_node_for_tests_says_so_in_its_status_and_its_quotes(tmp_path: Path) -> None:
    home = make_home(tmp_path / "aa", test_only=True)
    put_snapshot(home)
    world = World(home)
    asked = read_programme(signed_programme(dear(test_only=True, rho="0.1")).to_bytes())
    assert isinstance(asked, Asked)
    assert world.answering().quote(asked).test_only
    assert status_of(world.region).test_only
    shown = CliRunner().invoke(app, ["status", "--home", str(home.root), "--lang", "nl"])
    assert "alleen voor proeven" in shown.stdout
    assert json.loads(CliRunner().invoke(app, ["status", "--home", str(home.root), "--json"]).stdout)["test_only"]


def test_a_study_is_not_marked(tmp_path: Path) -> None:
    home = make_home(tmp_path / "aa")
    assert not status_of(World(home).region).test_only
    assert "proeven" not in CliRunner().invoke(app, ["status", "--home", str(home.root), "--lang", "nl"]).stdout


def test_a_price_carries_the_mark_to_the_researcher_and_only_then() -> None:
    amount = NanoRho(1)
    sent = Prices((RegionPrice("AA", "granted", None, amount, amount, amount, True), RegionPrice("BB", "away")))
    received = prices_from_wire(prices_to_wire(sent))
    assert received == sent
    listed = PriceList("p", "0" * 64, amount, Decimal(1), Decimal("1e-6"), (), (), sent.regions)
    regions = cast("list[dict[str, object]]", price_json(listed)["regions"])
    assert [one.get("test_only") for one in regions] == [True, None]
