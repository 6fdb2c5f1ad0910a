"""Cheating about who may: policies, rosters, codebooks and programmes that nobody entitled has signed."""

from __future__ import annotations

from collections.abc import Iterable

from audit.practise import papers
from audit.practise.fraud import Forger, Fraud, Tale, lived
from audit.practise.log import Log
from audit.practise.papers import CALENDAR, CODEBOOK, Values, paper
from audit.practise.people import DAY_S

WIDE = ("5", "6")


def _wide(log: Log) -> Values:
    return papers.policy(log.region, 7, *WIDE)


def cap_unsigned(log: Log) -> Iterable[int]:
    return (log.adopt("policy", "7", paper("policy", _wide(log))),)


def cap_by_the_node(log: Log) -> Iterable[int]:
    return (log.adopt("policy", "7", paper("policy", _wide(log), log.who.signing)),)


def cap_by_a_stranger(log: Log) -> Iterable[int]:
    return (log.adopt("policy", "7", paper("policy", _wide(log), log.study.people.stranger.signing)),)


def policy_of_another(log: Log) -> Iterable[int]:
    return (log.adopt("policy", "7", log.study.policy("GR", 7, *WIDE)),)


def policy_unreadable(log: Log) -> Iterable[int]:
    """The steward signed a policy with a rule that no version knows."""
    body = papers.policy(log.region, 7, "1.2", "1.5") | {"exempt": ["outcomes"]}
    signed = paper("policy", body, log.study.people.regions[log.region].keys["steward"])
    return (log.adopt("policy", "7", signed),)


def no_calendar(log: Log) -> Iterable[int]:
    """Everything but the calendar is adopted, and a programme answered."""
    log.open()
    study = log.study
    log.adopt("roster", "1", study.rosters[0])
    log.adopt("codebook", CODEBOOK, study.codebook)
    log.adopt("policy", "1", study.policy(log.region, 1, "1.2", "1.5"))
    log.load()
    log.look()
    asked = study.programme("no_calendar")
    log.ask(asked)
    return (log.spend(asked),)


def no_policy(log: Log) -> Iterable[int]:
    """Everything but the policy is adopted, and a programme answered."""
    log.open()
    study = log.study
    log.adopt("roster", "1", study.rosters[0])
    log.adopt("calendar", CALENDAR, study.calendar)
    log.adopt("codebook", CODEBOOK, study.codebook)
    log.load()
    log.look()
    asked = study.programme("no_policy")
    log.ask(asked)
    return (log.spend(asked),)


def policy_withheld(log: Log) -> Iterable[int]:
    """Adopted, and not shown."""
    seq = log.adopt("policy", "7", log.study.policy(log.region, 7, *WIDE))
    log.papers.pop()
    log.look()
    return (seq,)


def policy_back_dated(log: Log) -> Iterable[int]:
    """Dated an hour before the checkpoint that does not have it yet."""
    log.wait(3600)
    log.look()
    wide = log.study.policy(log.region, 7, *WIDE)
    log.cite(wide)
    log.policy = wide
    seq = log.write("adopted", time=log.now - 1800, kind="policy", name="7", hash=wide.digest)
    log.look()
    return (seq,)


def entry_back_dated(log: Log) -> Iterable[int]:
    asked = log.study.programme("dated_back")
    log.ask(asked)
    seq = log.write(
        "refused", time=log.now - DAY_S, programme=asked.digest, run=log.study.run(asked.digest), reason="late"
    )
    log.look()
    return (seq,)


def entry_post_dated(log: Log) -> Iterable[int]:
    """Dated an hour after its checkpoint was cosigned."""
    asked = log.study.programme("dated_ahead")
    log.ask(asked)
    seq = log.write(
        "refused", time=log.now + 3600, programme=asked.digest, run=log.study.run(asked.digest), reason="late"
    )
    log.look()
    log.wait(4000)
    return (seq,)


