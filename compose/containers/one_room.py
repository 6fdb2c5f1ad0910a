"""Leaves in a copy of this checkout only what one image holds: `python one_room.py FOLDER ROOM`.

The project file of that copy then names no room that is absent, so that the command of the image has the room's verbs
and no others. Run while an image is built, with nothing but tomlkit installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import tomlkit

FLOORS = ("protos/rondgang", "policies")
"""What every room stands on."""


def keep_one_room(project: str, room: str) -> str:
    """The text of a pyproject.toml that packs the floors and `room` alone, and announces that room's verb alone.

    Raises KeyError where the project announces no verb of that room, or does not pack it.
    """
    document = tomlkit.parse(project).unwrap()
    groups = document["project"]["entry-points"]
    groups["rondgang.verbs"] = {room: groups["rondgang.verbs"][room]}
    wheel = document["tool"]["hatch"]["build"]["targets"]["wheel"]
    if absent := {*FLOORS, room} - set(wheel["packages"]):
        raise KeyError(min(absent))
    wheel["packages"] = [*FLOORS, room]
    return tomlkit.dumps(document)


def main(folder: str, room: str) -> None:
    project = Path(folder, "pyproject.toml")
    project.write_text(keep_one_room(project.read_text(encoding="utf-8"), room), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
