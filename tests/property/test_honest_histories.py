"""Whatever happens to an honest node, the auditor has nothing to ask; and one fraud on what it left is found.

The histories run on the real ledger with witnesses that are real by their rules: kills after the debit, broken reads,
witnesses that go away before, between and after, resets, and all that is adopted meanwhile.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rondgang import canonical
from rondgang.bundles import frame, records, seal
from rondgang.canonical import Json, digest
from rondgang.leaves import GENESIS, leaf_hash
from rondgang.notes import Note

from audit.findings import Finding, Severity
from audit.verify import verify
from tests.applicants import signing_key
from tests.histories import OPERATIONS, live
from tests.history_world import make_template
from tests.node_world import CHECKPOINT, CONSORTIUM, REGION

Drawn = list[tuple[str, int]]
T = TypeVar("T")
OWN = f"{REGION}.bundle"
FEW, MANY, BLOCK = 60, 1000, 125
_MEMORY = Path("/dev/shm")
_LONGEST = 14


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where homes are made: in memory where that can be, for a real disk would only make it slower."""
    where = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="rondgang-histories-", dir=where) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def template(folder: Path) -> Path:
    return make_template(folder / "template").root


@dataclass
class Dice:
    """Numbers that look drawn and are the same for the same seed, in every version of Python."""

    seed: int
    thrown: int = 0

    def below(self, size: int) -> int:
        self.thrown += 1
        return int(digest(f"{self.seed} {self.thrown}".encode())[:12], 16) % size

    def one(self, things: Sequence[T]) -> T:
        return things[self.below(len(things))]


def drawn_by(dice: Dice) -> Drawn:
    names = list(OPERATIONS)
    return [(dice.one(names), dice.below(1000)) for _ in range(4 + dice.below(_LONGEST - 3))]


def lived(folder: Path, template: Path, drawn: Sequence[tuple[str, int]]) -> tuple[dict[str, bytes], Counter[str]]:
    """The evidence that a history leaves, and how often each operation did what its name says."""
    home = folder / "life"
    shutil.rmtree(home, ignore_errors=True)
    life = live(home, template, drawn)
    try:
        return life.bundles(), life.done
    finally:
        life.close()


def worth_asking(files: dict[str, bytes]) -> list[str]:
    found = verify(list(files.items()), CONSORTIUM.public).findings
    return [_told(one) for one in found if one.severity is not Severity.NOTE]


def _told(one: Finding) -> str:
    return f"{one.severity} {one.code} {one.bundle} {one.entry}: {one.what}"


def forged(files: dict[str, bytes], dice: Dice) -> tuple[str, dict[str, bytes]]:
    """One fraud on honest evidence, and what was done."""
    values, places = _parts(files)
    # The last entry of an epoch has no other behind it, and may have been lost in earnest.
    inner = [at for at in places if at + 1 in places and values[at]["epoch"] == values[at + 1]["epoch"]]
    # An entry that nobody but the node ever saw may be changed by it: it is then the first to say so.
    most = _most_seen(files, Counter(_number(values[at]["epoch"]) for at in places))
    seen = [at for at in places if _number(_entry(values[at])["seq"]) < most[_number(values[at]["epoch"])]]
    match dice.one(("byte", "byte", "dropped", "written over", "stranger", *(("rewritten",) if seen else ()))):
        case "byte":
            file = dice.one(sorted(files))
            at = dice.below(len(files[file]))
            changed = files[file][at] ^ (1 + dice.below(255))
            data = files[file][:at] + bytes((changed,)) + files[file][at + 1 :]
            return f"byte {at} of {file}", {**files, file: data}
        case "dropped":
            at = dice.one(inner)
            return f"entry in record {at} dropped, sealed again", _sealed(files, values[:at] + values[at + 1 :])
        case "written over":
            at = dice.one(inner)
            return f"entry in record {at} dated otherwise", _sealed(files, _dated(values, at))
        case "rewritten":
            at = dice.one(seen)
            return f"entry in record {at} dated otherwise, linked again", _sealed(files, _linked(_dated(values, at)))
        case _:
            stranger = b"".join(seal(map(frame, values), signing_key("stranger")))
            return "sealed by a stranger", {**files, OWN: stranger}


