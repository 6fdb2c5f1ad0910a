"""The folder that auditors practise on: honest bundles, one folder a fraud, and the answers apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rondgang.canonical import Json, digest

from audit.practise.catalogue import CATALOGUE
from audit.practise.fraud import Fraud, Planted
from audit.practise.people import Entropy, People, gather
from audit.practise.story import tell
from audit.practise.study import Study

MADE_UP = """\
Practise material: all of it is MADE UP.

The regions FR and GR, their keys, programmes and numbers exist nowhere. Nothing here is anybody's data, no budget was
spent, and nothing may be quoted as a finding.
"""

GUIDE = f"""\
{MADE_UP}
Two regions answer a few programmes before two witnesses. `honest/` holds what they, the coordinator ("desk") and the
independent witness ("auditor") would export. Every other folder holds the same story with one fraud in it.

Look at the honest folder first, then at any other one:

    rondgang audit verify honest/*.bundle --consortium-key consortium.pub
    rondgang audit verify 007-charge-written-over/*.bundle --consortium-key consortium.pub

Try to say what happened, whose keys it took, and what you would ask whom, before you look into answers.json: it says of
each folder what was planted, in which file and entry, and which findings name it.
"""


def counted(seed: str) -> Entropy:
    """Not entropy at all: the same bytes for the same word, for keys that protect nothing."""
    made = 0

    def draw() -> bytes:
        nonlocal made
        made += 1
        return bytes.fromhex(digest(f"rondgang practise\n{seed}\n{made}".encode()))

    return draw


def folder_name(number: int, fraud: Fraud) -> str:
    return f"{number:03d}-{fraud.name}"


def described(number: int, fraud: Fraud) -> dict[str, Json]:
    """One line of the catalogue."""
    return {
        "folder": folder_name(number, fraud),
        "fraud": fraud.what,
        "forger_holds": fraud.forger.value,
        "findings": list[Json](sorted(fraud.codes)),
    }


def write(out: Path, entropy: Entropy, told: Callable[[int], None], frauds: Sequence[Fraud] = CATALOGUE) -> int:
    """Writes the honest bundles and those of each fraud, and returns how many folders that makes.

    `told` hears the number of each that is finished.

    Raises `FileExistsError` where `out` holds anything, and `OSError`.
    """
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise FileExistsError(17, "the folder is not empty; name a new one", str(out))
    people = gather(entropy)
    _put(out / "honest", tell(Study(people, entropy)).sealed())
    answers: list[Json] = []
    for number, fraud in enumerate(frauds, start=1):
        planted = fraud.plant(Study(people, entropy))
        _put(out / folder_name(number, fraud), planted.files)
        answers.append(described(number, fraud) | _planted(planted))
        told(number)
    _finish(out, people, answers)
    return len(answers) + 1


def _planted(planted: Planted) -> dict[str, Json]:
    return {"bundle": planted.bundle, "places": list[Json](planted.places)}


def _put(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    (folder / "README.txt").write_text(MADE_UP, encoding="utf-8")
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _finish(out: Path, people: People, answers: list[Json]) -> None:
    (out / "consortium.pub").write_text(people.consortium.public.hex + "\n", encoding="ascii")
    (out / "README.txt").write_text(GUIDE, encoding="utf-8")
    whole: dict[str, Json] = {"made_up": True, "answers": answers}
    (out / "answers.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
