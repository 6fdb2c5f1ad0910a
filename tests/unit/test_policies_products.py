"""Covariances, correlations and regressions as blocks: what they share, their spelling, what is refused."""

from dataclasses import replace

import duckdb
import pytest

from node.vectors.queries import queries
from policies.documents import from_canonical, parse_yaml, to_canonical
from policies.statistics.blocks import Block, Indicator, Named, Ones, Product, Square, Value
from policies.statistics.compile import BadStatistic, Compilation, compile_blocks
from policies.statistics.programme import Programme
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.study.expressions.parse import Scope, parse
from tests import small_study

INCIDENTS, GRADE = Value(Ref("incidents", "T1"), 4), Value(Ref("grade", "T1"), 5)


def statistic(**fields: object) -> Statistic:
    return Statistic.model_validate({"id": "asked", "unit": "household", "wave": "T1"} | fields)


def compiled(*statistics: Statistic) -> Compilation:
    return compile_blocks(statistics, small_study.codebook())


def helped() -> Indicator:
    return Indicator(parse("help == yes", Scope(small_study.codebook().columns, "household", "T1")))


def test_a_covariance_is_a_product_two_sums_and_the_units() -> None:
    found = compiled(statistic(kind="covariance", of=["incidents", "grade"], ranges={"grade": ["-0.5", "1.0"]}))
    held = replace(GRADE, top=3, low=1)
    assert [(b.id, b.summand, b.bound) for b in found.blocks] == [
        ("asked", Product(held, INCIDENTS), 12),
        ("asked_v0", INCIDENTS, 4),
        ("asked_v1", held, 3),
        ("n1", Ones(), 1),
    ]
    assert all(set(b.selection.required) == {Ref("incidents", "T1"), Ref("grade", "T1")} for b in found.blocks)


def test_a_condition_has_no_square_and_a_regression_a_row_for_each_term() -> None:
    found = compiled(statistic(kind="regression", of=["incidents", "help == yes", "incidents@T0"], by=["profile"]))
    assert {b.id: (type(b.summand).__name__, b.bound, b.cells) for b in found.blocks} == {
        "asked": ("Value", 4, 3),
        "asked_v1": ("Indicator", 1, 3),
        "asked_v2": ("Value", 4, 3),
        "asked_p00": ("Square", 16, 3),
        "asked_p22": ("Square", 16, 3),
        "asked_p01": ("Product", 4, 3),
        "asked_p02": ("Product", 16, 3),
        "asked_p12": ("Product", 4, 3),
        "n1": ("Ones", 1, 3),
    }
    (one,) = found.statistics
    assert one.axes[-1] == Named("term", ("(intercept)", "help@T1 in {yes}", "incidents@T0"))
    assert one.statistic.of == ("incidents@T1", "help@T1 in {yes}", "incidents@T0")


def test_what_sums_the_same_over_the_same_units_is_charged_once() -> None:
    known = "not missing(grade) and not missing(help)"
    found = compiled(
        statistic(id="r", kind="regression", of=["incidents", "grade", "help == yes"]),
        statistic(id="c", kind="correlation", of=["grade", "incidents"], where="not missing(help)"),
        statistic(id="k", kind="covariance", of=["help == yes", "grade"], where="not missing(incidents)"),
        statistic(id="m", kind="mean", of="incidents", where=known),
        statistic(id="p", kind="proportion", of="help == yes", where="not missing(grade) and not missing(incidents)"),
        statistic(id="v", kind="variance", of="incidents", where=known),
    )
    assert len(found.blocks) == 9
    assert {c.statistic.id: c.blocks for c in found.statistics} == {
        "r": ("m", "r_v1", "p", "r_p00", "r_p11", "r_p01", "r_p02", "r_p12", "n1"),
        "c": ("r_p01", "r_v1", "m", "r_p11", "r_p00", "n1"),
        "k": ("r_p12", "p", "r_v1", "n1"),
        "m": ("m", "n1"),
        "p": ("p", "n1"),
        "v": ("r_p00", "m", "n1"),
    }


def test_a_programme_keeps_what_was_asked_and_leaves_out_what_says_nothing() -> None:
    asked = statistic(
        kind="regression",
        of=["incidents ", "grade@T1"],
        ranges={"incidents": [0, 4], "grade": ["0", "1"]},
        ridge="0.050",
    )
    signed = small_study.planned([asked])
    (canonical,) = signed.statistics
    assert (canonical.of, set(canonical.ranges)) == (("incidents@T1", "grade@T1"), {"grade"})
    assert from_canonical(Programme, to_canonical(signed)) == signed
    assert compile_blocks(signed.statistics, small_study.codebook()).statistics[0].statistic == canonical
    assert '"ridge":"0.05"' in to_canonical(signed).decode()
    plain = to_canonical(small_study.planned([statistic(kind="count")])).decode()
    assert "ranges" not in plain
    assert "ridge" not in plain


