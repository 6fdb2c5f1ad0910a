"""The blocks of sums, tables, changes, spreads and pooled waves: what they share, their spelling, what is refused."""

import pytest

from policies.documents import from_canonical, parse_yaml, to_canonical
from policies.rules.decide import Spent, Standing, decide
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import VariableRule
from policies.statistics.blocks import Change, Difference, Ones, Square, Value
from policies.statistics.cells import axis_codes, axis_key
from policies.statistics.compile import BadStatistic, Compilation, compile_blocks
from policies.statistics.plan import BadPlan, plan
from policies.statistics.programme import Draft, Programme
from policies.statistics.statistic import Statistic
from policies.statistics.verify import verify_plan
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.units.money import NanoRho
from tests import small_study

EXTRA = """
  stopped:
    alternatives:
      state: {cases: [{when: "incidents == 0", is: yes}, {else: no}]}
      transition: {cases: [{when: "incidents@T0 == 0", missing: true}, {when: "incidents == 0", is: yes}, {else: no}]}
"""
CODEBOOK = small_study.CODEBOOK.replace("sd: 1, missing", "sd: 1, better: lower, missing") + EXTRA.lstrip("\n")


def codebook() -> Codebook:
    return parse_yaml(Codebook, CODEBOOK, "codebook.yaml")


def statistic(**fields: object) -> Statistic:
    plain = {"id": "asked", "unit": "household", "wave": "T1"}
    return Statistic.model_validate(plain | fields)


def compiled(*statistics: Statistic, **using: str) -> Compilation:
    return compile_blocks(statistics, codebook(), using)


def test_a_spread_shares_its_values_with_a_mean_and_everything_with_its_root() -> None:
    asked = (
        statistic(id="sd", kind="standard_deviation", of="incidents"),
        statistic(id="v", kind="variance", of="incidents"),
        statistic(id="s", kind="sum", of="incidents"),
        statistic(id="m", kind="mean", of="incidents"),
        statistic(id="m2", kind="mean", of="incidents"),
    )
    found = compiled(*asked)
    assert [(b.id, b.summand, b.bound) for b in found.blocks] == [
        ("sd", Square(Ref("incidents", "T1"), 4), 16),
        ("m", Value(Ref("incidents", "T1"), 4), 4),
        ("n1", Ones(), 1),
        ("m2", Value(Ref("incidents", "T1"), 4), 4),
    ]
    assert {c.statistic.id: c.blocks for c in found.statistics} == {
        "sd": ("sd", "m", "n1"),
        "v": ("sd", "m", "n1"),
        "s": ("m", "n1"),
        "m": ("m", "n1"),
        "m2": ("m2", "n1"),
    }
    assert [s.id for s in found.users("m")] == ["sd", "v", "s", "m"]


def test_a_table_is_the_count_by_its_keys() -> None:
    found = compiled(
        statistic(id="a", kind="count", by=["profile", "help"]),
        statistic(id="b", kind="histogram", of="help", by=["profile"]),
        statistic(id="c", kind="cross_table", of=["profile", "help"]),
        statistic(id="d", kind="cross_table", of=["help", "state"], by=["profile"]),
    )
    assert [(block.id, block.cells, block.bound) for block in found.blocks] == [("n1", 6, 1), ("n2", 18, 1)]


def test_bins_are_public_ranges_of_the_grid() -> None:
    found = compiled(statistic(kind="histogram", of="incidents", bins=["1", "3"]))
    (axis,) = found.statistics[0].axes
    assert (axis_key(axis, False), axis_codes(axis, codebook().columns)) == ("incidents@T1", ("0", "1..2", "3..4"))
    halves = compiled(statistic(kind="histogram", of="grade", bins=["-0.5", "1"])).statistics[0].axes[0]
    assert axis_codes(halves, codebook().columns) == ("-1", "-0.5..0.5", "1..1.5")