def extra_witness(log: Log) -> Iterable[int]:
    """A roster with one more witness, signed by the node; the new witness cosigns in place of the auditor."""
    people = log.study.people
    body = papers.roster(people, 9, log.now, people.stranger)
    adopted = log.adopt("roster", "9", paper("roster", body, log.who.signing))
    asked = log.study.programme("own_witness")
    log.ask(asked)
    debit = log.debit(asked)
    log.look(people.desk, people.stranger)
    log.answer(asked, debit)
    log.look(people.desk, people.stranger)
    return (adopted,)


def roster_back(log: Log) -> Iterable[int]:
    """The first roster again, on which the researcher was not revoked."""
    return (log.adopt("roster", "1", log.study.rosters[0]),)


def codebook_swapped(log: Log) -> Iterable[int]:
    """A codebook of the same name that counts one adult only, signed by the node."""
    body = papers.codebook() | {"caps": {"adults": 1, "children": 3}}
    return (log.adopt("codebook", CODEBOOK, paper("codebook", body, log.who.signing)),)


def calendar_swapped(log: Log) -> Iterable[int]:
    """A calendar with FR in both groups' cohort, signed by the node."""
    body = papers.calendar() | {"calendar": {"id": "madeup_rotation", "version": 2, "labels": papers.labels("x", "x")}}
    return (log.adopt("calendar", "madeup_rotation@2", paper("calendar", body, log.who.signing)),)


def _fraud(
    name: str, what: str, codes: set[str], tale: Tale, behind: str = "first", forger: Forger = Forger.NODE
) -> Fraud:
    return Fraud(name, what, forger, frozenset(codes), lived(tale, behind=behind))


FRAUDS = (
    _fraud(
        "cap-raised-unsigned",
        "A policy with wider caps came into force without any signature.",
        {"document.unsigned"},
        cap_unsigned,
    ),
    _fraud(
        "cap-raised-by-node",
        "A policy with wider caps is signed by the node, not by the steward.",
        {"document.unsigned"},
        cap_by_the_node,
    ),
    _fraud(
        "cap-raised-by-stranger",
        "A policy with wider caps is signed by a key on no roster.",
        {"document.unsigned"},
        cap_by_a_stranger,
    ),
    _fraud(
        "policy-of-another-region",
        "The policy of region GR came into force in region FR.",
        {"policy.region"},
        policy_of_another,
    ),
    _fraud(
        "policy-withheld",
        "A policy came into force that is not in the evidence.",
        {"document.missing"},
        policy_withheld,
    ),
    _fraud(
        "policy-unreadable",
        "A policy with a rule that no version knows came into force.",
        {"document.unreadable"},
        policy_unreadable,
        forger=Forger.NODE_AND_STEWARD,
    ),
    Fraud(
        "without-a-calendar",
        "A programme was answered while nobody had said whose turn it was.",
        Forger.NODE,
        frozenset({"calendar.none"}),
        lived(no_calendar, inplace="opening"),
    ),
    Fraud(
        "without-a-policy",
        "A programme was answered before the steward had signed any policy.",
        Forger.NODE,
        frozenset({"money.no_policy"}),
        lived(no_policy, inplace="opening"),
    ),
    _fraud(
        "policy-back-dated",
        "A policy is dated before a checkpoint that does not have it.",
        {"clock.early"},
        policy_back_dated,
    ),
    _fraud("entry-back-dated", "An entry is dated a day before the one before it.", {"entry.time"}, entry_back_dated),
    _fraud(
        "entry-post-dated",
        "An entry is dated an hour after its checkpoint was cosigned.",
        {"clock.late"},
        entry_post_dated,
    ),
    _fraud(
        "extra-witness",
        "The node signed a roster with a witness of its own, who then cosigned.",
        {"document.unsigned"},
        extra_witness,
    ),
    _fraud(
        "roster-back",
        "An older roster came into force again, with a revoked researcher on it.",
        {"roster.older"},
        roster_back,
        "roster",
    ),
    _fraud(
        "codebook-swapped",
        "A codebook with a smaller cap is signed by the node, not by the consortium.",
        {"document.unsigned"},
        codebook_swapped,
    ),
    _fraud(
        "calendar-swapped",
        "A calendar is signed by the node, not by the consortium.",
        {"document.unsigned"},
        calendar_swapped,
    ),
)
