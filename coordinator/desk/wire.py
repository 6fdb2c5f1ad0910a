"""Messages of the desk <-> the values of `coordinator.desk.views`, both ways."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar, get_args

from rondgang.v1 import desk_pb2

from coordinator.desk.views import (
    Decision,
    NationalProgress,
    Prices,
    Progress,
    RegionPrice,
    RegionProgress,
    RegionView,
    Results,
    StudyDocuments,
    Submitted,
)
from coordinator.gather import Asked, State
from coordinator.secure.national import Where
from policies.rules.refusals import Refused
from policies.units.exact import parse_digits
from policies.units.money import NanoRho
from policies.wire.refusals import refusal_from_wire, refusal_to_wire

E = TypeVar("E", bound=StrEnum)
_DECISIONS: dict[str, Decision] = {name: name for name in get_args(Decision)}


def region_to_wire(view: RegionView) -> desk_pb2.RegionState:
    return desk_pb2.RegionState(
        region=view.region,
        attending=view.attending,
        last_seen=view.last_seen or 0,
        software=view.software,
        roster_current=view.roster_current,
        calendar_current=view.calendar_current,
    )


def region_from_wire(message: desk_pb2.RegionState) -> RegionView:
    return RegionView(
        message.region,
        message.attending,
        message.last_seen or None,
        message.software,
        message.roster_current,
        message.calendar_current,
    )


def study_to_wire(documents: StudyDocuments) -> desk_pb2.StudyResponse:
    return desk_pb2.StudyResponse(
        signed_roster=documents.signed_roster,
        signed_calendar=documents.signed_calendar,
        signed_codebooks=documents.signed_codebooks,
    )


def study_from_wire(message: desk_pb2.StudyResponse) -> StudyDocuments:
    return StudyDocuments(message.signed_roster, message.signed_calendar, tuple(message.signed_codebooks))


def prices_to_wire(outcome: Prices | Refused) -> desk_pb2.PriceResponse:
    if isinstance(outcome, Refused):
        return desk_pb2.PriceResponse(refusal=refusal_to_wire(outcome))
    regions = [
        desk_pb2.RegionPrice(
            region=one.region,
            decision=one.decision,
            refusal=None if one.refused is None else refusal_to_wire(one.refused),
            left_cohort=_digits(one.left_cohort),
            left_lifetime=_digits(one.left_lifetime),
            charge=_digits(one.charge),
            test_only=one.test_only,
        )
        for one in outcome.regions
    ]
    return desk_pb2.PriceResponse(prices=desk_pb2.Prices(regions=regions, run=outcome.run or ""))


def prices_from_wire(message: desk_pb2.PriceResponse) -> Prices | Refused:
    if message.WhichOneof("outcome") != "prices":
        return refusal_from_wire(message.refusal)
    regions = tuple(
        RegionPrice(
            one.region,
            _DECISIONS.get(one.decision, "away"),
            refusal_from_wire(one.refusal) if one.HasField("refusal") else None,
            _amount(one.charge),
            _amount(one.left_cohort),
            _amount(one.left_lifetime),
            one.test_only,
        )
        for one in message.prices.regions
    )
    return Prices(regions, message.prices.run or None)


def submitted_to_wire(outcome: Submitted | Refused) -> desk_pb2.SubmitResponse:
    if isinstance(outcome, Refused):
        return desk_pb2.SubmitResponse(refusal=refusal_to_wire(outcome))
    return desk_pb2.SubmitResponse(run=outcome.run, existed=outcome.existed)


def submitted_from_wire(message: desk_pb2.SubmitResponse) -> Submitted | Refused:
    if message.WhichOneof("outcome") != "run":
        return refusal_from_wire(message.refusal)
    return Submitted(message.run, message.existed)


def progress_to_wire(progress: Progress) -> desk_pb2.WatchResponse:
    regions = [
        desk_pb2.RegionProgress(
            region=one.region,
            state=one.state.value,
            refusal=None if one.refused is None else refusal_to_wire(one.refused),
            repeats=one.same,
            conflicts=one.other,
            answered=one.answered,
        )
        for one in progress.regions
    ]
    national = progress.national
    return desk_pb2.WatchResponse(
        run=progress.run,
        state=progress.state.value,
        regions=regions,
        deadline=progress.deadline,
        national=None if national is None else _national_to_wire(national),
    )


def progress_from_wire(message: desk_pb2.WatchResponse) -> Progress:
    """States that a newer desk knows and this version does not read as those of a run that goes on."""
    regions = tuple(
        RegionProgress(
            one.region,
            _known(Asked, one.state, Asked.WAITING),
            refusal_from_wire(one.refusal) if one.HasField("refusal") else None,
            one.repeats,
            one.conflicts,
            one.answered,
        )
        for one in message.regions
    )
    national = _national_from_wire(message.national) if message.HasField("national") else None
    return Progress(message.run, _known(State, message.state, State.ASKING), regions, message.deadline, national)


def _national_to_wire(national: NationalProgress) -> desk_pb2.NationalProgress:
    return desk_pb2.NationalProgress(
        state=national.where.value,
        attempt=national.attempt,
        attempts=national.attempts,
        replied=national.replied,
        need=national.need,
        sentence=national.sentence,
        alone=national.alone,
    )


def _national_from_wire(message: desk_pb2.NationalProgress) -> NationalProgress:
    where = _known(Where, message.state, Where.WAITING)
    return NationalProgress(
        where, message.attempt, message.attempts, message.replied, message.need, message.sentence, message.alone
    )


def results_to_wire(outcome: Results | Refused) -> desk_pb2.ResultsResponse:
    if isinstance(outcome, Refused):
        return desk_pb2.ResultsResponse(refusal=refusal_to_wire(outcome))
    results = desk_pb2.Results(
        run=outcome.run,
        state=outcome.state.value,
        signed_programme=outcome.signed_programme,
        rows_json=outcome.rows_json,
        signed_answers=outcome.signed_answers,
        signed_sum=outcome.signed_sum or b"",
    )
    return desk_pb2.ResultsResponse(results=results)


def results_from_wire(message: desk_pb2.ResultsResponse) -> Results | Refused:
    """A state that a newer desk knows and this version does not reads as that of a run that goes on."""
    if message.WhichOneof("outcome") != "results":
        return refusal_from_wire(message.refusal)
    found = message.results
    answers, signed_sum = tuple(found.signed_answers), found.signed_sum or None
    state = _known(State, found.state, State.ASKING)
    return Results(found.run, state, found.signed_programme, found.rows_json, answers, signed_sum)


def trends_to_wire(outcome: bytes | Refused) -> desk_pb2.TrendsResponse:
    if isinstance(outcome, Refused):
        return desk_pb2.TrendsResponse(refusal=refusal_to_wire(outcome))
    return desk_pb2.TrendsResponse(rows_json=outcome)


def trends_from_wire(message: desk_pb2.TrendsResponse) -> bytes | Refused:
    return message.rows_json if message.WhichOneof("outcome") == "rows_json" else refusal_from_wire(message.refusal)


def _known(kind: type[E], text: str, otherwise: E) -> E:
    """What a newer desk says in a word of its own is read as `otherwise`; a session does not break on it."""
    return kind(text) if text in {one.value for one in kind} else otherwise


def _digits(amount: NanoRho | None) -> str:
    return "" if amount is None else str(amount.nano)


def _amount(text: str) -> NanoRho | None:
    return NanoRho(parse_digits(text)) if text else None
