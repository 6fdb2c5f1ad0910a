"""From statistics to blocks: shapes, bounds, shared denominators, and what is refused with which words."""

from math import prod

import pytest

from policies.documents import BadDocument, parse_yaml
from policies.statistics.blocks import Axis, Block, Indicator, Ones, Value
from policies.statistics.compile import MAX_CELLS, BadStatistic, Compilation, compile_blocks
from policies.statistics.programme import Draft
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from tests import small_study


def statistic(**fields: object) -> Statistic:
    """A proportion of households, with other fields at will."""
    plain = {"id": "asked", "kind": "proportion", "of": "help == yes", "unit": "household", "wave": "T1"}
    return Statistic.model_validate({key: value for key, value in {**plain, **fields}.items() if value is not None})


def compiled(*statistics: Statistic) -> Compilation:
    return compile_blocks(statistics, small_study.codebook())


def block(compilation: Compilation, name: str) -> Block:
    return next(block for block in compilation.blocks if block.id == name)


def refusal(**fields: object) -> str:
    with pytest.raises(BadStatistic) as caught:
        compiled(statistic(**fields))
    assert caught.value.statistic == fields.get("id", "asked")
    return str(caught.value)


def test_a_proportion_is_a_centred_block_and_its_denominator() -> None:
    found = compiled(statistic())
    assert [(b.id, b.cells, b.bound) for b in found.blocks] == [("asked", 1, 1), ("n1", 1, 1)]
    numerator, denominator = found.blocks
    assert isinstance(numerator.summand, Indicator)
    assert denominator.summand == Ones()
    assert numerator.selection == denominator.selection
    assert numerator.selection.required == (Ref("help", "T1"),)


@pytest.mark.parametrize(
    ("unit", "of", "cap"), [("household", "help == yes", 1), ("adult", "safe == yes", 2), ("child", "trauma == yes", 3)]
)
def test_the_bound_is_the_cap_times_what_one_unit_adds(unit: str, of: str, cap: int) -> None:
    assert [b.bound for b in compiled(statistic(unit=unit, of=of, by=["profile"])).blocks] == [cap, cap]


def test_a_mean_sums_steps_of_the_grid() -> None:
    found = compiled(statistic(kind="mean", of="wellbeing", unit="adult", wave="T0"))
    assert block(found, "asked").summand == Value(Ref("wellbeing", "T0"), 2)
    assert [b.bound for b in found.blocks] == [2 * 2, 2]
    assert found.statistics[0].statistic.of == "wellbeing@T0"


def test_a_mean_within_narrower_bounds_needs_a_smaller_bound() -> None:
    asked = statistic(kind="mean", of="grade", within=["0", "1.5"])
    found = compiled(asked)
    assert block(found, "asked").summand == Value(Ref("grade", "T1"), top=3, low=2)
    assert block(found, "asked").bound == 3
    assert block(compiled(statistic(kind="mean", of="grade")), "asked").bound == 5


@pytest.mark.parametrize("within", [["-1", "1.5"], ["-1.0", "15e-1"]])
def test_bounds_that_leave_nothing_out_are_not_spelled(within: list[str]) -> None:
    asked = statistic(kind="mean", of="grade", within=within)
    assert compiled(asked) == compiled(statistic(kind="mean", of="grade"))


def test_a_transition_is_one_block_of_row_by_column_within_by() -> None:
    found = compiled(statistic(kind="transition", of=" state ", wave="T0->T1", by=["profile"]))
    (only,) = found.blocks
    assert only.axes == (Axis(Ref("profile"), 3), Axis(Ref("state", "T0"), 3), Axis(Ref("state", "T1"), 3))
    assert (only.cells, only.bound, only.selection.waves) == (27, 1, ("T0", "T1"))
    assert set(only.selection.required) == {Ref("profile"), Ref("state", "T0"), Ref("state", "T1")}
    assert found.statistics[0].denominator is None
    assert found.statistics[0].statistic.of == "state"


