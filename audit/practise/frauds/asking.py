"""Cheating about what may be asked here: programmes, orders and runs that should have been refused."""

from __future__ import annotations

from collections.abc import Iterable

from rondgang.canonical import Json
from rondgang.signed import Signed

from audit.practise import papers
from audit.practise.fraud import Forger, Fraud, Tale, and_answer, lived
from audit.practise.log import Log
from audit.practise.papers import CODEBOOK, OTHER_COHORT, paper
from audit.practise.people import DAY_S, START


def _spent(name: str, **changes: Json) -> Tale:
    """A tale in which a programme that may not be answered here is, with the steward's yes."""

    def tale(log: Log) -> Iterable[int]:
        asked = log.study.programme(name, **changes)
        log.ask(asked)
        log.approve(asked)
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


def _ruled(name: str, **rule: Json) -> Tale:
    """A tale in which the steward's policy forbids something, and it is answered all the same."""

    def tale(log: Log) -> Iterable[int]:
        log.adopt("policy", "7", log.study.policy(log.region, 7, "1.2", "1.5", **rule))
        asked = log.study.programme(name)
        log.ask(asked)
        return (log.spend(asked),)

    return tale


def crossed(log: Log) -> Iterable[int]:
    """Help is counted by profile, which the policy forbids."""
    log.adopt("policy", "7", log.study.policy(log.region, 7, "1.2", "1.5", forbidden_crossings=[["help", "profile"]]))
    blocks = [papers.block("n1", 6, 1, 20_000_003)]
    table: Json = {"id": "households", "kind": "count", "unit": "household", "wave": "T1", "by": ["help@T1", "profile"]}
    asked = log.study.programme(
        "forbidden_crossing",
        statistics=[table],
        blocks=[*blocks],
        charge={"rho": str(papers.price(blocks))},
    )
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


def after_its_end(log: Log) -> Iterable[int]:
    """By a calendar that the consortium signed, FR ended a minute ago, and another region came of it."""
    body = papers.calendar()
    match body:
        case {"regions": dict(regions)}:
            heir: Json = {"name": papers.labels("FS", "FS"), "formed_of": ["FR"], "since": log.now - 60}
            gone: Json = {"name": papers.labels("FR", "FR"), "group": "A", "until": log.now - 61}
            body |= {"regions": {**regions, "FR": gone, "FS": heir}}
        case _:
            raise ValueError("not the calendar")
    body |= {"calendar": {"id": "madeup_rotation", "version": 2, "labels": papers.labels("verzonnen", "made up")}}
    later = paper("calendar", body, log.study.people.consortium)
    log.adopt("calendar", "madeup_rotation@2", later)
    log.wait(3600)
    asked = log.study.programme("after_its_end", calendar_hash=later.digest)
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


def other_order(log: Log) -> Iterable[int]:
    """The order that is cited was for another programme."""
    asked, other = log.study.programme("not_ordered"), log.study.programme("outcomes")
    order = log.study.order(log.study.run(asked.digest), other, log.now)
    log.sent += [asked, order]
    log.cite(asked, order)
    seq = log.write(
        "asked",
        programme=asked.digest,
        run=log.study.run(asked.digest),
        researcher=log.study.people.researcher.signing.public.hex,
        order=order.digest,
    )
    log.spend(asked)
    return (seq,)


def other_researcher(log: Log) -> Iterable[int]:
    """The log says that somebody else asked."""
    asked = log.study.programme("somebody_else")
    run = log.study.run(asked.digest)
    order = log.study.order(run, asked, log.now)
    log.sent += [asked, order]
    log.cite(asked, order)
    leaver = log.study.people.leaver.signing.public.hex
    seq = log.write("asked", programme=asked.digest, run=run, researcher=leaver, order=order.digest)
    log.spend(asked)
    return (seq,)


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
        "other-codebook",
        "A programme was planned by a codebook that is not in force here.",
        {"codebook.other"},
        other_codebook,
        forger=_BOTH,
    ),
    _fraud(
        "off-rotation",
        "A cohort was answered that does not ask this region.",
        {"calendar.rotation"},
        _spent("off_rotation", programme=_ELSEWHERE, weights={"DR": 1000, "FR": 1000}),
        forger=_BOTH,
    ),
    Fraud(
        "not-in-the-weights",
        "A programme was answered that does not name this region.",
        _BOTH,
        frozenset({"calendar.rotation", "given.rotation"}),
        and_answer(lived(_spent("not_in_weights", weights={"GR": 1000}), behind="first"), 1),
    ),
    _fraud(
        "before-the-window",
        "A cohort was answered before its release window opened.",
        {"calendar.window"},
        before_the_window,
        forger=_BOTH,
    ),
    _fraud(
        "after-its-end",
        "A region answered that had ended, about households that were another region's by then.",
        {"calendar.region"},
        after_its_end,
        forger=_BOTH,
    ),
    _fraud(
        "after-the-deadline",
        "A programme was charged after its own deadline.",
        {"calendar.deadline"},
        _spent("after_deadline", programme=_LATE),
        "roster",
        forger=_BOTH,
    ),
    _fraud(
        "forbidden-kind",
        "A kind of statistic was answered that the policy does not allow.",
        {"policy.kind"},
        _ruled("forbidden_kind", statistics=["count"]),
    ),
    _fraud(
        "forbidden-variable",
        "A variable was used that the policy keeps to itself.",
        {"policy.variable"},
        _ruled("forbidden_variable", variables={"deny": ["safe"]}),
    ),
    _fraud(
        "forbidden-crossing",
        "Two variables were crossed that the policy keeps apart.",
        {"policy.crossing"},
        crossed,
        forger=_BOTH,
    ),
    _fraud(
        "programme-unsigned",
        "A programme was answered that nobody signed.",
        {"document.unsigned"},
        unsigned_programme,
    ),
    _fraud(
        "signature-moved",
        "The researcher's signature under one programme stands under another.",
        {"document.unsigned"},
        moved_signature,
    ),
    _fraud(
        "stranger-asks",
        "A programme was answered that a key on no roster signed.",
        {"document.unsigned"},
        stranger_asks,
    ),
    _fraud(
        "revoked-researcher",
        "A revoked researcher's programme was answered.",
        {"document.unsigned"},
        revoked_researcher,
        "roster",
        forger=_BOTH,
    ),
    _fraud(
        "order-by-a-stranger",
        "The order of an answered programme is not signed by the coordinator.",
        {"document.unsigned"},
        order_by_a_stranger,
    ),
    _fraud("one-run-for-two", "Two programmes were answered under one run.", {"run.two_programmes"}, one_run_twice),
    _fraud("order-of-another", "The order that is cited was for another programme.", {"asked.order"}, other_order),
    _fraud(
        "somebody-else-asked",
        "The log names another researcher than the one who signed.",
        {"asked.researcher"},
        other_researcher,
    ),
    _fraud(
        "for-tests-alone",
        "A programme for tests alone was answered by a region that is not.",
        {"test_only.mixed"},
        _spent("for_tests_alone", programme=_heading("for_tests_alone", test_only=True)),
        forger=_BOTH,
    ),
)
