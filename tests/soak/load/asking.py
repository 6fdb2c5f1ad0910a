"""Programmes in flight: so many at all times, each brought to its end and fetched, and how long each took."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from rondgang.canonical import digest
from rondgang.signed import Signed

from coordinator.desk.views import Results
from coordinator.errors import Unreachable
from coordinator.gather import Asked, State
from coordinator.home import ResearcherConfig
from coordinator.remote.wire import RemoteDesk
from coordinator.secure.national import Where
from coordinator.transport import channel
from policies.documents import from_canonical
from policies.rules.refusals import Refused
from policies.secure.rounds import NationalSum
from tests.soak.load.world import Asker

PATIENCE_S = 900.0
"""How long one programme may take on a machine that is busy with sixty-three others."""
_AGAIN_S = 0.2


class Wrong(Exception):
    """A programme that did not end as it must."""


@dataclass(frozen=True, slots=True)
class Done:
    """One programme at its end: when it was submitted (monotonic clock), and how long until it was complete."""

    run: str
    began: float
    seconds: float
    national: bool
    answers: int
    """Signed answers, or vectors in the sum, that came in."""
    came: str
    """The hash of all that came in."""


@dataclass(slots=True)
class Tally:
    """What came of a phase. `turned_away` counts calls that the desk's limits, or its patience, sent away."""

    done: list[Done] = field(default_factory=list)
    turned_away: int = 0
    faults: list[str] = field(default_factory=list)

    def of(self, *, national: bool) -> list[float]:
        """Seconds of the programmes of one mode."""
        return [one.seconds for one in self.done if one.national is national]


@contextmanager
def desk(asker: Asker, timeout_s: float = PATIENCE_S) -> Iterator[RemoteDesk]:
    """One connection of a researcher."""
    config = asker.profile.config(ResearcherConfig)
    line: grpc.Channel
    with channel(config.coordinator, asker.profile.tls()) as line:
        yield RemoteDesk(line, config.coordinator, timeout_s)


class Crowd:
    """Researchers who keep `at_once` programmes in flight together, from `start` to `stop`.

    Each has one connection and its share of the programmes. Names begin with `stem`, so that no two phases share one.
    """

    def __init__(self, askers: Sequence[Asker], at_once: int, stem: str, regions: int) -> None:
        self._askers = askers
        self._at_once = at_once
        self._stem = stem
        self._regions = regions
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.tally = Tally()
        self._threads: list[threading.Thread] = []

    @property
    def finished(self) -> int:
        return len(self.tally.done)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Programmes are in flight while the block runs; on leaving those that were begun are brought to their end."""
        for place, asker in enumerate(self._askers):
            share = len(range(place, self._at_once, len(self._askers)))
            thread = threading.Thread(target=self._researcher, args=(asker, share, f"{self._stem}_{place}"))
            self._threads.append(thread)
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def _researcher(self, asker: Asker, share: int, stem: str) -> None:
        programmes = asker.programmes(stem)
        with desk(asker) as remote:
            slots = [threading.Thread(target=self._slot, args=(remote, programmes)) for _ in range(share)]
            for slot in slots:
                slot.start()
            for slot in slots:
                slot.join()

    def _slot(self, remote: RemoteDesk, programmes: Iterator[tuple[Signed, bool]]) -> None:
        while not self._stop.is_set():
            with self._lock:
                signed, national = next(programmes)
            try:
                done = self._one(remote, signed, national)
            except Exception as error:
                with self._lock:
                    self.tally.faults.append(f"{type(error).__name__}: {error}")
                self._stop.set()
                return
            with self._lock:
                self.tally.done.append(done)

    def _one(self, remote: RemoteDesk, signed: Signed, national: bool) -> Done:
        began = time.monotonic()
        while True:
            try:
                run = self._complete(remote, signed)
                seconds = time.monotonic() - began
                answers, came = came_in(remote, run, self._regions, national=national)
                return Done(run, began, seconds, national, answers, came)
            except Unreachable:
                with self._lock:
                    self.tally.turned_away += 1
                if time.monotonic() > began + PATIENCE_S:
                    raise
                time.sleep(_AGAIN_S)

    def _complete(self, remote: RemoteDesk, signed: Signed) -> str:
        submitted = remote.submit(signed.to_bytes(), again=False)
        if isinstance(submitted, Refused):
            raise Wrong(f"refused: {submitted.sentence}")
        for progress in remote.watch(submitted.run, PATIENCE_S):
            if progress.state is State.COMPLETE:
                national = progress.national
                # A national sum holds without the regions that were too slow for it: so many may be missing.
                if national is not None and national.where is not Where.SUMMED:
                    raise Wrong(f"{submitted.run} has no national sum: {national.sentence}")
                states = {one.state for one in progress.regions}
                if national is None and states != {Asked.ANSWERED}:
                    raise Wrong(f"{submitted.run} ended with regions that did not answer: {sorted(states)}")
                return submitted.run
        raise Wrong(f"{submitted.run} was not completed")


def came_in(remote: RemoteDesk, run: str, regions: int, *, national: bool) -> tuple[int, str]:
    """How many regions are in a run, and the hash of all that it rests on: each one's signed answer, or the signed sum.

    Raises Wrong where a region is missing from a run that asks each.
    """
    found = _results(remote, run)
    if national:
        if found.signed_sum is None:
            raise Wrong(f"{run} is complete without its sum")
        summed = from_canonical(NationalSum, Signed.from_bytes(found.signed_sum).document)
        return len(summed.regions), digest(found.signed_sum)
    if len(set(found.signed_answers)) != regions:
        raise Wrong(f"{run} is complete with {len(found.signed_answers)} answers")
    return regions, digest(b"".join(found.signed_answers))


def _results(remote: RemoteDesk, run: str) -> Results:
    found = remote.results(run)
    if not isinstance(found, Results):
        raise Wrong(f"{run} gives no results: {found.sentence}")
    return found


def asked_again(asker: Asker, done: Sequence[Done]) -> list[str]:
    """Asks regional runs once more, answers and all; gives those that came to anything else than the same bytes."""
    wrong = []
    with desk(asker) as remote:
        for one in done:
            found = _results(remote, one.run)
            remote.submit(found.signed_programme, again=True)
            *_, last = remote.watch(one.run, PATIENCE_S)
            same = all(region.same and not region.other for region in last.regions)
            if not same or came_in(remote, one.run, one.answers, national=False) != (one.answers, one.came):
                wrong.append(f"{one.run} was answered twice differently")
    return wrong
