"""Nothing turns the noise of a national sum off: the product builds its one source, unconditionally, and only there.

The code itself is looked at, for a setting that is read somewhere else cannot be asked for in a test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.main import get_command

from node.cli import app as node_app
from node.home import Config
from node.mechanism import DiscreteGaussian
from policies.rules.region_policy import RegionPolicy
from policies.statistics.programme import Draft
from policies.units.noise import Sigma

CHECKOUT = Path(__file__).resolve().parents[2]
ROOMS = ("node", "coordinator", "audit", "compose", "policies", "protos")
SOURCE = "DiscreteGaussian"
ON_THE_WAY = ("node/serving.py", "node/mechanism.py", "node/secure/")
"""Where noise is made, and what hands it on."""
EXAMPLE = "node/example/release.py"
"""An example release sums invented households, so its draws never meet rows; it may stand in no answer's way."""
OUTSIDE = {"environ", "getenv", "environb", "argv"}


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((CHECKOUT / room).rglob("*.py")):
            yield str(path.relative_to(CHECKOUT)), ast.parse(path.read_bytes())


MODULES = dict(_modules())


def _calls(tree: ast.AST, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")) == name
    ]


def _everywhere(name: str) -> list[tuple[str, ast.Call]]:
    return [(path, call) for path, tree in MODULES.items() for call in _calls(tree, name)]


def _named(tree: ast.AST) -> set[str]:
    return {node.attr if isinstance(node, ast.Attribute) else node.id for node in ast.walk(tree)
            if isinstance(node, ast.Attribute | ast.Name)}  # fmt: skip


def test_the_product_builds_one_source_without_arguments_where_it_serves() -> None:
    (path, made), (example, invented) = sorted(_everywhere(SOURCE), key=lambda one: one[0] == EXAMPLE)
    assert (path, example) == ("node/serving.py", EXAMPLE)
    assert (invented.args, invented.keywords) == ([], [])
    assert (made.args, made.keywords) == ([], [])
    ((where, sources),) = _everywhere("Sources")
    ((there, attempts),) = _everywhere("Attempts")
    assert (where, there) == (path, path)
    assert made in sources.args, "the source goes straight among the sources of a vector"
    assert sources in attempts.args, "and those straight into the one place that draws from them"
    choices = (ast.If, ast.IfExp, ast.Match, ast.BoolOp, ast.Try)
    holders = [node for node in ast.walk(MODULES[path]) if isinstance(node, choices) and made in ast.walk(node)]
    assert all(isinstance(node, ast.Try) for node in holders), "no condition decides which source it is"


def test_only_a_page_or_a_verb_makes_an_example() -> None:
    module = EXAMPLE.removesuffix(".py").replace("/", ".")
    users = {
        path
        for path, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(module.rpartition(".")[0])
    }
    assert users
    assert all(path.startswith(("node/cli/", "node/console/", "node/pages/", "node/example/")) for path in users), users


def test_no_other_class_of_the_product_can_stand_in_for_the_source() -> None:
    classes = {
        (path, node.name)
        for path, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(one, ast.FunctionDef) and one.name == "draw" for one in node.body)
        and "noise" in ast.unparse(node).lower()
    }
    assert classes == {("node/mechanism.py", SOURCE), ("node/secure/noise.py", "Noise")}


def test_what_is_drawn_is_handed_on_without_a_condition() -> None:
    """Between the sampler and the vector there is one function with a choice: it refuses a wrong length."""
    tree = MODULES["node/secure/noise.py"]
    tests = [ast.unparse(node.test) for node in ast.walk(tree) if isinstance(node, ast.If | ast.IfExp)]
    assert tests == ["len(drawn) != block.cells"]
    assert [ast.unparse(node) for node in ast.walk(MODULES["node/mechanism.py"]) if isinstance(node, ast.If)] == []
    read = [
        (path, ast.unparse(node))
        for path, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("noise", "_noise") and path.startswith("node/")
    ]
    assert read == [("node/secure/masking.py", "self._from.noise")], "read once, and never put in another's place"


@pytest.mark.parametrize("path", [path for path in MODULES if path.startswith(ON_THE_WAY)])
def test_nothing_on_the_way_of_the_noise_reads_the_environment(path: str) -> None:
    assert not OUTSIDE & _named(MODULES[path])


def _fields(model: type[BaseModel], seen: frozenset[type[BaseModel]] = frozenset()) -> Iterator[tuple[str, str]]:
    """Every key that a document may hold, however deep."""
    for name, field in model.model_fields.items():
        yield model.__name__, name
        stack: list[object] = [field.annotation]
        while stack:
            one = stack.pop()
            stack.extend(getattr(one, "__args__", ()))
            if isinstance(one, type) and issubclass(one, BaseModel) and one not in seen:
                yield from _fields(one, seen | {model, one})


def test_no_setting_of_node_policy_or_programme_speaks_of_noise_but_the_cap() -> None:
    words = ("noise", "zero", "debug", "test", "sigma", "seed", "entropy", "scale", "exact")
    found = {
        (owner, name)
        for model in (Config, RegionPolicy, Draft)
        for owner, name in _fields(model)
        if any(word in name.lower() for word in words)
    }
    # A policy that says it is for tests alone is told of everywhere, and changes nothing: see below.
    assert {name for _, name in found} == {"own_noise", "test_only"}


@pytest.mark.parametrize("path", [path for path in MODULES if path.startswith(("node/secure", "policies/secure"))])
def test_what_is_for_tests_alone_is_not_looked_at_in_an_attempt(path: str) -> None:
    assert "test_only" not in _named(MODULES[path])
    assert "test_only" not in _named(MODULES["node/mechanism.py"])


def _options(command: object) -> Iterator[str]:
    for param in getattr(command, "params", ()):
        yield from getattr(param, "opts", ())
        envvar = getattr(param, "envvar", None)
        assert not envvar, f"{param} can be set by the environment"
    for one in getattr(command, "commands", {}).values():
        yield from _options(one)


def test_no_option_of_the_node_speaks_of_noise() -> None:
    options = set(_options(get_command(node_app)))
    assert len(options) > 5
    assert not [one for one in options if any(word in one for word in ("noise", "zero", "debug", "sigma", "seed"))]


def test_a_source_cannot_be_asked_for_no_noise() -> None:
    for numerator in (0, -1):
        with pytest.raises(ValueError, match=r"."):
            DiscreteGaussian().draw(1, Sigma(numerator, 0))
    assert len(set(DiscreteGaussian().draw(1000, Sigma(8, 0)))) > 10
