"""JSON Schemas of every kind of YAML that people write, made from the models that read them: `make schemas`.

    python -m compose.schemas DIR

An editor completes and checks a file by them as it is typed. A schema holds what shape can say; what needs
more (names that exist, waves that fit) the loader says. It describes what is written, where the canonical form differs:
a mapping of categories, dates, decimals with or without quotes.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from pathlib import Path
from typing import Any, TypeAlias

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from audit.home import WitnessConfig
from coordinator.home import CoordinatorConfig, ResearcherConfig
from coordinator.planning.targets import Targets
from node.home import Config as NodeConfig
from policies.documents import Document
from policies.rules.region_policy import RegionPolicy
from policies.statistics.programme import Draft
from policies.statistics.published import Published
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.mapping import Mapping

KINDS: dict[str, type[Document]] = {
    "calendar": Calendar,
    "codebook": Codebook,
    "coordinator": CoordinatorConfig,
    "mapping": Mapping,
    "node": NodeConfig,
    "policy": RegionPolicy,
    "programme": Draft,
    "published": Published,
    "researcher": ResearcherConfig,
    "targets": Targets,
    "witness": WitnessConfig,
}
"""The name of each kind's schema, without `.schema.json`, and its model."""

Node: TypeAlias = "bool | int | float | str | list[Node] | dict[str, Node] | None"


class _Written(GenerateJsonSchema):
    """Schemas with our attribute docstrings as descriptions, and without titles that repeat the key."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        for name, text in _told(schema["cls"]).items():
            field = schema["cls"].model_fields.get(name)
            key = name if field is None or field.alias is None else field.alias
            if key in described.get("properties", {}):
                described["properties"][key]["description"] = text
        return described

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: a title made of the key says nothing."""
        return False


def schema(kind: str) -> dict[str, Node]:
    """The schema of one kind, as JSON that `json.dumps` writes."""
    made: dict[str, Node] = KINDS[kind].model_json_schema(schema_generator=_Written)
    closed = _closed(made)
    # `closed` is `made` with fewer keys, and that was an object.
    assert isinstance(closed, dict)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **closed}


def text(kind: str) -> str:
    """The file's text: the same models give the same bytes."""
    return json.dumps(schema(kind), ensure_ascii=False, indent=2) + "\n"


def _closed(node: Node) -> Node:
    """Keys that fit no pattern are refused, as the loader refuses them; `null` defaults are left unsaid."""
    if isinstance(node, list):
        return [_closed(part) for part in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(part) for key, part in node.items() if (key, part) != ("default", None)}
    if "patternProperties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


def _told(model: type[Any]) -> dict[str, str]:
    """What stands as a string below each field of a model, base classes first."""
    told: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if not issubclass(base, Document) or base is Document:
            continue
        definition = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(definition, ast.ClassDef)
        for line, below in zip(definition.body, definition.body[1:], strict=False):
            match line, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                    told[name] = inspect.cleandoc(said)
    return told


def main() -> None:
    """Writes every schema into the folder given; exit code 2 where none is."""
    if len(sys.argv) != 2:
        print("usage: python -m compose.schemas DIR", file=sys.stderr)
        raise SystemExit(2)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / f"{kind}.schema.json").write_text(text(kind), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
