"""What the desk answers to a researcher. Values in, values out; the service puts them on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeVar

from rondgang.roles import Role
from rondgang.signed import Signed

from coordinator.admission import Admitted, admit_programme
from coordinator.attendance.lines import Lines, QuoteOut
from coordinator.desk.past import Asked, Wanted, result_row
from coordinator.desk.runs import Answered, Runs
from coordinator.desk.views import (
    Decision,
    Prices,
    Progress,
    RegionPrice,
    RegionView,
    Results,
    StudyDocuments,
    Submitted,
)
from coordinator.errors import UnknownCodebook
from coordinator.estimates import trends
from coordinator.estimates.covers import final_after
from coordinator.estimates.found import Earlier
from coordinator.estimates.history import Past, comparable, earlier
from coordinator.gather import TEMPORARY
from coordinator.study import Study
from coordinator.table import read_texts
from policies.documents import Document, from_canonical
from policies.rules.refusals import Reason, Refused
from policies.secure.rounds import NationalSum
from policies.statistics.answer import Answer
from policies.statistics.programme import Programme
from policies.statistics.published import shipped
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

D = TypeVar("D", bound=Document)
Estimate = Callable[
    [str, Programme, Codebook, Calendar, Mapping[str, Answer], NationalSum | None, tuple[Earlier, ...], bool], bytes
]
"""Run, programme, codebook, calendar, answers by region, the national sums, figures of earlier cohorts, whether nothing
is asked any more -> the rows as a JSON array of objects."""
EarlierRuns = Callable[[Wanted], tuple[Past, ...]]
"""The finished runs whose programme is wanted, in one transaction."""


class Front:
    """The desk as a researcher sees it. Who may ask is settled before."""

    def __init__(
        self,
        runs: Runs,
        lines: Lines,
        study: Callable[[], Study],
        clock: Callable[[], int],
        estimate: Estimate,
        past: EarlierRuns,
        quote_timeout_s: float,
    ) -> None:
        self._runs = runs
        self._lines = lines
        self._study = study
        self._clock = clock
        self._estimate = estimate
        self._past = past
        self._quote_timeout_s = quote_timeout_s

    def study(self, label: str) -> StudyDocuments:
        """The documents in force; of the codebooks the one called `label`, or all. Raises `UnknownCodebook`."""
        study = self._study()
        if label and label not in study.codebooks:
            raise UnknownCodebook(label)
        books = [book.data for name, book in study.codebooks.items() if label in ("", name)]
        return StudyDocuments(study.roster.data, study.calendar.data, tuple(books))

    async def regions(self) -> tuple[RegionView, ...]:
        """Every region that the roster lists with a certificate in force, by code."""
        study, seen, now = self._study(), await self._runs.seen(), self._clock()
        members = study.roster.document.members
        codes = {one.region for one in members if one.role is Role.REGION and one.region and one.live(now)}
        views = []
        for code in sorted(codes):
            last, here = seen.get(code), code in self._lines.attending
            views.append(
                RegionView(
                    code,
                    here,
                    now if here else None if last is None else last.last_seen,
                    "" if last is None else last.software,
                    last is not None and last.roster_hash == study.roster.digest,
                    last is not None and last.calendar_hash == study.calendar.digest,
                )
            )
        return tuple(views)

    async def price(self, data: bytes, quote: str) -> Prices | Refused:
        """What each region of a signed programme would say. No data is touched and nothing is spent."""
        admitted = admit_programme(data, self._study(), self._clock())
        if isinstance(admitted, Refused):
            return admitted
        asked = QuoteOut(quote, data)
        found = await self._lines.quotes(asked, admitted.programme.regions, self._quote_timeout_s)
        regions = []
        for region in admitted.programme.regions:
            quoted = found.get(region)
            if quoted is None:
                regions.append(RegionPrice(region, "away"))
                continue
            amounts = (quoted.charge, quoted.left_cohort, quoted.left_lifetime)
            regions.append(RegionPrice(region, _said(quoted.refused), quoted.refused, *amounts, quoted.test_only))
        return Prices(tuple(regions), await self._runs.run_of(admitted.digest))

    async def submit(self, data: bytes, again: bool) -> Submitted | Refused:
        """Opens the run of a signed programme, or asks anew in the one it has. Durable on return."""
        study, now = self._study(), self._clock()
        admitted = admit_programme(data, study, now)
        if isinstance(admitted, Refused):
            return admitted
        return _window(admitted, study, now) or await self._runs.submit(admitted, again)

    def watch(self, run: str) -> AsyncIterator[Progress]:
        """Progress of a run at every change, until it is complete or closed. Raises `UnknownRun`."""
        return self._runs.watch(run)

    async def results(self, run: str) -> Results | Refused:
        """The estimates of a run so far, and what they rest on: signed answers and sums. Raises `UnknownRun`."""
        found = await self._runs.answered(run)
        documents = self._documents(found.programme)
        if isinstance(documents, Refused):
            return documents
        asked = found.programme
        past = await self._runs.stored(lambda: self._past(lambda other: _carries(asked, other, documents[1])))
        rows = await asyncio.to_thread(self._rows, run, found, *documents, past)
        data = tuple(found.answers.values())
        return Results(run, found.state, found.signed.to_bytes(), rows, data, found.signed_sum)

    async def trends(self, run: str) -> bytes | Refused:
        """The statistics of a run over the cohorts, as a JSON array of objects. Raises `UnknownRun`."""
        found = await self._runs.answered(run)
        results, documents = await self.results(run), self._documents(found.programme)
        if isinstance(results, Refused):
            return results
        if isinstance(documents, Refused):
            return documents
        codebook, calendar = documents
        asked = found.programme
        past = await self._runs.stored(lambda: self._past(lambda other: comparable(asked.programme, other)))

        def made() -> bytes:
            rows = tuple(result_row(row) for row in read_texts(results.rows_json))
            now = Past(run, 0, asked, codebook, rows)
            return trends.to_json(trends.trends(now, past, shipped(), calendar)).encode("utf-8")

        return await asyncio.to_thread(made)

    def _documents(self, asked: Programme) -> tuple[Codebook, Calendar] | Refused:
        """The codebook and the calendar of a programme, as long as the desk works by them."""
        study = self._study()
        codebook, calendar = study.codebook(asked.codebook_hash), study.calendar.document
        if codebook is None or asked.programme.cohort not in calendar.cohorts:
            return Refused(
                Reason.CODEBOOK_MISMATCH, "The desk no longer works by the documents of this run. Adopt them again."
            )
        return codebook, calendar

    def _rows(self, run: str, found: Answered, codebook: Codebook, calendar: Calendar, past: tuple[Past, ...]) -> bytes:
        answers = {region: _document(Answer, data) for region, data in found.answers.items()}
        national = None if found.signed_sum is None else _document(NationalSum, found.signed_sum)
        carried = earlier(found.programme, codebook, calendar, past, shipped())
        final = self._clock() > final_after(found.programme, calendar)
        return self._estimate(run, found.programme, codebook, calendar, answers, national, carried, final)


def _document(model: type[D], data: bytes) -> D:
    return from_canonical(model, Signed.from_bytes(data).document)


def _said(refused: Refused | None) -> Decision:
    if refused is None:
        return "granted"
    return "pending" if refused.reason in TEMPORARY else "refused"


def _window(admitted: Admitted, study: Study, now: int) -> Refused | None:
    cohort = admitted.programme.programme.cohort
    if study.calendar.document.cohorts[cohort].open(now):
        return None
    return Refused(
        Reason.OUTSIDE_WINDOW,
        f"The release window of cohort {cohort} is not open. See `rondgang coordinator calendar`.",
    )


def _carries(asked: Programme, other: Asked, calendar: Calendar) -> bool:
    """Whether a run may hold figures of an earlier cohort for another one."""
    known, cohort = calendar.cohorts.get(other.cohort), calendar.cohorts[asked.programme.cohort]
    return known is not None and known.begin < cohort.begin and comparable(asked.programme, other)
