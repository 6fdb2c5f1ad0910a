"""A node that rests: its steward paused it, or it has quiet hours. Nothing is lost or charged meanwhile.

    HOME/pause.json    since when, and until when (unix seconds), if it is paused
    config.yaml        quiet_hours, if there are any

While it rests a node decides on nothing: a new question is refused for the time being, the desk keeps it open until its
deadline and asks again. What was answered before is given again, for that costs nothing. Resting depends on the clock
and on the steward alone, never on rows.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from node.errors import BadHome
from node.files import sync_folder, write_private
from policies.documents import BadDocument, Document, from_canonical, to_canonical
from policies.rules.refusals import Reason, Refused

if TYPE_CHECKING:
    from node.home import Home

FILE = "pause.json"
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AGAIN = "Nothing needs to be sent again: the region answers by itself afterwards, until the deadline."


class QuietHours(Document):
    """When a node decides on nothing: from one time of day to another, and on whole days. In local time of `zone`."""

    start: str | None = Field(default=None, alias="from")
    end: str | None = Field(default=None, alias="to")
    days: tuple[Day, ...] = ()
    zone: str = "Europe/Amsterdam"

    @field_validator("start", "end")
    @classmethod
    def _time(cls, value: str | None) -> str | None:
        if value is not None:
            _time(value)
        return value

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("expected a time zone, such as Europe/Amsterdam") from error
        return value

    @model_validator(mode="after")
    def _both(self) -> QuietHours:
        if (self.start is None) != (self.end is None):
            raise ValueError('expected both `from` and `to`, such as {from: "18:00", to: "08:00"}')
        if self.start is None and not self.days:
            raise ValueError("expected times, days, or both")
        if self.start == self.end and self.start is not None:
            raise ValueError("`from` and `to` are the same; leave quiet hours out, or use `rondgang node pause`")
        if len(set(self.days)) == len(_DAYS):
            raise ValueError("every day is quiet; use `rondgang node pause`")
        return self

    def quiet(self, now: int) -> bool:
        """Whether it is quiet at `now` (unix seconds)."""
        local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(self.zone))
        if _DAYS[local.weekday()] in self.days:
            return True
        if self.start is None or self.end is None:
            return False
        start, end, clock = _time(self.start), _time(self.end), local.time()
        return start <= clock < end if start < end else clock >= start or clock < end


class Pause(Document):
    """Since when the steward has paused the node, and until when (unix seconds); without that until it is resumed."""

    since: int = Field(ge=0)
    until: int | None = Field(default=None, ge=0)

    def holds(self, now: int) -> bool:
        return self.until is None or now < self.until


def paused(home: Home, now: int) -> Pause | None:
    """The pause that holds at `now` (unix seconds). Raises BadHome where the file cannot be used."""
    try:
        found = from_canonical(Pause, (home.root / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, BadDocument) as error:
        raise BadHome(f"{home.root / FILE}: cannot be used; pause or resume again ({type(error).__name__})") from error
    return found if found.holds(now) else None


def pause(home: Home, now: int, until: int | None) -> Pause:
    """Pauses the node of a home, from now on. Durable on return; a serving node sees it at its next decision."""
    made = Pause(since=now, until=until)
    write_private(home.root / FILE, to_canonical(made))
    return made


def resume(home: Home) -> bool:
    """Ends a pause; whether there was one. Durable on return."""
    try:
        (home.root / FILE).unlink()
    except FileNotFoundError:
        return False
    sync_folder(home.root)
    return True


def resting(home: Home, hours: QuietHours | None, now: int) -> Refused | None:
    """Why nothing is decided at `now` (unix seconds); None while the node is awake. Raises as `paused`."""
    held = paused(home, now)
    if held is not None:
        till = "" if held.until is None else f" until {_written(held.until)}"
        return Refused(Reason.PAUSED, f"The region's steward has paused the node{till}. {_AGAIN}")
    if hours is not None and hours.quiet(now):
        return Refused(Reason.PAUSED, f"The region answers nothing new in its quiet hours. {_AGAIN}")
    return None


def until_of(text: str, now: int) -> int | None:
    """The moment in "2027-03-01", "2027-03-01T12:00Z", "8h", "3d" or "2w", in unix seconds; None if it is none of them.

    A bare date is its first second in UTC. Nothing before `now`.
    """
    number, unit = text[:-1], text[-1:]
    spans = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
    try:
        if unit in spans and number.isascii() and number.isdigit() and len(number) < 5:
            return now + int(number) * int(spans[unit].total_seconds())
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    found = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return found if found > now else None


def _time(text: str) -> time:
    """Raises ValueError."""
    try:
        found = time.fromisoformat(text)
    except ValueError as error:
        raise ValueError('expected a time of day in quotes, such as "18:00"') from error
    if found.tzinfo is not None:
        raise ValueError('expected a time of day without a time zone, such as "18:00"')
    return found


def _written(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%MZ")
