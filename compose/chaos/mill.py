"""The fork server of one region: forks a node, disturbs it, judges the ledger, and does it again.

It is warm, so that a start costs milliseconds instead of seconds, and it has one thread, so that it may fork.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
import traceback
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from compose.chaos.chance import Chance
from compose.chaos.child import Life, live
from compose.chaos.faults import Traced, traced
from compose.chaos.judge import Judge
from compose.chaos.world import Orders
from node.home import Home

_BATCHES = 8
_MOST_S = 60.0
"""How long a child may live; witnesses may be away for all of it."""
KILLED = -signal.SIGKILL


@dataclass(slots=True)
class Tally:
    """What happened under one kind of disturbance: how often, what came of it, what was wrong, and how long it took."""

    kind: str
    count: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        rest = {"outcomes": dict(self.outcomes), "violations": self.violations, "seconds": self.seconds}
        return {"kind": self.kind, "count": self.count, **rest}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Tally:
        return cls(**{**value, "outcomes": Counter(value["outcomes"])})

    def add(self, other: Tally) -> None:
        """Counts another one of this kind in; what ran side by side took as long as the longest."""
        self.count += other.count
        self.outcomes += other.outcomes
        self.violations += other.violations
        self.seconds = max(self.seconds, other.seconds)


@dataclass(frozen=True, slots=True)
class Moment:
    """So many seconds after a child was `born`, or after the first orders were `asked`."""

    after: Literal["born", "asked"]
    seconds: float


@dataclass(slots=True)
class Death:
    """How a child ended: its exit code, negative for a signal, and all that it told."""

    code: int
    told: list[dict[str, Any]]

    @property
    def last(self) -> str:
        return str(self.told[-1]["at"]) if self.told else "started"

    def all(self, at: str) -> list[dict[str, Any]]:
        return [told for told in self.told if told["at"] == at]


@dataclass(slots=True)
class Mill:
    """One region under its judge. `asked` are names that were ordered and never answered, as far as anybody saw."""

    home: Home
    orders: Orders
    judge: Judge
    chance: Chance
    name: str
    """What its programmes are called, before a number."""
    asked: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    number: int = 0
    opening_s: float = 0.2
    batch_s: float = 0.1
    """How long children of late took to open, and for a batch of orders."""

    def batches(self, count: int = _BATCHES) -> list[list[str]]:
        """Names to order: one at a time, or several that are charged together."""
        return [[self._name() for _ in range(self.chance.of((1, 1, 2, 4)))] for _ in range(count)]

    def _name(self) -> str:
        """A new programme, one that was asked and never answered, or one that was."""
        if self.asked and self.chance.happens(0.4):
            return self.chance.of(self.asked)
        if self.answered and self.chance.happens(0.1):
            return self.chance.of(self.answered)
        self.number += 1
        return f"{self.name}_{self.number}"

    def live(self, life: Life, tally: Tally, dies: Moment | None = None, fault: Traced | None = None) -> Death:
        """One child, from its birth to its end, and what the judge says of what it left behind.

        A `fault` is for a life that waits.
        """
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _be(life, self.orders, reading, writing)
        os.close(writing)
        with ExitStack() as stack:
            if fault is not None:
                os.waitpid(child, os.WUNTRACED)
                stack.enter_context(traced(child, fault))
                os.kill(child, signal.SIGCONT)
            told = self._listen(reading, child, dies or Moment("born", _MOST_S))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(reading)
        death = Death(code, told)
        self._heard(death, tally)
        return death

    def undisturbed(self, tally: Tally) -> Death:
        """A child that nothing happens to: it must open, answer all that is ordered, and end by itself."""
        names = [[self._name() for _ in range(3)]]
        death = self.live(Life(self.home, names), tally)
        if death.last != "ended" or len(death.all("sent")) != 3:
            reasons = [str(told.get("sentence") or told["reason"]) for told in death.told if told["at"] in _NO]
            tally.violations.append(f"{self.judge.region}: nothing disturbed it, and it did not answer: {reasons}")
        return death

    def _listen(self, reading: int, child: int, dies: Moment) -> list[dict[str, Any]]:
        """All that the child tells until it is dead; kills it at its moment, to the microsecond."""
        data, began = b"", time.monotonic()
        ends, asked = began + (dies.seconds if dies.after == "born" else _MOST_S), began
        while True:
            left = ends - time.monotonic()
            if left <= 0:
                os.kill(child, signal.SIGKILL)
                ends = float("inf")
            ready, _, _ = select.select([reading], [], [], None if ends == float("inf") else max(0.0, left))
            if not ready:
                continue
            more, now = os.read(reading, 65_536), time.monotonic()
            if not more:
                break
            if b'"opened"' in more:
                self.opening_s += 0.2 * (now - began - self.opening_s)
            if b'"asked"' in more:
                if b'"asked"' not in data and dies.after == "asked":
                    ends = now + dies.seconds
                elif b'"asked"' in data:
                    self.batch_s += 0.2 * (now - asked - self.batch_s)
                asked = now
            data += more
        # A line that was cut off did not leave.
        return [json.loads(line) for line in data.split(b"\n")[:-1]]

    def _heard(self, death: Death, tally: Tally) -> None:
        for told in death.told:
            self.judge.told(told)
            match told:
                case {"at": "asked", "names": list(names)}:
                    self.asked = sorted({*self.asked, *names} - set(self.answered))[-200:]
                case {"at": "sent", "name": str(name)}:
                    self.asked = [one for one in self.asked if one != name]
                    self.answered.append(name)
                case _:
                    pass
        tally.violations += self.judge.look()
        if death.code not in (0, KILLED):
            tally.violations.append(f"{self.judge.region}: a traceback instead of a sentence after {death.last}")


_NO = ("closed", "refused")


def _be(life: Life, orders: Orders, reading: int, writing: int) -> NoReturn:
    """Is the child."""
    code = 70
    try:
        os.close(reading)
        live(life, orders, writing)
        code = 0
    except BaseException:
        # The parent's own clean-up is not for its copy: whatever it was, it is shown, and ends here.
        traceback.print_exc()
    finally:
        os._exit(code)
