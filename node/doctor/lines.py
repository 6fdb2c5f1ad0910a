"""One line of the doctor's findings."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Level = Literal["ok", "warning", "broken"]
Area = Literal[
    "home", "disk", "clock", "certificate", "documents", "policy", "data", "ledger", "node", "way", "version"
]


class Line(BaseModel):
    """What was looked at (`area`), how it is, and which sentence of the catalogue says so (`getin.doctor.<code>`).

    `fields` are the sentence's: text and whole numbers, never anything from rows. `about` tells several lines of one
    area apart, such as the address of a witness.
    """

    model_config = ConfigDict(frozen=True)

    area: Area
    level: Level
    code: str
    about: str = ""
    fields: dict[str, str | int] = {}


def ok(area: Area, code: str, about: str = "", **fields: str | int) -> Line:
    return Line(area=area, level="ok", code=code, about=about, fields=fields)


def warning(area: Area, code: str, about: str = "", **fields: str | int) -> Line:
    return Line(area=area, level="warning", code=code, about=about, fields=fields)


def broken(area: Area, code: str, about: str = "", **fields: str | int) -> Line:
    return Line(area=area, level="broken", code=code, about=about, fields=fields)


def worst(lines: tuple[Line, ...]) -> Level:
    """The level of the worst of them."""
    levels = {line.level for line in lines}
    return "broken" if "broken" in levels else "warning" if "warning" in levels else "ok"
