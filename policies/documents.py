"""Documents people write and parties sign: one YAML loader, one canonical form, unknown keys refused.

YAML and signed bytes go through the same strict models. Numbers with a point and dates stay text until the model
says what they are, so that 0.1 is one tenth and `no` is a word.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from rondgang import canonical


class Document(BaseModel):
    """A frozen part of a written or signed document. Unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


D = TypeVar("D", bound=Document)


class BadDocument(ValueError):
    """A document that cannot be used. `places` name file, line, key and what was expected; never a row's value."""

    def __init__(self, source: str, places: tuple[str, ...]) -> None:
        self.source = source
        self.places = places
        super().__init__("\n".join(places))


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core in spirit: true/false, whole numbers and null are typed, all else is text."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|false)$", "tf"),
    ("int", r"^(?:0|-?[1-9][0-9]*)$", "-0123456789"),
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("merge", r"^(?:<<)$", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def _plain(
    node: yaml.Node, loader: _Loader, path: tuple[str, ...], lines: dict[tuple[str, ...], int], source: str
) -> Any:
    """The node as plain data, with the line of every key noted; duplicate keys are refused."""
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key: Hashable = loader.construct_object(key_node)
            name = str(key)
            if name in result:
                where = f"{source}:{key_node.start_mark.line + 1}: {'.'.join((*path, name))}: "
                raise BadDocument(source, (where + "this key stands here twice; expected it once",))
            result[name] = _plain(value_node, loader, (*path, name), lines, source)
            lines[(*path, name)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(part, loader, (*path, str(i)), lines, source) for i, part in enumerate(node.value)]
    return loader.construct_object(node)


def _places(error: ValidationError, lines: dict[tuple[str, ...], int], source: str) -> tuple[str, ...]:
    found = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        path = tuple(str(part) for part in problem["loc"])
        nearest = path
        while nearest and nearest not in lines:
            nearest = nearest[:-1]
        line = lines.get(nearest)
        message = problem["msg"].removeprefix("Value error, ")
        found.append(f"{source}{f':{line}' if line else ''}: {'.'.join(path) or '(document)'}: {message}")
    return tuple(found)


def parse_yaml(model: type[D], text: str, source: str) -> D:
    """A document from YAML text. Raises BadDocument with source, line, key and what was expected."""
    lines: dict[tuple[str, ...], int] = {}
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        data = None if node is None else _plain(node, loader, (), lines, source)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadDocument(source, (f"{source}:{line}: not readable as YAML: {error.problem}",)) from error
    except yaml.YAMLError as error:
        raise BadDocument(source, (f"{source}:1: not readable as YAML",)) from error
    if not isinstance(data, dict):
        raise BadDocument(source, (f"{source}:1: (document): expected keys with values",))
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise BadDocument(source, _places(error, lines, source)) from error


def load_yaml(model: type[D], path: Path) -> D:
    """A document from a YAML file (UTF-8). Raises BadDocument, also when the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadDocument(str(path), (f"{path}: cannot be read: {type(error).__name__}",)) from error
    return parse_yaml(model, text, str(path))


def to_canonical(document: Document) -> bytes:
    """The one byte string of a document that is hashed or signed; defaults are left out."""
    return canonical.encode(document.model_dump(mode="json", exclude_defaults=True, by_alias=True))


def from_canonical(model: type[D], data: bytes) -> D:
    """A document from its canonical bytes.

    Raises BadDocument unless the bytes are canonical JSON, fit the model, and encoding the result gives them back.
    """
    try:
        canonical.decode(data)
        document = model.model_validate_json(data)
    except canonical.NotCanonical as error:
        raise BadDocument("document", (f"document: not canonical: {error}",)) from error
    except ValidationError as error:
        raise BadDocument("document", _places(error, {}, "document")) from error
    if to_canonical(document) != data:
        raise BadDocument("document", ("document: decoding and encoding does not give the same bytes",))
    return document
