"""Conducting attempts at national sums: what is due goes out, what comes back goes in. Lives on one event loop.

What is due is decided in national.py. Here it is made durable first: the number of an attempt before any region hears
of it, each list of regions before it is shown, a finished sum before it is given. Masks come off on another thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from rondgang.keys import SigningKey
from rondgang.signed import Signed, sign
from sqlalchemy import Connection

from coordinator.attendance.lines import Lines, SecureOut
from coordinator.log import fault, note
from coordinator.secure.aggregation import Aborted, Aggregation, Finished, Keys, Stage
from coordinator.secure.asked import Asked
from coordinator.secure.national import Abandon, Close, Fail, Invite, National, Repeat, Start, Step
from coordinator.secure.places import Places
from coordinator.store import sums
from coordinator.store.store import Store, Stored
from coordinator.store.sums import SumRecord
from coordinator.study import Study
from policies.documents import from_canonical, to_canonical
from policies.rules.order import Order
from policies.rules.refusals import Refused
from policies.secure.messages import Aborted as Over
from policies.secure.messages import Begin, Done, Reply, Round
from policies.secure.rounds import NationalSum

T = TypeVar("T")

STOPPED = "The desk was stopped during this attempt."


@dataclass(slots=True)
class _Run:
    """A run with national sums: where they stand, and what was said to whom in this round.

    `kept` are the keys that came in for the attempt that gathers them, in the store too; `over` is the last attempt
    that came to nothing, for regions that come back.
    """

    national: National
    researcher: str = ""
    begin: Begin | None = None
    said: Mapping[str, Round] = field(default_factory=dict)
    kept: Mapping[str, Keys] = field(default_factory=dict)
    over: tuple[int, str] | None = None
    poked: bool = False
    working: bool = False


class Conduct:
    """Every attempt of the desk. Seams: the store and its thread, the lines, the documents in force, the desk's key.

    `clock` gives the unix second, `ticks` seconds that never go back; `changed` is told before a region is. A round
    takes `timeout_s` at most.
    """

    def __init__(
        self,
        store: Store,
        stored: Stored,
        lines: Lines,
        study: Callable[[], Study],
        key: SigningKey,
        clock: Callable[[], int],
        ticks: Callable[[], float],
        timeout_s: float,
        changed: Callable[[str], Awaitable[None]],
    ) -> None:
        self._store = store
        self._stored = stored
        self._lines = lines
        self._study = study
        self._key = key
        self._clock = clock
        self._ticks = ticks
        self._timeout_s = timeout_s
        self._changed = changed
        self._runs: dict[str, _Run] = {}
        self._places = Places()
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, run: str) -> National | None:
        """Where the national sums of a run stand; None where it asks for none, or was not taken up."""
        found = self._runs.get(run)
        return None if found is None else found.national

    async def take_up(self, run: str, signed: Signed, deadline: int, researcher: str) -> None:
        """Takes a run up where the store has it. An attempt beyond its first round is lost with the desk's memory.

        `researcher` is under whom its attempts count (places.py).

        Raises ValueError for a programme without national sums.
        """
        national = National(Asked.of(run, 1, signed), deadline, self._timeout_s)
        records = await self._within(partial(sums.attempts, run=run))
        finished = await self._within(partial(sums.sum_of, run=run))
        over, kept = None, dict[str, Keys]()
        for record in records:
            sentence = record.sentence or ""
            if record.state == "fixed":
                sentence = STOPPED
                await self._within(partial(sums.abort, run=run, attempt=record.attempt, sentence=STOPPED))
                note("attempt_aborted", loud=True, run=run, attempt=record.attempt)
            if record.state == "keys":
                national = replace(national, begun=record.begun, over=bool(sentence), sentence=sentence)
                papers = await self._within(partial(sums.papers, run=run, attempt=record.attempt))
                kept = {keys.keys.region: keys for keys in map(Keys.of, papers)}
            else:
                national = replace(national, used=record.attempt, sentence=sentence)
                over = (record.attempt, sentence)
        if finished is not None:
            regions = _sum(finished).regions
            national = replace(national, over=True, survivors=regions, sentence="")
        elif national.used >= national.attempts:
            national = replace(national, over=True)
        after, step = national.step(self._lines.attending, self._clock(), self._ticks())
        national = after.failed(step.sentence) if isinstance(step, Fail) else national
        # Another task may have taken it up while this one waited for the store: the first one stays.
        self._runs.setdefault(run, _Run(national, researcher, kept=kept, over=None if national.survivors else over))

    async def ask_again(self, run: str) -> None:
        """Takes up sums that failed, as far as attempts are left; everybody may be asked for keys again."""
        found = self._runs[run]
        was, found.national = found.national, found.national.ask_again()
        if was.over and not found.national.over and found.national.begun is not None:
            await self._within(partial(sums.leave, run=run, attempt=found.national.attempt, sentence=None))
        self._poke(run)

    def forget(self, run: str) -> None:
        """Lets go of a run that is done; it may be taken up again."""
        self._runs.pop(run, None)
        self._leave(run)

    def take(self, region: str, run: str, attempt: int, reply: Reply) -> None:
        """Takes in what a region says in an attempt. What is of no attempt that goes on is dropped."""
        found = self._runs.get(run)
        if found is None or found.national.going is None or found.national.going.asked.attempt != attempt:
            why = reply.reason.value if isinstance(reply, Refused) else "late"
            summed = found is not None and bool(found.national.survivors)
            note("sum_refused" if summed else "round_reply_dropped", region=region, reason=why)
            return
        before = found.national.going.out
        roster = self._study().roster.document
        found.national = found.national.take(region, reply, roster, self._clock(), self._ticks())
        self._note_out(run, before, found.national.going)
        self._poke(run)

    async def kept(self, region: str, run: str, sum_hash: str) -> None:
        """Notes that a region has stored the finished sum."""
        now = self._clock()
        if await self._within(partial(sums.kept, run=run, region=region, sum_hash=sum_hash, now=now)):
            note("sum_kept", run=run, region=region)

    def lost(self, region: str) -> None:
        """A region's line broke."""
        for run, found in self._runs.items():
            found.national = found.national.lost(region)
            self.look(run)

    async def catch_up(self, region: str) -> None:
        """Tells a region that came on the line what it missed: attempts that are over, and finished sums."""
        self.lost(region)
        for run, found in self._runs.items():
            going, asked = found.national.going, found.national.first.programme
            if region not in asked.weights:
                continue
            if found.over is not None:
                self._lines.send(region, SecureOut(run, found.over[0], Over(found.over[1])))
            if going is not None and going.stage is not Stage.KEYS:
                self._tell_out(run, going, [region])
        await self.give(region)

    async def give(self, region: str) -> None:
        """Sends a region every finished sum that it has not said it keeps."""
        for record in await self._within(partial(sums.to_give, region=region)):
            self._give(record, [region])

    def sweep(self) -> None:
        """Does what only time brings. For a call every second or so."""
        for run in self._runs:
            self.look(run)

    def look(self, run: str) -> None:
        """Does what is due in a run, soon after this returns."""
        found = self._runs.get(run)
        if found is not None and not found.national.over:
            self._poke(run)

    async def settled(self) -> None:
        """Waits until everything that is due now has been done."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Lets go of every attempt."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _poke(self, run: str) -> None:
        found = self._runs[run]
        found.poked = True
        if not found.working:
            found.working = True
            task = asyncio.create_task(self._work(run, found))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _work(self, run: str, found: _Run) -> None:
        """Does what is due until nothing is. A fault leaves everything as it is, for the next sweep."""
        try:
            while found.poked:
                found.poked = False
                await self._keep_keys(run, found)
                while (step := self._due(run, found)) is not None:
                    await self._do(run, found, step)
                await self._changed(run)
        except Exception as error:
            fault("attempt_failed", error)
        finally:
            found.working = False
            if found.national.over:
                self._leave(run)

    def _leave(self, run: str) -> None:
        """The run wants no place now: whose turn it is gets it."""
        if self._places.leave(run) and (following := self._places.following()) is not None:
            self.look(following)

    async def _keep_keys(self, run: str, found: _Run) -> None:
        """Keys outlast the desk's memory: a node draws them once for an attempt, and others may take days to come."""
        going = found.national.going
        if going is None or going.stage is not Stage.KEYS or going.keys == found.kept:
            return
        papers = [keys.paper for region, keys in going.keys.items() if keys != found.kept.get(region)]
        await self._within(partial(sums.keep, run=run, attempt=going.asked.attempt, papers=papers))
        found.kept = going.keys

    def _due(self, run: str, found: _Run) -> Step | None:
        """What is due, if anything; what asks nodes for their keys waits until the run has a place."""
        now, ticks = self._clock(), self._ticks()
        late = found.national.late(self._study().roster.document, now, ticks)
        found.national, step = late.step(self._lines.attending, now, ticks)
        going = found.national.going
        if isinstance(step, Start | Invite) or (isinstance(step, Close) and going and going.stage is Stage.KEYS):
            return step if self._places.take(run, found.researcher) else None
        if not found.national.under_way:
            self._leave(run)
        return step

    async def _do(self, run: str, found: _Run, step: Step) -> None:
        match step:
            case Start():
                await self._start(run, found, step)
            case Invite(regions):
                found.national = found.national.invites(regions, self._ticks())
                if found.begin is not None:
                    self._say(run, found, dict.fromkeys(regions, found.begin))
            case Repeat(regions):
                self._say(run, found, {region: found.said[region] for region in regions})
            case Close():
                await self._close(run, found)
            case Abandon(sentence):
                await self._abort(run, found, Aborted(sentence, ()))
            case Fail(sentence):
                await self._fail(run, found, sentence)

    async def _start(self, run: str, found: _Run, step: Start) -> None:
        begun, national = step.begun, found.national
        if begun is None:
            begun = self._clock()
            await self._within(partial(sums.begin, run=run, attempt=step.attempt, now=begun))
        signed = national.first.signed
        order = Order(run=run, programme=signed.digest, issued=begun, deadline=national.deadline, attempt=step.attempt)
        found.begin = Begin(sign("order", to_canonical(order), self._key).to_bytes(), signed.to_bytes())
        going = Aggregation.begin(replace(national.first, attempt=step.attempt), step.regions, found.kept)
        found.national = found.national.started(going, begun, self._ticks())
        note("attempt_begun", run=run, attempt=step.attempt, regions=len(step.regions))
        await self._changed(run)
        self._say(run, found, dict.fromkeys(step.regions, found.begin))

    async def _close(self, run: str, found: _Run) -> None:
        going = found.national.going
        assert going is not None, "only a round that goes on is closed"
        ended = await asyncio.to_thread(going.close, self._key)
        match ended:
            case Finished():
                await self._finish(run, found, ended)
            case Aborted():
                await self._abort(run, found, ended)
            case (after, said):
                attempt = going.asked.attempt
                await self._within(partial(sums.fix, run=run, attempt=attempt, papers=after.papers))
                self._note_out(run, going.out, after)
                found.national, found.said = found.national.moved(after, self._ticks()), said
                note("round_begun", run=run, attempt=attempt, state=after.stage.value, regions=len(said))
                await self._changed(run)
                self._say(run, found, said)
                self._tell_out(run, after, set(after.out) - set(going.out))

    async def _finish(self, run: str, found: _Run, ended: Finished) -> None:
        regions, record = found.national.first.programme.regions, _record(ended)
        now = self._clock()
        await self._within(partial(sums.finish, record=record, regions=regions, now=now))
        for region in ended.wrong:
            note("wrong_shares", loud=True, run=run, attempt=record.attempt, region=region)
        note("sum_finished", run=run, attempt=record.attempt, regions=len(ended.sum.regions))
        found.national, found.over = found.national.finished(ended), None
        await self._changed(run)
        self._give(record, regions)

    async def _abort(self, run: str, found: _Run, ended: Aborted) -> None:
        attempt = found.national.attempt
        await self._within(partial(sums.abort, run=run, attempt=attempt, sentence=ended.sentence))
        note("attempt_aborted", loud=True, run=run, attempt=attempt, regions=len(ended.regions))
        found.national, found.over, found.kept = found.national.aborted(ended), (attempt, ended.sentence), {}
        await self._changed(run)
        self._tell_all(run, found, attempt, ended.sentence)

    async def _fail(self, run: str, found: _Run, sentence: str) -> None:
        """The attempt is left where it is. Nobody is told: whoever sent its keys may be asked for them again."""
        attempt = found.national.attempt
        if found.national.begun is not None:
            await self._within(partial(sums.leave, run=run, attempt=attempt, sentence=sentence))
        note("sum_failed", loud=True, run=run, attempt=attempt)
        found.national = found.national.failed(sentence)

    def _say(self, run: str, found: _Run, said: Mapping[str, Round]) -> None:
        """Says it to those that are awaited; who is off the line by now is out."""
        for region, words in said.items():
            going = found.national.going
            if going is None or region not in going.awaited:
                continue
            if not self._lines.send(region, SecureOut(run, going.asked.attempt, words)):
                found.national = found.national.lost(region)
                found.poked = True

    def _tell_out(self, run: str, going: Aggregation, regions: Iterable[str]) -> None:
        """Tells regions that the attempt goes on without them."""
        for region in regions:
            if region in going.out:
                over = Over(f"The attempt goes on without region {region}: {going.out[region]}.")
                self._lines.send(region, SecureOut(run, going.asked.attempt, over))

    def _tell_all(self, run: str, found: _Run, attempt: int, sentence: str) -> None:
        for region in found.national.first.programme.regions:
            self._lines.send(region, SecureOut(run, attempt, Over(sentence)))

    def _note_out(self, run: str, before: Mapping[str, str], going: Aggregation | None) -> None:
        if going is not None:
            for region in set(going.out) - set(before):
                note("left_out", run=run, attempt=going.asked.attempt, region=region, reason=going.out[region])

    def _give(self, record: SumRecord, regions: Iterable[str]) -> None:
        for region in regions:
            self._lines.send(region, SecureOut(record.run, record.attempt, Done(record.data)))

    async def _within(self, work: Callable[[Connection], T]) -> T:
        return await self._stored(lambda: self._store.within(work))


def _record(ended: Finished) -> SumRecord:
    return SumRecord(ended.sum.run, ended.sum.attempt, ended.signed.digest, ended.signed.to_bytes())


def _sum(record: SumRecord) -> NationalSum:
    return from_canonical(NationalSum, Signed.from_bytes(record.data).document)
