"""The `Privacy:` paragraphs of the installed code, read from its docstrings, so that no page can drift from the code.

Sources are parsed, never run: a room that is not installed here is absent, and the others are read all the same.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

ROOMS = ("rondgang", "policies", "node", "coordinator", "audit", "compose")
_BEGINS = re.compile(r"(?<!`)\bPrivacy:\s+")
"""In backticks it is the name of such a paragraph, not the beginning of one."""
_SAYING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One claim beside the code that keeps it: its number, where (`node.mechanism.noisy`), its words on one line."""

    number: int
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Proof:
    """All of them, in the order of the rooms and of their files; `absent` rooms are not installed here."""

    paragraphs: tuple[Paragraph, ...]
    absent: tuple[str, ...]

    def of(self, *places: str) -> tuple[Paragraph, ...]:
        """The paragraphs of these modules, classes or functions and of whatever is in them."""
        return tuple(one for one in self.paragraphs if any(_is_in(one.where, place) for place in places))


def read_proof() -> Proof:
    """Reads every room that is installed. Reads files only; imports none of them."""
    found: list[tuple[str, str]] = []
    absent: list[str] = []
    for room in ROOMS:
        folder = _folder(room)
        if folder is None:
            absent.append(room)
            continue
        for path in sorted(folder.rglob("*.py")):
            if "_pb2" not in path.stem:
                found += _of_file(path, _module(room, path.relative_to(folder)))
    numbered = tuple(Paragraph(number, where, text) for number, (where, text) in enumerate(found, start=1))
    return Proof(numbered, tuple(absent))


def paragraphs_of(docstring: str) -> list[str]:
    """What follows each `Privacy:` up to an empty line, on one line each."""
    found = (re.split(r"\n\s*\n", part, maxsplit=1)[0] for part in _BEGINS.split(docstring)[1:])
    return [" ".join(text.split()) for text in found]


def _folder(room: str) -> Path | None:
    spec = find_spec(room)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin).parent


def _module(room: str, path: Path) -> str:
    parts = [part for part in (room, *path.with_suffix("").parts) if part != "__init__"]
    return ".".join(parts)


def _of_file(path: Path, module: str) -> Iterator[tuple[str, str]]:
    source = path.read_text(encoding="utf-8")
    # Most files have none, and parsing is what takes long.
    return _of_node(ast.parse(source, filename=str(path)), module) if _BEGINS.search(source) else iter(())


def _of_node(node: ast.AST, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, _SAYING):
        for text in paragraphs_of(ast.get_docstring(node) or ""):
            yield where, text
    if isinstance(node, ast.Module | ast.ClassDef):
        yield from _of_fields(node.body, where)
    for child in ast.iter_child_nodes(node):
        name = f".{child.name}" if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) else ""
        yield from _of_node(child, where + name)


def _of_fields(body: list[ast.stmt], where: str) -> Iterator[tuple[str, str]]:
    """What a string below a field or a constant says about it."""
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(
                value=ast.Constant(value=str(text))
            ):
                for found in paragraphs_of(text):
                    yield f"{where}.{name}", found


def _is_in(where: str, place: str) -> bool:
    return where == place or where.startswith(f"{place}.")
