"""Cheating about who may: policies, rosters, codebooks and programmes that nobody entitled has signed."""

from __future__ import annotations

from collections.abc import Iterable

from rondgang.canonical import Json
from rondgang.signed import Signed

from audit.practise import papers
from audit.practise.fraud import Forger, Fraud, Tale, lived
from audit.practise.log import Log
from audit.practise.papers import CODEBOOK, OTHER_COHORT, Values, paper
from audit.practise.people import DAY_S, START

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


def _spent(name: str, **changes: Json) -> Tale:
    """A tale in which a programme that may not be answered here is."""

    def tale(log: Log) -> Iterable[int]:
        asked = log.study.programme(name, **changes)
        log.ask(asked)
        return (log.spend(asked),)

    return tale


def _heading(name: str, **changes: Json) -> Json:
    return {
        "id": name,
        "title": papers.labels(f"Verzonnen: {name}", f"Made up: {name}"),
        "purpose": "To have something to practise on",
        "requester": "Made-up researcher",
        "cohort": papers.COHORT,
        "codebook": CODEBOOK,
        "deadline": papers.DEADLINE,
        "data": "synthetic",
        **changes,
    }


def other_codebook(log: Log) -> Iterable[int]:
    """The programme was planned by a codebook that is not in force here."""
    later = paper("codebook", papers.codebook(2), log.study.people.consortium)
    log.cite(later)
    heading = _heading("other_codebook", codebook="madeup@2")
    asked = log.study.programme("other_codebook", programme=heading, codebook_hash=later.digest)
    log.ask(asked)
    return (log.spend(asked),)


def before_the_window(log: Log) -> Iterable[int]:
    """By a calendar that the consortium signed, the window opens ten days later."""
    body = papers.calendar()
    match body:
        case {"cohorts": {"c1": dict(cohort)}}:
            cohort["windows"] = {"release": [START + 20 * DAY_S, START + 180 * DAY_S]}
        case _:
            raise ValueError("not the calendar")
    body |= {"calendar": {"id": "madeup_rotation", "version": 2, "labels": papers.labels("verzonnen", "made up")}}
    later = paper("calendar", body, log.study.people.consortium)
    log.adopt("calendar", "madeup_rotation@2", later)
    asked = log.study.programme("before_the_window", calendar_hash=later.digest)
    log.ask(asked)
    return (log.spend(asked),)


def unsigned_programme(log: Log) -> Iterable[int]:
    body = log.study.programme_body("unsigned_one")
    return _foreign(log, paper("programme", body))


def moved_signature(log: Log) -> Iterable[int]:
    """The researcher's signature under another programme, put under this one."""
    signed = log.study.programme("outcomes")
    asked = paper("programme", log.study.programme_body("moved_signature"))
    return _foreign(log, Signed("programme", asked.document, signed.signatures))


def stranger_asks(log: Log) -> Iterable[int]:
    return _foreign(log, log.study.programme("stranger_asks", log.study.people.stranger.signing))


def _foreign(log: Log, asked: Signed) -> Iterable[int]:
    """Asked and answered although the signature under it is not a live researcher's. Two entries cite it."""
    return log.ask(asked), log.spend(asked)


def revoked_researcher(log: Log) -> Iterable[int]:
    """Signed by the researcher whom the roster in force calls revoked."""
    asked = log.study.programme("revoked_asks", log.study.people.leaver.signing)
    seq = log.ask(asked)
    log.approve(asked)
    return seq, log.spend(asked)


def order_by_a_stranger(log: Log) -> Iterable[int]:
    asked = log.study.programme("false_order")
    run = log.study.run(asked.digest)
    order = paper("order", papers.order(run, asked.digest, log.now), log.study.people.stranger.signing)
    log.sent += [asked, order]
    log.cite(asked, order)
    key = log.study.people.researcher.signing.public.hex
    seq = log.write("asked", programme=asked.digest, run=run, researcher=key, order=order.digest)
    debit = log.spend(asked)
    return seq, debit


def one_run_twice(log: Log) -> Iterable[int]:
    """Two programmes under one run."""
    one, two = log.study.programme("run_one"), log.study.programme("run_two")
    log.ask(one)
    log.spend(one)
    run = log.study.run(one.digest)
    asked = log.ask(two, run)
    debit = log.debit(two, wrong={"run": run})
    log.look()
    log.answer(two, debit)
    log.look()
    return asked, debit


