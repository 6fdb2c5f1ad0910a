"""Documents people write and parties sign: one YAML loader, one canonical form, unknown keys refused.

YAML and signed bytes go through the same strict models. Numbers with a point and dates stay text until the model
says what they are, so that 0.1 is one tenth and `no` is a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError
from rondgang import canonical


class Document(BaseModel):
    """A frozen part of a written or signed document. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


D = TypeVar("D", bound=Document)
Check = Callable[[D], Iterable[tuple[tuple[str, ...], str]]]
"""Finds what does not fit other documents: the key's path, and what was expected there."""


class BadDocument(ValueError):
    """A document that cannot be used. `places` name file, line, key and what was expected; never a row's value."""

    def __init__(self, source: str, places: tuple[str, ...]) -> None:
        self.source = source
        self.places = places
        super().__init__("\n".join(places))


def misplaced(path: Iterable[str], expected: str) -> PydanticCustomError:
    """To be raised by a document's own check: what is wrong stands at `path` below it, and `expected` says what fits.

    The loader then names the line of that key, not that of the whole document.
    """
    return PydanticCustomError("misplaced", "{expected}", {"path": tuple(path), "expected": expected})


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core in spirit: true/false, whole numbers and null are typed, all else is text."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuses aliases: a few lines of them can stand for more memory than there is."""
        if self.check_event(yaml.AliasEvent):
            # PyYAML's stubs leave this method without types.
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not used here; write it out", mark)
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


_HALF = re.compile("[\ud800-\udfff]")
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", rf"^(?:{_INTEGER.pattern})$", "-0123456789"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _scalar(node: yaml.ScalarNode) -> bool | int | str | None:
    """What a single word or number stands for. Raises ValueError for tags and numbers that are not ours."""
    text: str = node.value
    if not text.isascii() and _HALF.search(text):
        raise ValueError("expected whole characters; this text has half of one (a lone surrogate)")
    tag = node.tag.removeprefix("tag:yaml.org,2002:")
    if tag == "str":
        return text
    if tag == "null":
        return None
    if tag == "bool" and text in ("true", "false"):
        return text == "true"
    if tag == "int" and _INTEGER.fullmatch(text):
        if len(text) > 17 or abs(int(text)) > canonical.MAX_INTEGER:
            raise ValueError("expected a whole number below 2**53; write a larger one in quotes")
        return int(text)
    raise ValueError(f"expected a plain word or number, without the tag {node.tag}")


@dataclass(frozen=True, slots=True)
class _Reading:
    """One file being read: its name, and the line of every key met so far."""

    source: str
    lines: dict[tuple[str, ...], int]

    def refusal(self, node: yaml.Node, path: tuple[str, ...], expected: str) -> BadDocument:
        place = f"{self.source}:{node.start_mark.line + 1}: {'.'.join(path) or '(document)'}"
        return BadDocument(self.source, (f"{place}: {expected}",))

    def plain(self, node: yaml.Node, path: tuple[str, ...] = ()) -> Any:
        """The node as plain data; duplicate keys are refused. A key is the word as it is written."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.plain(part, (*path, str(i))) for i, part in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            result: dict[str, Any] = {}
            for key_node, value_node in node.value:
                if not isinstance(key_node, yaml.ScalarNode):
                    raise self.refusal(key_node, path, "expected a single word as a key")
                if _HALF.search(key_node.value):
                    raise self.refusal(key_node, path, "expected a key of whole characters")
                here = (*path, key_node.value)
                if key_node.value in result:
                    raise self.refusal(key_node, here, "this key stands here twice; expected it once")
                self.lines[here] = key_node.start_mark.line + 1
                result[key_node.value] = self.plain(value_node, here)
            return result
        if not isinstance(node, yaml.ScalarNode):
            raise self.refusal(node, path, f"expected plain keys and lists, without the tag {node.tag}")
        try:
            return _scalar(node)
        except ValueError as error:
            raise self.refusal(node, path, str(error)) from error


_SAID = {
    "extra_forbidden": "this key is not known here; expected one that is",
    "missing": "this key is missing; expected it here",
}
"""Where pydantic's own words are for programmers."""


