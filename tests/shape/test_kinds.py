"""One kind of statistic, one file of the same name in each room that knows it."""

import ast
from typing import get_args

import pytest

from policies.statistics.statistic import Kind
from tests.shape.sources import CHECKOUT, files, tree

ROOMS_WITH_KINDS = ("policies/statistics", "coordinator/estimates")


def _kinds() -> set[str]:
    return set(get_args(Kind))


def test_the_rules_shape_exactly_the_kinds_that_can_be_asked() -> None:
    shaping = {
        path.stem
        for path in files("policies/statistics")
        if any(isinstance(node, ast.FunctionDef) and node.name == "shape" for node in tree(path).body)
    }
    assert shaping == _kinds()


@pytest.mark.parametrize("room", ROOMS_WITH_KINDS)
def test_a_room_has_a_file_for_each_kind(room: str) -> None:
    assert {kind for kind in _kinds() if not (CHECKOUT / room / f"{kind}.py").is_file()} == set()
