"""Evidence written by somebody who wants to break its reader: any value anywhere, sealed with the right key.

The verdict may be anything; it is never a fault, and it can always be told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rondgang import canonical
from rondgang.bundles import frame, records, seal
from rondgang.canonical import Json

from audit.cli.given import findings_facts, findings_lines
from audit.diff import diff
from audit.explain import Explanation, explain
from audit.library import Library
from audit.model import Bundle, Paper
from audit.reprice.asked import Asked, CannotDerive, read_asked
from audit.reprice.price import reprice
from audit.verify import verify
from policies.documents import from_canonical
from policies.study.codebook import Codebook
from tests.made_up import honest, honest_files, people

Path = tuple[int | str, ...]
VALUES: dict[str, list[dict[str, Json]]] = {
    file: [record.value for record in records(data)][:-1] for file, data in honest_files().items()
}
HOSTILE: tuple[Json, ...] = (
    None, True, 0, -1, 2**53 - 1, -(2**53 - 1), "", "0", "-1", "1" * 5000, "9" * 30, "0" * 64, "x" * 1000, "\u0000",
    "\ud7ff\u202e", "T0+T1", "T9", "1e9999", "0.0000000000000000000000000000001", [], {}, [[]], [None], {"": {}},
    {"rho": "0"}, {"rho": "-1"}, [1, 2], [0, 0], [2**53 - 1, 60], "FR/1", "state == ", "(" * 200, "adult", "national",
)  # fmt: skip
"""Values of every type, and some that are nearly right."""


def paths(value: Json, path: Path = ()) -> Iterator[Path]:
    """The place of every value inside another."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from paths(part, (*path, key))


def replaced(value: Json, path: Path, by: Json, *, drop: bool) -> Json:
    """The value with another one at a place, or with nothing there."""
    first, *rest = path
    if isinstance(value, dict) and isinstance(first, str):
        if not rest and drop:
            return {key: part for key, part in value.items() if key != first}
        return value | {first: replaced(value[first], tuple(rest), by, drop=drop) if rest else by}
    assert isinstance(value, list)
    assert isinstance(first, int)
    inner = [replaced(value[first], tuple(rest), by, drop=drop)] if rest else [] if drop else [by]
    return [*value[:first], *inner, *value[first + 1 :]]


def rehashed(value: dict[str, Json]) -> dict[str, Json]:
    """A document's record with the hash of what it says now, so that the change is not simply a wrong hash."""
    match value:
        case {"record": "document", "signed": {"document": document}}:
            return value | {"hash": canonical.digest(canonical.encode(document))}
        case _:
            return value


def sealed(file: str, values: list[dict[str, Json]]) -> bytes:
    return b"".join(seal(map(frame, values), honest().sheaves[file].key))


def judged(files: dict[str, bytes]) -> None:
    """Everything that reads evidence reads this, and tells what it found."""
    verdict = verify(list(files.items()), people().consortium.public)
    assert verdict.sentence
    json.dumps(findings_facts(verdict.findings))
    assert list(findings_lines(verdict.findings)) or not verdict.findings
    for file, data in files.items():
        diff((file, honest_files()[file]), (file, data))


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_value_anywhere_breaks_the_auditor(data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(sorted(VALUES)))
    values = list(VALUES[file])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(values) - 1))
        kind = values[at]["record"]
        path = data.draw(st.sampled_from([one for one in paths(values[at]) if one != ("record",)] or [("record",)]))
        changed = replaced(values[at], path, data.draw(st.sampled_from(HOSTILE)), drop=data.draw(st.booleans()))
        assert isinstance(changed, dict)
        values[at] = rehashed(changed | {"record": kind})
    judged({**honest_files(), file: sealed(file, values)})


@given(st.permutations(range(12)), st.integers(0, 60))
@settings(max_examples=15, deadline=None)
@example(list(range(12)), 0)
def test_no_order_of_records_breaks_the_auditor(order: list[int], start: int) -> None:
    values = list(VALUES["FR.bundle"])
    shuffled = [values[(start + place) % (len(values) - 1) + 1] for place in order]
    judged({**honest_files(), "FR.bundle": sealed("FR.bundle", [values[0], *shuffled, *shuffled[:3], *values[1:]])})


def _document(kind: str) -> dict[str, Json]:
    """The first signed document of a kind, as its signer wrote it."""
    (body, *_) = (
        canonical.decode(paper.document)
        for paper in honest().sheaves["coordinator.bundle"].papers + honest().sheaves["FR.bundle"].papers
        if paper.kind == kind
    )
    assert isinstance(body, dict)
    return body


DOCUMENTS = {kind: _document(kind) for kind in ("roster", "calendar", "codebook", "policy", "programme", "order")}
READERS: dict[str, Callable[[Library, str], object]] = {
    "roster": Library.roster,
    "calendar": Library.calendar,
    "codebook": Library.codebook,
    "policy": Library.policy,
    "programme": Library.programme,
    "order": Library.order,
}


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_document_breaks_its_reader_or_the_pricing_whoever_signed_it(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(DOCUMENTS)))
    body: Json = DOCUMENTS[kind]
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(list(paths(body)) or [("id",)]))
        body = replaced(body, path, data.draw(st.sampled_from(HOSTILE)), drop=data.draw(st.booleans()))
    assert isinstance(body, dict)
    document = canonical.encode(body)
    paper = Paper(kind, canonical.digest(document), body, b"", document)
    bundle = Bundle("file", "witness", "w", 0, "", "", papers={paper.hash: paper})
    found = READERS[kind](Library.of([bundle], ""), paper.hash)
    if isinstance(found, Asked):
        priced(found, from_canonical(Codebook, canonical.encode(DOCUMENTS["codebook"])))
    if isinstance(found, Codebook):
        priced(read_asked(DOCUMENTS["programme"]), found)


def priced(asked: Asked, codebook: Codebook) -> None:
    try:
        assert reprice(asked, codebook).nano >= 0
    except CannotDerive as fault:
        assert str(fault)


def test_entries_full_of_nonsense_are_findings_and_can_be_explained() -> None:
    header, *rest = VALUES["FR.bundle"]
    bodies: list[Json] = [*HOSTILE, *({"event": value} for value in HOSTILE), {"event": "debited"}, {"event": "reset"}]
    nonsense: list[dict[str, Json]] = [
        {"record": "entry", "epoch": epoch, "entry": {"seq": 7, "time": 5, "previous": "", "body": body}}
        for epoch in (1, 2, 9)
        for body in bodies
    ]
    data = sealed("FR.bundle", [header, *rest, *nonsense])
    verdict = verify([("FR.bundle", data)], people().consortium.public)
    assert not verdict.sound
    for place in ("FR/1#7", "FR/2#7", "FR/9#7"):
        assert isinstance(explain(place, [("FR.bundle", data)], None), Explanation)


def test_numbers_as_large_as_documents_allow_are_only_numbers() -> None:
    """A programme whose bounds, multipliers and sizes are the largest that a document can hold."""
    file = "FR.bundle"
    values = list(VALUES[file])
    for at, value in enumerate(values):
        match value:
            case {"record": "document", "signed": {"kind": "programme", "document": {"blocks": list(blocks)}}}:
                large: dict[str, Json] = {"bound_squared": "9" * 60, "multiplier": 2**53 - 1, "cells": 2**53 - 1}
                wide: Json = [block | large for block in blocks if isinstance(block, dict)]
                changed = replaced(value, ("signed", "document", "blocks"), wide, drop=False)
                assert isinstance(changed, dict)
                values[at] = rehashed(changed)
    judged({**honest_files(), file: sealed(file, values)})
