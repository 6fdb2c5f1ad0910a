"""The JSON Schemas describe what people write: what the loader takes they take, and they catch mistakes of shape."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from compose.schemas import KINDS
from coordinator.home import CoordinatorConfig, ResearcherConfig
from policies import documents
from policies.documents import BadDocument, parse_yaml
from tests import small_study

POLICIES = Path(__file__).parents[2] / "policies"
SHIPPED = sorted((POLICIES / "shipped").rglob("*.yaml"))
_MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)")
_SUFFIX = ".schema.json"

NODE = "{region: FR, coordinator: {address: 'desk.example.org:443'}, lang: en, reconnect: {keepalive_ms: 10000}}"
DESK = "{role: coordinator, name: Desk, listen: '127.0.0.1:0', database: null, quote_timeout_s: 5}"
RESEARCHER = "{role: researcher, name: Research, coordinator: 'desk.example.org:443'}"
WITNESS = "{role: witness, name: Auditor, listen: '0.0.0.0:443'}"
CANONICAL_CODEBOOK = """
codebook: {id: small, version: 1}
units: {household: hh, person: person, wave: wave}
caps: {adults: 1, children: 1}
waves: {}
tables: {household: {}, adult: {}, child: {}}
variables:
  a: {table: child, type: category, categories: [{code: x, label: {nl: x, en: x}}, {code: y, label: {nl: y, en: y}}]}
"""
MAPPING = """
mapping: {codebook: small@1}
missing: [-9, "8.5"]
parts:
  - {table: household, household: NR, wave: {suffixes: {T0: _a, T1: _b}}, columns: {incidents: "I<wave>"}}
  - {table: child, household: NR, persons: [1, 2], wave: {always: T0},
     columns: {age: {column: A<person>, codes: {"1": 2}}}}
"""
TARGETS = """
programme:
  id: targets
  title: {nl: Doelen, en: Targets}
  purpose: To plan by
  requester: Tests
  cohort: c1
  codebook: small@1
  deadline: 2026-06-30
limit: {rho: "0.3"}
statistics:
  - {id: stopped, kind: proportion, of: "state == none", unit: household, wave: T1,
     target: {national: "0.1", regional: 0.2}}
  - {id: grade, kind: mean, of: grade, unit: household, wave: T1, target: {national: "0.3", between: ["0", "1"]}}