def test_a_count_is_its_denominator_alone() -> None:
    found = compiled(statistic(kind="count", of=None, by=["profile"], where="help == yes"))
    (only,) = found.blocks
    assert (only.id, only.cells, only.summand) == ("n1", 3, Ones())
    assert (found.statistics[0].numerator, found.statistics[0].denominator) == (None, "n1")


def test_equal_selections_share_one_denominator_whatever_their_spelling() -> None:
    found = compiled(
        statistic(id="a", where="profile == c"),
        statistic(id="b", of="help != yes", where="not (profile == 1 or profile == 12a)"),
        statistic(id="c", where="profile != c"),
    )
    assert [b.id for b in found.blocks] == ["a", "n1", "b", "c", "n2"]
    assert [s.denominator for s in found.statistics] == ["n1", "n1", "n2"]
    assert [s.id for s in found.users("n1")] == ["a", "b"]


@pytest.mark.parametrize(
    "other",
    [
        {"wave": "T0"},
        {"unit": "adult"},
        {"where": "incidents == 0"},
        {"by": ["profile"]},
        {"of": "help == yes and grade > 0"},
        {"of": "missing(help)"},
    ],
)
def test_another_wave_unit_filter_cell_or_missing_rule_needs_its_own_denominator(other: dict[str, object]) -> None:
    found = compiled(statistic(id="a"), statistic(id="b", **other))
    assert [s.denominator for s in found.statistics] == ["n1", "n2"]


def test_a_count_shares_the_denominator_of_a_proportion() -> None:
    found = compiled(
        statistic(kind="count", of=None, id="a", by=["profile"]),
        statistic(id="b", of="profile == c", by=["profile"]),
    )
    assert [b.id for b in found.blocks] == ["n1", "b"]


def test_where_does_not_demand_presence_but_of_and_by_do() -> None:
    found = compiled(statistic(where="incidents == 0", of="help == yes or missing(grade)", by=["profile"]))
    assert set(found.blocks[0].selection.required) == {Ref("help", "T1"), Ref("profile")}


def test_statistics_that_ask_for_each_others_answers_share_a_denominator() -> None:
    found = compiled(
        statistic(id="a", of="help == yes", where="not missing(state)"),
        statistic(id="b", of="state == none", where="not missing(help)"),
        statistic(id="c", of="incidents > 1", where="not missing(help) and not missing(state)"),
    )
    assert [s.denominator for s in found.statistics] == ["n1", "n1", "n1"]
    # `state` is known only where incidents are, so they need not be named beside it.
    assert {b.selection.required for b in found.blocks} == {(Ref("help", "T1"), Ref("state", "T1"))}


def test_regression_a_derived_variable_says_nothing_about_its_source_at_another_wave() -> None:
    """`began` comes from incidents at T0 at either wave; incidents at T1 stayed out of the missing rule."""
    for wave, needed in (("T0", {"incidents@T0", "began@T0"}), ("T1", {"incidents@T1", "began@T1"})):
        (mean, _) = compiled(statistic(kind="mean", of="incidents", where="not missing(began)", wave=wave)).blocks
        assert {ref.text for ref in mean.selection.required} == needed


def test_the_canonical_statistics_compile_to_themselves() -> None:
    once = compile_blocks(small_study.draft().statistics, small_study.codebook())
    canonical = tuple(c.statistic for c in once.statistics)
    again = compile_blocks(canonical, small_study.codebook())
    assert again == once
    assert canonical[1].where == "incidents@T0 in {1..4}"
    assert canonical[1].of == "help@T1 in {yes} and not missing(state@T1)"
    assert [b.cells for b in once.blocks] == [prod(axis.size for axis in b.axes) for b in once.blocks]


