"""Cheating about what regions before this one had spent, and about in how many cohorts a household may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rondgang.canonical import Json
from rondgang.signed import Signed

from audit.practise import papers
from audit.practise.fraud import Forger, Fraud, Tale, lived
from audit.practise.log import Log
from audit.practise.papers import COHORT, NANO, OTHER_COHORT, Values, paper
from audit.practise.people import DAY_S, START
from audit.practise.study import Study

_SINCE = START - 10 * DAY_S
_TENTH = NANO // 10
Amounts = tuple[Mapping[str, str], str]
"""In rho: of each cohort, and over the lifetime."""


def merged(study: Study, spent: Mapping[str, Amounts | None], version: int = 2) -> Signed:
    """A calendar in which FR was formed of these regions; None: what that one had spent is not stated."""
    body = papers.calendar()
    match body:
        case {"regions": dict(regions), "cohorts": {"c1": {"expected": dict(expected)}}}:
            for code in spent:
                regions[code] = {"name": papers.labels(code, code), "group": "A", "until": _SINCE - 1}
                expected.pop(code, None)
            stated: Values = {code: _final(amounts) for code, amounts in spent.items() if amounts is not None}
            formed: list[Json] = list(spent)
            name = papers.labels("FR", "FR")
            regions["FR"] = {
                "name": name,
                "since": _SINCE,
                "formed_of": formed,
                **({"spent": stated} if stated else {}),
            }
        case _:
            raise ValueError("not the calendar")
    body |= {"calendar": {"id": "madeup_rotation", "version": version, "labels": papers.labels("verzonnen", "made up")}}
    return paper("calendar", body, study.people.consortium)


def _final(amounts: Amounts) -> Json:
    cohorts, lifetime = amounts
    return {"cohorts": dict[str, Json](cohorts), "lifetime": lifetime}


def _adopted(log: Log, spent: Mapping[str, Amounts | None]) -> Signed:
    calendar = merged(log.study, spent)
    log.adopt("calendar", "madeup_rotation@2", calendar)
    return calendar


def _spends(log: Log, name: str) -> int:
    asked = log.study.programme(name)
    log.ask(asked)
    return log.spend(asked)


BEFORE: dict[str, Amounts | None] = {
    "FA": ({COHORT: "0.1"}, "0.3"),
    "FB": ({COHORT: "0.05", OTHER_COHORT: "0.2"}, "0.25"),
}
TAKEN = {COHORT: _TENTH, OTHER_COHORT: 2 * _TENTH}
TAKEN_LIFETIME = 3 * _TENTH


def nothing_taken_over(log: Log) -> Iterable[int]:
    _adopted(log, BEFORE)
    return (_spends(log, "nothing_taken_over"),)


def before_it_is_stated(log: Log) -> Iterable[int]:
    """The calendar does not say yet what one of the two had spent."""
    _adopted(log, BEFORE | {"FB": None})
    return (_spends(log, "before_it_is_stated"),)


def a_correction_left_out(log: Log) -> Iterable[int]:
    """A later calendar states more, and what is more was not taken over."""
    log.inherit(_adopted(log, BEFORE), TAKEN, TAKEN_LIFETIME)
    corrected = merged(log.study, BEFORE | {"FA": ({COHORT: "0.100000001"}, "0.3")}, 3)
    log.adopt("calendar", "madeup_rotation@3", corrected)
    return (_spends(log, "a_correction_left_out"),)


def _taken(cohorts: Mapping[str, int], lifetime: int) -> Tale:
    """A tale in which other amounts are taken over than the calendar states."""

    def tale(log: Log) -> Iterable[int]:
        seq = log.inherit(_adopted(log, BEFORE), cohorts, lifetime)
        _spends(log, "less_taken_over")
        return (seq,)

    return tale


def by_an_older_calendar(log: Log) -> Iterable[int]:
    older = _adopted(log, BEFORE)
    log.adopt("calendar", "madeup_rotation@3", merged(log.study, BEFORE, 3))
    return (log.inherit(older, TAKEN, TAKEN_LIFETIME),)


def less_than_its_own_log(log: Log) -> Iterable[int]:
    """The calendar says that GR was merged into FR, and that it had spent less than its own log shows."""
    return (log.inherit(_adopted(log, {"GR": ({COHORT: "0.1"}, "0.1")}), {COHORT: _TENTH}, _TENTH),)


def _policy(log: Log, version: int, **more: Json) -> int:
    signed = log.study.policy(log.region, version, "1.2", "1.5", **more)
    return log.adopt("policy", str(version), signed)


def fewer_cohorts_afterwards(log: Log) -> Iterable[int]:
    """Data of two cohorts are there, and a new policy says that a household is in one at most."""
    log.load(cohort=OTHER_COHORT)
    return (_policy(log, 7, households={"most_cohorts": 1}),)


def over_the_dearest(log: Log) -> Iterable[int]:
    """A household is in one cohort at most, and that one alone cost more than the lifetime cap."""
    log.adopt("policy", "7", log.study.policy(log.region, 7, "1.2", "0.15", households={"most_cohorts": 1}))
    return (_spends(log, "over_the_dearest"),)


def _fraud(name: str, what: str, code: str, tale: Tale, forger: Forger = Forger.NODE) -> Fraud:
    return Fraud(name, what, forger, frozenset({code}), lived(tale, behind="first"))


FRAUDS = (
    _fraud(
        "nothing-taken-over",
        "A merged region spent, and what the regions before it had spent was never taken over.",
        "inherited.missing",
        nothing_taken_over,
    ),
    _fraud(
        "spent-before-it-was-stated",
        "A merged region spent before the calendar said what one of the regions before it had spent.",
        "inherited.missing",
        before_it_is_stated,
    ),
    _fraud(
        "correction-left-out",
        "A later calendar states one nano-rho more, and the region spent without taking that over.",
        "inherited.missing",
        a_correction_left_out,
    ),
    _fraud(
        "cohort-taken-over-too-low",
        "One nano-rho less of a cohort was taken over than the calendar states.",
        "inherited.amount",
        _taken(TAKEN | {COHORT: _TENTH - 1}, TAKEN_LIFETIME),
    ),
    _fraud(
        "cohort-not-taken-over",
        "One cohort of the regions before was left out.",
        "inherited.amount",
        _taken({COHORT: _TENTH}, TAKEN_LIFETIME),
    ),
    _fraud(
        "lifetime-taken-over-too-low",
        "One nano-rho less of the lifetime was taken over than the calendar states.",
        "inherited.amount",
        _taken(TAKEN, TAKEN_LIFETIME - 1),
    ),
    _fraud(
        "taken-over-by-an-older-calendar",
        "What was taken over is by a calendar that was no longer in force.",
        "inherited.amount",
        by_an_older_calendar,
    ),
    _fraud(
        "merged-region-had-spent-more",
        "The calendar states less for a merged region than that region's own log shows.",
        "inherited.less",
        less_than_its_own_log,
        Forger.NODE_AND_CONSORTIUM,
    ),
    _fraud(
        "fewer-cohorts-promised-afterwards",
        "A policy lets a household be in one cohort, when data of two are there already.",
        "policy.households",
        fewer_cohorts_afterwards,
        Forger.NODE_AND_STEWARD,
    ),
    _fraud(
        "over-the-dearest-cohort",
        "Only the dearest cohort counts over the lifetime, and that one is over its cap.",
        "money.lifetime_cap",
        over_the_dearest,
    ),
)