def test_a_change_has_a_direction_and_counts_whom_it_knows_twice() -> None:
    (difference, directions) = compiled(
        statistic(kind="paired_change", of="incidents", wave="T0->T1", within=["0", "3"], by=["profile"])
    ).blocks
    before, after = Ref("incidents", "T0"), Ref("incidents", "T1")
    assert (difference.id, difference.summand, difference.bound) == ("asked", Difference(before, after, 3), 3)
    assert (directions.id, directions.cells, directions.bound) == ("asked_directions", 9, 1)
    assert directions.axes[-1] == Change(before, after, "lower")
    assert axis_codes(directions.axes[-1], codebook().columns) == ("improved", "same", "worse")
    for block in (difference, directions):
        assert block.selection.waves == ("T0", "T1")
        assert set(block.selection.required) == {before, after, Ref("profile")}


def test_pooled_waves_are_the_same_question_at_each() -> None:
    asked = statistic(kind="proportion", unit="adult", of="safe != no", where="help == yes", by=["state"], wave="T0+T1")
    found = compiled(asked)
    numerator, denominator = found.blocks
    assert (numerator.bound, denominator.bound, numerator.cells) == (2 * 2, 2 * 2, 3)
    assert [term.selection.waves for term in numerator.terms] == [("T0",), ("T1",)]
    assert [term.axes[0].ref for term in denominator.terms if not isinstance(term.axes[0], Change)] == [
        Ref("state", "T0"),
        Ref("state", "T1"),
    ]
    canonical = found.statistics[0].statistic
    assert (canonical.of, canonical.where, canonical.by) == ("safe in {yes}", "help in {yes}", ("state",))
    assert compiled(canonical) == found
    assert axis_key(found.statistics[0].axes[0], True) == "state"


def test_a_definition_is_chosen_by_name_or_for_the_whole_programme() -> None:
    full = compiled(statistic(kind="proportion", of="stopped.transition == yes"))
    assert compiled(statistic(kind="proportion", of="stopped == yes"), stopped="transition") == full
    assert full.statistics[0].statistic.of == "stopped.transition@T1 in {yes}"
    with pytest.raises(BadStatistic, match="has several definitions") as caught:
        compiled(statistic(kind="proportion", of="stopped == yes"))
    assert caught.value.unknown_name


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "sum", "of": "help"}, "has no sum; ask a count"),
        ({"kind": "variance", "of": "help"}, "has no variance"),
        ({"kind": "variance", "of": "incidents", "wave": "T0->T1"}, "a variance has one wave"),
        ({"kind": "standard_deviation"}, "a standard deviation has one wave"),
        ({"kind": "histogram", "of": "incidents"}, "give `bins`"),
        ({"kind": "histogram", "of": "help", "bins": ["1"]}, "leave `bins` out"),
        ({"kind": "histogram", "of": "incidents", "bins": ["0"]}, "above 0 and up to 4"),
        ({"kind": "histogram", "of": "incidents", "bins": ["5"]}, "above 0 and up to 4"),
        ({"kind": "histogram", "of": "incidents", "bins": ["2", "2"]}, "ascending"),
        ({"kind": "histogram", "of": "incidents", "bins": ["1.5"]}, "on its grid"),
        ({"kind": "count", "bins": ["1"]}, "`bins` belongs to a histogram"),
        ({"kind": "cross_table", "of": "help"}, "two or three category variables"),
        ({"kind": "cross_table", "of": ["help", "incidents"]}, "needs categories"),
        ({"kind": "cross_table", "of": ["help", "help"]}, "a key stands twice"),
        ({"kind": "cross_table", "of": ["help", "state"], "by": ["help"]}, "a key stands twice"),
        ({"kind": "cross_table", "of": ["help", "state"], "by": ["profile", "began"]}, "at most 3 keys"),
        ({"kind": "count", "by": ["help", "help@T1"]}, "key stands twice"),
        ({"kind": "proportion", "of": ["help", "state"]}, "a condition in `of`"),
        ({"kind": "paired_change", "of": "incidents"}, "a paired change has two waves"),
        ({"kind": "paired_change", "of": "help", "wave": "T0->T1"}, "ask a transition"),
        ({"kind": "paired_change", "of": "wellbeing", "unit": "adult", "wave": "T0->T1"}, "which way `wellbeing`"),
        ({"kind": "transition", "of": "state", "wave": "T0+T1"}, "two waves"),
        ({"kind": "mean", "of": "incidents@T0", "wave": "T0+T1"}, "leave out @"),
        ({"kind": "mean", "of": "grade", "wave": "T0+T1"}, "not asked at wave T0"),
        ({"kind": "count", "wave": "T0+T5"}, "wave T5 is not in the codebook"),
        ({"id": "x" * 60, "kind": "variance", "of": "incidents"}, "the id is too long"),
    ],
)
def test_what_cannot_be_asked_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(BadStatistic) as caught:
        compiled(statistic(**fields))
    assert said in str(caught.value)


