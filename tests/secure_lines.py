"""A desk that conducts attempts, with its real store and lines, and regions at the other end that say what a test
wants. Time stands still unless it is moved; nothing sleeps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from rondgang.signed import Signed, sign

from coordinator.admission import Admitted
from coordinator.attendance.lines import Introduction, Line, Lines, OrderOut, Outgoing, SecureOut
from coordinator.desk.runs import Runs
from coordinator.desk.views import NationalProgress, Progress
from coordinator.store import sums
from coordinator.store.store import Store, open_store
from coordinator.store.sums import AttemptRecord
from coordinator.study import Study
from node.authenticate import read_order
from node.secure.party import Party
from policies.documents import Document, from_canonical, to_canonical
from policies.rules.refusals import Reason, Refused
from policies.secure.messages import Aborted, Begin, Done, KeysSaid, Reply, Round, Send, Share, ShowList, Unmask
from policies.secure.rounds import NationalSum
from policies.statistics.answer import Answer, block_values
from policies.statistics.programme import Programme, Secure
from policies.study.adoption import Adopted
from tests.national_study import codes
from tests.node_world import CONSORTIUM, DESK, signed_programme
from tests.secure_play import reply_to
from tests.secure_world import NoNoise, Sums, checkpoint_key, national, regions_roster
from tests.small_study import OPEN, calendar, codebook

D = TypeVar("D", bound=Document)

TIMEOUT_S = 20.0
RUN = "run-00000000000000aa"
ROUNDS: tuple[type[Round], ...] = (Share, Send, ShowList, Unmask)
"""What the desk says in the rounds after the first."""
Say = Callable[[Round], Reply | None]
"""What a region says instead of what is right; None for nothing at all."""


@dataclass
class Time:
    """Both clocks of the desk."""

    now: int = OPEN
    ticks: float = 100.0


@dataclass
class End:
    """A region at its end of the line. `says` takes the place of its honest reply."""

    region: str
    sums: Sums
    line: Line | None = None
    heard: list[tuple[int, Round]] = field(default_factory=list)
    orders: list[OrderOut] = field(default_factory=list)
    says: dict[type[Round], Say] = field(default_factory=dict)
    keeps: bool = True
    party: Party | None = None

    def told(self, kind: type[Round]) -> list[int]:
        """The attempts in which it was told something of this kind."""
        return [attempt for attempt, said in self.heard if isinstance(said, kind)]

    def drained(self) -> Iterator[Outgoing | Refused | None]:
        while self.line is not None and not self.line.outgoing.empty():
            yield self.line.outgoing.get_nowait()


class World:
    """The desk of one programme, and its regions. `national` is where its sums stand."""

    def __init__(self, programme: Programme, store: Store, all_sums: dict[str, Sums]) -> None:
        self.programme = programme
        self.store = store
        self.time = Time()
        self.who = regions_roster(programme.weights)
        self.ends = {region: End(region, all_sums[region]) for region in programme.weights}
        self.run = ""
        self.start()

    def start(self) -> None:
        """A desk that has just been started on this store; nobody is on the line."""
        self.lines = Lines()
        study = Study(adopted("roster", self.who), adopted("calendar", calendar()), {})
        self.runs = Runs(
            self.store,
            self.lines,
            lambda: study,
            DESK,
            lambda: self.time.now,
            lambda: RUN,
            lambda: self.time.ticks,
            TIMEOUT_S,
        )
        for end in self.ends.values():
            end.line = None

    async def restart(self) -> None:
        await self.runs.stop()
        self.start()
        await self.runs.resume()

    async def submit(self) -> None:
        """Asks the programme, the first time or again."""
        signed = signed_programme(self.programme)
        self.run = (await self.runs.submit(Admitted(signed, self.programme, codebook(), "R"), again=False)).run
        await self.pump()

    async def join(self, *regions: str) -> None:
        for region in regions or tuple(self.ends):
            line = Line(Introduction(region, "", "", "", ""))
            self.lines.join(line)
            self.ends[region].line = line
            self.runs.catch_up(region)
            await self.runs.national.catch_up(region)
        await self.pump()

    async def leave(self, *regions: str) -> None:
        for region in regions:
            line, self.ends[region].line = self.ends[region].line, None
            if line is not None and self.lines.leave(line):
                self.runs.lost(region)
        await self.pump()

    async def wait(self, seconds: float) -> None:
        """Time passes, and the desk looks what it brings."""
        self.time.ticks += seconds
        self.time.now += int(seconds)
        await self.runs.sweep()
        await self.pump()

    async def pump(self) -> None:
        """Until nobody has anything more to say."""
        while True:
            await self.runs.national.settled()
            said = [(end, item) for end in self.ends.values() for item in end.drained()]
            if not said:
                return
            for end, item in said:
                await self._hear(end, item)

    async def progress(self) -> Progress:
        async for progress in self.runs.watch(self.run):
            return progress
        raise AssertionError("a run always has progress")

    async def national(self) -> NationalProgress:
        found = (await self.progress()).national
        assert found is not None
        return found

    def attempts(self) -> list[AttemptRecord]:
        return self.store.within(partial(sums.attempts, run=self.run))

    def sum(self) -> NationalSum | None:
        found = self.store.within(partial(sums.sum_of, run=self.run))
        return None if found is None else from_canonical(NationalSum, Signed.from_bytes(found.data).document)

    def say(self, region: str, attempt: int, reply: Reply) -> None:
        self.runs.national.take(region, self.run, attempt, reply)

    async def _hear(self, end: End, item: Outgoing | Refused | None) -> None:
        if isinstance(item, OrderOut):
            end.orders.append(item)
            await self.runs.reply(end.region, item.run, self.answer(end.region))
        if not isinstance(item, SecureOut):
            return
        end.heard.append((item.attempt, item.said))
        match item.said:
            case Aborted():
                end.party = None
            case Done(signed_sum):
                assert self.sum() is not None, "a sum was told before it was stored"
                if end.keeps:
                    await self.runs.national.kept(end.region, item.run, Signed.from_bytes(signed_sum).digest)
            case said:
                reply = end.says[type(said)](said) if type(said) in end.says else self.honest(end, item)
                if reply is not None:
                    self.say(end.region, item.attempt, reply)

    def honest(self, end: End, item: SecureOut) -> Reply | None:
        """What an honest region says. One without a party in this attempt, as after a restart, is silent."""
        if isinstance(item.said, Begin):
            assert (item.attempt, "keys") in {(one.attempt, one.state) for one in self.attempts()}, "not in the store"
            ordered = read_order(item.run, item.said.signed_order, item.said.signed_programme)
            assert not isinstance(ordered, Refused)
            assert ordered.order.attempt == item.attempt
            if end.party is not None and end.party.attempt >= item.attempt:
                return Refused(Reason.MALFORMED, "begun here before")
            end.party = Party.begin(end.region, checkpoint_key(end.region), ordered, os.urandom)
            return KeysSaid(end.party.signed_keys)
        if end.party is None or end.party.attempt != item.attempt:
            return None
        return reply_to(item.said, end.party, self.who, NoNoise(), end.sums)

    def answer(self, region: str) -> bytes:
        """The region's own answer, all zeros."""
        blocks = tuple(block_values(block.id, [0] * block.cells) for block in self.programme.of_mode("regional"))
        document = Answer(
            region=region,
            programme=signed_programme(self.programme).digest,
            cohort=self.programme.programme.cohort,
            snapshot="5" * 32,
            blocks=blocks,
        )
        return sign("answer", to_canonical(document), checkpoint_key(region)).to_bytes()


