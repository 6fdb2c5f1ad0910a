"""Cheating about the steward's word, where the policy in force asks for it."""

from __future__ import annotations

from collections.abc import Iterable

from audit.practise import papers
from audit.practise.fraud import Forger, Fraud, Tale, lived
from audit.practise.log import Log
from audit.practise.papers import paper


def missing(log: Log) -> Iterable[int]:
    asked = log.study.programme("unapproved")
    log.ask(asked)
    return (log.spend(asked),)


def too_late(log: Log) -> Iterable[int]:
    asked = log.study.programme("approved_late")
    log.ask(asked)
    debit = log.spend(asked)
    late = log.approve(asked)
    log.look()
    return debit, late


def of_another(log: Log) -> Iterable[int]:
    """The approval that is cited is of a programme that was approved before."""
    asked, other = log.study.programme("not_this_one"), log.study.programme("approved_one")
    said = log.study.approval(log.region, other, log.now)
    log.ask(asked)
    log.cite(said)
    approved = log.write("approved", programme=asked.digest, approval=said.digest)
    return approved, log.spend(asked)


def by_another_key(log: Log) -> Iterable[int]:
    """The node says yes in its steward's place."""
    asked = log.study.programme("approved_by_node")
    said = paper("approval", papers.approval(log.region, asked.digest, log.now), log.who.signing)
    log.ask(asked)
    log.cite(said)
    approved = log.write("approved", programme=asked.digest, approval=said.digest)
    return approved, log.spend(asked)


def of_another_region(log: Log) -> Iterable[int]:
    """The steward of GR said yes; the one of FR was not asked."""
    asked = log.study.programme("approved_elsewhere")
    said = log.study.approval("GR", asked, log.now)
    log.ask(asked)
    log.cite(said)
    approved = log.write("approved", programme=asked.digest, approval=said.digest)
    return approved, log.spend(asked)


def declined(log: Log) -> Iterable[int]:
    asked = log.study.programme("declined_first")
    log.ask(asked)
    log.approve(asked)
    log.approve(asked, "purpose")
    return (log.spend(asked),)


def no_as_yes(log: Log) -> Iterable[int]:
    """The entry says approved; the signed paper says no."""
    asked = log.study.programme("no_as_yes")
    said = log.study.approval(log.region, asked, log.now, "purpose")
    log.ask(asked)
    log.cite(said)
    approved = log.write("approved", programme=asked.digest, approval=said.digest)
    return approved, log.spend(asked)


def signed_later(log: Log) -> Iterable[int]:
    """The steward signed an hour after the entry that says so."""
    asked = log.study.programme("signed_later")
    said = log.study.approval(log.region, asked, log.now + 3600)
    log.ask(asked)
    log.cite(said)
    approved = log.write("approved", programme=asked.digest, approval=said.digest)
    log.spend(asked)
    return (approved,)


def _fraud(name: str, what: str, tale: Tale, code: str = "approval.missing") -> Fraud:
    return Fraud(name, what, Forger.NODE, frozenset({code}), lived(tale, behind="approved"))


FRAUDS = (
    _fraud("approval-missing", "A programme was charged without the steward's yes.", missing),
    _fraud("approval-too-late", "The steward's yes came after the debit.", too_late),
    _fraud(
        "approval-of-another-programme", "The yes that is cited is for another programme.", of_another, "approval.other"
    ),
    _fraud(
        "approval-by-another-key",
        "The yes is signed by the node, not by the steward.",
        by_another_key,
        "document.unsigned",
    ),
    _fraud(
        "approval-of-another-region",
        "The yes is signed by another region's steward.",
        of_another_region,
        "document.unsigned",
    ),
    _fraud(
        "declined-then-charged",
        "The steward said no at last, and the programme was charged.",
        declined,
        "approval.declined",
    ),
    _fraud("no-as-yes", "The log says yes where the steward's signed paper says no.", no_as_yes, "approval.other"),
    _fraud(
        "approval-signed-later", "The steward's yes was signed an hour after its entry.", signed_later, "approval.later"
    ),
)