def test_an_id_that_a_block_needs_is_refused() -> None:
    with pytest.raises(BadStatistic, match="kept for a block of asked"):
        compiled(statistic(kind="variance", of="incidents"), statistic(id="asked_values", kind="count"))


EVERYTHING = """
using: {stopped: transition}
statistics:
  - {id: total, kind: sum, of: incidents, unit: household, wave: T1}
  - {id: levels, kind: histogram, of: incidents, bins: ["1", "3"], unit: household, wave: T1, by: [profile, help]}
  - {id: helped, kind: cross_table, of: [help, state], unit: household, wave: T1}
  - {id: changed, kind: paired_change, of: incidents, unit: household, wave: "T0->T1"}
  - {id: spread, kind: variance, of: incidents, unit: household, wave: T1}
  - {id: deviation, kind: standard_deviation, of: wellbeing, unit: adult, wave: "T0+T1", by: [safe]}
  - {id: stopped, kind: proportion, of: "stopped == yes", unit: household, wave: T1}
  - {id: helped_stopped, kind: proportion, of: "stopped == yes", unit: household, wave: T1, by: [help]}
"""


def everything(text: str = EVERYTHING) -> Programme:
    draft = parse_yaml(Draft, small_study.DRAFT[: small_study.DRAFT.index("statistics:")] + text, "draft.yaml")
    return plan(draft, codebook(), small_study.calendar(), small_study.hashes())


def test_a_programme_of_every_kind_is_planned_signed_and_verified() -> None:
    signed = everything()
    assert from_canonical(Programme, to_canonical(signed)) == signed
    assert isinstance(verify_plan(signed, codebook(), small_study.calendar()), Compilation)
    assert "using" not in to_canonical(signed).decode()
    assert [s.of for s in signed.statistics[-2:]] == ["stopped.transition@T1 in {yes}"] * 2


@pytest.mark.parametrize(
    ("chosen", "said"),
    [("stopped: other", "using.stopped: expected one of state, transition"), ("state: x", "state has no alternatives")],
)
def test_using_names_an_alternative_that_exists(chosen: str, said: str) -> None:
    with pytest.raises(BadPlan, match=said):
        everything(EVERYTHING.replace("stopped: transition", chosen, 1))


@pytest.mark.parametrize("denied", ["stopped", "stopped.transition", "incidents"])
def test_who_denies_a_variable_denies_each_of_its_definitions(denied: str) -> None:
    signed = everything(
        '\nstatistics: [{id: a, kind: proportion, of: "stopped.transition == yes", unit: household, wave: T1}]'
    )
    policy = small_study.region_policy(variables=VariableRule.model_construct(deny=(denied,)))
    codebooks, spent = {signed.codebook_hash: codebook()}, Spent({}, NanoRho(0))
    snapshots = {"c1": signed.codebook_hash}
    now = Standing("AA", policy, small_study.calendar(), codebooks, snapshots, spent, small_study.OPEN)
    found = decide(signed, now)
    assert isinstance(found, Refused)
    assert found.reason is Reason.FORBIDDEN_VARIABLE
