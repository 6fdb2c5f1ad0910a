"""The rooms have generic import names; another distribution of such a name must not stand in for ours."""

from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.shape.sources import CHECKOUT


@pytest.mark.parametrize(
    ("package", "folder"),
    [
        ("rondgang", "protos/rondgang"),
        ("policies", "policies"),
        ("node", "node"),
        ("coordinator", "coordinator"),
        ("audit", "audit"),
        ("compose", "compose"),
    ],
)
def test_a_room_is_imported_from_this_checkout(package: str, folder: str) -> None:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve() == CHECKOUT / folder / "__init__.py"


def test_the_command_offers_the_verbs_of_our_rooms_only() -> None:
    assert {verb.name: verb.value for verb in entry_points(group="rondgang.verbs")} == {
        "audit": "audit.cli:app",
        "consortium": "compose.consortium.cli:app",
        "coordinator": "coordinator.cli:app",
        "demo": "compose.demo.cli:app",
        "node": "node.cli:app",
    }
