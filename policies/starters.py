"""The programmes that we ship to start from: one per question of the study, found also where no checkout is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from policies.documents import load_yaml
from policies.statistics.programme import Draft

_SHIPPED = Path(__file__).resolve().parent / "shipped"
_SCHEMA = "# yaml-language-server: $schema="


@dataclass(frozen=True, slots=True)
class Starter:
    """One shipped programme: the name it is asked for by, its text, and the text read."""

    name: str
    text: str
    draft: Draft


class NoStarter(Exception):
    """There is no starter of this name; the message lists those there are."""


def starters() -> tuple[Starter, ...]:
    """Every starter by name; the one with all outcome figures, `outcomes`, comes first."""
    files = {"outcomes": _SHIPPED / "cohort3.programme.yaml"}
    files |= {path.stem: path for path in sorted((_SHIPPED / "programmes").glob("*.yaml"))}
    return tuple(Starter(name, _copied(path), load_yaml(Draft, path)) for name, path in files.items())


def starter(name: str) -> Starter:
    """Raises `NoStarter`."""
    every = starters()
    found = next((one for one in every if one.name == name), None)
    if found is None:
        raise NoStarter(f"There is no starter {name}; there are {', '.join(one.name for one in every)}.")
    return found


def _copied(path: Path) -> str:
    """The file's text for another place: its first line, which leads editors to the schema, with the whole path."""
    first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    schema = (path.parent / first.removeprefix(_SCHEMA)).resolve()
    return f"{_SCHEMA}{schema.as_uri()}\n{rest}"
