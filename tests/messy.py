"""Files as regions send them: one study whose truth is known, and every trap of files that we know of laid in it.

A case writes files to a folder and says what must come of them: the truth, the truth with some values lost, or a
refusal. Everything is made from a seed. Every id and every text begins with CANARY, which must show up nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import numpy as np

from tests.deliveries import COLUMNS, Rows, long_csv

SEED = 7531
CANARY = "kanarie7531"
HOUSEHOLDS = 12
_WAVES = ("T0", "T1")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Right:
    """The files import, and give these rows; `told` are findings that the report must have."""

    rows: Rows
    words: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The files are refused for this reason, which is a key of the catalogue below `import.bad`."""

    reason: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws that are the same at every run."""

    generator: np.random.Generator

    def choice(self, given: Sequence[T]) -> T:
        return given[int(self.generator.integers(len(given)))]

    def randrange(self, low: int, high: int) -> int:
        """From `low` to below `high`."""
        return int(self.generator.integers(low, high))

    def shuffled(self, given: Sequence[T]) -> list[T]:
        return [given[place] for place in self.generator.permutation(len(given)).tolist()]


@dataclass(slots=True)
class Mess:
    """Where a case writes, and the truth. `rng` is the case's own."""

    folder: Path
    rows: Rows
    rng: Draws = field(repr=False)

    def csv(self, rows: Rows | None = None, encoding: str = "utf-8", sign: str = ";") -> Path:
        return long_csv(self.folder, self.rows if rows is None else rows, encoding, sign)

    def text(self, table: str = "household") -> str:
        """A table as plain CSV."""
        found = dict(self.rows.items())
        lines = (COLUMNS[table], *found[table])  # type: ignore[index]  # the name of a table
        return "".join(";".join(line) + "\n" for line in lines)

    def write(self, data: str | bytes, name: str = "household.csv") -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / name
        path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
        return path

    def only(self, *tables: str) -> Rows:
        """The truth of these tables alone."""
        return {table: found for table, found in self.rows.items() if table in tables}

    def changed(self, column: str, change: Callable[[str], str], table: str = "household") -> Rows:
        """The rows with every filled cell of a column changed."""
        names = next(columns for name, columns in COLUMNS.items() if name == table)
        place = names.index(column)
        return {
            name: [
                tuple(change(cell) if at == place and cell else cell for at, cell in enumerate(row)) for row in found
            ]
            if name == table
            else found
            for name, found in self.rows.items()
        }


Case = Callable[[Mess], Right | Refused]


def truth(rng: Draws) -> Rows:
    """Households with answers at one or two waves, and their children; an empty text where something is missing."""
    household, child = [], []
    for number in range(HOUSEHOLDS):
        name = f"{CANARY}-{number:02}"
        profile, change = rng.choice(["1", "2", ""]), rng.choice(["-5", "-0.5", "0", "2.5", ""])
        for wave in _WAVES[: rng.choice([1, 2, 2])]:
            incidents = str(rng.choice([0, 1, 21, 22, 90, 825]))
            help_ = rng.choice(["none", "some"]) if wave == "T1" else ""
            household.append((name, wave, incidents, rng.choice(["no", "yes", ""]), profile, help_, change))
        ages = [str(rng.randrange(3, 19)) for _ in range(rng.choice([0, 1, 2]))]
        child += [(name, f"k{person}", "T0", age) for person, age in enumerate(ages, 1)]
    # Whatever else is drawn, one household has everything: files are judged by their first rows too.
    household.append((f"{CANARY}-99", "T0", "7", "no", "1", "", "0.5"))
    household.append((f"{CANARY}-99", "T1", "8", "yes", "1", "some", "0.5"))
    child.append((f"{CANARY}-99", "k1", "T0", "9"))
    return {"household": household, "child": child}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the snapshot must hold, in the order of ids; values are places in the codebook's lists and grids."""

    household: Sequence[tuple[int | None, ...]]
    child: Sequence[tuple[int | None, ...]]


def wanted(rows: Rows) -> Wanted:
    """Worked out by hand from the rows: incidents at T0 and T1, severe at T0 and T1, profile, help, change; and ages.

    The codebook is that of tests/importing.py.
    """
    homes: dict[str, list[int | None]] = {}
    for name, wave, incidents, severe, profile, help_, change in rows["household"]:
        found = homes.setdefault(name, [None] * 7)
        at = _WAVES.index(wave)
        found[at] = _whole(incidents, found[at])
        found[2 + at] = _place(("no", "yes"), severe, found[2 + at])
        found[4] = _place(("1", "2"), profile, found[4])
        found[5] = _place(("none", "some"), help_, found[5])
        found[6] = int((float(change) + 5) * 2) if change else found[6]
    for name, *_rest in rows.get("child", ()):
        homes.setdefault(name, [None] * 7)
    order = {name: place for place, name in enumerate(sorted(homes))}
    children: dict[tuple[int, str], int | None] = {}
    for name, person, _wave, age in rows.get("child", ()):
        children.setdefault((order[name], person), int(age) - 3 if age else None)
    kids = [(home, age) for (home, _person), age in sorted(children.items())]
    return Wanted([tuple(homes[name]) for name in sorted(homes)], kids)


def _whole(text: str, before: int | None) -> int | None:
    return int(text) if text else before


def _place(codes: Sequence[str], text: str, before: int | None) -> int | None:
    return codes.index(text) if text else before


def lost(rows: Rows, column: str) -> Rows:
    """The truth where a column of the households is missing everywhere."""
    place = COLUMNS["household"].index(column)
    household = [tuple("" if at == place else cell for at, cell in enumerate(row)) for row in rows["household"]]
    return {**rows, "household": household}


def rng_of(name: str) -> Draws:
    """Each case draws by itself: another case more changes none of them."""
    return Draws(np.random.default_rng([SEED, crc32(name.encode())]))


def made(name: str, case: Case, folder: Path) -> tuple[Path, Right | Refused]:
    """Writes a case's files to a new folder, and says what must come of them."""
    rng = rng_of(name)
    mess = Mess(folder, truth(rng), rng)
    mess.folder.mkdir(parents=True)
    return folder, case(mess)


def listed(*groups: Mapping[str, Case]) -> dict[str, Case]:
    """All cases by name. Raises AssertionError where two have one name."""
    found: dict[str, Case] = {}
    for group in groups:
        assert not found.keys() & group.keys()
        found |= group
    return found
