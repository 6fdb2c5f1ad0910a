"""A ledger on its own, without a home: claims, asks and debits that tests of the ledger share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from rondgang.canonical import Json, encode
from rondgang.notes import Note, sign_checkpoint
from rondgang.signed import Signed, sign

from node.ledger.book import Book
from node.ledger.ledger import Ask, Claim, Debit, Ledger
from node.ledger.log import Connect
from node.ledger.schema import connect
from policies.rules.decide import Granted
from policies.rules.entries import Imported, RefusedEntry
from policies.rules.refusals import Reason, Refused
from policies.statistics.compile import Compilation
from policies.units.money import NanoRho
from tests.applicants import signing_key

REGION, NOW = "AA", 1_800_000_000
SNAPSHOT, CODEBOOK, KEY = "5" * 32, "c" * 64, "d" * 64
NO = Refused(Reason.OVER_COHORT_CAP, "no")
CHECKPOINT_KEY = signing_key("AA checkpoint")
Decide = Callable[[Book], Granted | Refused]


@cache
def document(kind: str, name: str) -> Signed:
    """A signed document of a kind; what it says is nobody's business here."""
    value: Json = {"name": name}
    return sign(kind, encode(value), signing_key("someone"))


def programme(name: str = "first") -> str:
    """The hash of a programme."""
    return document("programme", name).digest


def run(number: int = 1) -> str:
    return f"run-{number:016x}"


def claim(name: str = "first", number: int = 1, snapshot: str = SNAPSHOT) -> Claim:
    return Claim(programme(name), run(number), KEY, "c1", snapshot)


def grant(nano: int = 10) -> Decide:
    return lambda _book: Granted(NanoRho(nano), Compilation((), ()))


def ask(name: str = "first", number: int = 1, decide: Decide | None = None, snapshot: str = SNAPSHOT) -> Ask:
    """An order of a run that asks for a programme; granted for 10 nano-rho if nothing else is said."""
    order = document("order", f"{name} {number}")
    return Ask(claim(name, number, snapshot), document("programme", name), order, decide or grant())


def imported(snapshot: str = SNAPSHOT, cohort: str = "c1") -> Imported:
    return Imported(event="imported", snapshot=snapshot, cohort=cohort, codebook=CODEBOOK)


def opened(path: Path, connect: Connect = connect) -> Ledger:
    """The ledger at a path, with a snapshot of its cohort."""
    ledger = Ledger(path, REGION, lambda: NOW, connect)
    if "c1" not in ledger.book.snapshots:
        ledger.log_import(imported())
    return ledger


def debited(ledger: Ledger, name: str = "first", number: int = 1, nano: int = 10) -> Debit:
    """A debit in hand."""
    (made,) = ledger.debit([ask(name, number, grant(nano))])
    assert isinstance(made, Debit)
    return made


def tried(ledger: Ledger, name: str = "first", number: int = 1, attempt: int = 1) -> Debit:
    """A debit in hand for an attempt."""
    asked = ask(name, number)
    (made,) = ledger.debit([replace(asked, claim=replace(asked.claim, attempt=attempt))])
    assert isinstance(made, Debit)
    return made


def answered(ledger: Ledger, name: str = "first", number: int = 1, reply: bytes = b"reply") -> Debit:
    """A debit that was begun and answered."""
    made = debited(ledger, name, number)
    ledger.begin(made)
    ledger.store_answers([(made, reply)])
    return made


def cosigned(ledger: Ledger) -> Note:
    """The head as a note; to the ledger it is as good as cosigned."""
    return sign_checkpoint(ledger.head(), CHECKPOINT_KEY)


def events(ledger: Ledger) -> list[str]:
    return [entry.body.event for entry in ledger.last_entries(10_000)]


def refusal(name: str = "other", number: int = 2) -> RefusedEntry:
    return RefusedEntry(event="refused", programme=programme(name), run=run(number), reason="late")


def full(path: Path) -> Path:
    """A closed ledger with an import, an answered and cosigned debit, a refusal and a dead debit."""
    ledger = opened(path)
    answered(ledger)
    ledger.hold_checkpoint(cosigned(ledger))
    ledger.log_refusal(refusal())
    debited(ledger, "other", 3, 7)
    ledger.close()
    return path