@pytest.mark.parametrize(
    ("fields", "said", "unknown"),
    [
        ({"of": "safe == yes"}, "`safe` belongs to adult, not to household", True),
        ({"of": "nothing == 1"}, "expected a variable of the codebook", True),
        ({"where": "trauma == yes"}, "belongs to child", True),
        ({"by": ["safe"]}, "belongs to adult", True),
        ({"by": ["incidents"]}, "must be a category", False),
        ({"by": ["help == yes"]}, "expected the end", False),
        ({"of": "help =="}, "expected something more", False),
        ({"of": None}, "a condition in `of`", False),
        ({"where": ""}, "expected something more", False),
        ({"wave": "T2"}, "wave T2 is not in the codebook", False),
        ({"wave": "T0->T1"}, "one wave", False),
        ({"of": "grade > 0", "wave": "T0"}, "not asked at wave T0", True),
        ({"kind": "count"}, "no `of`", False),
        ({"kind": "count", "of": None, "wave": "T0->T1"}, "one wave", False),
        ({"kind": "mean", "of": None}, "a variable in `of`", False),
        ({"kind": "mean", "of": "help"}, "has no mean", False),
        ({"kind": "mean", "of": "incidents", "wave": "T0->T1"}, "one wave", False),
        ({"kind": "mean", "of": "incidents > 1"}, "expected the end", False),
        ({"kind": "mean", "of": "incidents", "within": ["1", "1"]}, "`within` must be", False),
        ({"kind": "mean", "of": "incidents", "within": ["3", "1"]}, "`within` must be", False),
        ({"kind": "mean", "of": "incidents", "within": ["0.5", "3"]}, "on its grid", False),
        ({"kind": "mean", "of": "incidents", "within": ["0", "5"]}, "between 0 and 4", False),
        ({"kind": "mean", "of": "incidents", "within": ["-1", "4"]}, "between 0 and 4", False),
        ({"within": ["0", "1"]}, "belongs to a mean", False),
        ({"kind": "transition", "of": "state"}, "two waves", False),
        ({"kind": "transition", "of": None, "wave": "T0->T1"}, "a category variable in `of`", False),
        ({"kind": "transition", "of": "profile", "wave": "T0->T1"}, "has no waves and cannot change", False),
        ({"kind": "transition", "of": "incidents", "wave": "T0->T1"}, "needs a category", False),
        ({"kind": "transition", "of": "grade", "wave": "T0->T1"}, "not asked at wave T0", True),
        ({"kind": "transition", "of": "safe", "wave": "T0->T1"}, "belongs to adult", True),
    ],
)
def test_a_statistic_that_cannot_be_asked_is_refused(fields: dict[str, object], said: str, unknown: bool) -> None:
    with pytest.raises(BadStatistic) as caught:
        compiled(statistic(**fields))
    assert said in str(caught.value)
    assert str(caught.value).startswith("statistic asked: ")
    assert caught.value.unknown_name is unknown


@pytest.mark.parametrize("of", ["state@T0", "state@T1", "state @ T0"])
def test_regression_a_transition_of_a_variable_at_one_wave_is_refused(of: str) -> None:
    """It used to raise KeyError, in the node as well: a signed programme could make `decide` fail."""
    assert "names the variable alone" in refusal(kind="transition", of=of, wave="T0->T1")


def test_regression_a_transition_needs_two_different_waves() -> None:
    assert "two different waves" in refusal(kind="transition", of="state", wave="T1->T1")


def test_ids_differ_and_leave_those_of_denominators_alone() -> None:
    with pytest.raises(BadStatistic, match="stands twice"):
        compiled(statistic(id="a"), statistic(id="a", wave="T0"))
    for asked in ((statistic(id="n1"),), (statistic(id="n2"), statistic(id="b"), statistic(id="c", wave="T0"))):
        with pytest.raises(BadStatistic, match="kept for denominators"):
            compiled(*asked)


