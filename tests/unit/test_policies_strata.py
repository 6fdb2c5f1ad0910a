"""The blocks and spelling of adjusted differences and quantiles, what is refused, and what a region's policy sees."""

import pytest
from rondgang import canonical

from audit.checks import content
from audit.reprice.asked import read_asked
from policies.documents import to_canonical
from policies.rules.decide import Spent, Standing, decide
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import VariableRule
from policies.statistics.adjusted_difference import left
from policies.statistics.blocks import Axis, Indicator, Named, Ones, Value
from policies.statistics.compile import BadStatistic, Compilation, compile_blocks
from policies.statistics.statistic import Statistic
from policies.study.columns import Ref
from policies.units.money import NanoRho
from tests import small_study

ADJUSTED: dict[str, object] = {
    "kind": "adjusted_difference",
    "of": "state == none",
    "compare": "help",
    "strata": ["profile", "began"],
}
MEDIAN: dict[str, object] = {"kind": "quantile", "of": "incidents", "at": ["0.5", "0.75"], "leaves": 4}


def statistic(**fields: object) -> Statistic:
    return Statistic.model_validate({"id": "asked", "unit": "household", "wave": "T1"} | fields)


def compiled(*statistics: Statistic) -> Compilation:
    return compile_blocks(statistics, small_study.codebook())


def test_an_adjusted_difference_is_a_proportion_by_strata_and_groups_and_shares_its_units() -> None:
    plain = statistic(id="plain", kind="proportion", of="state == none", by=["profile", "began", "help"])
    (adjusted, units, other) = compiled(statistic(**ADJUSTED), plain).blocks
    assert isinstance(adjusted.summand, Indicator)
    assert (adjusted.cells, adjusted.bound, units.id, other.id) == (12, 1, "n1", "plain")
    assert (adjusted.axes, adjusted.selection) == (other.axes, other.selection)


def test_its_rows_are_the_later_groups_and_its_names_are_spelled_with_their_wave() -> None:
    (found,) = compiled(statistic(**ADJUSTED, by=["silent"])).statistics
    assert found.axes == (Axis(Ref("silent", "T1"), 2), Named("help@T1", ("yes",)))
    assert (found.statistic.compare, found.statistic.strata) == ("help@T1", ("profile", "began@T1"))
    assert compiled(found.statistic).statistics == (found,)


def test_a_number_is_compared_by_its_mean() -> None:
    (adjusted, _) = compiled(statistic(**ADJUSTED | {"of": "incidents", "within": ["0", "3"]})).blocks
    assert (adjusted.summand, adjusted.bound) == (Value(Ref("incidents", "T1"), 3), 3)


def test_what_a_filter_leaves_out_is_neither_group_nor_stratum() -> None:
    asked = statistic(**ADJUSTED | {"compare": "profile", "strata": ["state@T0"]}, where="profile != 1 and help == yes")
    (found,) = compiled(asked).statistics
    assert found.axes == (Named("profile", ("c",)),)
    where = compiled(asked).blocks[0].selection.where
    assert left(where, Axis(Ref("profile"), 3)) == (1, 2)
    assert left(where, Axis(Ref("state", "T0"), 3)) == (0, 1, 2)
    assert left(None, Axis(Ref("profile"), 3)) == (0, 1, 2)


def test_a_quantile_has_a_block_for_each_level_of_its_tree() -> None:
    found = compiled(statistic(**MEDIAN))
    whole, halves = Ref("incidents", "T1"), (2,)
    assert [(b.id, b.axes, b.bound, b.summand) for b in found.blocks] == [
        ("asked", (Axis(whole, 2, halves),), 1, Ones()),
        ("asked_level2", (Axis(whole, 4, (1, 2, 3)),), 1, Ones()),
    ]
    assert found.statistics[0].axes == (Named("quantile", ("0.5", "0.75")),)
    assert found.statistics[0].denominator is None


def test_two_quantiles_of_one_tree_are_charged_once() -> None:
    found = compiled(statistic(**MEDIAN), statistic(id="upper", **MEDIAN | {"at": ["0.9"]}))
    assert [block.id for block in found.blocks] == ["asked", "asked_level2"]


