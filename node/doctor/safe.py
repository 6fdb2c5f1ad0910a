"""The support file: what the doctor found, for whoever helps, free of data.

It is made of lines whose codes and fields are known beforehand, and of counts of the journal's own event names: nothing
is copied from a log, a snapshot, a report or a note. Paths are left out, because a folder's name may say something too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import get_args

from node.doctor.lines import Line
from node.home import Home
from node.journal import EventName

FORMAT = 1
_LEFT_OUT = frozenset(("home", "path", "request", "detail"))
"""Fields with a path, or with words of an operating system that may hold one."""
_NEWEST_BYTES = 200_000
_EVENTS = frozenset(get_args(EventName))


def support(home: Home, lines: Iterable[Line], made: int) -> bytes:
    """The file's bytes, readable JSON. `made` in unix seconds."""
    told = {
        "format": FORMAT,
        "region": home.config().region,
        "made": made,
        "lines": [
            {
                "area": line.area,
                "level": line.level,
                "code": line.code,
                "fields": {name: value for name, value in line.fields.items() if name not in _LEFT_OUT},
            }
            for line in lines
        ],
        "events": _events(home),
    }
    return (json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8")


def _events(home: Home) -> dict[str, int]:
    """How often each event stands in the newest part of the log; names that are not the journal's own do not count."""
    try:
        with (home.logs / "node.log").open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _NEWEST_BYTES))
            rows = file.read().splitlines()
    except OSError:
        return {}
    found: Counter[str] = Counter()
    for row in rows:
        try:
            event = json.loads(row).get("event")
        except (ValueError, AttributeError):
            continue
        if event in _EVENTS:
            found[str(event)] += 1
    return dict(sorted(found.items()))
