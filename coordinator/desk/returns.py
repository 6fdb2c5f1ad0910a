"""What regions get back: once a run has closed, each region that took part is sent the national rows and its own.

A result is made once for each number of answers, and anew with the national sums. It is signed, stored, and sent until
the region says that it keeps it: at once where the region is on the line, else when it comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rondgang.keys import SigningKey
from rondgang.signed import Signed, sign

from coordinator.attendance.lines import Lines, ResultOut
from coordinator.desk.past import result_row
from coordinator.desk.runs import Runs
from coordinator.desk.views import Results
from coordinator.gather import State
from coordinator.log import fault, note
from coordinator.store.store import ResultBytes, Store
from coordinator.table import read_texts
from policies.documents import from_canonical, to_canonical
from policies.rules.refusals import Refused
from policies.rules.result import MOST_BYTES, NATIONAL, Result
from policies.secure.rounds import NationalSum
from policies.statistics.programme import Programme

_AGAIN_S = 60.0
"""How long after a fault a result is tried again."""
_PAGE = 4
"""Results that are on their way to one region at once when it catches up: they may be 32 MB each."""
_AFTER_S = 0.25
"""Who waits for a run's last answer comes first; giving back is for after that."""


@dataclass(slots=True)
class _Page:
    """What a region that catches up was sent and has not spoken of yet, and where the next page begins."""

    waiting: set[str]
    last: str


class Returns:
    """Seams: the runs, the lines, how results are computed, the store, the desk's signing key, and the clock."""

    def __init__(
        self,
        runs: Runs,
        lines: Lines,
        results: Callable[[str], Awaitable[Results | Refused]],
        store: Store,
        key: SigningKey,
        clock: Callable[[], int],
    ) -> None:
        self._runs = runs
        self._lines = lines
        self._results = results
        self._store = store
        self._key = key
        self._clock = clock
        self._pages: dict[str, _Page] = {}

    async def resume(self) -> None:
        """Takes up the closed runs whose results a stopped desk left undone. For once, before `work`."""
        for run in await self._runs.stored(self._store.runs_without_results):
            self._runs.closed.put_nowait(run)

    async def work(self) -> None:
        """Makes and sends results as runs close, until cancelled."""
        while True:
            run = await self._runs.closed.get()
            await asyncio.sleep(_AFTER_S)
            try:
                await self._make(run)
            # One run that cannot be worked out, or a store that is away, must not keep the others waiting.
            except Exception as error:
                fault("results_failed", error)
                asyncio.get_running_loop().call_later(_AGAIN_S, self._runs.closed.put_nowait, run)

    async def catch_up(self, region: str) -> None:
        """Sends a region that came on the line what it has not said it keeps, a few at a time."""
        await self._send_page(region, "")

    async def _send_page(self, region: str, after: str) -> None:
        owed = await self._runs.stored(lambda: self._store.results_to_send(region, after, _PAGE))
        self._pages.pop(region, None)
        if owed:
            self._pages[region] = _Page({run for run, _ in owed}, owed[-1][0])
        for run, data in owed:
            self._lines.give(region, ResultOut(run, data))

    async def kept(self, region: str, run: str, outcome: str | Refused) -> None:
        """Takes in what a region says of a result: its hash where it is stored. A refused one is sent again later."""
        await self._note_kept(region, run, outcome)
        page = self._pages.get(region)
        if page is not None and run in page.waiting:
            page.waiting.remove(run)
            if not page.waiting:
                await self._send_page(region, page.last)

    async def _note_kept(self, region: str, run: str, outcome: str | Refused) -> None:
        if isinstance(outcome, Refused):
            if await self._runs.stored(lambda: self._store.has_result(run, region)):
                note("result_refused", loud=True, run=run, region=region, reason=outcome.reason.value)
            return
        now = self._clock()
        if await self._runs.stored(lambda: self._store.result_kept(run, region, outcome, now)):
            note("result_kept", run=run, region=region)

    async def _make(self, run: str) -> None:
        came = await self._runs.answered(run)
        made = await self._runs.stored(lambda: self._store.results_revision(run))
        if came.state is State.ASKING or made >= came.revision:
            return
        found = await self._results(run)
        if isinstance(found, Refused):
            note("results_not_made", loud=True, run=run, reason=found.reason.value)
            return
        results = await asyncio.to_thread(signed_results, found, self._key)
        revision = found.revision
        await self._runs.stored(lambda: self._store.put_results(run, revision, results))
        note("results_made", run=run, regions=len(results))
        for region, result in results.items():
            self._lines.give(region, ResultOut(run, result.data))


def signed_results(found: Results, key: SigningKey) -> dict[str, ResultBytes]:
    """What each region that answered, or is in the national sums, gets back, signed.

    A result beyond the public maximum of bytes is left out.
    """
    asked = Signed.from_bytes(found.signed_programme)
    programme = from_canonical(Programme, asked.document)
    rows = read_texts(found.rows_json)
    # Other estimators may have a figure for a region that never answered.
    direct = [row for row in rows if row["estimator"] == "direct" and row["scope"] != NATIONAL]
    answered = {row["scope"] for row in direct if row["status"] != "missing"}
    if found.signed_sum is not None:
        answered |= set(from_canonical(NationalSum, Signed.from_bytes(found.signed_sum).document).regions)
    regions = tuple(region for region in programme.regions if region in answered)
    # Every region gets the national rows: each is made once.
    told = [(row["scope"], result_row(row)) for row in rows]
    results = {}
    for region in regions:
        result = Result(
            run=found.run,
            revision=found.revision,
            region=region,
            programme=asked.digest,
            asked=programme,
            regions=regions,
            epsilon=str(rows[0]["epsilon"]),
            delta=str(rows[0]["delta"]),
            rows=tuple(row for scope, row in told if scope in (NATIONAL, region)),
        )
        signed = sign("result", to_canonical(result), key)
        data = signed.to_bytes()
        if len(data) <= MOST_BYTES:
            results[region] = ResultBytes(signed.digest, data)
        else:
            note("result_too_long", loud=True, run=found.run, region=region)
    return results