Scenario = Callable[[World], Coroutine[None, None, None]]


@asynccontextmanager
async def world(folder: Path, programme: Programme, all_sums: dict[str, Sums]) -> AsyncIterator[World]:
    with open_store(f"sqlite:///{folder / 'desk.sqlite'}") as store:
        made = World(programme, store, all_sums)
        try:
            yield made
        finally:
            await made.runs.stop()


def programme_of(attempts: int = 2, *, mixed: bool = False) -> Programme:
    """Four regions, of which one may collude and one drop out; `mixed`: the first block is asked regionally."""
    made = national(4, Secure(colluders=1, dropouts=1, attempts=attempts))
    if not mixed:
        return made
    own, *rest = made.blocks
    return made.model_copy(update={"blocks": (own.model_copy(update={"mode": "regional"}), *rest)})


def sums_of(place: int) -> Sums:
    """What the region at a place has, each its own."""
    return {"block_0": (place, -place, 7), "block_1": (10 * place, 0)}


def play(folder: Path, scenario: Scenario, programme: Programme | None = None) -> None:
    """A scenario on a desk of its own."""

    async def played() -> None:
        sums = {region: sums_of(place) for place, region in enumerate(codes(4), 1)}
        async with world(folder, programme or programme_of(), sums) as made:
            await scenario(made)

    asyncio.run(played())


def is_exact(made: World) -> bool:
    """Whether the finished sum is that of its regions, to the last digit."""
    found = made.sum()
    assert found is not None
    wanted = [
        [sum(column) for column in zip(*(made.ends[region].sums[block.id] for region in found.regions), strict=True)]
        for block in found.blocks
    ]
    return [list(block.numbers()) for block in found.blocks] == wanted


def silent(_said: Round) -> None:
    """Says nothing."""


def refusing(reason: Reason) -> Say:
    """Says no, for this reason."""
    return lambda _said: Refused(reason, "")


def adopted(kind: str, document: D) -> Adopted[D]:
    signed = sign(kind, to_canonical(document), CONSORTIUM)
    return Adopted(document, signed.digest, signed.to_bytes())
