"""One kind of statistic, one file of the same name in each room that knows it."""

import ast
from typing import get_args

import pytest

from audit.reprice.blocks import KINDS
from policies.statistics.statistic import Kind
from tests.shape.sources import CHECKOUT, files, tree

ROOMS_WITH_KINDS = ("policies/statistics", "coordinator/estimates", "audit/reprice")


def _kinds() -> set[str]:
    return set(get_args(Kind))


def _defining(room: str, function: str) -> set[str]:
    """The files of a room that define this function at their top."""
    return {
        path.stem
        for path in files(room)
        if any(isinstance(node, ast.FunctionDef) and node.name == function for node in tree(path).body)
    }


def test_the_rules_shape_exactly_the_kinds_that_can_be_asked() -> None:
    assert _defining("policies/statistics", "shape") == _kinds()


def test_the_auditor_derives_exactly_the_kinds_that_can_be_asked() -> None:
    assert _defining("audit/reprice", "takes") == _kinds()
    assert set(KINDS) == _kinds()


@pytest.mark.parametrize("room", ROOMS_WITH_KINDS)
def test_a_room_has_a_file_for_each_kind(room: str) -> None:
    assert {kind for kind in _kinds() if not (CHECKOUT / room / f"{kind}.py").is_file()} == set()


def test_what_the_auditor_derives_says_its_bound_on_top() -> None:
    told = {path.stem: ast.get_docstring(tree(path)) or "" for path in files("audit/reprice")}
    assert {kind for kind in _kinds() if "Privacy:" not in told[kind]} == set()
