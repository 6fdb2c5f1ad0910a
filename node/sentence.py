"""How the node is doing, in one sentence: what is worst first, then the budget, then what waits for the steward."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from node.doctor.papers import Facts
from node.status import Budget, Status
from policies.pages.dates import moment
from policies.pages.words import say
from policies.study.text import Language

_LOW = 10
"""Below so many per cent left of a budget, that is said as a warning."""


@dataclass(frozen=True, slots=True)
class State:
    """The sentence, and how bad it is: `bad` where nothing is answered, `warn` where the steward should look."""

    level: Literal["good", "warn", "bad"]
    sentence: str


def state_of(shown: Status, facts: Facts, waiting: int, lang: Language) -> State:
    """`waiting` is how many questions wait for the steward. Pure."""
    region, desk = shown.region, shown.coordinator
    if not shown.enrolled:
        return State("bad", say("node.status.not_enrolled", lang, region=region))
    if shown.missing:
        missing = ", ".join(say(f"node.missing.{kind}", lang) for kind in shown.missing)
        return State("bad", say("node.status.not_ready", lang, region=region, missing=missing))
    if not shown.serving:
        return State("bad", _with(say("node.status.stopped", lang, region=region), _waits(waiting, lang)))
    if not shown.connected:
        away = say("node.status.away", lang, region=region, coordinator=desk)
        return State("bad", _with(away, _waits(waiting, lang)))
    return _at_work(shown, facts, waiting, lang)


def budget_share(one: Budget) -> int:
    """How much of a cap is left, in whole percents rounded down: what is shown is never more than there is."""
    cap, left = Decimal(one.cap.rho), Decimal(one.left.rho)
    return int(left * 100 / cap) if cap > 0 else 0


def _at_work(shown: Status, facts: Facts, waiting: int, lang: Language) -> State:
    least = _least(shown)
    low = least is not None and budget_share(least) < _LOW
    level: Literal["good", "warn", "bad"] = "warn"
    if shown.trouble is not None:
        level, head = "bad", "trouble"
    elif shown.awaits_inheritance:
        level, head = "bad", "inheritance"
    elif facts.paused:
        head = "paused" if facts.paused_until is None else "paused_until"
    elif facts.quiet:
        head = "quiet"
    elif not facts.held:
        head = "no_data"
    elif low:
        head = "fine_but"
    else:
        level, head = "good", "fine"
    until = "" if facts.paused_until is None else moment(facts.paused_until, lang)
    parts = [say(f"decide.sentence.{head}", lang, until=until), _budget(least, low, lang), _waits(waiting, lang)]
    return State(level, f"{'; '.join(part for part in parts if part)}.")


def _least(shown: Status) -> Budget | None:
    """The budget with least left: of the cohorts whose data are here, and of all together."""
    held = [one for one in shown.budgets if one.snapshot and Decimal(one.cap.rho) > 0]
    return min(held, key=budget_share, default=None)


def _budget(least: Budget | None, low: bool, lang: Language) -> str:
    if least is None:
        return ""
    cohort = least.cohort or say("node.status.together", lang)
    key = "budget_low" if low else "budget_of" if least.cohort else "budget"
    return say(f"decide.sentence.{key}", lang, percent=budget_share(least), cohort=cohort)


def _waits(waiting: int, lang: Language) -> str:
    key = {0: "none", 1: "one"}.get(waiting, "many")
    return say(f"decide.sentence.waits_{key}", lang, count=waiting)


def _with(sentence: str, more: str) -> str:
    """A whole sentence, and another after it."""
    return f"{sentence} {more[:1].upper()}{more[1:]}."
