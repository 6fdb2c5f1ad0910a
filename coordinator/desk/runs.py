"""Running the runs: orders go out, replies come in, progress is told. Lives on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from rondgang.keys import SigningKey
from rondgang.signed import Signed, sign

from coordinator.admission import Admitted, admit_answer, researcher_of
from coordinator.attendance.lines import Lines, OrderOut
from coordinator.desk.turns import Turns
from coordinator.desk.views import NationalProgress, Progress, RegionProgress, Submitted
from coordinator.errors import TooManyRuns, UnknownRun
from coordinator.gather import Asked, Gathering, Repeats, State
from coordinator.log import note
from coordinator.secure.conduct import Conduct
from coordinator.secure.national import National, Where
from coordinator.store.store import Kept, RunRecord, SeenRecord, Store
from coordinator.store.sums import sum_of
from coordinator.store.worker import StoreThread
from coordinator.study import Study
from policies.documents import from_canonical, to_canonical
from policies.rules.order import Order
from policies.rules.refusals import Refused
from policies.statistics.programme import Programme

_GATHER_S = 0.1
"""Who watches is told of changes at most this late, and of a run's end at once."""

MOST_ASKING = 256
"""Runs of one researcher that ask at once; one more is turned away until one of them is done."""
_DONE_KEPT = 64
"""Runs that are done and stay in memory; older ones are read from the store when somebody asks."""


