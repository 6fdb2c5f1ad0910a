"""The conversation of `rondgang node init`: one question at a time, nothing made before all is agreed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from node.cli.terminal import BAD_INPUT, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from policies.study.calendar import Calendar

_YES = frozenset(("j", "ja", "y", "yes"))
_PORT = ":443"
_ADDRESS = re.compile(r"[A-Za-z0-9.:\[\]-]+")
_MOST_WITNESSES = 8


@dataclass(frozen=True, slots=True)
class Answers:
    """What `init` needs, as far as it is known. `home` is the folder to make."""

    region: str | None
    coordinator: str | None
    consortium_key: str | None
    witnesses: tuple[str, ...]
    home: Path | None
    name: str

    @property
    def whole(self) -> bool:
        return None not in (self.region, self.coordinator, self.consortium_key, self.home)


def conversation(terminal: Terminal, given: Answers) -> Answers:
    """Asks for what is not given, and for a yes to all of it. Ends the verb with 2 where that is a no."""
    terminal.say("getin.ask.welcome")
    region = given.region or _ask(terminal, "region", _region)
    name = given.name or _ask(terminal, "name", _short, default=_name_of(region, terminal))
    home = given.home or Path(_ask(terminal, "home", _folder, default=str(Path.home() / "rondgang" / region)))
    coordinator = given.coordinator or _ask(terminal, "coordinator", _address)
    witnesses = given.witnesses or _witnesses(terminal)
    key = given.consortium_key or _ask(terminal, "key", _key)
    answers = replace(
        given, region=region, name=name, home=home, coordinator=coordinator, witnesses=witnesses, consortium_key=key
    )
    _confirm(terminal, answers)
    return answers


def _ask(terminal: Terminal, about: str, check: Callable[[str], str | None], default: str | None = None) -> str:
    """Asks until the answer will do; `check` gives it back in the form that is kept, or None."""
    while True:
        said = str(typer.prompt(terminal.words(f"getin.ask.{about}"), default=default, err=True)).strip()
        found = check(said)
        if found is not None:
            return found
        terminal.say(f"getin.ask.{about}.again")


def _witnesses(terminal: Terminal) -> tuple[str, ...]:
    found: list[str] = []
    while len(found) < _MOST_WITNESSES:
        said = _ask(terminal, "witness", lambda text: text if text == "-" else _address(text), default="-")
        if said == "-":
            break
        found.append(said)
    return tuple(found)


def _confirm(terminal: Terminal, answers: Answers) -> None:
    from node.enrolling import read_key

    fingerprint = read_key(answers.consortium_key or "").fingerprint
    terminal.say("getin.ask.compare", fingerprint=fingerprint)
    if not _yes(terminal, "getin.ask.compared"):
        terminal.stop(BAD_INPUT, "not_compared", "getin.ask.not_compared")
    witnesses = ", ".join(answers.witnesses) or "-"
    fields = {"region": answers.region or "", "home": str(answers.home), "coordinator": answers.coordinator or ""}
    terminal.say("getin.ask.summary", witnesses=witnesses, **fields)
    if not _yes(terminal, "getin.ask.agreed"):
        terminal.stop(BAD_INPUT, "not_agreed", "getin.ask.not_agreed")


def _yes(terminal: Terminal, key: str) -> bool:
    return str(typer.prompt(terminal.words(key), default="n", err=True)).strip().lower() in _YES


def _region(said: str) -> str | None:
    """A code as it is, or the code of a region that the shipped calendar knows by this name."""
    from pydantic import TypeAdapter, ValidationError

    from policies.study.text import RegionCode

    known = _shipped().find_region(said)
    if known is not None:
        return known
    try:
        return TypeAdapter(RegionCode).validate_python(said.upper())
    except ValidationError:
        return None


def _name_of(region: str, terminal: Terminal) -> str:
    known = _shipped().regions.get(region)
    return f"Veilig Thuis {known.name.in_language(terminal.lang) if known else region}"


def _shipped() -> Calendar:
    """The calendar that comes with the program: only its names of regions are used."""
    import policies
    from policies.documents import load_yaml
    from policies.study.calendar import Calendar

    return load_yaml(Calendar, Path(policies.__path__[0]) / "shipped" / "rotation.yaml")


def _short(said: str) -> str | None:
    return said if 1 <= len(said) <= 64 and said.isprintable() else None


def _folder(said: str) -> str | None:
    path = Path(said).expanduser().absolute()
    return None if path.exists() and (not path.is_dir() or any(path.iterdir())) else str(path)


def _address(said: str) -> str | None:
    from pydantic import ValidationError

    from node.home import PeerAddress

    text = said.removeprefix("https://").rstrip("/")
    text = text if ":" in text else f"{text}{_PORT}"
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        return PeerAddress(address=text).address
    except ValidationError:
        return None


def _key(said: str) -> str | None:
    from node.enrolling import read_key
    from node.errors import BadHome

    path = str(Path(said).expanduser())
    try:
        read_key(path)
    except BadHome:
        return None
    return path
