"""The published, derived and assumed targets that the synthetic data is drawn to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

Status = Literal["published", "derived", "assumed"]
FILE = Path(__file__).parents[1] / "calibration.json"


@dataclass(frozen=True, slots=True)
class Target:
    """One figure: a table of one cell, one row or several rows. `status` says whether it may ever be quoted."""

    rows: tuple[tuple[float, ...], ...]
    status: Status


@dataclass(frozen=True, slots=True)
class Calibration:
    """All targets by name, and how many households each region has at T1."""

    targets: Mapping[str, Target]
    households_t1: Mapping[str, int]

    def number(self, name: str) -> float:
        """A target that is one number. Raises KeyError for an unknown name, ValueError when it is a list."""
        ((value,),) = self.targets[name].rows
        return value

    def row(self, name: str) -> tuple[float, ...]:
        """A target that is a list of numbers."""
        (values,) = self.targets[name].rows
        return values

    def rows(self, name: str) -> tuple[tuple[float, ...], ...]:
        """A target that is a list of lists."""
        return self.targets[name].rows

    def sizes(self, regions: Iterable[str], factor: float = 1.0) -> dict[str, int]:
        """Households at T1 of the regions, times `factor`, at least one each. Raises KeyError for an unknown region."""
        return {code: max(1, round(self.households_t1[code] * factor)) for code in regions}


def load_calibration(path: Path = FILE) -> Calibration:
    """The calibration from its JSON file, by default the one shipped beside the demo."""
    document = json.loads(path.read_text(encoding="utf-8"))
    targets = {name: Target(_rows(entry["value"]), entry["status"]) for name, entry in document["targets"].items()}
    households = {entry["code"]: int(entry["households_t1"]) for entry in document["regions"]}
    return Calibration(MappingProxyType(targets), MappingProxyType(households))


def _rows(value: float | list[float] | list[list[float]]) -> tuple[tuple[float, ...], ...]:
    """One number, one list or a list of lists, always as rows."""
    outer = value if isinstance(value, list) else [value]
    if any(isinstance(part, list) for part in outer):
        return tuple(tuple(float(x) for x in (part if isinstance(part, list) else [part])) for part in outer)
    return (tuple(float(part) for part in outer if not isinstance(part, list)),)
