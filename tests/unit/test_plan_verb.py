"""`coordinator plan` and `compare`: the cheapest programme for targets, what is out of reach, and what is bad input."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from compose.demo.federation import SHIPPED
from coordinator.cli import app
from coordinator.estimates.margins import expected_margins
from coordinator.planning.advice import what_helps
from coordinator.planning.found import Found, cheapest_programme
from coordinator.planning.noise import over, quietest
from coordinator.planning.problem import Problem, Study
from coordinator.planning.render import draft_yaml
from coordinator.planning.targets import Targets
from policies.documents import load_yaml, parse_yaml
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from tests import national_study, small_study

FILES = ("--codebook", str(SHIPPED / "cohort3.codebook.yaml"), "--calendar", str(SHIPPED / "rotation.yaml"))
HEADING = """programme:
  id: planned
  title: {nl: Gepland, en: Planned}
  purpose: To know it
  requester: Tests
  cohort: c3
  codebook: cohort3@1
  deadline: 2028-06-30
"""
STOPPED = 'id: stopped, kind: proportion, of: "state == none", unit: household, wave: T1'
BOOK, ROTATION = load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml"), load_yaml(Calendar, SHIPPED / "rotation.yaml")
STUDY = Study(BOOK, ROTATION)


def asked(*statistics: str, more: str = "") -> str:
    return HEADING + more + "statistics:\n" + "".join(f"  - {{{one}}}\n" for one in statistics)


def rondgang(*words: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result


def planned(tmp_path: Path, text: str, *words: str | Path, code: int = 0) -> dict[str, Any]:
    (tmp_path / "targets.yaml").write_text(text, encoding="utf-8")
    result = rondgang("plan", tmp_path / "targets.yaml", *FILES, "--json", *words, code=code)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def found_for(text: str, study: Study = STUDY) -> Found:
    found = cheapest_programme(parse_yaml(Targets, text, "targets.yaml"), study)
    assert isinstance(found, Found)
    return found


def test_the_example_becomes_a_programme_that_prices_to_the_same_margins(tmp_path: Path) -> None:
    written = tmp_path / "programme.yaml"
    shown = rondgang("plan", SHIPPED / "targets.example.yaml", *FILES, "--out", written).stdout
    assert "dropping saves" in shown
    assert "What would help" in shown
    text = (SHIPPED / "targets.example.yaml").read_text(encoding="utf-8")
    facts = planned(tmp_path, text)
    draft = load_yaml(Draft, written)
    programme = plan(draft, BOOK, ROTATION, ("0" * 64, "1" * 64))
    assert float(programme.charge.amount.text()) == facts["rho"]
    margins = expected_margins(programme, compile_blocks(programme.statistics, BOOK), BOOK, ROTATION)
    for margin, one in zip(margins, facts["statistics"], strict=True):
        for target in one["targets"]:
            expected = margin.weighted if target["of"] == "national" else max(margin.by_region.values())
            assert target["margin"] == pytest.approx(expected)
            assert target["margin"] <= target["at_worst"] <= target["target"]
    assert sum(one["rho"] for one in facts["statistics"]) == pytest.approx(facts["rho"])
    rondgang("plan", SHIPPED / "targets.example.yaml", *FILES, "--out", written, code=2)


def test_whatever_a_draft_may_hold_is_written_so_that_it_reads_back_the_same() -> None:
    weights = dict.fromkeys(ROTATION.members("c3"), "1") | {"ZE": "1.25"}
    more = f'weights: {json.dumps(weights)}\ntrim: "1.2"\nsecure: {{colluders: 3, dropouts: 1, attempts: 2}}\n'
    more += 'using: {stopped: transition}\nlimit: {epsilon: "9", delta: "1e-7"}\n'
    text = asked(
        'id: a, kind: proportion, of: "stopped == yes", unit: household, wave: T1, by: [help], '
        'where: "not missing(profile)", label: {nl: "Gestopt: \'ja\' #1", en: "Stopped – \\\\ \\"yes\\""}, '
        'target: {national: "0.2"}',
        more=more,
    )
    found = found_for(text)
    read = parse_yaml(Draft, draft_yaml(found.draft).decode(), "programme.yaml")
    assert read == found.draft
    assert (read.price.delta, read.using, read.trim) == (Decimal("1e-7"), {"stopped": "transition"}, Decimal("1.2"))
    assert found.most > found.rho


def test_only_what_must_be_is_asked_regionally_and_both_ways_are_compared(tmp_path: Path) -> None:
    facts = planned(
        tmp_path,
        asked(
            STOPPED + ', target: {national: "0.05", regional: "0.17"}',
            'id: helped, kind: proportion, of: "help == none", unit: household, wave: T1, target: {national: "0.05"}',
            'id: kept, kind: proportion, of: "injury == yes", unit: household, wave: T1, mode: regional, '
            'target: {national: "0.05"}',
        ),
    )
    assert [one["mode"] for one in facts["statistics"]] == ["regional", "national", "regional"]
    assert facts["rho"] < facts["rho_regionally"]
    helped = facts["statistics"][1]["targets"][0]
    assert helped["margin"] < helped["with_dropouts"]


def test_where_one_region_weighs_so_much_that_a_national_sum_buys_nothing_it_is_not_made() -> None:
    """All noise of a national sum is that of its heaviest weight, and 30^2 times 13/9 is more than 30^2 and 12."""
    statistic = STOPPED + ', target: {national: "0.2"}'
    for weight, mode in (("1", "national"), ("30", "regional")):
        weights = dict.fromkeys(ROTATION.members("c3"), "1") | {"ZOB": weight}
        text = asked(statistic, more=f"weights: {json.dumps(weights)}\n")
        found = found_for(text)
        assert [one.mode for one in found.lines] == [mode]
        for written in ("national", "regional"):
            other = found_for(text.replace("wave: T1, target", f"wave: T1, mode: {written}, target"))
            assert found.rho.nano <= other.rho.nano


def test_a_target_that_sampling_alone_exceeds_is_out_of_reach_with_what_it_takes(tmp_path: Path) -> None:
    written = tmp_path / "programme.yaml"
    text = asked(STOPPED + ', target: {national: "0.04", regional: "0.10"}')
    facts = planned(tmp_path, text, "--out", written, code=1)
    assert not written.exists()
    (missed,) = facts["out_of_reach"]
    assert (missed["statistic"], missed["of"]) == ("stopped", "regional")
    assert missed["without_noise"] == pytest.approx(1.96 / (2 * np.sqrt(45)), rel=1e-3)
    (said,) = facts["sentences"]
    assert "out of reach at any price: without any noise 45 households give 0.146, 1.46 times as wide" in said
    assert "it takes about 96" in said
    assert "a national target instead" in said


def test_above_the_limit_it_says_by_how_much_and_what_would_help(tmp_path: Path) -> None:
    written = tmp_path / "programme.yaml"
    text = asked(STOPPED + ', target: {regional: "0.155"}', more='limit: {rho: "0.05"}\n')
    facts = planned(tmp_path, text, "--out", written, code=1)
    assert facts["refused"] == "over_limit"
    assert not written.exists()
    assert facts["file"] is None
    first, *others = (one["text"] for one in facts["advice"])
    assert "times the limit. With every target" in first
    factor = float(first.split("With every target ")[1].split()[0])
    wider = planned(tmp_path, text.replace('"0.155"', f'"{0.155 * factor:.6f}"'))
    assert wider["rho_most"] <= 0.05
    assert any("as a national figure within 0.155" in one for one in others)
    loose = planned(tmp_path, text.replace('rho: "0.05"', 'epsilon: "8"'), "--out", written)
    assert loose["file"] == str(written)


BAD = [
    (STOPPED + ', target: {national: "0"}', "expected a margin of more than zero", "target.national"),
    (STOPPED + ', target: {national: "-0.1"}', "expected a margin of more than zero", "target.national"),
    (STOPPED + ", target: {national: sharp}", "expected a decimal number", "target.national"),
    (STOPPED + ", target: {national: NaN}", "expected a decimal number", "target.national"),
    (STOPPED + ', target: {national: "0.5"}', "half the figure's range (1) or more says nothing", "target.national"),
    (STOPPED + ', target: {regional: "1.5"}', "half the figure's range (1) or more says nothing", "target.regional"),
    (STOPPED + ", target: {}", "expected a margin", "target"),
    (STOPPED, "this key is missing", "target"),
    (STOPPED + ', target: {national: "0.1", between: ["0.5", "0.2"]}', "the lower one first", "target.between"),
    (STOPPED + ', target: {national: "0.1", between: ["-1", "2"]}', "lies between 0 and 1", "target.between"),
    (STOPPED + ', weight: 3, target: {national: "0.1"}', "expected no weight here", "weight"),
    (STOPPED + ', mode: national, target: {regional: "0.2"}', "no figures of regions", "mode"),
    (STOPPED.replace("state ==", "stat ==") + ', target: {national: "0.1"}', "statistic stopped", "statistics.0"),
    (STOPPED.replace("proportion", "median") + ', target: {national: "0.1"}', "", "kind"),
]


@pytest.mark.parametrize(("statistic", "said", "key"), BAD, ids=[one[0][-45:] for one in BAD])
def test_an_impossible_target_is_bad_input_with_its_line(tmp_path: Path, statistic: str, said: str, key: str) -> None:
    facts = planned(tmp_path, asked(statistic), code=2)
    line = asked(statistic).splitlines().index(f"  - {{{statistic}}}") + 1
    assert facts["error"] == "bad_document"
    assert any(f"targets.yaml:{line}: " in one and key in one and said in one for one in facts["sentences"]), facts


def test_unknown_studies_and_ids_that_stand_twice_are_bad_input(tmp_path: Path) -> None:
    one = STOPPED + ', target: {national: "0.1"}'
    assert "no cohort c9" in planned(tmp_path, asked(one).replace("c3\n", "c9\n", 1), code=2)["sentences"][0]
    twice = planned(tmp_path, asked(one, one), code=2)["sentences"]
    assert any("targets.yaml:11: statistics.1.id: this id stands twice" in said for said in twice)


def test_with_few_regions_all_is_asked_regionally() -> None:
    study = Study(small_study.codebook(), national_study.calendar(3))
    text = asked(
        'id: stopped, kind: proportion, of: "state == none", unit: household, wave: T1, target: {national: "0.2"}'
    )
    found = found_for(text.replace("c3\n", "c1\n", 1).replace("cohort3@1", "small@1"), study)
    assert [one.mode for one in found.lines] == ["regional"]
    assert found.regionally is None


T1, SHARP, WIDE = "unit: household, wave: T1", 'target: {national: "0.12"}', 'target: {national: "9"}'
HARDER = [
    'kind: variance, of: adult_wellbeing, unit: adult, wave: T1, target: {national: "1.2"}',
    'kind: standard_deviation, of: child_wellbeing, unit: child, wave: T1, target: {national: "0.6"}',
    'kind: sum, of: incidents, unit: household, wave: T1, within: ["0", "50"], target: {national: "3000"}',
    'kind: count, unit: child, wave: T1, where: "trauma == yes", target: {regional: "40"}',
    'kind: cross_table, of: [state, injury], unit: household, wave: T1, target: {national: "0.06"}',
    'kind: correlation, of: [child_wellbeing, trauma == yes], unit: child, wave: T1, target: {national: "0.4"}',
    'kind: covariance, of: [child_wellbeing, trauma == yes], unit: child, wave: T1, target: {national: "0.4"}',
    'kind: regression, of: [child_wellbeing, trauma == yes], unit: child, wave: T1, target: {national: "0.9"}',
    f"kind: adjusted_difference, of: injury == yes, compare: help, strata: [state@T0], {T1}, {SHARP}",
    f'kind: quantile, of: incidents, within: ["0", "127"], at: ["0.5"], {T1}, {WIDE}',
]


@pytest.mark.parametrize("statistic", HARDER, ids=[one.split(",")[0] for one in HARDER])
def test_kinds_whose_margin_is_not_straight_in_the_noise_meet_their_targets_too(statistic: str) -> None:
    found = found_for(asked(f"id: a, {statistic}", STOPPED + ', target: {national: "0.06"}'))
    variances = np.array([float(b.scale.fraction / b.multiplier) ** 2 for b in found.programme.blocks])
    assert max(over(found.quiet.problem, variances)) <= 1
    # Nothing is wasted either: with a little more noise every one would be missed.
    assert min(over(found.quiet.problem, variances * 1.1)) > 1


def test_a_shared_denominator_is_proposed_where_it_saves_and_never_made() -> None:
    text = asked(
        'id: one, kind: proportion, of: "injury == yes", unit: household, wave: T1, target: {regional: "0.2"}',
        'id: two, kind: proportion, of: "help == none", unit: household, wave: T1, target: {regional: "0.2"}',
        'id: three, kind: proportion, of: "agencies_cooperate == yes", unit: household, wave: T1, '
        'target: {regional: "0.2"}',
    )
    targets = parse_yaml(Targets, text, "targets.yaml")
    found = found_for(text)
    assert all(one.where is None for one in found.draft.statistics)
    shared = [one for one in what_helps(found, targets, STUDY) if "share one denominator" in one.text]
    (advice,) = shared
    assert advice.text.startswith("one, two, three: with `not missing(agencies_cooperate@T1) and")
    assert advice.price is not None
    condition = 'where: "not missing(agencies_cooperate@T1) and not missing(help@T1) and not missing(injury@T1)"'
    other = found_for(text.replace("wave: T1, ", f"wave: T1, {condition}, "))
    assert float(other.rho.rho) == pytest.approx(advice.price, rel=1e-3)
    assert float(other.rho.rho) < 0.9 * float(found.rho.rho)


def test_what_dropping_saves_is_what_planning_without_it_saves() -> None:
    text = asked(
        STOPPED + ', target: {national: "0.05"}',
        'id: often, kind: proportion, of: "state == frequent_or_severe", unit: household, wave: T1, '
        'target: {national: "0.045"}',
        'id: safe, kind: proportion, of: "adult_felt_safe == yes", unit: adult, wave: T1, target: {national: "0.06"}',
    )
    found = found_for(text)
    targets = parse_yaml(Targets, text, "targets.yaml")
    for line in found.lines:
        other = cheapest_programme(targets.without(line.statistic), STUDY)
        assert isinstance(other, Found)
        assert found.rho.left_after(other.rho).nano == pytest.approx(line.saves.nano, rel=1e-3, abs=2000)


def test_weights_are_those_of_the_programme() -> None:
    """A heavy region needs more: targets hold for the figure with the weights that are asked."""
    statistic = STOPPED + ', target: {national: "0.05"}'
    equal = found_for(asked(statistic))
    heavy = dict.fromkeys(ROTATION.members("c3"), "1") | {"ZE": "2"}
    found = found_for(asked(statistic, more=f"weights: {json.dumps(heavy)}\n"))
    assert found.rho > equal.rho
    (margin,) = expected_margins(found.programme, compile_blocks(found.programme.statistics, BOOK), BOOK, ROTATION)
    assert margin.national < margin.weighted <= 0.05


def test_a_problem_says_what_no_noise_at_all_would_miss() -> None:
    targets = parse_yaml(Targets, asked(STOPPED + ', target: {regional: "0.147"}'), "targets.yaml")
    assert not isinstance(quietest(Problem.of(targets, {"stopped": "regional"}, STUDY)), tuple)
    closer = parse_yaml(Targets, asked(STOPPED + ', target: {regional: "0.146"}'), "targets.yaml")
    assert isinstance(quietest(Problem.of(closer, {"stopped": "regional"}, STUDY)), tuple)


def _price_file(tmp_path: Path, name: str, rho: str, left: float | None) -> Path:
    starter = (SHIPPED / "programmes" / "stopping.yaml").read_text(encoding="utf-8")
    draft = tmp_path / f"{name}.yaml"
    draft.write_text(starter.replace('rho: "0.05"', f'rho: "{rho}"').replace("id: stopping", f"id: {name}"), "utf-8")
    shown = json.loads(rondgang("compare", draft, draft, *FILES, "--json").stdout)
    regions = [{"region": "DR", "left_cohort": left, "left_lifetime": left}, {"region": "ZE", **_away()}]
    statistics = [
        {"statistic": one["statistic"], **one["first"]}
        for one in shown["statistics"]
        if name != "b" or one["statistic"] != "state_change"
    ]
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps({**shown["first"], "statistics": statistics, "regions": regions}), encoding="utf-8")
    return path


def _away() -> dict[str, None]:
    return {"left_cohort": None, "left_lifetime": None}


def test_two_programmes_stand_side_by_side(tmp_path: Path) -> None:
    one, other = _price_file(tmp_path, "a", "0.05", 0.12), _price_file(tmp_path, "b", "0.1", 0.12)
    facts = json.loads(rondgang("compare", one, other, "--json").stdout)
    assert facts["first"]["rho"] < facts["second"]["rho"]
    by_id = {each["statistic"]: each for each in facts["statistics"]}
    assert by_id["state_change"]["second"] is None
    stopped = by_id["stopped_state"]
    assert stopped["first"]["margin_national"] > stopped["second"]["margin_national"]
    assert by_id["incidents_change"]["first"]["margin_regional"] is None
    paid = {each["region"]: (each["pays_first"], each["pays_second"], each["pays_both"]) for each in facts["regions"]}
    assert paid == {"DR": (True, True, False), "ZE": (None, None, None)}
    shown = rondgang("compare", one, other).stdout
    assert "A  a: 0.0499" in shown
    assert "Who has enough left" in shown
    # A programme beside itself is charged once.
    same = json.loads(rondgang("compare", one, one, "--json").stdout)
    assert same["regions"][0]["pays_both"] is True
    assert (
        "not known: no desk was asked" in rondgang("compare", tmp_path / "a.yaml", tmp_path / "b.yaml", *FILES).stdout
    )


@pytest.mark.parametrize("text", ["[]", "{}", '{"rho": 1', '{"programme": "a", "hash": "b", "rho": "x"}'])
def test_what_is_no_price_is_bad_input(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    result = rondgang("compare", tmp_path / "x.json", tmp_path / "x.json", code=2)
    assert "expected a price.json" in result.output
    rondgang("compare", tmp_path / "none.json", tmp_path / "x.json", code=2)
