"""What import-linter cannot see: a clock read through `datetime`, and predictable randomness in tests."""

import ast
from pathlib import Path

from tests.shape.sources import ROOMS, files, shown, tree

CLOCKS = frozenset({"now", "utcnow", "today"})


def test_the_two_lower_floors_read_no_clock() -> None:
    reads = [
        f"{shown(path)}:{node.lineno} {node.attr}"
        for path in files("protos/rondgang", "policies")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS and _is_datetime(node.value)
    ]
    assert reads == []


def test_nothing_imports_random() -> None:
    imports = {shown(path) for path in files(*ROOMS, "tests") if "random" in _imported(path)}
    assert imports == set()


def _is_datetime(value: ast.expr) -> bool:
    """Whether this names a date type: `datetime`, `date`, `dt.datetime`."""
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    return name in ("datetime", "date")


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names
