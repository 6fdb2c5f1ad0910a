"""Whatever prices, bounds, clips or draws noise says beside the code what it claims and which way it rounds."""

import ast
import re
from pathlib import Path
from typing import get_args

from policies.statistics.statistic import Kind
from tests.shape.sources import files, functions, shown, tree

PLACES = ("policies/statistics", "policies/units/privacy.py", "node/mechanism.py")
TELLING = frozenset({"plan", "price", "bound", "noise", "clip", "debit", "epsilon"})
KINDS = get_args(Kind)


def _looked_at() -> list[Path]:
    return [path for path in files("policies", "node") if shown(path).startswith(PLACES)]


def test_functions_that_price_bound_clip_or_draw_have_a_privacy_paragraph() -> None:
    found = {
        f"{shown(path)} {name}": "Privacy:" in (ast.get_docstring(node) or "")
        for path in _looked_at()
        for name, node in functions(path)
        if not any(part.startswith("_") for part in name.split("."))
        and TELLING.intersection(re.split(r"[_.]", name.lower()))
    }
    assert found, "no such function was found: has the code moved?"
    assert [name for name, has in found.items() if not has] == []


def test_every_kind_of_statistic_states_its_bound_on_top() -> None:
    by_stem = {path.stem: path for path in _looked_at() if path.stem in KINDS and "statistics" in path.parts}
    assert sorted(by_stem) == sorted(KINDS)
    assert [stem for stem, path in by_stem.items() if "Privacy:" not in (ast.get_docstring(tree(path)) or "")] == []
