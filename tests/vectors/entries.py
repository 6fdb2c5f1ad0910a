"""Golden entries: a log of every event there is, and the log that a reset begins."""

from typing import get_args

from rondgang.canonical import Json
from rondgang.leaves import GENESIS, leaf_hash
from rondgang.merkle import Tree

from policies.documents import Document, to_canonical
from policies.rules.approval import Approval
from policies.rules.entries import (
    Adopted,
    Answered,
    Approved,
    AskedEntry,
    Attempted,
    Debited,
    Declined,
    Entry,
    Event,
    Imported,
    Inherited,
    Opened,
    RefusedEntry,
    Reset,
    ResultEntry,
    Summed,
)

START = 1_790_000_000
"""Unix seconds of the first entry; each is a minute later."""
RUN = "run-00000000000000aa"
SNAPSHOT = "5" * 32
CHARGE = 20_000_001
"""Nano-rho."""


def _hash(digit: str) -> str:
    return digit * 64


def log() -> list[bytes]:
    """Canonical entries of epoch 1: each event once, and what the rules put around it."""
    asked, declined, researcher = _hash("a"), _hash("c"), _hash("b")
    return _chain(
        [
            Opened(event="opened", region="AA"),
            Adopted(event="adopted", kind="policy", name="", hash=_hash("1")),
            Imported(event="imported", snapshot=SNAPSHOT, cohort="c1", codebook=_hash("2")),
            AskedEntry(event="asked", programme=asked, run=RUN, researcher=researcher, order=_hash("3")),
            Approved(event="approved", programme=asked, approval=_hash("4")),
            Debited(
                event="debited",
                programme=asked,
                run=RUN,
                researcher=researcher,
                snapshot=SNAPSHOT,
                cohort="c1",
                charge=CHARGE,
                cohort_total=CHARGE,
                lifetime_total=CHARGE,
            ),
            Answered(event="answered", programme=asked, snapshot=SNAPSHOT, debit=5, answer=_hash("6")),
            Debited(
                event="debited",
                programme=asked,
                run=RUN,
                researcher=researcher,
                snapshot=SNAPSHOT,
                cohort="c1",
                charge=CHARGE,
                cohort_total=2 * CHARGE,
                lifetime_total=2 * CHARGE,
                attempt=1,
            ),
            Attempted(
                event="attempted",
                programme=asked,
                run=RUN,
                attempt=1,
                debit=7,
                participants=_hash("5"),
                commitment=_hash("9"),
            ),
            Summed(event="summed", programme=asked, run=RUN, attempt=1, hash=_hash("0")),
            ResultEntry(event="result", run=RUN, programme=asked, hash=_hash("7")),
            Declined(event="declined", programme=declined, approval=_hash("8"), reason="purpose"),
            RefusedEntry(event="refused", programme=declined, run=RUN, reason="declined"),
        ]
    )


def reset() -> list[bytes]:
    """The first entry of epoch 2, which closes `log` at its last size."""
    old = log()
    body = Reset(
        event="reset",
        region="AA",
        epoch=2,
        old_size=len(old),
        old_root=tree(old).root().hex(),
        policy=_hash("1"),
        cohorts={"c1": 9_000_000_000},
        lifetime_total=9_000_000_000,
    )
    return _chain([body], start=START + 86_400)


def merged() -> list[bytes]:
    """The log of a region that was formed of others."""
    return _chain(
        [
            Opened(event="opened", region="BB"),
            Adopted(event="adopted", kind="calendar", name="rotation@2", hash=_hash("4")),
            Inherited(event="inherited", calendar=_hash("4"), cohorts={"c1": CHARGE, "c2": 0}, lifetime=CHARGE),
        ]
    )


def approvals() -> dict[str, Approval]:
    return {
        "a yes": Approval(region="AA", programme=_hash("a"), decision="approve", decided=START),
        "a no": Approval(region="AA", programme=_hash("c"), decision="decline", reason="purpose", decided=START),
    }


def tree(entries: list[bytes]) -> Tree:
    return Tree(bytes.fromhex(leaf_hash(entry)) for entry in entries)


def vectors() -> Json:
    grown, again, whole = tree(log()), tree(reset()), tree(merged())
    return {
        "epoch 1": [_case(entry, grown, size) for size, entry in enumerate(log(), 1)],
        "epoch 2": [_case(entry, again, size) for size, entry in enumerate(reset(), 1)],
        "merged": [_case(entry, whole, size) for size, entry in enumerate(merged(), 1)],
        "approvals": {name: to_canonical(approval).decode("ascii") for name, approval in approvals().items()},
    }


def events() -> set[type[Document]]:
    """Every event that an entry may hold."""
    union, *_ = get_args(Event)
    return set(get_args(union))


def _case(entry: bytes, grown: Tree, size: int) -> Json:
    return {"entry": entry.decode("ascii"), "leaf_hash": leaf_hash(entry), "root": grown.root(size).hex()}


def _chain(bodies: list[Event], start: int = START) -> list[bytes]:
    chain: list[bytes] = []
    for seq, body in enumerate(bodies):
        previous = leaf_hash(chain[-1]) if chain else GENESIS
        chain.append(to_canonical(Entry(seq=seq, time=start + 60 * seq, previous=previous, body=body)))
    return chain