def _places(error: ValidationError, lines: dict[tuple[str, ...], int], source: str) -> tuple[str, ...]:
    found, problems = [], error.errors(include_url=False, include_input=False)
    for problem in problems:
        if problem["type"] == "too_short" and any(_inside(other["loc"], problem["loc"]) for other in problems):
            continue  # the list has parts, which do not fit
        # Parts with brackets are pydantic's names of types, for a field that may have several.
        below = problem["ctx"]["path"] if problem["type"] == "misplaced" else ()
        path = tuple(part for part in map(str, (*problem["loc"], *below)) if "[" not in part)
        message = _SAID.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
        found.append(_place(path, message, lines, source))
    return tuple(found)


def _inside(inner: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


def _place(path: tuple[str, ...], message: str, lines: dict[tuple[str, ...], int], source: str) -> str:
    nearest = path
    while nearest and nearest not in lines:
        nearest = nearest[:-1]
    line = lines.get(nearest)
    return f"{source}{f':{line}' if line else ''}: {'.'.join(path) or '(document)'}: {message}"


def parse_yaml(model: type[D], text: str, source: str, check: Check[D] | None = None) -> D:
    """A document from YAML text. Raises BadDocument with source, line, key and what was expected.

    `check` compares it with other documents: what it finds is refused with the same places.
    """
    reading = _Reading(source, {})
    try:
        node = _Loader(text).get_single_node()
        data = None if node is None else reading.plain(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise BadDocument(source, (f"{source}:{line}: not readable as YAML: {said}",)) from error
    except yaml.YAMLError as error:
        raise BadDocument(source, (f"{source}:1: not readable as YAML: not plain text",)) from error
    except RecursionError as error:
        raise BadDocument(source, (f"{source}:1: nested too deeply to be read",)) from error
    if not isinstance(data, dict):
        raise BadDocument(source, (f"{source}:1: (document): expected keys with values",))
    try:
        document = model.model_validate(data)
    except ValidationError as error:
        raise BadDocument(source, _places(error, reading.lines, source)) from error
    found = tuple(_place(path, said, reading.lines, source) for path, said in (check(document) if check else ()))
    if found:
        raise BadDocument(source, found)
    return document


def load_yaml(model: type[D], path: Path, check: Check[D] | None = None) -> D:
    """A document from a YAML file (UTF-8). Raises BadDocument, also when the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadDocument(str(path), (f"{path}: cannot be read: {type(error).__name__}",)) from error
    return parse_yaml(model, text, str(path), check)


def to_canonical(document: Document) -> bytes:
    """The one byte string of a document that is hashed or signed; defaults are left out."""
    return canonical.encode(document.model_dump(mode="json", exclude_defaults=True, by_alias=True))


def from_canonical(model: type[D], data: bytes) -> D:
    """A document from its canonical bytes.

    Raises BadDocument unless the bytes are canonical JSON, fit the model, and encoding the result gives them back.
    """
    problem: ValidationError | None = None
    try:
        document = model.model_validate_json(data)
        # What encodes to these very bytes is canonical: `encode` gives nothing else.
        if to_canonical(document) == data:
            return document
    except ValidationError as error:
        problem = error
    except canonical.NotCanonical as error:
        # Such as digits in quotes that were read as a number too large to be written back as one.
        raise BadDocument("document", (f"document: not canonical: {error}",)) from error
    try:
        canonical.decode(data)
    except canonical.NotCanonical as error:
        raise BadDocument("document", (f"document: not canonical: {error}",)) from error
    if problem is not None:
        raise BadDocument("document", _places(problem, {}, "document")) from problem
    raise BadDocument("document", ("document: decoding and encoding does not give the same bytes",))
