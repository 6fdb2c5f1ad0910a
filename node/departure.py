"""When a reply may leave. Pure: the clock's readings are arguments, in seconds of one monotonic clock."""

from __future__ import annotations

from policies.rules.tick import Tick

_MS = 1000.0


def last_moment(tick: Tick, arrived_s: float) -> float:
    """The last tick of an order that arrived at `arrived_s`: who has nothing to send by then says `late`."""
    return arrived_s + tick.length_ms * tick.last / _MS


def departure(tick: Tick, arrived_s: float, ready_s: float) -> float | None:
    """The moment at which a reply leaves that was ready at `ready_s`; None once the last tick has passed.

    Privacy: the moment is one of `tick.last` public ones, whatever the reply is (answer, repeat or refusal).
    """
    after_ms = tick.departure_ms((ready_s - arrived_s) * _MS)
    return None if after_ms is None else arrived_s + after_ms / _MS