def test_a_programme_has_a_largest_size() -> None:
    listed = "{" + ", ".join(f"x{i}: {{nl: x, en: x}}" for i in range(400)) + "}"
    few = '{"1": {nl: een, en: one}, "12a": {nl: twee, en: two}, c: {nl: drie, en: three}}'
    wide = small_study.CODEBOOK.replace(few, listed).replace(
        "    type: category\n    categories", "    type: category\n    waves: [T0, T1]\n    categories"
    )
    codebook = parse_yaml(Codebook, wide, "wide.yaml")
    assert MAX_CELLS < 400 * 400
    asked = statistic(kind="transition", of="profile", wave="T0->T1")
    with pytest.raises(BadStatistic, match="more than 100000 cells"):
        compile_blocks((asked,), codebook)


@pytest.mark.parametrize(
    ("before", "after", "place", "said"),
    [
        ("count,", "count, mode: central,", "statistics.4.mode", "'regional' or 'national'"),
        (
            "statistics:",
            "secure: {colluders: 0, dropouts: 1}\nstatistics:",
            "secure.colluders",
            "greater than or equal",
        ),
        ("T1, by: [profile]}", "T1, by: [profile, help, state, began]}", "statistics.4.by", "at most 3 `by` keys"),
        ("count, unit: adult", "count, unit: person-wave", "statistics.4.unit", "pooled waves: `unit: adult`, `wave"),
        ("count,", "guess,", "statistics.4.kind", "'count', 'proportion', 'mean'"),
        ("count,", "cross_table, of: [a],", "statistics.4.of", "a list of two to 9 of them"),
        ("count,", "quantile, leaves: 2000,", "statistics.4.leaves", "less than or equal to 1024"),
        ("count,", "count, of: {a: b},", "statistics.4.of", "as text, or a list"),
        ("count,", "histogram, bins: [x],", "statistics.4.bins.0", "a decimal number"),
        ("adult, wave: T1", "adult, wave: T1+T0", "statistics.4.wave", "pooled waves in order"),
        ("adult, wave: T1", "adult, wave: T1+T1", "statistics.4.wave", "pooled waves in order"),
        ("count,", "count, weight: 0,", "statistics.4.weight", "between 0.001 and 1000"),
        ("count, unit: adult, wave: T1", "count, unit: adult, wave: one", "statistics.4.wave", "a wave such as"),
        ("count,", "count, colour: red,", "statistics.4.colour", "not known here"),
        ("id: adults_by_profile", "id: Adults", "statistics.4.id", "match pattern"),
        ('{rho: "0.2"}', '{rho: "0"}', "price", "more than zero"),
        ('{rho: "0.2"}', '{rho: "0.2", epsilon: "3"}', "price", "not both"),
        ('{rho: "0.2"}', "{}", "price", "expected rho"),
        ('{rho: "0.2"}', '{epsilon: "1", delta: "0.5"}', "price.delta", "expected a delta between"),
        ("statistics:", "weights: {AA: 0.0005}\nstatistics:", "weights", "in steps of 0.001"),
        ("statistics:", "weights: {}\nstatistics:", "weights", "a weight for each region"),
        ("deadline: 2026-06-30", "deadline: 30 June", "programme.deadline", "expected a date"),
        ("codebook: small@1", "codebook: small", "programme.codebook", "match pattern"),
    ],
)
def test_a_draft_says_where_it_goes_wrong(before: str, after: str, place: str, said: str) -> None:
    assert before in small_study.DRAFT
    text = small_study.DRAFT.replace(before, after, 1)
    with pytest.raises(BadDocument) as caught:
        parse_yaml(Draft, text, "draft.yaml")
    source, line, key, *_ = str(caught.value).splitlines()[0].split(":", 3)
    assert (source, key.strip()) == ("draft.yaml", place)
    assert said in str(caught.value)
    assert 1 <= int(line) <= len(text.splitlines())
    assert issubclass(BadDocument, ValueError)
