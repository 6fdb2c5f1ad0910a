"""A checkout that is cut down to one room, as an image is made of, packs and announces that room alone."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from compose.containers.one_room import keep_one_room, main

PROJECT = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("room", ["node", "coordinator", "audit"])
def test_one_room_and_the_floors_are_left(room: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    main(str(tmp_path), room)
    before = tomllib.loads(PROJECT)
    after = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))
    assert after["project"]["entry-points"]["rondgang.verbs"] == {room: f"{room}.cli:app"}
    assert after["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["protos/rondgang", "policies", room]
    for kept in ("version", "dependencies", "optional-dependencies", "scripts", "license"):
        assert after["project"][kept] == before["project"][kept]


def test_a_room_without_a_verb_is_no_image() -> None:
    with pytest.raises(KeyError):
        keep_one_room(PROJECT, "policies")


def test_a_room_that_is_not_packed_is_no_image() -> None:
    with pytest.raises(KeyError):
        keep_one_room(PROJECT, "demo")