LONG = "incidents in {0, 2, 4} and grade in {-1, 0, 1} and (help == yes or profile == c or silent == yes)"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "covariance", "of": "incidents"}, "two numbers or conditions in `of: [a, b]`"),
        ({"kind": "covariance", "of": ["incidents", "grade", "help == yes"]}, "two numbers or conditions"),
        ({"kind": "correlation", "of": ["incidents", "grade"], "wave": "T0->T1"}, "a correlation has one wave"),
        ({"kind": "correlation", "of": ["incidents", "help == yes"], "wave": "T0+T1"}, "has one wave"),
        ({"kind": "covariance", "of": ["incidents", "incidents@T1"]}, "stands twice in `of`"),
        ({"kind": "covariance", "of": ["incidents", "help"]}, "`help` is a category; write a condition, such as"),
        ({"kind": "covariance", "of": ["incidents", "anger"]}, "expected a variable of the codebook"),
        ({"kind": "covariance", "of": ["incidents", "grade"], "within": ["0", "1"]}, "`within` belongs to a mean"),
        ({"kind": "covariance", "of": ["incidents", "grade"], "ranges": {"help": ["0", "1"]}}, "`help`, which is no"),
        (
            {"kind": "covariance", "of": ["incidents", "grade"], "ranges": {"grade": ["0", "0.3"]}},
            "`ranges: grade` must",
        ),
        ({"kind": "mean", "of": "incidents", "ranges": {"incidents": ["0", "1"]}}, "elsewhere it is `within`"),
        ({"kind": "covariance", "of": ["incidents", "grade"], "ridge": "0.1"}, "`ridge` belongs to a regression"),
        ({"kind": "regression", "of": ["incidents", "grade"], "ridge": "0"}, "`ridge` is between"),
        ({"kind": "regression", "of": "incidents"}, "the outcome and one to 8 terms"),
        ({"kind": "regression", "of": ["incidents", LONG]}, "make it a derived variable"),
        ({"kind": "cross_table", "of": ["help", "state", "profile", "began"]}, "at most 3 keys"),
        ({"kind": "proportion", "of": ["help == yes", "state == none"]}, "a condition in `of`"),
        ({"kind": "histogram", "of": ["help", "state"]}, "one wave"),
    ],
)
def test_what_cannot_be_asked_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(BadStatistic) as caught:
        compiled(statistic(**fields))
    assert said in str(caught.value)


WIDE = """
codebook: {id: wide, version: 1}
units: {household: hh, person: person, wave: wave}
caps: {adults: 2, children: 3}
waves: {T0: {nl: eerst, en: first}}
tables: {household: {}, adult: {}, child: {}}
variables:
  one: {table: household, type: integer, bounds: [0, 999999], waves: [T0]}
  other: {table: household, type: integer, bounds: [0, 999998], waves: [T0]}
"""


def test_products_and_squares_of_millions_of_steps_do_not_leave_64_bits() -> None:
    """Ends of both ranges, in 32-bit columns: the largest product there is, with either sign."""
    codebook = parse_yaml(Codebook, WIDE, "wide.yaml")
    asked = statistic(kind="correlation", of=["one", "other"], wave="T0")
    blocks = compile_blocks((asked,), codebook).blocks
    first, second = 999_999, 999_998
    rows = [(0, 0), (0, second), (first, 0), (first, second), (first, second)]
    found = _sums(blocks, rows)
    z = [(2 * x - first, 2 * y - second) for x, y in rows]
    assert found["asked"] == sum(a * b for a, b in z) == first * second
    assert found["asked_p00"] == sum(2 * a * a - first**2 for a, _ in z)
    assert {type(block.summand) for block in blocks} == {Product, Value, Square, Ones}


def _sums(blocks: tuple[Block, ...], rows: list[tuple[int, int]]) -> dict[str, int]:
    values = ", ".join(f"(true, {x}::INTEGER, {y}::INTEGER)" for x, y in rows)
    with_rows = f'WITH "household" AS (SELECT * FROM (VALUES {values}) AS t(present__T0, one__T0, other__T0)) '
    (query,) = queries(blocks)
    (row,) = duckdb.connect().execute(with_rows + query.sql).fetchall()
    return dict(zip(query.blocks, map(int, row), strict=True))
