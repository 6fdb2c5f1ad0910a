"""One programme in a storm: asked, hit at its moments, followed to its end, and given out twice."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import docker
from rondgang.canonical import digest
from rondgang.signed import Signed

from compose.demo.federation import NotStarted
from coordinator.client import Desk, Planned
from coordinator.desk.views import Progress
from coordinator.errors import CallFailed, Unreachable
from coordinator.gather import State
from policies.documents import from_canonical
from policies.statistics.answer import Answer
from tests.storms.hands import Hands, NotBack
from tests.storms.judge import SUM, Fetched, Judge, Priced
from tests.storms.kinds import Asking, Fault, Kind, reached
from tests.storms.study import draft
from tests.storms.watching import Watch, ended, standing, tried

_GRACE_S = 60.0
"""So long after its deadline a run may take to say how it ended: rounds that had begun are brought to their end."""
_DESK_S = 60.0
_ATTEND_S = 90.0
_MORTAL = frozenset({Kind.NODE_KILLED, Kind.NODE_CRASHED, Kind.NODE_FULL})
"""What may cost a node the debit that it holds in memory."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that was done, and where the run stood right before and after it began."""

    fault: Fault
    before: str
    after: str


@dataclass(slots=True)
class Ran:
    """What became of a programme and its faults."""

    asking: Asking
    hits: list[Hit] = field(default_factory=list)
    last: Progress | None = None
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Asker:
    """A researcher of the federation, the hands that disturb it, and the judge of both."""

    hands: Hands
    judge: Judge

    def ask(self, asking: Asking) -> Ran:
        """All of it; ends with every fault undone and every node attending."""
        began, ran = time.monotonic(), Ran(asking)
        try:
            self._ask(asking, ran)
        except (Unreachable, CallFailed) as error:
            ran.wrong.append(f"{asking.name}: the desk is not itself again: {error}")
        except (NotBack, NotStarted, docker.errors.APIError) as error:
            ran.wrong.append(f"{asking.name}: {error}")
        ran.seconds = time.monotonic() - began
        return ran

    def _ask(self, asking: Asking, ran: Ran) -> None:
        federation = self.hands.federation
        deadline = int(time.time()) + asking.patience_s
        with Desk.open(federation.researcher) as desk:
            planned = desk.plan(draft(asking.name, federation.regions, asking.mode, deadline))
            self._priced(asking, planned)
            run = desk.submit(planned).run
        with Watch(federation.researcher, run).following() as watch:
            with ThreadPoolExecutor(len(asking.faults) or 1) as all_:
                list(all_.map(partial(self._disturb, ran, watch), asking.faults))
            left_s = deadline - time.time() + _GRACE_S
            if not watch.until(ended, left_s):
                ran.wrong.append(f"{asking.name}: {left_s:.0f} s later it is still {standing(watch.latest)}")
            ran.last = watch.latest
        ran.wrong += (f"{asking.name}: the desk said: {said}" for said in watch.faults)
        ran.wrong += self.judge.end(asking.name, ran.last, asking.hit)
        federation.wait_for(federation.regions, _ATTEND_S, lambda _step: None)
        ran.wrong += self._given_twice(asking, planned, run)

    def _priced(self, asking: Asking, planned: Planned) -> None:
        """Before anybody is charged: the judge knows what it may cost, and who may die with a debit in hand."""
        charge, secure = planned.programme.charge, planned.programme.secure
        attempts = 0 if secure is None else secure.attempts
        self.judge.prices[planned.hash] = Priced(charge.of_answer.nano, charge.of_attempt.nano, attempts)
        for fault in asking.faults:
            for service in fault.targets if fault.kind in _MORTAL else ():
                self.judge.deaths[planned.hash, service.removeprefix("node-").upper()] += 1

    def _disturb(self, ran: Ran, watch: Watch, fault: Fault) -> None:
        """At its moment, or as soon as the run has ended without it."""
        watch.until(lambda progress: reached(fault.moment, progress), ran.asking.patience_s)
        before = standing(watch.latest)
        self.hands.begin(fault)
        try:
            ran.hits.append(Hit(fault, before, standing(watch.latest)))
            if fault.lasts_s is None:
                watch.until(ended, ran.asking.patience_s + _GRACE_S)
            else:
                time.sleep(fault.lasts_s)
        finally:
            self.hands.end(fault)

    def _given_twice(self, asking: Asking, planned: Planned, run: str) -> Iterator[str]:
        """What is given out once everybody is back, and again after the regions were asked once more."""
        researcher = self.hands.federation.researcher
        given = tried(researcher, lambda desk: _fetched(desk, planned.hash, run), _DESK_S)
        yield from self.judge.fetch(asking.name, given)
        if time.time() > planned.programme.programme.deadline - 2:
            return
        tried(researcher, lambda desk: desk.submit(planned, again=True), _DESK_S)
        with Watch(researcher, run).following() as watch:
            if not watch.until(lambda last: last.state is not State.ASKING, asking.patience_s + _GRACE_S):
                yield f"{asking.name}: asked again, it does not end"
            if watch.latest is not None:
                yield from self.judge.end(f"{asking.name} again", watch.latest, asking.hit)
        again = tried(researcher, lambda desk: _fetched(desk, planned.hash, run), _DESK_S)
        yield from self.judge.fetch(asking.name, again)
        if missing := {one.region for one in given} - {one.region for one in again}:
            yield f"{asking.name}: what {', '.join(sorted(missing))} answered is not given out any more"


def _fetched(desk: Desk, programme: str, run: str) -> Sequence[Fetched]:
    """Every answer and sum of a run, by hash."""
    found = desk.fetch(run)
    signed = [Signed.from_bytes(data) for data in found.signed_answers]
    regions = [str(from_canonical(Answer, one.document).region) for one in signed]
    answers = [
        Fetched(programme, region, digest(data)) for region, data in zip(regions, found.signed_answers, strict=True)
    ]
    if found.signed_sum is not None:
        answers.append(Fetched(programme, SUM, Signed.from_bytes(found.signed_sum).digest))
    return answers
