"""What a steward writes down for themself about a decision: a file in the home, sent and logged nowhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from node.files import make_folder, write_private
from node.home import Home


def keep_note(home: Home, programme: str, moment: int, decision: str, text: str) -> Path:
    """Adds a line to the notes on a programme (by hash), with the unix second as a date. Durable on return."""
    make_folder(home.notes)
    path = _path(home, programme)
    when = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%MZ")
    line = f"{when} {decision}: {' '.join(text.split())}\n"
    write_private(path, (read_notes(home, programme) + line).encode("utf-8"))
    return path


def read_notes(home: Home, programme: str) -> str:
    """The notes on a programme, a line for each; empty where there are none."""
    try:
        return _path(home, programme).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _path(home: Home, programme: str) -> Path:
    return home.notes / f"{programme}.txt"
