"""One run of load, from the first key to the auditor's verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compose.chaos.run import Chaos
from compose.demo.federation import Federation
from tests.soak.load import bare
from tests.soak.load.asking import Crowd, asked_again
from tests.soak.load.flood import Flood, flooding
from tests.soak.load.memory import Curve, look, percentiles, watched
from tests.soak.load.report import Minute, Report, Speed
from tests.soak.load.world import Asker, federation

COLLEAGUES = ("researcher_2", "researcher_3", "researcher_4", "researcher_5")
"""Four share the load, so that nobody's share comes near what one caller may have open; the last one floods."""
ROLES = ("coordinator", "witness", "node")
VICTIM = 4
"""Programmes that the researcher has in flight beside whom somebody floods."""
AGAIN = 24
_BARE_S = 20.0
_EVERY_S = 10.0
_SHORTEST_MIN = 3.0
"""A shorter run says nothing of growth: processes are still warming up."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much: minutes of load, programmes in flight, regions, seconds of each phase of the flood; and the store."""

    minutes: float = 10.0
    at_once: int = 64
    regions: int = 13
    flood_s: float = 60.0
    database: str | None = None


@dataclass(slots=True)
class Load:
    """One run in a folder of its own. `say` is told how far it is."""

    folder: Path
    scale: Scale
    say: Callable[[str], None]
    violations: list[str] = field(default_factory=list)

    def run(self) -> Report:
        """All of it. Raises NotStarted where the federation does not come up."""
        made = federation(self.folder, self.scale.regions, COLLEAGUES, self.scale.database)
        made.set_up(self.say)
        try:
            made.start(self.say)
            return self._run(made)
        finally:
            made.stop()

    def _run(self, made: Federation) -> Report:
        askers = [Asker.of(home, made.regions) for home in made.researchers]
        floors = [self._bare("bare baseline before", made.regions)]
        crowd, seconds, curve, answers = self._load(made, askers[:-1])
        floors.append(self._bare("bare baseline after", made.regions))
        victims, flood = self._flooded(made, askers[0])
        self.say("programmes are asked a second time")
        again = crowd.tally.done[-AGAIN:]
        self.violations += asked_again(askers[0], [one for one in again if not one.national])
        made.check_alive()
        made.stop()
        audit = Chaos(self.folder, 0, self.say).audit(made, "the ledgers")
        self.violations += audit.violations
        tally, growth = crowd.tally, tuple(curve.growth(role) for role in ROLES)
        if self.scale.minutes >= _SHORTEST_MIN:
            self.violations += [f"the memory of a {one.role} grows: {one}" for one in growth if not one.bounded]
        return Report(
            regions=len(made.regions),
            at_once=self.scale.at_once,
            store="PostgreSQL" if self.scale.database else "SQLite",
            load=(
                speed("regional programmes", tally.of(national=False), seconds),
                speed("programmes with a national sum", tally.of(national=True), seconds),
            ),
            answers=answers,
            turned_away=tally.turned_away,
            bare=tuple(floors),
            roles=ROLES,
            minutes=minutes(curve),
            growth=growth,
            slopes=tuple(curve.slope(role) for role in ROLES),
            cpu_ms=tuple(1e3 * curve.cpu_s(role) / max(1, len(tally.done)) for role in ROLES),
            victim=victims,
            flood=dict(flood.said),
            flood_taken=flood.taken,
            asked_again=len([one for one in again if not one.national]),
            audit=dict(audit.outcomes),
            violations=tuple(self.violations),
        )

    def _bare(self, what: str, regions: Sequence[str]) -> Speed:
        self.say(what)
        for_s = min(_BARE_S, 30 * self.scale.minutes)
        with bare.bare(self.folder / what.replace(" ", "-"), regions) as (keys, port):
            return speed(what, bare.seconds(keys, port, self.scale.at_once, for_s), for_s)

    def _load(self, made: Federation, askers: Sequence[Asker]) -> tuple[Crowd, float, Curve, int]:
        crowd = Crowd(askers, self.scale.at_once, "load", len(made.regions))
        processes = {name: process.pid for name, process in made.processes.items()}
        began = time.monotonic()
        with watched(processes, {name: role(name) for name in processes}) as curve, crowd.asking():
            self._wait(crowd, began, 60 * self.scale.minutes, processes)
        seconds = time.monotonic() - began
        self._tell(crowd, "load")
        answers = sum(one.answers for one in crowd.tally.done)
        return crowd, seconds, curve, answers

    def _wait(self, crowd: Crowd, began: float, for_s: float, processes: dict[str, int]) -> None:
        """Until the time is up or something is wrong; a line every ten seconds."""
        while (gone := time.monotonic() - began) < for_s and not crowd.tally.faults:
            time.sleep(min(_EVERY_S, for_s - gone))
            held = dict.fromkeys(ROLES, 0.0)
            for name, pid in processes.items():
                held[role(name)] = max(held[role(name)], look(pid, 0.0).mib)
            told = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in held.items())
            self.say(f"{crowd.finished} programmes finished; {told}")
        for fault in crowd.tally.faults:
            self.say(f"WRONG: {fault}")

    def _flooded(self, made: Federation, asker: Asker) -> tuple[tuple[Speed, ...], Flood]:
        """A researcher's programmes without a flood, beside one, and without one again."""
        speeds = self._phase(made, asker, "quiet")
        with flooding(made.researchers[-1], made.regions, "flood") as flood:
            speeds += self._phase(made, asker, "flooded")
        if not flood.said["RESOURCE_EXHAUSTED"]:
            self.violations.append(f"the flood was never refused: {dict(flood.said)}")
        return tuple(speeds), flood

    def _phase(self, made: Federation, asker: Asker, what: str) -> list[Speed]:
        self.say(f"one researcher, {what}")
        crowd, began = Crowd([asker], VICTIM, what, len(made.regions)), time.monotonic()
        with crowd.asking():
            while time.monotonic() - began < self.scale.flood_s and not crowd.tally.faults:
                time.sleep(0.2)
        seconds = time.monotonic() - began
        self._tell(crowd, what)
        modes = (("regional", False), ("national", True))
        return [speed(f"{what}, {mode}", crowd.tally.of(national=national), seconds) for mode, national in modes]

    def _tell(self, crowd: Crowd, what: str) -> None:
        self.violations += [f"{what}: {one}" for one in crowd.tally.faults]
        if not crowd.tally.done:
            self.violations.append(f"{what}: no programme finished")


def role(name: str) -> str:
    """What a process is, by its name."""
    return name if name in ROLES else "node"


def speed(what: str, seconds: Sequence[float], of_s: float) -> Speed:
    return Speed(what, len(seconds), of_s, *percentiles(seconds))


def minutes(curve: Curve) -> tuple[Minute, ...]:
    """The curve, a row a minute."""
    columns = [curve.minutes(name) for name in ROLES]
    rows = zip(*columns, strict=False)
    return tuple(Minute(tuple(mib for mib, _ in row), max(files for _, files in row)) for row in rows)
