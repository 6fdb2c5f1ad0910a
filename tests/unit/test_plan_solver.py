"""The solver behind `plan`: every row is kept, and what it says of how good it is holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from coordinator.planning.solver import CLOSE, Unbounded, cheapest, tied

Floats = NDArray[np.float64]
POWERS = st.floats(-6, 6)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Costs and rows of any size, over twelve powers of ten; every block is in some row."""
    blocks, more = draw(st.integers(1, 6)), draw(st.integers(0, 8))
    rows = np.zeros((blocks + more, blocks))
    for place in range(blocks):
        rows[place, place] = 10 ** draw(POWERS)
    for place in range(blocks, blocks + more):
        for block in draw(st.sets(st.integers(0, blocks - 1), min_size=1)):
            rows[place, block] = 10 ** draw(POWERS)
    return np.array([10 ** draw(POWERS) for _ in range(blocks)]), rows


@given(problems())
@settings(max_examples=150, deadline=None)
def test_rows_are_kept_and_the_price_is_proved_to_be_the_least(problem: tuple[Floats, Floats]) -> None:
    costs, rows = problem
    found = cheapest(costs, rows)
    assert (rows @ found.variances).max() <= 1 + 1e-9
    assert found.price == pytest.approx((costs / found.variances).sum())
    assert -1e-9 <= found.gap <= 10 * CLOSE
    # The multipliers prove it: the dual at them is below any price that keeps the rows.
    dual = 2 * np.sqrt(costs * (rows.T @ found.multipliers)).sum() - found.multipliers.sum()
    assert found.price <= dual * (1 + 10 * CLOSE)
    assert found.multipliers.sum() == pytest.approx(found.price, rel=10 * CLOSE)


def test_one_row_is_split_as_worked_out_by_hand() -> None:
    """sum a v <= 1 and least sum c / v: v = sqrt(c / a) / sum sqrt(a c)."""
    costs, row = np.array([0.5, 8.0, 50.0]), np.array([0.1, 0.3, 2.0])
    found = cheapest(costs, row[np.newaxis, :])
    assert found.variances == pytest.approx(np.sqrt(costs / row) / np.sqrt(row * costs).sum(), rel=1e-3)
    assert found.price == pytest.approx(np.sqrt(row * costs).sum() ** 2, rel=1e-5)


def test_a_block_in_no_row_is_refused() -> None:
    with pytest.raises(Unbounded, match="block 1"):
        cheapest(np.ones(2), np.array([[1.0, 0.0]]))


def test_blocks_are_tied_by_way_of_others() -> None:
    rows = np.array([[1.0, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]])
    assert [group.tolist() for group in tied(rows)] == [[0, 1, 2], [3], [4]]