def _fraud(
    name: str, what: str, codes: set[str], tale: Tale, behind: str = "first", forger: Forger = Forger.NODE
) -> Fraud:
    return Fraud(name, what, forger, frozenset(codes), lived(tale, behind=behind))


_BOTH = Forger.NODE_AND_RESEARCHER
_LATE = _heading("after_deadline", deadline=START + DAY_S)
_ELSEWHERE = _heading("off_rotation", cohort=OTHER_COHORT)

FRAUDS = (
    _fraud(
        "cap-raised-unsigned",
        "A policy with wider caps came into force without any signature.",
        {"policy_signature"},
        cap_unsigned,
    ),
    _fraud(
        "cap-raised-by-node",
        "A policy with wider caps is signed by the node, not by the steward.",
        {"policy_signature"},
        cap_by_the_node,
    ),
    _fraud(
        "cap-raised-by-stranger",
        "A policy with wider caps is signed by a key on no roster.",
        {"policy_signature"},
        cap_by_a_stranger,
    ),
    _fraud(
        "policy-of-another-region",
        "The policy of region GR came into force in region FR.",
        {"policy_region"},
        policy_of_another,
    ),
    _fraud(
        "policy-withheld",
        "A policy came into force that is not in the evidence.",
        {"missing_document"},
        policy_withheld,
    ),
    _fraud(
        "policy-back-dated", "A policy is dated before a checkpoint that does not have it.", {"time"}, policy_back_dated
    ),
    _fraud("entry-back-dated", "An entry is dated a day before the one before it.", {"time"}, entry_back_dated),
    _fraud(
        "entry-post-dated", "An entry is dated an hour after its checkpoint was cosigned.", {"time"}, entry_post_dated
    ),
    _fraud(
        "extra-witness",
        "The node signed a roster with a witness of its own, who then cosigned.",
        {"roster_signature"},
        extra_witness,
    ),
    _fraud(
        "roster-back",
        "An older roster came into force again, with a revoked researcher on it.",
        {"roster_serial"},
        roster_back,
        "roster",
    ),
    _fraud(
        "codebook-swapped",
        "A codebook with a smaller cap is signed by the node, not by the consortium.",
        {"codebook_signature"},
        codebook_swapped,
    ),
    _fraud(
        "calendar-swapped",
        "A calendar is signed by the node, not by the consortium.",
        {"calendar_signature"},
        calendar_swapped,
    ),
    _fraud(
        "other-codebook",
        "A programme was planned by a codebook that is not in force here.",
        {"codebook"},
        other_codebook,
        forger=_BOTH,
    ),
    _fraud(
        "off-rotation",
        "A cohort was answered that does not ask this region.",
        {"off_rotation"},
        _spent("off_rotation", programme=_ELSEWHERE, weights={"DR": 1000, "FR": 1000}),
        forger=_BOTH,
    ),
    _fraud(
        "not-in-the-weights",
        "A programme was answered that does not name this region.",
        {"off_rotation"},
        _spent("not_in_weights", weights={"GR": 1000}),
        forger=_BOTH,
    ),
    _fraud(
        "before-the-window",
        "A cohort was answered before its release window opened.",
        {"window"},
        before_the_window,
        forger=_BOTH,
    ),
    _fraud(
        "after-the-deadline",
        "A programme was charged after its own deadline.",
        {"deadline"},
        _spent("after_deadline", programme=_LATE),
        "roster",
        forger=_BOTH,
    ),
    _fraud(
        "programme-unsigned",
        "A programme was answered that nobody signed.",
        {"programme_signature"},
        unsigned_programme,
    ),
    _fraud(
        "signature-moved",
        "The researcher's signature under one programme stands under another.",
        {"programme_signature"},
        moved_signature,
    ),
    _fraud(
        "stranger-asks",
        "A programme was answered that a key on no roster signed.",
        {"programme_signature"},
        stranger_asks,
    ),
    _fraud(
        "revoked-researcher",
        "A revoked researcher's programme was answered.",
        {"programme_signature"},
        revoked_researcher,
        "roster",
        forger=_BOTH,
    ),
    _fraud(
        "order-by-a-stranger",
        "The order of an answered programme is not signed by the coordinator.",
        {"order_signature"},
        order_by_a_stranger,
    ),
    _fraud("one-run-for-two", "Two programmes were answered under one run.", {"run_twice"}, one_run_twice),
)
