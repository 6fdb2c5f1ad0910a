"""The locks are what a user installs: complete, hashed, the same from any index, and enough for the rooms."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions

from tests.shape.sources import CHECKOUT, ROOMS, files, shown, tree

ROOMS_APART = ("node-serving", "node", "coordinator", "audit")
"""Extras that an image installs: each has a lock of its own."""
OURS = frozenset({"rondgang", "policies", "node", "coordinator", "audit", "compose"})
_PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)", re.MULTILINE)


@cache
def _text(lock: str) -> str:
    return (CHECKOUT / "requirements" / f"{lock}.lock").read_text(encoding="utf-8")


def _pins(lock: str) -> dict[str, str]:
    return dict(_PINNED.findall(_text(lock)))


def _dist(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_everything_runs_on_the_versions_that_are_tested() -> None:
    for lock in ("demo", "build", *ROOMS_APART):
        assert _pins(lock).items() <= _pins("dev").items(), lock


def test_every_dependency_that_is_asked_for_is_locked() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]

    def names(wanted: list[str]) -> set[str]:
        found = {_dist(match[0]) for text in wanted if (match := re.match(r"[A-Za-z0-9_.-]+", text))}
        return found - {"rondgang"}

    asked = {room: names(project["dependencies"] + extras[room]) for room in ROOMS_APART}
    asked["node"] |= asked["node-serving"]
    asked["demo"] = set().union(*asked.values()) | names(extras["demo"])
    asked["dev"] = asked["demo"] | names(extras["dev"])
    assert {lock: sorted(wanted - set(_pins(lock))) for lock, wanted in asked.items()} == {lock: [] for lock in asked}


def test_an_image_that_serves_a_node_installs_nothing_that_reads_files() -> None:
    assert (
        set(_pins("node-serving")) & {"numpy", "pandas", "pyarrow", "pyreadstat", "python-calamine", "psycopg"} == set()
    )


def test_every_pin_has_hashes_and_no_lock_names_a_place() -> None:
    for lock in ("demo", "dev", "build", *ROOMS_APART):
        entries = re.split(r"^(?=[a-z0-9])", _text(lock), flags=re.MULTILINE)[1:]
        assert len(entries) == len(_PINNED.findall(_text(lock)))
        assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
        assert re.findall(r"https?://|file:|--(?:index-url|extra-index-url|find-links)", _text(lock)) == []


def test_the_rooms_import_nothing_beyond_the_demo_lock() -> None:
    """A developer has more installed than a user: an import of it would fail only at the user's."""
    locked, providers = set(_pins("demo")), packages_distributions()
    beyond = {
        f"{shown(path)} {name}"
        for path in files(*ROOMS)
        for name in _imported(tree(path)) - OURS - sys.stdlib_module_names
        if not {_dist(dist) for dist in providers.get(name, [])} & locked
    }
    assert beyond == set()


def _imported(module: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found
