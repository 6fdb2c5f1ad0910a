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


def by_another_policy(log: Log) -> Iterable[int]:
    """The caps that count as spent are those of a policy that was no longer in force."""
    narrow = log.policy
    log.adopt("policy", "2", log.study.policy(log.region, 2, "0.7", "1.0"))
    log.look()
    log.policy = narrow
    seq = log.reset()
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


def reopened(log: Log) -> Iterable[int | str]:
    """After the reset the closed epoch goes on."""
    before, lifetime = dict(log.cohorts), log.lifetime
    seq = log.reset()
    after, all_of_it = log.cohorts, log.lifetime
    log.adopt_again()
    log.look()
    log.wait(3600)
    log.epoch, log.cohorts, log.lifetime = 1, before, lifetime
    asked = log.study.programme("reopened")
    first = log.place(log.ask(asked))
    log.spend(asked)
    log.epoch, log.cohorts, log.lifetime = 2, after, all_of_it
    return seq, first


def misnamed(log: Log) -> Iterable[int]:
    """The reset says that it opens epoch 3; its log is called 2."""
    seq = log.reset(called=3)
    log.adopt_again()
    log.look()
    return (seq,)


def opened_anew(log: Log) -> Iterable[int]:
    """A new log that begins as if there had been none before, with all its budget."""
    log.open(epoch=2)
    log.cohorts, log.lifetime = {}, 0
    log.adopt_again()
    log.look()
    return (0,)


def _fraud(name: str, what: str, codes: set[str], tale: Tale, forger: Forger = Forger.NODE) -> Fraud:
    return Fraud(name, what, forger, frozenset(codes), lived(tale, inplace="lost", region="GR"))


FRAUDS = (
    _fraud(
        "reset-charges-too-little",
        "A reset left one nano-rho of the cohort's budget.",
        {"reset.cheap"},
        charges_too_little,
    ),
    _fraud(
        "reset-to-an-older-size",
        "A reset stands on a smaller log than was witnessed.",
        {"reset.forgets"},
        older_size,
        Forger.NODE_AND_WITNESSES,
    ),
    _fraud(
        "reset-unwitnessed",
        "An epoch was opened and spent from, and no witness was told.",
        {"witness.missing"},
        unwitnessed,
    ),
    _fraud(
        "epoch-reopened",
        "The closed epoch went on after the reset.",
        {"reset.reopened"},
        reopened,
        Forger.NODE_AND_WITNESSES,
    ),
    _fraud("epoch-misnamed", "A reset says that it opens epoch 3; its log is called 2.", {"reset.epoch"}, misnamed),
    _fraud(
        "epoch-opened-anew",
        "A second log begins as if there had been none, with all of the budget.",
        {"entry.beginning"},
        opened_anew,
        Forger.NODE_AND_WITNESSES,
    ),
    _fraud(
        "reset-by-another-policy",
        "A reset charges the caps of a policy that was no longer in force.",
        {"reset.policy"},
        by_another_policy,
    ),
)
