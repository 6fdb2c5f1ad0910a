"""Cheating about a reset: it must charge all that was left, and stand on all that was witnessed."""

from __future__ import annotations

from collections.abc import Iterable

from audit.practise.fraud import Forger, Fraud, Tale, lived
from audit.practise.log import Log, caps_of


def charges_too_little(log: Log) -> Iterable[int]:
    cohort, lifetime = caps_of(log.policy)
    seq = log.reset(caps=(cohort - 1, lifetime))
    log.adopt_again()
    log.look()
    return (seq,)


def older_size(log: Log) -> Iterable[int]:
    """Commits to the size before the last answer. Honest witnesses would not follow."""
    seq = log.reset(size=log.notes[0].checkpoint.size)
    log.adopt_again()
    log.look()
    return (seq,)


def unwitnessed(log: Log) -> Iterable[int]:
    """Nobody but the node has signed a checkpoint of the new epoch, and it goes on answering."""
    seq = log.reset()
    log.adopt_again()
    log.adopt("policy", "3", log.study.policy(log.region, 3, "0.9", "1.2"))
    asked = log.study.programme("own_epoch")
    log.ask(asked)
    debit = log.debit(asked)
    log.answer(asked, debit)
    return seq, debit, debit + 1


def reopened(log: Log) -> Iterable[int]:
    """After the reset the closed epoch goes on."""
    log.reset()
    log.adopt_again()
    log.look()
    log.epoch = 1
    asked = log.study.programme("reopened")
    seq = log.ask(asked)
    debit = log.spend(asked)
    log.epoch = 2
    return seq, debit


def skipped(log: Log) -> Iterable[int]:
    """The epoch after 1 is called 3."""
    log.epoch, log.entries[2], log.trees[2] = 2, list(log.entries[1]), log.trees[1]
    seq = log.reset()
    del log.entries[2], log.trees[2]
    log.adopt_again()
    log.look()
    return (seq,)


def _fraud(name: str, what: str, codes: set[str], tale: Tale, forger: Forger = Forger.NODE) -> Fraud:
    return Fraud(name, what, forger, frozenset(codes), lived(tale, inplace="lost", region="GR"))


FRAUDS = (
    _fraud(
        "reset-charges-too-little",
        "A reset left one nano-rho of the cohort's budget.",
        {"reset_charge"},
        charges_too_little,
    ),
    _fraud(
        "reset-to-an-older-size",
        "A reset stands on a smaller log than was witnessed.",
        {"reset_size"},
        older_size,
        Forger.NODE_AND_WITNESSES,
    ),
    _fraud(
        "reset-unwitnessed",
        "An epoch was opened and spent from, and no witness was told.",
        {"unwitnessed"},
        unwitnessed,
    ),
    _fraud(
        "epoch-reopened",
        "The closed epoch went on after the reset.",
        {"epoch_reopened"},
        reopened,
        Forger.NODE_AND_WITNESSES,
    ),
    _fraud("epoch-skipped", "The epoch after 1 calls itself 3.", {"epoch"}, skipped),
)
