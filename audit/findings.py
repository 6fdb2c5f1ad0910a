"""What an auditor finds: each in words for a person who was not there, and with the place in the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`error`: a promise was broken, or the evidence was tampered with. `warning`: to be asked about. `note`: to know.

    Errors alone make `verify` end with 1.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is a fixed word for programs; `bundle` the file; `entry` the place: `FR/1#17` for entry 17 of log FR/1,
    `record 12, byte 3456` for a place in the file, or empty.

    `what` says what is the case, `meaning` what that means in one sentence, `ask` what to ask, and whom.
    """

    code: str
    severity: Severity
    bundle: str
    region: str
    entry: str
    what: str
    meaning: str
    ask: str


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the evidence: the file, the region it is about (may be empty), and the entry or the record."""

    bundle: str
    region: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that must hold, and the words for when it does not. Each check keeps its rules beside it."""

    code: str
    severity: Severity
    meaning: str
    ask: str

    def broken(self, where: Where, what: str) -> Finding:
        """The finding that it does not hold there; `what` is a sentence with the facts."""
        return Finding(self.code, self.severity, where.bundle, where.region, where.entry, what, self.meaning, self.ask)


def error(code: str, meaning: str, ask: str) -> Rule:
    return Rule(code, Severity.ERROR, meaning, ask)


def warning(code: str, meaning: str, ask: str) -> Rule:
    return Rule(code, Severity.WARNING, meaning, ask)


def note(code: str, meaning: str, ask: str = "") -> Rule:
    return Rule(code, Severity.NOTE, meaning, ask)


def place(region: str, epoch: int, seq: int) -> str:
    """How an entry is named."""
    return f"{region}/{epoch}#{seq}"


def record_place(number: int, offset: int) -> str:
    """How a record of a file is named; both count from 0."""
    return f"record {number}, byte {offset}"