"""
GOOD = [
    ("codebook", small_study.CODEBOOK),
    ("codebook", CANONICAL_CODEBOOK),
    ("calendar", small_study.CALENDAR),
    ("programme", small_study.DRAFT),
    ("policy", small_study.POLICY),
    ("mapping", MAPPING),
    ("node", NODE),
    ("coordinator", DESK),
    ("researcher", RESEARCHER),
    ("witness", WITNESS),
    ("targets", TARGETS),
]
BAD = [
    ("mapping", "codebook: small@1", "codebook: small"),
    ("mapping", "always: T0", "always: first"),
    ("mapping", "persons: [1, 2]", "people: 2"),
    ("mapping", "codes: {\"1\": 2}", "codes: [1, 2]"),
    ("codebook", "caps: {adults: 2,", "caps: {adults: 13,"),
    ("codebook", "caps: {adults: 2, children: 3}", "caps: {adults: 2}"),
    ("codebook", "table: household, type: integer", "table: house, type: integer"),
    ("codebook", "bounds: [0, 4]", "bounds: [0, 4, 5]"),
    ("codebook", "bounds: [0, 4]", "bounds: [low, high]"),
    ("codebook", "profile:", "Profile-1:"),
    ("codebook", '"12a": {nl: twee, en: two}', '"12 a": {nl: twee, en: two}'),
    ("codebook", "{nl: twee, en: two}", "{nl: twee}"),
    ("codebook", "{nl: twee, en: two}", "two"),
    ("codebook", "waves: [T0, T1]}", "waves: [first]}"),
    ("codebook", "waves: {T0:", "colour: red\nwaves: {T0:"),
    ("codebook", "cases: [{when: \"incidents@T0 == 0\", is: no}, {else: yes}]", "cases: [{else: yes}]"),
    ("calendar", "group: A}", "group: C}"),
    ("calendar", "T0: [2024-01-01, 2024-12-31]", "T0: 2024-01-01"),
    ("calendar", "T0: [2024-01-01, 2024-12-31]", "T0: [soon, later]"),
    ("calendar", "T0: [2024-01-01, 2024-12-31]", "T9: [2024-01-01, 2024-12-31]"),
    ("calendar", "household: 60", "household: 0"),
    ("calendar", "household: 60", "household: many"),
    ("calendar", "  AA: {name", "  Aa: {name"),
    ("programme", "kind: proportion", "kind: median"),
    ("programme", "unit: household", "unit: family"),
    ("programme", "id: stopped", "id: Stopped families"),
    ("programme", "deadline: 2026-06-30", "deadline: soon"),
    ("programme", "codebook: small@1", "codebook: small"),
    ("programme", 'price: {rho: "0.2"}', "price: 0.2"),
    ("programme", 'price: {rho: "0.2"}', "price: {rho: cheap}"),
    ("programme", 'price: {rho: "0.2"}', "price: {rho: NaN}"),
    ("programme", 'price: {rho: "0.2"}', 'price: {euro: "0.2"}'),
    ("programme", "statistics:", "weights: unequal\nstatistics:"),
    ("programme", "requester: Tests", "requester: ''"),
    ("policy", "cohorts: {c1:", "cohorts: {C1:"),
    ("policy", 'lifetime: {rho: "0.8"}', "lifetime: {}"),
    ("policy", 'lifetime: {rho: "0.8"}', "lifetime: {rho: infinite}"),
    ("policy", "policy: {version: 1}", "policy: {version: 0}"),
    ("policy", "policy: {version: 1}", "policy: {version: 1}\ntick_ms: 1"),
    ("policy", "policy: {version: 1}", "policy: {version: 1}\nforbidden_crossings: [[a, b, c]]"),
    ("mapping", "table: household", "table: gezin"),
    ("mapping", "missing: [-9,", "text: {encoding: ebcdic}\nmissing: [-9,"),
    ("mapping", 'missing: [-9, "8.5"]', "missing: -9"),
    ("mapping", "{incidents:", "{Incidents:"),
    ("mapping", '{incidents: "I<wave>"}', "{incidents: [I]}"),
    ("mapping", "suffixes: {T0:", "suffixes: {first:"),
    ("mapping", "{column: A<person>, codes", "{codes"),
    ("mapping", "persons: [1, 2]", "people: [1, 2]"),
    ("node", "region: FR", "region: Friesland"),
    ("node", "lang: en", "lang: fr"),
    ("coordinator", "127.0.0.1:0", "everywhere"),
    ("coordinator", "quote_timeout_s: 5", "quote_timeout_s: 0"),
    ("researcher", "role: researcher", "role: coordinator"),
    ("targets", 'national: "0.1"', "national: sharp"),
    ("targets", 'national: "0.1"', "country: 1"),
    ("targets", ', target: {national: "0.3", between: ["0", "1"]}', ""),
    ("targets", 'between: ["0", "1"]', 'between: ["0"]'),
    ("targets", 'limit: {rho: "0.3"}', 'limit: "0.3"'),
]  # fmt: skip
_TEXTS = dict(reversed(GOOD))


class _EditorLoader(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors read it: 0.1 is a number and a date is text."""


_EditorLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("null", r"^(?:null|Null|NULL|~|)$", ["n", "N", "~", ""]),
):
    _EditorLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