@pytest.mark.parametrize("spelled", [{"at": ["0.50", "0.750"]}, {"within": ["0", "4"]}], ids=["at", "within"])
def test_two_spellings_of_a_quantile_are_one(spelled: dict[str, object]) -> None:
    ways = [compiled(statistic(**MEDIAN | way)).statistics[0].statistic for way in (spelled, {})]
    assert to_canonical(ways[0]) == to_canonical(ways[1])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (ADJUSTED | {"compare": None}, "names in `compare` the category"),
        (ADJUSTED | {"strata": []}, "has 1 to 2 `strata`"),
        (ADJUSTED | {"strata": ["profile", "began", "silent"]}, "has 1 to 2 `strata`"),
        (ADJUSTED | {"strata": ["help"]}, "a key stands twice"),
        (ADJUSTED | {"by": ["help"]}, "a key stands twice"),
        (ADJUSTED | {"compare": "incidents"}, "`compare: incidents` must be a category"),
        (ADJUSTED | {"strata": ["grade"]}, "`strata: grade` must be a category"),
        (ADJUSTED | {"strata": ["nothing"]}, "nothing"),
        (ADJUSTED | {"of": "profile"}, "has no mean; write a condition"),
        (ADJUSTED | {"of": ["state", "help"]}, "one wave, and a condition or a number"),
        (ADJUSTED | {"within": ["0", "1"]}, "`within` belongs to a number"),
        (ADJUSTED | {"wave": "T0+T1"}, "has one wave; pool nothing"),
        (ADJUSTED | {"wave": "T0->T1"}, "one wave"),
        (ADJUSTED | {"where": "help == yes"}, "`where` leaves nothing of `help` to compare"),
        (ADJUSTED | {"unit": "child", "compare": "safe"}, "safe"),
        (MEDIAN | {"at": []}, "`at` lists 1 to 9 parts"),
        (MEDIAN | {"at": ["0.5", "0.25"]}, "ascending"),
        (MEDIAN | {"at": ["0.5", "0.50"]}, "ascending"),
        (MEDIAN | {"at": ["0"]}, "between 0 and 1"),
        (MEDIAN | {"leaves": 3}, "a power of two, at most the 5 values that count here, such as 4"),
        (MEDIAN | {"leaves": 8}, "a power of two"),
        (MEDIAN | {"within": ["0", "2"]}, "at most the 3 values that count here, such as 2"),
        (MEDIAN | {"of": "help"}, "has no quantiles; ask a histogram"),
        (MEDIAN | {"of": "wellbeing", "unit": "adult", "leaves": 2}, "a household may have 2 units of the kind adult"),
        (MEDIAN | {"wave": "T0+T1"}, "has one wave; pool nothing"),
        ({"kind": "count", "compare": "help"}, "`compare` belongs to an adjusted difference"),
        ({"kind": "count", "strata": ["help"]}, "`strata` belongs to an adjusted difference"),
        ({"kind": "count", "at": ["0.5"]}, "`at` belongs to a quantile"),
        ({"kind": "count", "leaves": 32}, "`leaves` belongs to a quantile"),
    ],
)
def test_what_cannot_be_asked_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(BadStatistic) as caught:
        compiled(statistic(**fields))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"variables": VariableRule(deny=("began",))}, Reason.FORBIDDEN_VARIABLE),
        ({"variables": VariableRule(deny=("help",))}, Reason.FORBIDDEN_VARIABLE),
        ({"forbidden_crossings": (("profile", "help"),)}, Reason.FORBIDDEN_CROSSING),
        ({"statistics": ("count",)}, Reason.FORBIDDEN_KIND),
    ],
    ids=["stratum", "groups", "crossing", "kind"],
)
def test_a_region_refuses_by_what_is_compared_and_by_the_strata(changes: dict[str, object], reason: Reason) -> None:
    asked = small_study.planned([statistic(**ADJUSTED)])
    policy = small_study.region_policy(**{"statistics": ("adjusted_difference",)} | changes)
    codebooks, snapshots = {asked.codebook_hash: small_study.codebook()}, {"c1": asked.codebook_hash}
    now = Standing("AA", policy, small_study.calendar(), codebooks, snapshots, Spent({}, NanoRho(0)), small_study.OPEN)
    found = decide(asked, now)
    assert isinstance(found, Refused)
    assert found.reason is reason


def test_the_auditor_sees_the_same_names() -> None:
    body = canonical.decode(to_canonical(small_study.planned([statistic(**ADJUSTED)])))
    assert isinstance(body, dict)
    (asked,) = read_asked(body).statistics
    assert content.touched(asked, small_study.codebook()) >= {"profile", "began", "help", "state", "incidents"}
