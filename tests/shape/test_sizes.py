"""Files and functions stay small enough to read in one go. A breach needs a split, not a waiver."""

import ast

from tests.shape.sources import ROOMS, files, functions, shown

FILE_LINES = 400
FUNCTION_LINES = 40


def test_no_hand_written_file_is_too_long() -> None:
    sizes = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(*ROOMS, "tests")}
    assert sizes, "no file was looked at"
    assert {path: lines for path, lines in sizes.items() if lines > FILE_LINES} == {}


def test_no_function_is_too_long() -> None:
    """Lines from `def` to the end, without the docstring."""
    long = {
        f"{shown(path)}:{node.lineno} {name}": lines
        for path in files(*ROOMS)
        for name, node in functions(path)
        if (lines := _lines(node)) > FUNCTION_LINES
    }
    assert long == {}


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
    return lines