@cache
def validator(kind: str) -> Draft202012Validator:
    schema = json.loads((POLICIES / "schemas" / f"{kind}{_SUFFIX}").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def fits(kind: str, data: Any) -> bool:
    return bool(validator(kind).is_valid(data))


def as_read(text: str) -> Any:
    """What our own loader makes of YAML before a model sees it."""
    node = documents._Loader(text).get_single_node()
    assert node is not None
    return documents._Reading("some.yaml", {}).plain(node)


def as_edited(text: str) -> Any:
    return yaml.load(text, _EditorLoader)


def taken(kind: str, data: Any) -> bool:
    try:
        KINDS[kind].model_validate(data)
    except ValidationError:
        return False
    return True


def test_every_kind_has_a_schema_and_every_schema_a_kind() -> None:
    assert {path.name.removesuffix(_SUFFIX) for path in (POLICIES / "schemas").iterdir()} == set(KINDS)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_file_names_its_schema_and_fits_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    said = _MODELINE.fullmatch(text.splitlines()[0])
    assert said is not None, "the first line names the schema"
    schema = (path.parent / said[1]).resolve()
    assert schema.parent == POLICIES / "schemas"
    kind = schema.name.removesuffix(_SUFFIX)
    parse_yaml(KINDS[kind], text, path.name)
    for data in (as_read(text), as_edited(text)):
        assert [error.message for error in validator(kind).iter_errors(data)] == []


@pytest.mark.parametrize(("kind", "text"), GOOD, ids=[kind for kind, _ in GOOD])
def test_what_the_loader_takes_fits(kind: str, text: str) -> None:
    parse_yaml(KINDS[kind], text, "some.yaml")
    for data in (as_read(text), as_edited(text)):
        assert [error.message for error in validator(kind).iter_errors(data)] == []


def test_the_folders_that_we_write_ourselves_fit() -> None:
    desk = CoordinatorConfig(role="coordinator", name="Desk", listen="[::1]:443")
    asker = ResearcherConfig(role="researcher", name="Research", coordinator="localhost:443")
    assert fits("coordinator", desk.model_dump(mode="json", exclude_none=True))
    assert fits("researcher", asker.model_dump(mode="json", exclude_none=True))


@pytest.mark.parametrize(("kind", "right", "wrong"), BAD, ids=[f"{kind}: {wrong}" for kind, _, wrong in BAD])
def test_a_mistake_of_shape_is_caught_by_loader_and_schema(kind: str, right: str, wrong: str) -> None:
    text = _TEXTS[kind]
    assert right in text
    broken = text.replace(right, wrong, 1)
    with pytest.raises(BadDocument):
        parse_yaml(KINDS[kind], broken, "some.yaml")
    assert not fits(kind, as_read(broken))


def test_every_field_that_has_words_shows_them_in_an_editor() -> None:
    statistic = json.loads((POLICIES / "schemas" / "programme.schema.json").read_text(encoding="utf-8"))["$defs"]
    assert "narrower bounds" in statistic["Statistic"]["properties"]["within"]["description"]


def _places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in parts:
        yield (*path, key)
        yield from _places(value, (*path, key))


# No truth values and no digits in quotes: where a whole number belongs the loader is more patient than the schema.
_OTHERS: tuple[Any, ...] = (None, "word", "T1", "0.5", "A", -1, 3, [], ["a"], [0, 1], {}, {"a": 1}, {"rho": "1"})
_GONE = object()


def _changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """`data` with another value at one place, or with nothing there."""
    if not path:
        return value
    copied = dict(data) if isinstance(data, dict) else list(data)
    inner = _changed(data[path[0]], path[1:], value)
    if inner is _GONE:
        del copied[path[0]]
    else:
        copied[path[0]] = inner
    return copied


@pytest.mark.parametrize("kind", sorted(_TEXTS))
def test_whatever_the_loader_takes_fits(kind: str) -> None:
    """Every place of a good document, with each of these values in it or left out."""
    good, both = as_read(_TEXTS[kind]), 0
    for path in _places(good):
        for value in (*_OTHERS, _GONE):
            changed = _changed(good, path, value)
            if taken(kind, changed):
                both += 1
                assert fits(kind, changed), (path, value)
    assert both > 3


def test_regression_a_list_where_a_kind_belongs_is_a_bad_document() -> None:
    """It used to end in a TypeError."""
    with pytest.raises(BadDocument, match="kind"):
        parse_yaml(KINDS["programme"], small_study.DRAFT.replace("kind: count", "kind: [count]"), "some.yaml")