def _parts(files: dict[str, bytes]) -> tuple[list[dict[str, Json]], list[int]]:
    """The records of the region's bundle without its seal, and which of them are entries."""
    found = [record.value for record in records(files[OWN])][:-1]
    return found, [at for at, value in enumerate(found) if value["record"] == "entry"]


def _sealed(files: dict[str, bytes], values: list[dict[str, Json]]) -> dict[str, bytes]:
    return {**files, OWN: b"".join(seal(map(frame, values), CHECKPOINT))}


def _entry(value: dict[str, Json]) -> dict[str, Json]:
    match value["entry"]:
        case dict(entry):
            return entry
        case _:
            raise AssertionError("no entry")


def _number(value: Json) -> int:
    assert isinstance(value, int)
    return value


def _dated(values: list[dict[str, Json]], at: int) -> list[dict[str, Json]]:
    """The entry's time is a second later; nothing else."""
    entry = _entry(values[at])
    later = {**values[at], "entry": {**entry, "time": _number(entry["time"]) + 1}}
    return [*values[:at], later, *values[at + 1 :]]


def _linked(values: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """Every epoch one chain again."""
    heads: dict[int, str] = {}
    found = []
    for value in values:
        if value["record"] == "entry":
            epoch = _number(value["epoch"])
            entry = {**_entry(value), "previous": heads.get(epoch, GENESIS)}
            heads[epoch] = leaf_hash(canonical.encode(entry))
            value = {**value, "entry": entry}
        found.append(value)
    return found


def _most_seen(files: dict[str, bytes], held: Counter[int]) -> Counter[int]:
    """By epoch, the largest size that anybody else holds a checkpoint of, up to the entries that are there."""
    found: Counter[int] = Counter()
    for data in (data for file, data in files.items() if file != OWN):
        for record in records(data):
            if record.type == "checkpoint":
                checkpoint = Note.parse(str(record.value["note"])).checkpoint
                if checkpoint.region == REGION and checkpoint.size <= held[checkpoint.epoch]:
                    found[checkpoint.epoch] = max(found[checkpoint.epoch], checkpoint.size)
    return found


def run(folder: Path, template: Path, seeds: range) -> Counter[str]:
    """Lives, verifies and forges for each seed; how often each operation did what its name says."""
    done: Counter[str] = Counter()
    for seed in seeds:
        dice = Dice(seed)
        drawn = drawn_by(dice)
        files, what = lived(folder, template, drawn)
        done += what
        assert worth_asking(files) == [], f"seed {seed}: {drawn}"
        said, wrong = forged(files, dice)
        assert not verify(list(wrong.items()), CONSORTIUM.public).sound, f"seed {seed}: {said} was not found; {drawn}"
    return done


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 999)), max_size=_LONGEST))
def test_an_honest_history_has_nothing_to_ask(folder: Path, template: Path, drawn: Drawn) -> None:
    files, _done = lived(folder, template, drawn)
    assert worth_asking(files) == []


def test_honest_histories_of_every_operation_have_nothing_to_ask_and_a_fraud_on_them_is_found(
    folder: Path, template: Path
) -> None:
    """Fails too where the generator no longer gets to do something that its list promises."""
    done = run(folder, template, range(FEW))
    assert {name for name in OPERATIONS if not done[name]} == set()


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(first, marks=pytest.mark.thorough if first > FEW else pytest.mark.slow)
        for first in range(FEW, FEW + MANY, BLOCK)
    ],
)
def test_a_thousand_honest_histories_have_nothing_to_ask_and_a_fraud_on_each_is_found(
    folder: Path, template: Path, first: int
) -> None:
    done = run(folder, template, range(first, first + BLOCK))
    assert {name for name in OPERATIONS if not done[name]} == set()
