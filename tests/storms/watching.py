"""Where a run stands, as a researcher sees it: followed through desks that die and come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from coordinator.client import Desk
from coordinator.desk.views import Progress
from coordinator.errors import CallFailed, Unreachable
from coordinator.gather import State
from coordinator.secure.national import Where

T = TypeVar("T")

_STREAM_S = 5.0
_AGAIN_S = 0.15
_OVER = (Where.SUMMED, Where.FAILED)


def ended(progress: Progress) -> bool:
    """Whether nothing more is to come by itself: an attempt that had begun may outlast the deadline."""
    national = progress.national
    return progress.state is not State.ASKING and (national is None or national.where in _OVER)


def standing(progress: Progress | None) -> str:
    """Where a run stands, in a few words."""
    if progress is None:
        return "unheard of"
    if progress.national is None:
        return progress.state.value
    return f"{progress.state.value}, {progress.national.where.value} {progress.national.attempt}"


def tried(researcher: Path, call: Callable[[Desk], T], patience_s: float) -> T:
    """What a call of the desk gives, tried anew while the desk is away. Raises Unreachable once patience ends."""
    last = time.monotonic() + patience_s
    while True:
        try:
            with Desk.open(researcher) as desk:
                return call(desk)
        except Unreachable:
            if time.monotonic() > last:
                raise
            time.sleep(_AGAIN_S)


class Watch:
    """Follows one run in a thread. `faults` are what the desk said that is neither progress nor "try later"."""

    def __init__(self, researcher: Path, run: str) -> None:
        self._researcher = researcher
        self._run = run
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self.latest: Progress | None = None
        self.faults: list[str] = []

    def until(self, condition: Callable[[Progress], bool], patience_s: float) -> bool:
        """Waits until a condition holds of where the run stands; False if it does not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.latest is not None and condition(self.latest), patience_s)

    @contextmanager
    def following(self) -> Iterator[Watch]:
        thread = threading.Thread(target=self._follow, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join(2 * _STREAM_S)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                # A channel that lost its desk waits longer and longer: a fresh one dials at once.
                with Desk.open(self._researcher) as desk:
                    for progress in desk.watch(self._run, _STREAM_S):
                        self._take(progress)
                        if self._stop.is_set():
                            return
            except Unreachable:
                pass
            except CallFailed as error:
                self.faults.append(str(error))
            self._stop.wait(_AGAIN_S)

    def _take(self, progress: Progress) -> None:
        with self._changed:
            self.latest = progress
            self._changed.notify_all()
