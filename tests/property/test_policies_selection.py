"""Whoever the compiler selects is who the question meant: its simplified missing rule changes nobody's place.

The compiler drops from the missing rule what a filter or a derived variable already implies, so that more statistics
share a denominator. Here every household is one that an import could make: derived variables follow from their cases.
"""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policies.statistics.blocks import Axis, Indicator, Selection, Square, Value
from policies.statistics.compile import compile_blocks
from policies.statistics.statistic import Statistic
from policies.study.columns import Ref
from policies.study.derive import rules
from policies.study.expressions.nodes import required
from policies.study.expressions.parse import Scope, parse
from tests.small_study import Row, codebook, holds

COLUMNS = codebook().columns
BASE = [
    Ref(name, wave)
    for name, variable in codebook().variables.items()
    if variable.table == "household"
    for wave in variable.waves or ("",)
]
CONDITIONS = [
    *("help == yes", "state == none", "incidents > 1", "missing(help)", "began == yes", "silent == no", "grade > 0"),
    *("help == yes and state != many", "state == none or profile == c", "not missing(began)"),
]
FILTERS = [
    *("not missing(help)", "not missing(state)", "not missing(incidents)", "not missing(began)", "not missing(silent)"),
    *("incidents@T0 > 0", "not missing(incidents@T0)", "missing(profile)", "help == yes", "state in {none, some}"),
    *("began == yes", "not missing(grade) or help == yes", "not (help == yes or missing(grade))"),
]
WHERE = st.none() | st.lists(st.sampled_from(FILTERS), min_size=1, max_size=3).map(lambda p: f"({') and ('.join(p)})")
ASKED = st.fixed_dictionaries(
    {
        "id": st.just("asked"),
        "unit": st.just("household"),
        "where": WHERE,
        "by": st.sampled_from([[], ["profile"], ["help"], ["state"], ["began"], ["state@T0"]]),
    }
)
QUESTIONS = st.sampled_from(
    [
        *({"kind": "proportion", "of": of, "wave": wave} for of in CONDITIONS for wave in ("T0", "T1")),
        *({"kind": "mean", "of": of, "wave": "T1"} for of in ("incidents", "incidents@T0", "grade")),
        *({"kind": kind, "of": "incidents", "wave": "T1"} for kind in ("sum", "variance")),
        {"kind": "covariance", "of": ["incidents", "state == none or help@T0 == yes"], "wave": "T1"},
        {"kind": "regression", "of": ["grade", "incidents@T0", "began == yes"], "wave": "T1"},
        {"kind": "histogram", "of": "incidents@T0", "bins": ["1", "3"], "wave": "T1"},
        {"kind": "histogram", "of": "state", "wave": "T1"},
        {"kind": "count", "wave": "T1"},
        {"kind": "transition", "of": "state", "wave": "T0->T1"},
        {"kind": "transition", "of": "help", "wave": "T0->T1"},
        {"kind": "transition", "of": "began", "wave": "T0->T1"},
    ]
)


@st.composite
def households(draw: st.DrawFn) -> dict[Ref, int | None]:
    """A household as an import leaves it: any base values, and derived ones by the public rules."""
    row: dict[Ref, int | None] = {ref: draw(st.none() | st.integers(0, COLUMNS[ref.name].size - 1)) for ref in BASE}
    for rule in rules(codebook()):
        if COLUMNS[rule.ref.name].table != "household":
            continue
        met = [value for condition, value in rule.cases if holds(condition, row) is True]
        known = all(row[ref] is not None for ref in rule.required)
        row[rule.ref] = (met[0] if met else rule.otherwise) if known else None
    return row


def meant(statistic: Statistic, row: Row) -> bool:
    """Whether the question is about this household: filter true, and everything it names in `of` and `by` known."""
    scope = Scope(COLUMNS, "household", statistic.waves[-1])
    if statistic.where is not None and holds(parse(statistic.where, scope), row) is not True:
        return False
    needed = {Ref(*key.split("@")) if "@" in key else _at(key, statistic.waves[-1]) for key in statistic.by}
    of = statistic.of if isinstance(statistic.of, str) else ""
    if statistic.kind == "proportion":
        needed |= required(parse(of, scope))
    elif isinstance(statistic.of, tuple):
        for factor in statistic.of:
            bare = " " not in factor
            needed |= {Ref(*factor.split("@")) if "@" in factor else _at(factor, "T1")} if bare else set()
            needed |= set() if bare else required(parse(factor, scope))
    elif statistic.kind in ("mean", "sum", "variance", "histogram"):
        needed.add(Ref(*of.split("@")) if "@" in of else _at(of, "T1"))
    elif statistic.kind == "transition":
        needed |= {_at(of, wave) for wave in statistic.waves}
    return all(row[ref] is not None for ref in needed)


def _at(name: str | None, wave: str) -> Ref:
    return Ref(name or "", wave if COLUMNS[name or ""].waves else "")


def selected(selection: Selection, row: Row) -> bool:
    present = all(row[ref] is not None for ref in selection.required)
    return present and (selection.where is None or holds(selection.where, row) is True)


@given(ASKED, QUESTIONS, st.lists(households(), min_size=5, max_size=5))
@settings(max_examples=250, deadline=None)
def test_the_compiler_selects_whom_the_question_means(
    asked: dict[str, Any], question: dict[str, Any], rows: list[Row]
) -> None:
    statistic = Statistic.model_validate({**asked, **question})
    assume(_askable(statistic))
    for block in compile_blocks((statistic,), codebook()).blocks:
        for row in rows:
            chosen = selected(block.selection, row)
            assert chosen == meant(statistic, row)
            if chosen:
                # Whoever is selected has a cell, and something to add.
                assert all(row[axis.ref] is not None for axis in block.axes if isinstance(axis, Axis))
                if isinstance(block.summand, Indicator):
                    assert holds(block.summand.of, row) is not None
                if isinstance(block.summand, Value | Square):
                    assert row[block.summand.of] is not None


def _askable(statistic: Statistic) -> bool:
    """`grade` and `silent` exist at T1 only."""
    text = f"{statistic.of} {statistic.where}"
    return statistic.waves[-1] == "T1" or not ("grade" in text or "silent" in text)
