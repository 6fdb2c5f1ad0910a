"""Feeding one decoder: seeds, then changes of them, and what each input led to."""

from __future__ import annotations

import resource
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from tests.fuzz.decoder import Decoder
from tests.fuzz.mutate import Mutator

MOST_S = 1.0
"""Processor time for one input."""
MOST_MB = 64
"""Memory that one input may add to the process's peak."""
_MOST_POOL = 400


class Hang(BaseException):
    """An input took longer than `MOST_S`. No decoder may catch it by the way."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An input that ended in something else than success or refusal."""

    decoder: str
    what: str
    where: str
    data: bytes


@dataclass(slots=True)
class Tally:
    """What the inputs of one decoder came to. `ways` are the different places where it refused or succeeded."""

    decoder: str
    inputs: int = 0
    taken: int = 0
    refused: int = 0
    ways: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    faults: list[Fault] = field(default_factory=list)


@contextmanager
def watched() -> Iterator[None]:
    """Within it an input that takes more than `MOST_S` of processor time is interrupted with `Hang`."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, ring)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def attempt(decoder: Decoder, data: bytes, tally: Tally) -> tuple[str, ...]:
    """One input. Gives where it ended, for telling inputs apart that the decoder treats differently."""
    peak, started = _peak_mb(), time.process_time()
    signal.setitimer(signal.ITIMER_PROF, MOST_S)
    end: tuple[str, ...] = ("taken",)
    try:
        decoder.decode(data)
        tally.taken += 1
    except decoder.refusals as refusal:
        tally.refused += 1
        end = _end(refusal)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as fault:
        end = ("fault", type(fault).__name__, *_end(fault))
        tally.faults.append(Fault(decoder.name, repr(fault)[:200], _where(fault), data))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    took_s = time.process_time() - started
    tally.inputs += 1
    tally.seconds += took_s
    tally.slowest_s = max(tally.slowest_s, took_s)
    # A collection of garbage may fall anywhere, so memory is not one input's fault unless it is a lot.
    if (more := _peak_mb() - peak) > MOST_MB and tally.inputs > 20:
        tally.faults.append(Fault(decoder.name, f"{more} MB more", "", data))
    return end


def feed(decoder: Decoder, seeds: Sequence[bytes], count: int, seed: int, until_s: float | None = None) -> Tally:
    """The seeds, then changes of them up to `count` inputs. Inputs that end in a new way are changed further.

    Stops early once `until_s` (of `time.monotonic`) has passed.
    """
    tally, mutator = Tally(decoder.name), Mutator(seed)
    pool, ways = list(seeds), set[tuple[str, ...]]()
    with watched():
        for data in seeds[:count]:
            ways.add(attempt(decoder, data, tally))
        while tally.inputs < count and (until_s is None or time.monotonic() < until_s):
            data = mutator.one(mutator.choose(pool), mutator.choose(pool))
            end = attempt(decoder, data, tally)
            if end not in ways:
                ways.add(end)
                if len(pool) < _MOST_POOL and len(data) < 50_000:
                    pool.append(data)
    tally.ways = len(ways)
    return tally


def _end(error: BaseException) -> tuple[str, ...]:
    """The kind of exception, and the last two places on its way."""
    places, trace = [], error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    words = "".join(letter for letter in str(error)[:60] if letter.isalpha())
    return type(error).__name__, *places[-2:], words[:24]


def _where(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)[-4:])[-1_500:]


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
