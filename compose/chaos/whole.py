"""The processes that people start, under a researcher's load: killed, started again, and asked to finish what they had.

A node here is `rondgang node serve`, the desk `rondgang coordinator serve`, a witness `rondgang audit witness`.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rondgang.canonical import digest
from rondgang.signed import Signed

from compose.chaos import study
from compose.chaos.chance import Chance
from compose.chaos.judge import Judge
from compose.chaos.mill import Tally
from compose.chaos.servers import COORDINATOR, start
from compose.chaos.world import stores
from compose.demo.federation import Federation, NotStarted
from coordinator.client import Desk, Planned
from coordinator.errors import Unreachable
from coordinator.gather import Asked, State
from node.home import Home
from policies.documents import from_canonical
from policies.statistics.answer import Answer

_WATCH_S = 10.0
_AWAY_S = 0.1
_BETWEEN_S = 2.5
_PATIENCE_S = 120.0
"""How long what was begun may take once nobody dies any more."""
_RESEARCHERS = 3


@dataclass(frozen=True, slots=True)
class Finished:
    """A programme that every region answered: its hash, and the hash of each region's reply."""

    programme: str
    replies: dict[str, str]


@dataclass(slots=True)
class Load:
    """One researcher who asks one programme after another, until told to stop; each is brought to its end."""

    federation: Federation
    name: str
    stop: threading.Event
    finished: queue.Queue[Finished]
    again: int = 0
    """How often a run ended without every region's answer, and was asked for anew."""

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            self._one(f"{self.name}_{number}")

    def _one(self, name: str) -> None:
        while True:
            try:
                with Desk.open(self.federation.researcher) as desk:
                    planned = desk.plan(study.draft(name, self.federation.regions))
                    if self._brought_to_its_end(desk, planned):
                        return
            except Unreachable:
                time.sleep(_AWAY_S)

    def _brought_to_its_end(self, desk: Desk, planned: Planned) -> bool:
        run = desk.submit(planned).run
        for progress in desk.watch(run, _WATCH_S):
            if progress.state is State.COMPLETE and progress.count(Asked.ANSWERED) == len(progress.regions):
                answers = [Signed.from_bytes(data) for data in desk.fetch(run).signed_answers]
                replies = {_region(one): digest(one.to_bytes()) for one in answers}
                self.finished.put(Finished(planned.hash, replies))
                return True
        self.again += 1
        return False


def _region(answer: Signed) -> str:
    return str(from_canonical(Answer, answer.document).region)


@dataclass(slots=True)
class Whole:
    """A federation of processes under load, and its judges."""

    federation: Federation
    chance: Chance
    tallies: dict[str, Tally] = field(default_factory=dict)
    judges: dict[str, Judge] = field(default_factory=dict)
    finished: queue.Queue[Finished] = field(default_factory=queue.Queue)
    programmes: int = 0

    def grind(self, kills: int, step: Callable[[str], None]) -> list[Tally]:
        """Kills so many processes, of which most are nodes; gives a tally for each kind of process."""
        made, began, stop = self.federation, time.monotonic(), threading.Event()
        for region in made.regions:
            self.judges[region] = Judge(region, Home(made.node(region)).ledger_file, stores(made))
        made.start(step)
        loads = [Load(made, f"researcher_{n}", stop, self.finished) for n in range(_RESEARCHERS)]
        threads = [threading.Thread(target=load.run, daemon=True) for load in loads]
        for thread in threads:
            thread.start()
        try:
            for number in range(kills):
                self._kill(number, kills, step)
            self._end(threads, stop)
        except NotStarted as error:
            self._tally(made.regions[0]).violations.append(str(error))
        finally:
            stop.set()
            made.stop()
        for tally in self.tallies.values():
            tally.seconds = time.monotonic() - began
        first = next(iter(self.tallies.values()))
        first.outcomes["programmes answered by every region"] = self.programmes
        first.outcomes["runs asked for anew"] = sum(load.again for load in loads)
        return list(self.tallies.values())

    def _kill(self, number: int, kills: int, step: Callable[[str], None]) -> None:
        made = self.federation
        time.sleep(_BETWEEN_S * self.chance.fraction())
        made.check_alive()
        regions = made.regions
        name = self.chance.of((*regions * 3, *made.witnesses * 2, COORDINATOR))
        made.kill(name)
        self._judge(name)
        time.sleep(0.3 * self.chance.fraction())
        start(made, name)
        tally = self._tally(name)
        tally.count += 1
        tally.outcomes["came back"] += 1
        if number % 10 == 9:
            step(f"{number + 1} of {kills} processes killed, {self.programmes} programmes finished")

    def _judge(self, killed: str) -> None:
        while not self.finished.empty():
            done = self.finished.get()
            self.programmes += 1
            for region, reply in done.replies.items():
                self.judges[region].sent(done.programme, reply)
        for judge in self.judges.values():
            self._tally(killed).violations.extend(judge.look())

    def _end(self, threads: list[threading.Thread], stop: threading.Event) -> None:
        """Everyone lives: what was begun must come to its end."""
        stop.set()
        last = time.monotonic() + _PATIENCE_S
        for thread in threads:
            thread.join(max(0.1, last - time.monotonic()))
        region = self.federation.regions[0]
        if any(thread.is_alive() for thread in threads):
            self._tally(region).violations.append(f"a programme was not finished within {_PATIENCE_S:.0f} s")
        self.federation.check_alive()
        self._judge(region)

    def _tally(self, name: str) -> Tally:
        roles = {COORDINATOR: "the coordinator", **dict.fromkeys(self.federation.witnesses, "a witness")}
        what = roles.get(name, "a node")
        return self.tallies.setdefault(what, Tally(f"kill -9 of {what}'s process"))
