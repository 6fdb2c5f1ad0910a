"""Reading a bundle of evidence: its frame, its records and its seal. Nothing that it says is believed yet.

A file of which not even the first record is one of ours is no bundle at all. A file that breaks off later is not used:
what is missing might explain what is there. In a file whose seal does not fit, the rest is still read and checked.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from rondgang import canonical
from rondgang.bundles import BadBundle, Record, records, seal_of
from rondgang.canonical import Json
from rondgang.errors import BadNote, BadSigned
from rondgang.notes import Note
from rondgang.signed import KINDS, Signature

from audit.findings import Finding, Rule, Where, error, record_place
from audit.model import Bundle, Fork, GivenAnswer, LoggedEntry, Paper
from policies.rules.evidence import VERSION

NO_BUNDLE = error(
    "file.no_bundle",
    "This file is not a bundle of evidence, or its beginning was destroyed; nothing in it could be read.",
    "Ask for the file again, as the node, coordinator or witness exported it.",
)
BROKEN = error(
    "file.broken",
    "The file was cut off or changed at this place; it was not used, because what is missing might matter.",
    "Ask its maker to export and send it again, and compare the fingerprints of both files.",
)
UNKNOWN_VERSION = error(
    "file.version",
    "The file was made by a later version of the software; this one cannot judge it.",
    "Verify it with the version that made it.",
)
MALFORMED = error(
    "record.malformed",
    "A part of the file is not what its type says; an honest export never has that.",
    "Ask the maker which software wrote this file, and for a new export.",
)
UNSEALED = error(
    "seal.missing",
    "The signature over the whole file is missing, so its end may have been cut off; it was not used.",
    "Ask its maker to export and send it again.",
)
CHANGED = error(
    "seal.broken",
    "The file is not the one that its maker signed: something was changed after the export.",
    "Ask its maker for the file again, and ask who had it in between.",
)

_HASH = re.compile(r"[0-9a-f]{64}")
_REGION = re.compile(r"[A-Z]{2,4}")
_RUN = re.compile(r"run-[0-9a-f]{16}")
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_ALLOWED = {
    "region": frozenset(("certificate", "document", "entry", "checkpoint", "seen")),
    "coordinator": frozenset(("certificate", "document", "checkpoint", "answer", "fork")),
    "witness": frozenset(("certificate", "document", "checkpoint", "fork")),
}
_ENTRY_KEYS = frozenset(("seq", "time", "previous", "body"))
_ENTRY_HEAD = b'{"entry":'
_SIGNED_HEAD = b',"signed":'
"""The last key of its record; those before it hold no text in which this could stand."""
_PAPER_HEAD = b'{"document":'
_PAPER_TAIL = b',"kind":"","signatures":[]}'
_SIGNATURE_BYTES = len(b'{"key":"","value":""},') + 64 + 128


@dataclass(frozen=True, slots=True)
class Reading:
    """One file. `bundle` is None where it is not used; `no_bundle`: it is not one at all."""

    file: str
    fingerprint: str
    bundle: Bundle | None
    findings: tuple[Finding, ...]
    no_bundle: bool = False


def read(file: str, data: bytes) -> Reading:
    """Reads the bytes of one file; `file` is what people call it. Never raises for what is in it."""
    fingerprint = hashlib.sha256(data).hexdigest()
    found: list[Record] = []
    try:
        found.extend(records(data))
    except BadBundle as fault:
        rule = BROKEN if found and _is_header(found[0]) else NO_BUNDLE
        return _unused(file, fingerprint, rule, fault.record, fault.offset, f"{fault.reason}.")
    if not found or not _is_header(found[0]):
        return _unused(file, fingerprint, NO_BUNDLE, 0, 0, "The first record is not a header.")
    making = _Making(file, fingerprint)
    if not making.header(found[0].value):
        rule = UNKNOWN_VERSION if found[0].value.get("version") != VERSION else MALFORMED
        return _unused(file, fingerprint, rule, 0, 0, "The header is not one that this version can read.")
    seal = seal_of(found, data)
    last = found[-1]
    if seal is None:
        # A whole record of another type ends a file that was cut off; anything else was a signature before it changed.
        cut = last.type in ("header", *_ALLOWED[making.maker])
        number, offset = (last.number + 1, len(data)) if cut else (last.number, last.offset)
        return _unused(file, fingerprint, UNSEALED, number, offset, "The last record is not a signature.")
    for record in found[1:-1]:
        making.take(record)
    findings = list(making.findings)
    if not seal.whole:
        where = _changed(found, data, seal.changed)
        findings.insert(0, CHANGED.broken(making.at(where), "The signature over the file does not fit what is in it."))
    bundle = making.bundle(seal.key, record_place(last.number, last.offset))
    return Reading(file, fingerprint, bundle, tuple(findings))


def _is_header(record: Record) -> bool:
    return record.type == "header"


def _unused(file: str, fingerprint: str, rule: Rule, number: int, offset: int, what: str) -> Reading:
    found = rule.broken(Where(file, entry=record_place(number, offset)), what[0].upper() + what[1:])
    return Reading(file, fingerprint, None, (found,), no_bundle=rule is NO_BUNDLE)


def _changed(found: list[Record], data: bytes, changed: int | None) -> Record:
    """Which record is not the one that was sealed: the seal itself, where it holds once its digests are set right."""
    *before, last = found
    digests = "".join(hashlib.sha256(record.data).hexdigest()[:16] for record in before)
    mended = replace(last, value={**last.value, "digests": digests})
    seal = seal_of([*before, mended], data)
    if changed is None or changed >= len(before) or (seal is not None and seal.whole):
        return last
    return found[changed]


@dataclass(slots=True)
class _Making:
    """A bundle as it grows, record by record."""

    file: str
    fingerprint: str
    findings: list[Finding] = field(default_factory=list)
    maker: str = ""
    name: str = ""
    made: int = 0
    consortium: str = ""
    certificates: dict[str, bytes] = field(default_factory=dict)
    certificate_places: dict[str, str] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    entries: dict[int, list[LoggedEntry]] = field(default_factory=dict)
    notes: list[tuple[Note, str]] = field(default_factory=list)
    seen: list[tuple[Note, str]] = field(default_factory=list)
    answers: list[GivenAnswer] = field(default_factory=list)
    forks: list[Fork] = field(default_factory=list)

    def at(self, record: Record) -> Where:
        region = self.name if self.maker == "region" else ""
        return Where(self.file, region, record_place(record.number, record.offset))

    def header(self, value: Mapping[str, Json]) -> bool:
        match value:
            case {"version": int(version), "of": str(maker), "name": str(name), "made": int(made), **rest}:
                self.maker, self.name, self.made = maker, name, made
            case _:
                return False
        known = _REGION if maker == "region" else _NAME
        consortium = rest.pop("consortium", None)
        if not _whole(version, made) or version != VERSION or maker not in _ALLOWED or known.fullmatch(name) is None:
            return False
        self.consortium = consortium if isinstance(consortium, str) else ""
        return set(rest) == {"record"} and _HASH.fullmatch(self.consortium) is not None

    def take(self, record: Record) -> None:
        """Adds one record, or a finding that it cannot be used."""
        kind = record.type
        if kind not in _ALLOWED[self.maker]:
            self._refuse(record, f"A record of type {kind[:40]!r} does not belong in the bundle of a {self.maker}.")
        elif not _TAKE[kind](self, record):
            self._refuse(record, f"This record is not a whole {kind}.")

    def bundle(self, sealed_by: str, seal_place: str) -> Bundle:
        return Bundle(
            file=self.file,
            maker=self.maker,
            name=self.name,
            made=self.made,
            consortium=self.consortium,
            fingerprint=self.fingerprint,
            certificates=self.certificates,
            papers=self.papers,
            entries={epoch: tuple(entries) for epoch, entries in sorted(self.entries.items())},
            checkpoints=tuple(one for one, _ in self.notes),
            seen=tuple(one for one, _ in self.seen),
            answers=tuple(self.answers),
            forks=tuple(self.forks),
            sealed_by=sealed_by,
            checkpoint_places=tuple(place for _, place in self.notes),
            seen_places=tuple(place for _, place in self.seen),
            seal_place=seal_place,
            certificate_places=self.certificate_places,
        )

    def _refuse(self, record: Record, what: str) -> None:
        self.findings.append(MALFORMED.broken(self.at(record), what))

    def certificate(self, record: Record) -> bool:
        match record.value:
            case {"what": "own" | "root" as what, "der": str(text), **rest} if len(rest) == 1:
                if what in self.certificates:
                    return False
                try:
                    self.certificates[what] = base64.b64decode(text, validate=True)
                except ValueError:
                    return False
                self.certificate_places[what] = record_place(record.number, record.offset)
                return True
            case _:
                return False

    def document(self, record: Record) -> bool:
        match record.value:
            case {"hash": str(hashed), "signed": dict() as signed, **rest} if len(rest) == 1:
                paper = paper_of(record, signed)
            case _:
                return False
        if paper is None or paper.hash != hashed:
            return False
        held = self.papers.setdefault(hashed, paper)
        return held.kind == paper.kind

    def entry(self, record: Record) -> bool:
        match record.value:
            case {"epoch": int(epoch), "entry": dict() as value, **rest} if len(rest) == 1 and _whole(epoch):
                tail = b',"epoch":%d,"record":"entry"}' % epoch
            case _:
                return False
        # Canonical JSON has one spelling, so the entry's own bytes stand in the record's as they are.
        data = record.data[len(_ENTRY_HEAD) : -len(tail)]
        log = self.entries.setdefault(epoch, [])
        seq, time, body = value.get("seq"), value.get("time"), value.get("body")
        log.append(
            LoggedEntry(
                region=self.name,
                epoch=epoch,
                seq=seq if type(seq) is int and seq >= 0 else len(log),
                time=time if type(time) is int else 0,
                previous=str(value.get("previous", "")),
                body=body if isinstance(body, dict) and value.keys() == _ENTRY_KEYS and _whole(seq, time) else {},
                data=data,
                index=len(log),
            )
        )
        return True

    def checkpoint(self, record: Record) -> bool:
        return _note(record, self.notes)

    def other_checkpoint(self, record: Record) -> bool:
        return _note(record, self.seen)

    def answer(self, record: Record) -> bool:
        match record.value:
            case {
                "region": str(region), "run": str(run), "received": int(received), "signed": dict() as signed, **rest
            } if len(rest) == 1 and _REGION.fullmatch(region) and _RUN.fullmatch(run) and _whole(received):  # fmt: skip
                paper = paper_of(record, signed)
            case _:
                return False
        if paper is None or paper.kind != "answer":
            return False
        self.answers.append(GivenAnswer(region, run, received, canonical.digest(paper.envelope), paper, paper.place))
        return True

    def fork(self, record: Record) -> bool:
        match record.value:
            case {"region": str(region), "why": str(why), "at": int(at), "held": str(held), "offered": str(offered)}:
                if len(record.value) != 6 or _REGION.fullmatch(region) is None or not _whole(at):
                    return False
            case _:
                return False
        one, other = _parsed(held), _parsed(offered)
        if one is None or other is None:
            return False
        self.forks.append(Fork(region, why[:40], at, one, other, record_place(record.number, record.offset)))
        return True


_TAKE: Mapping[str, Callable[[_Making, Record], bool]] = {
    "certificate": _Making.certificate,
    "document": _Making.document,
    "entry": _Making.entry,
    "checkpoint": _Making.checkpoint,
    "seen": _Making.other_checkpoint,
    "answer": _Making.answer,
    "fork": _Making.fork,
}


def _whole(*values: object) -> bool:
    """Whether these are whole numbers, zero or more; `true` counts as 1 in Python, not here."""
    return all(type(value) is int and value >= 0 for value in values)


def _note(record: Record, notes: list[tuple[Note, str]]) -> bool:
    text = record.value.get("note")
    parsed = _parsed(text) if isinstance(text, str) and len(record.value) == 2 else None
    if parsed is None:
        return False
    notes.append((parsed, record_place(record.number, record.offset)))
    return True


def _parsed(text: str) -> Note | None:
    try:
        parsed = Note.parse(text)
        _ = parsed.checkpoint
    except BadNote:
        return None
    return parsed


def paper_of(record: Record, signed: Mapping[str, Json]) -> Paper | None:
    """The signed document in a record, as the value of its last key; None where it is none. Checks no signature."""
    match signed:
        case {"document": dict() as body, "kind": str(kind), "signatures": list(listed), **rest} if not rest:
            signatures = _signatures(listed)
        case _:
            return None
    if signatures is None or kind not in KINDS:
        return None
    # As with entries: how much stands before and behind the document is known, so it need not be encoded again.
    envelope = record.data[record.data.index(_SIGNED_HEAD) + len(_SIGNED_HEAD) : -1]
    behind = len(_PAPER_TAIL) + len(kind) + max(0, len(signatures) * _SIGNATURE_BYTES - 1)
    document = envelope[len(_PAPER_HEAD) : -behind]
    place = record_place(record.number, record.offset)
    return Paper(kind, canonical.digest(document), body, envelope, document, signatures, place)


def _signatures(listed: list[Json]) -> tuple[Signature, ...] | None:
    """The signatures of an envelope in its one form: ordered by key, one for each."""
    found = []
    for one in listed:
        match one:
            case {"key": str(key), "value": str(value), **rest} if not rest:
                try:
                    found.append(Signature(key, value))
                except BadSigned:
                    return None
            case _:
                return None
    keys = [one.key for one in found]
    return tuple(found) if keys == sorted(set(keys)) else None
