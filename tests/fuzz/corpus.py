"""The inputs that are kept: a few honest ones for each decoder, and every one that once broke it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from tests.fuzz.run import Fault
from tests.fuzz.seeds import seeds, small

FOLDER = Path(__file__).resolve().parent / "corpus"
MOST_FOUND_BYTES = 40_000
"""A longer one that breaks something has a shorter one that does too."""


def kept(decoder: str) -> tuple[bytes, ...]:
    """The kept inputs of a decoder; none where it has no file."""
    path = FOLDER / f"{decoder}.json"
    if not path.exists():
        return ()
    held = json.loads(path.read_text(encoding="ascii"))
    return tuple(base64.b64decode(text) for text in (*held["honest"], *held["found"].values()))


def write_seeds() -> int:
    """Writes the honest inputs anew, beside what was found. Gives how many decoders have a file."""
    FOLDER.mkdir(exist_ok=True)
    for name, held in seeds().items():
        _write(name, small(held), _found(name))
    return len(seeds())


def keep(faults: Iterable[Fault]) -> list[str]:
    """Adds inputs that broke something. Gives their names."""
    names = []
    for fault in faults:
        if len(fault.data) > MOST_FOUND_BYTES:
            continue
        name = f"{fault.decoder}-{hashlib.sha256(fault.data).hexdigest()[:12]}"
        honest = small(seeds().get(fault.decoder, ()))
        found = _found(fault.decoder) | {name: base64.b64encode(fault.data).decode("ascii")}
        _write(fault.decoder, honest, found)
        names.append(name)
    return names


def _found(decoder: str) -> dict[str, str]:
    path = FOLDER / f"{decoder}.json"
    return dict(json.loads(path.read_text(encoding="ascii"))["found"]) if path.exists() else {}


def _write(decoder: str, honest: list[str], found: dict[str, str]) -> None:
    text = json.dumps({"found": found, "honest": honest}, indent=1, sort_keys=True)
    (FOLDER / f"{decoder}.json").write_text(text + "\n", encoding="ascii")
