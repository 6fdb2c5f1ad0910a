"""The checkout's Python files, as text and as syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ROOMS = ("protos/rondgang", "policies", "node", "coordinator", "audit", "compose")


def files(*folders: str) -> Iterator[Path]:
    """Hand-written Python files under these folders of the checkout; generated code is left out."""
    for folder in folders:
        yield from (path for path in sorted((CHECKOUT / folder).rglob("*.py")) if "_pb2" not in path.stem)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method of a file, with its dotted name."""

    def walk(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + node.name, node
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from walk(node.body, f"{prefix}{node.name}.")

    yield from walk(tree(path).body, "")


def shown(path: Path) -> str:
    return path.relative_to(CHECKOUT).as_posix()
