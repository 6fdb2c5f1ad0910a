"""Notes that contradict each other, kept in `forks/` for whoever must find out what happened. Public facts only."""

from __future__ import annotations

from collections.abc import Sequence

from rondgang.canonical import digest
from rondgang.notes import Checkpoint, Note

from node.files import make_folder, write_private
from node.home import Home

_MOST_FILES = 200
"""Nobody fills the disk with contradictions: the first ones tell what happened."""


def keep(home: Home, about: Checkpoint, notes: Sequence[Note]) -> bool:
    """Writes the notes to one file, durably; False where they are there already or the folder is full.

    What is contradicted names the file, whoever cosigned it.
    """
    name = about.origin.replace("/", "-")
    path = home.forks / f"{name}-{about.size}-{digest(''.join(note.text for note in notes).encode())[:16]}.txt"
    if path.exists():
        return False
    make_folder(home.forks)
    if len(list(home.forks.iterdir())) >= _MOST_FILES:
        return False
    write_private(path, "\n".join(note.to_text() for note in notes).encode("utf-8"))
    return True
