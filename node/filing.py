"""Pages of decisions in the home, to print and file.

    HOME/decisions/2026-11-22-1a2b3c4d-approve.html     by date, the first digits of the question's hash, and the word

They are copies: what counts is the signed word in the ledger. Nobody but the steward reads them, and nothing is sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from node.files import make_folder, write_private
from node.home import Home
from node.pages.decision import Decided, page
from policies.study.text import Language

_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-([0-9a-f]{8})-(approve|refuse)(?:-([2-9]|[1-9]\d))?\.html")
_DIGITS = 8
_MOST_A_DAY = 99


@dataclass(frozen=True, slots=True)
class Filed:
    """One page: its file's name, the day as YYYY-MM-DD, the first digits of the question's hash, and the word."""

    name: str
    day: str
    digits: str
    word: str


def file_decision(home: Home, told: Decided, lang: Language) -> Path:
    """Writes the page of a decision (mode 0600) beside those there are. Durable on return. Raises OSError."""
    make_folder(home.decisions)
    day = datetime.fromtimestamp(told.moment, UTC).strftime("%Y-%m-%d")
    word = "approve" if told.reason is None else "refuse"
    stem = f"{day}-{told.one.hash[:_DIGITS]}-{word}"
    names = (f"{stem}.html", *(f"{stem}-{number}.html" for number in range(2, _MOST_A_DAY + 1)))
    path = next((home.decisions / name for name in names if not (home.decisions / name).exists()), None)
    if path is None:
        raise FileExistsError(f"{stem}: there are {_MOST_A_DAY} pages of this already")
    write_private(path, page(told, lang).encode("utf-8"))
    return path


def filed(home: Home, programme: str = "") -> tuple[Filed, ...]:
    """The pages there are, the newest day first; with a hash only those of that question."""
    found = []
    for path in home.decisions.iterdir() if home.decisions.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match and programme.startswith(match[2] if programme else ""):
            found.append(Filed(path.name, match[1], match[2], match[3]))
    return tuple(sorted(found, key=lambda one: (one.day, one.name), reverse=True))


def read_filed(home: Home, name: str) -> bytes | None:
    """A page by its file's name; None where there is none of that name."""
    if not _NAME.fullmatch(name):
        return None
    try:
        return (home.decisions / name).read_bytes()
    except FileNotFoundError:
        return None
