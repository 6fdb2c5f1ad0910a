"""One byte of a bundle flipped, anywhere: the verdict is an error, and it names the record that holds the byte."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from rondgang.bundles import Record, records

from audit.findings import Finding, Severity
from audit.practise.story import GR, tell
from audit.verify import verify
from tests.made_up import honest_files, people, study

_VALUE = re.compile(rb'"([a-z_0-9A-Z]+)":("?)')
_RECORD = re.compile(r"record (\d+)(, byte \d+)?")


def small_bundle() -> bytes:
    """A region's whole bundle after its first question."""
    few = {name: GR[name] for name in ("opening", "first")}
    return tell(study("small"), few, few).sealed()["FR.bundle"]


def holder(found: list[Record], position: int) -> int:
    """The record in which a byte stands, its length included."""
    return max(record.number for record in found if record.offset <= position)


def places(data: bytes) -> Iterator[int]:
    """A byte of every field of every type of record, of a name or a value, and of lengths, once each; and some more."""
    known: set[tuple[str, bytes]] = set()
    for record in records(data):
        body = record.offset + 4
        if (record.type, b"") not in known:
            known.add((record.type, b""))
            yield from range(record.offset, body + 2)
            yield body + len(record.data) - 1
        for match in _VALUE.finditer(record.data):
            if (record.type, match[1]) not in known:
                known.add((record.type, match[1]))
                yield body + (match.end() if len(known) % 3 else match.start(1))
        if record.number % 4 == 0:
            # And somewhere in every fourth record, wherever that falls.
            yield body + (record.number * 7919) % len(record.data)


def errors(file: str, data: bytes, alone: bool) -> tuple[Finding, ...]:
    files = {file: data} if alone else {**honest_files(), file: data}
    verdict = verify(list(files.items()), people().consortium.public)
    assert not verdict.sound
    return tuple(one for one in verdict.findings if one.severity is Severity.ERROR and one.bundle == file)


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes((data[position] ^ 0x01,)) + data[position + 1 :]


def check(file: str, data: bytes, found: list[Record], position: int, *, alone: bool = True) -> str | None:
    """What is wrong with what verify says of one flipped byte; None where it names the right record."""
    wanted = holder(found, position)
    said = errors(file, flipped(data, position), alone)
    named = [int(match[1]) for one in said if (match := _RECORD.fullmatch(one.entry))]
    if wanted in named:
        return None
    return f"byte {position} of {file} is in record {wanted}; found: {[(one.code, one.entry) for one in said]}"


@pytest.mark.parametrize("file", ["FR.bundle", "coordinator.bundle", "auditor.bundle"])
def test_a_flipped_byte_in_any_field_is_found_where_it_is(file: str) -> None:
    data = honest_files()[file]
    found = list(records(data))
    wrong = [said for position in places(data) if (said := check(file, data, found, position)) is not None]
    assert wrong == []


def test_a_flipped_byte_is_found_among_other_bundles_too() -> None:
    data = honest_files()["FR.bundle"]
    found = list(records(data))
    positions = range(11, len(data), len(data) // 12)
    assert [said for at in positions if (said := check("FR.bundle", data, found, at, alone=False)) is not None] == []


def test_a_flipped_byte_of_a_certificate_is_found_and_breaks_no_reader() -> None:
    """A regression: the version of an X.509 certificate is among its first bytes, and a wrong one is a fault."""
    data = small_bundle()
    found = list(records(data))
    starts = [one.offset + 4 + one.data.index(b'"der":"') + 7 for one in found if one.type == "certificate"]
    positions = [start + at for start in starts for at in (*range(40), *range(40, 400, 13))]
    assert [said for at in positions if (said := check("FR.bundle", data, found, at)) is not None] == []


@pytest.mark.thorough
def test_every_byte_of_a_small_bundle_counts() -> None:
    data = small_bundle()
    found = list(records(data))
    wrong = [said for position in range(len(data)) if (said := check("FR.bundle", data, found, position)) is not None]
    assert wrong == []
