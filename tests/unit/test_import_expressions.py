"""Conditions as SQL keep the grammar's three values: true, false and unknown."""

import duckdb
import pytest

from node.expressions import condition
from policies.study.columns import Ref
from policies.study.expressions.nodes import All, Among, Expr, Missing, Some

A, B = Ref("a", "T0"), Ref("b")
LOW, NEVER = Among(A, ((0, 1), (3, 3))), Among(A, ())


@pytest.mark.parametrize(
    ("expr", "wanted"),
    [
        (LOW, [True, False, True, None]),
        (NEVER, [False, False, False, None]),
        (Missing(A), [False, False, False, True]),
        (Missing(A, negated=True), [True, True, True, False]),
        (All((LOW, Among(B, ((0, 0),)))), [True, False, None, None]),
        (Some((LOW, Among(B, ((0, 0),)))), [True, False, True, True]),
        (Some((NEVER, Missing(B))), [False, False, True, None]),
    ],
)
def test_import_condition_follows_kleene(expr: Expr, wanted: list[bool | None]) -> None:
    sql = f"SELECT {condition(expr).sql('duckdb')} FROM t"
    engine = duckdb.connect()
    engine.execute("CREATE TABLE t (a__T0 TINYINT, b SMALLINT)")
    engine.execute("INSERT INTO t VALUES (0, 0), (2, 7), (3, NULL), (NULL, 0)")
    assert [row[0] for row in engine.execute(sql).fetchall()] == wanted
