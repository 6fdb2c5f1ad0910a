"""What a party may count in public: closed lists of metrics, their labels, and what each label may say.

A party fills a `Sheet` from its own list; a name, a label or a label's value that is not on it raises `OffList`, so no
figure gets out because somebody found it handy. Numbers are whole or fractions of public amounts.

Privacy: no list has room for a duration of the data stage, for anything computed from rows, or for one programme; a
test reads the lists for such names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from rondgang.versions import SPOKEN

from policies.rules.refusals import Reason

Kind = Literal["counter", "gauge"]
Room = Literal["node", "coordinator", "witness"]
Labels = Mapping[str, "frozenset[str] | re.Pattern[str]"]

REASONS = frozenset(reason.value for reason in Reason)
REGION = re.compile(r"[A-Z]{2,4}")
COHORT = re.compile(r"[a-z][a-z0-9]{0,20}")
PARTY = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
"""What people call a party on the roster."""
VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")


class OffList(Exception):
    """A metric, label or label's value that is on no list."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: its full name (a counter's ends in _total), what it says, and what each label may say."""

    name: str
    kind: Kind
    help: str
    labels: Labels = field(default_factory=dict)

    def place(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The labels' values in the list's order. Raises OffList."""
        if labels.keys() != self.labels.keys():
            raise OffList(f"{self.name} has the labels {', '.join(self.labels) or 'none'}")
        for name, allowed in self.labels.items():
            value = labels[name]
            if not (value in allowed if isinstance(allowed, frozenset) else allowed.fullmatch(value)):
                raise OffList(f"{self.name} does not take this {name}")
        return tuple(labels[name] for name in self.labels)


class Sheet:
    """The figures of one moment, under one list."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = {family.name: family for family in families}
        self._values: dict[str, dict[tuple[str, ...], int | Fraction]] = {}

    def put(self, name: str, value: int | Fraction, **labels: str) -> None:
        """Sets a figure. Raises OffList."""
        values, place = self._of(name, labels)
        values[place] = value

    def add(self, name: str, **labels: str) -> None:
        """Counts one more. Raises OffList."""
        values, place = self._of(name, labels)
        values[place] = values.get(place, 0) + 1

    def with_counts(self, counted: Sheet) -> Sheet:
        """This sheet with the figures of another one of the same list beside its own."""
        both = Sheet(self._families.values())
        for one in (self, counted):
            for family, values in one.families():
                for place, value in values.items():
                    both.put(family.name, value, **dict(zip(family.labels, place, strict=True)))
        return both

    def families(self) -> Iterator[tuple[Family, Mapping[tuple[str, ...], int | Fraction]]]:
        """Every metric that has a figure, by name, with its figures by the labels' values."""
        for name in sorted(self._values):
            yield self._families[name], self._values[name]

    def _of(
        self, name: str, labels: Mapping[str, str]
    ) -> tuple[dict[tuple[str, ...], int | Fraction], tuple[str, ...]]:
        family = self._families.get(name)
        if family is None:
            raise OffList(f"{name} is on no list")
        return self._values.setdefault(name, {}), family.place(labels)


def common(room: Room) -> tuple[Family, ...]:
    """What every party tells of itself."""
    return (
        Family(
            f"rondgang_{room}_build_info",
            "gauge",
            "Always 1: the version that runs, and the newest version of the contract that it speaks.",
            {"version": VERSION, "contract": VERSION},
        ),
        Family(f"rondgang_{room}_started_timestamp_seconds", "gauge", "Unix second in which this process started."),
        Family(
            f"rondgang_{room}_certificate_expires_timestamp_seconds",
            "gauge",
            "Unix second after which its own certificate is refused.",
        ),
        Family(f"rondgang_{room}_faults_total", "counter", "Faults that its log tells the place of."),
    )


def put_common(sheet: Sheet, room: Room, *, version: str, started: int, expires: int) -> None:
    """Puts what `common` lists, but for the faults, which are counted. Instants are unix seconds."""
    sheet.put(f"rondgang_{room}_build_info", 1, version=version, contract=str(max(SPOKEN)))
    sheet.put(f"rondgang_{room}_started_timestamp_seconds", started)
    sheet.put(f"rondgang_{room}_certificate_expires_timestamp_seconds", expires)