@dataclass(slots=True)
class _Run:
    """A run in memory: what was asked, the order that asks it, and where it stands."""

    signed: Signed
    programme: Programme
    researcher: str
    order: OrderOut
    gathering: Gathering
    noted: State
    told: int = 0
    """How many answers and finished sums were in it when it was last put with the closed ones."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came in of a run: the signed answers by region, and the signed national sums, each as it was stored.

    `no_sum` says why there are no national sums; it is empty where there are, or none are asked for.
    """

    signed: Signed
    programme: Programme
    state: State
    answers: Mapping[str, bytes]
    signed_sum: bytes | None = None
    no_sum: str = ""

    @property
    def revision(self) -> int:
        """How much came in: it grows with each answer, and with the sum."""
        return len(self.answers) + (self.signed_sum is not None)


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is to do: runs that ask, results to make, transactions in line; and whether the store is away."""

    asking: int
    results_waiting: int
    store_waiting: int
    store_away: bool


class Runs:
    """Every run of the desk. Seams: the store, the lines, the documents in force, both clocks, and names for runs.

    `clock` gives the unix second, `ticks` seconds that never go back; a round of an attempt takes `round_timeout_s`.
    """

    def __init__(
        self,
        store: Store,
        lines: Lines,
        study: Callable[[], Study],
        key: SigningKey,
        clock: Callable[[], int],
        new_name: Callable[[], str],
        ticks: Callable[[], float],
        round_timeout_s: float,
    ) -> None:
        self._store = store
        self._lines = lines
        self._study = study
        self._key = key
        self._clock = clock
        self._new_name = new_name
        self._runs: dict[str, _Run] = {}
        self._turns = Turns()
        self._changed = asyncio.Event()
        self.closed: asyncio.Queue[str] = asyncio.Queue()
        """Runs that are done asking, again each time one gets another answer after that."""
        self.stored = StoreThread()
        """Runs one transaction on the store's own thread. Raises `StoreAway`."""
        self.national = Conduct(
            store, self.stored, lines, study, key, clock, ticks, round_timeout_s, self._sums_changed
        )
        """The attempts at national sums."""

    @property
    def load(self) -> Load:
        """How much there is to do now."""
        asking = sum(run.noted is State.ASKING for run in self._runs.values())
        return Load(asking, self.closed.qsize(), self.stored.waiting, self.stored.away)

    async def resume(self) -> None:
        """Takes up every run that was open when the desk stopped."""
        for record in await self.stored(self._store.open_runs):
            await self._take_up(record)
            await self._settle(self._runs[record.run])
            note("run_resumed", run=record.run)

    async def stop(self) -> None:
        await self.national.stop()
        self.stored.stop()

    async def submit(self, admitted: Admitted, again: bool) -> Submitted:
        """Opens the run of a programme, or asks anew in the one it has: who refused, and with `again` who answered.

        Durable on return. Raises `TooManyRuns` for a new one where its researcher has so many that still ask.
        """
        now = self._clock()
        who = researcher_of(admitted.signed, self._study().roster.document, now)
        asking = sum(run.researcher == who and run.noted is State.ASKING for run in self._runs.values())
        if asking >= MOST_ASKING and await self.run_of(admitted.digest) is None:
            raise TooManyRuns(MOST_ASKING)
        heading = admitted.programme.programme
        record = RunRecord(
            self._new_name(), admitted.digest, admitted.signed.to_bytes(), now, heading.deadline, State.ASKING
        )
        name, existed = await self.stored(lambda: self._store.open_run(record))
        run = await self._find(name)
        failed = self._where(name) is Where.FAILED
        if existed and (again or run.gathering.refused or failed):
            if failed:
                await self.national.ask_again(name)
            run.gathering = run.gathering.ask_again(self._lines.attending if again else ())
            run.noted = State.ASKING
            await self.stored(lambda: self._store.ask_again(name))
        note("run_asked" if existed else "run_opened", run=name, programme=admitted.digest)
        await self._settle(run)
        self.national.look(name)
        return Submitted(name, existed)

    async def run_of(self, programme_hash: str) -> str | None:
        return await self.stored(lambda: self._store.run_of(programme_hash))

    def catch_up(self, region: str) -> None:
        """Sends a region that came on the line the orders that wait for it; `national.catch_up` does the rest."""
        self._line_lost(region)
        for run in self._runs.values():
            self._dispatch(run)
        self._tell()

    def lost(self, region: str) -> None:
        """Notes that a region's line broke."""
        self._line_lost(region)
        self.national.lost(region)
        self._tell()

    def _line_lost(self, region: str) -> None:
        for name, run in self._runs.items():
            run.gathering = run.gathering.line_lost(region)
            self._turns.ended(name, (region,))

    async def reply(self, region: str, name: str, outcome: bytes | Refused) -> None:
        """Takes a region's reply in: a signed answer or a refusal. Durable on return."""
        try:
            run = await self._find(name)
        except UnknownRun:
            run = None
        if run is None or region not in run.gathering.regions:
            note("reply_unasked", loud=True, region=region)
            return
        if isinstance(outcome, Refused):
            await self._keep_refusal(run, region, outcome)
            return
        roster = self._study().roster.document
        answer = admit_answer(outcome, region, run.signed, run.programme, roster, self._clock())
        if isinstance(answer, Refused):
            note("answer_unusable", loud=True, run=name, region=region, reason=answer.reason.value)
            await self._keep_refusal(run, region, answer)
        else:
            await self._keep_answer(run, region, outcome)

    async def _keep_refusal(self, run: _Run, region: str, refused: Refused) -> None:
        name, now = run.gathering.run, self._clock()
        settled = run.gathering.settled(region, refused)
        if not settled and await self.stored(lambda: self._store.keep_refusal(name, region, refused, now)):
            note("refusal_kept", run=name, region=region, reason=refused.reason.value)
        run.gathering = run.gathering.refusal_kept(region, refused, now)
        await self._settle(run)

    async def _keep_answer(self, run: _Run, region: str, data: bytes) -> None:
        name, now = run.gathering.run, self._clock()
        kept = await self.stored(lambda: self._store.keep_answer(name, region, data, now))
        if kept is Kept.SAME and region not in run.gathering.answered:
            # It was stored before by a transaction of which nobody heard.
            kept = Kept.FIRST
        match kept:
            case Kept.FIRST:
                note("answer_kept", run=name, region=region)
                run.gathering = run.gathering.answer_kept(region, now)
                if self._where(name) is Where.SUMMED:
                    # It knows the programme now, and did not before.
                    await self.national.give(region)
            case Kept.SAME:
                note("answer_came_again", run=name, region=region)
                run.gathering = run.gathering.answer_repeated(region, same=True)
            case Kept.OTHER:
                note("answer_differs_and_is_kept_out", loud=True, run=name, region=region)
                run.gathering = run.gathering.answer_repeated(region, same=False)
        await self._settle(run)

    async def sweep(self) -> None:
        """Does what only time brings: closes runs, and asks who said "not yet" again. For a call every second or so."""
        self.national.sweep()
        self._give_turns(self._turns.sweep(self._clock()))
        for run in list(self._runs.values()):
            await self._settle(run)

    async def watch(self, name: str) -> AsyncIterator[Progress]:
        """Progress of a run as it changes, until it is complete or closed. Raises `UnknownRun`.

        The end is told at once; changes before it are gathered for `_GATHER_S`, as thirteen replies come together.
        """
        run = await self._find(name)
        told: Progress | None = None
        while True:
            changed = self._changed
            progress = self._progress(run)
            if progress != told:
                yield progress
                told = progress
            if progress.state is not State.ASKING:
                return
            await changed.wait()
            await self._gather_changes(run)

    async def _gather_changes(self, run: _Run) -> None:
        """Waits a little for more changes, and no longer once the run has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_S):
                while run.gathering.state(self._clock()) is State.ASKING:
                    await self._changed.wait()

    async def answered(self, name: str) -> Answered:
        """What a run asked, where it stands, and all that came in. Raises `UnknownRun`."""
        run = await self._find(name)
        answers = await self.stored(lambda: self._store.answers(name))
        found, no_sum = None, ""
        if (national := self.national.of(name)) is not None:
            found = await self.stored(lambda: self._store.within(partial(sum_of, run=name)))
            no_sum = "" if found is not None else national.sentence or "The national sums are not there yet."
        state = run.gathering.state(self._clock())
        return Answered(run.signed, run.programme, state, answers, None if found is None else found.data, no_sum)

    async def note_seen(self, record: SeenRecord) -> None:
        await self.stored(lambda: self._store.note_seen(record))

    async def seen(self) -> dict[str, SeenRecord]:
        return await self.stored(self._store.seen)

    async def _find(self, name: str) -> _Run:
        if name not in self._runs:
            record = await self.stored(lambda: self._store.run(name))
            if record is None:
                raise UnknownRun(name)
            await self._take_up(record)
        return self._runs[name]

    async def _take_up(self, record: RunRecord) -> None:
        signed = Signed.from_bytes(record.signed_programme)
        programme = from_canonical(Programme, signed.document)
        order = Order(run=record.run, programme=signed.digest, issued=record.opened, deadline=record.deadline)
        out = OrderOut(record.run, sign("order", to_canonical(order), self._key).to_bytes(), record.signed_programme)
        who = researcher_of(signed, self._study().roster.document, self._clock())
        if programme.of_mode("national"):
            await self.national.take_up(record.run, signed, record.deadline, who)
        regions = programme.regions if programme.of_mode("regional") else ()
        gathering = await self.stored(lambda: self._store.gathering(record.run, regions, record.deadline))
        gathering = replace(gathering, sum_awaited=self._sum_awaited(record.run))
        # Another task may have taken it up while this one waited for the store: the first one stays.
        self._runs.setdefault(record.run, _Run(signed, programme, who, out, gathering, gathering.state(self._clock())))
        self._let_go(record.run)

    def _let_go(self, newest: str) -> None:
        """Forgets the oldest of the runs that are done, beyond those that are kept."""
        done = [
            name
            for name, run in self._runs.items()
            if run.noted is not State.ASKING and name != newest and not self._sum_awaited(name)
        ]
        for name in done[: max(0, len(done) - _DONE_KEPT)]:
            del self._runs[name]
            self.national.forget(name)

    async def _sums_changed(self, name: str) -> None:
        if (run := self._runs.get(name)) is not None:
            await self._settle(run)

    def _where(self, name: str) -> Where | None:
        national = self.national.of(name)
        return None if national is None else national.where

    def _sum_awaited(self, name: str) -> bool:
        national = self.national.of(name)
        return national is not None and not national.over

    async def _settle(self, run: _Run) -> None:
        """Sends what may be sent, notes a changed state, and tells the watchers."""
        name = run.gathering.run
        self._dispatch(run)
        self._give_turns(self._turns.ended(name, set(run.gathering.regions) - run.gathering.sent))
        run.gathering = replace(run.gathering, sum_awaited=self._sum_awaited(name))
        state = run.gathering.state(self._clock())
        if state is not run.noted:
            run.noted = state
            note("run_state", run=name, state=state.value)
            await self.stored(lambda: self._store.note_state(name, state))
        answered = len(run.gathering.answered) + (self._where(name) is Where.SUMMED)
        if state is not State.ASKING and answered != run.told:
            run.told = answered
            self.closed.put_nowait(name)
        self._tell()

    def _dispatch(self, run: _Run) -> None:
        name, now = run.gathering.run, self._clock()
        for region in run.gathering.to_send(self._lines.attending, now):
            if self._turns.take(region, run.researcher, name, now) and self._lines.send(region, run.order):
                run.gathering = run.gathering.order_sent(region)

    def _give_turns(self, regions: Iterable[str]) -> None:
        """Where there is room, the orders go out that wait for that."""
        for region in regions:
            while (following := self._turns.following(region)) is not None:
                if (other := self._runs.get(following)) is not None:
                    self._dispatch(other)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _progress(self, run: _Run) -> Progress:
        gathering = run.gathering
        national = self.national.of(gathering.run)
        regions = []
        for region in gathering.regions:
            asked, repeats = gathering.asked(region), gathering.repeats.get(region, Repeats())
            refused = gathering.refused.get(region) if asked in (Asked.PENDING, Asked.REFUSED) else None
            came = gathering.came.get(region, 0)
            regions.append(RegionProgress(region, asked, refused, repeats.same, repeats.other, came))
        if national is not None and not regions:
            # Nobody has an answer of its own: what a region does is its part in the attempt.
            regions = [RegionProgress(region, *national.asked(region)) for region in run.programme.regions]
        state = gathering.state(self._clock())
        told = None if national is None else _told(national, alone=not gathering.regions)
        return Progress(gathering.run, state, tuple(regions), gathering.deadline, told)


def _told(national: National, *, alone: bool) -> NationalProgress:
    going = national.going
    replied, need = (0, national.first.group.fewest) if going is None else (len(going.replied), going.need)
    if national.survivors:
        replied = len(national.survivors)
    numbers = (national.attempt, national.attempts, replied, need)
    return NationalProgress(national.where, *numbers, national.sentence, alone)
