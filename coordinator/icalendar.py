"""The rotation as an iCalendar file (RFC 5545), for the agenda programs of stewards and researchers.

One all-day event for every phase of every cohort and for every region that changes. The same calendar gives the same
bytes: DTSTAMP is not the time of writing but the calendar's first moment, and SEQUENCE its version, so that a newer
file replaces the events of an older one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from coordinator.agenda import change_words, region_changes
from policies.study.calendar import DAY_S, Calendar
from policies.study.cycles import PHASES

LONGEST_LINE = 75
"""Octets in a line, its break not counted (RFC 5545, section 3.1)."""


def icalendar(calendar: Calendar) -> bytes:
    """The file's bytes: UTF-8, lines that end with CRLF."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Rondgang//rotation//EN", "CALSCALE:GREGORIAN"]
    lines += _events(calendar)
    lines.append("END:VCALENDAR")
    return b"".join(part + b"\r\n" for line in lines for part in folded(line))


def _events(calendar: Calendar) -> Iterator[str]:
    for name, cohort in calendar.cohorts.items():
        asked = ", ".join(f"{calendar.regions[code].name.en} ({code})" for code in calendar.members(name))
        for phase in PHASES:
            if phase in cohort.windows:
                said = f"Group {cohort.group}. Regions: {asked}"
                summary = f"{name} {phase}: {cohort.labels.en}"
                yield from _event(calendar, f"{name}-{phase}", cohort.windows[phase], summary, said)
    for change in region_changes(calendar):
        # What ends does so with the last second of a day; the event is that day.
        first = change.at // DAY_S * DAY_S
        words = change_words(calendar, change)
        summary = f"{calendar.regions[change.region].name.en} ({change.region}) {change.kind}"
        yield from _event(calendar, f"{change.region}-{change.kind}", (first, first + DAY_S - 1), summary, words)


def _event(calendar: Calendar, key: str, span: tuple[int, int], summary: str, said: str) -> Iterator[str]:
    stamp = min((cohort.begin for cohort in calendar.cohorts.values()), default=0)
    yield "BEGIN:VEVENT"
    yield f"UID:{calendar.calendar.id}-{key}@rondgang"
    yield f"DTSTAMP:{_moment(stamp)}"
    yield f"SEQUENCE:{calendar.calendar.version}"
    first, end = span[0], span[1] + 1  # DTEND is the first moment after it (section 3.6.1)
    if first % DAY_S == end % DAY_S == 0:
        yield f"DTSTART;VALUE=DATE:{_moment(first)[:8]}"
        yield f"DTEND;VALUE=DATE:{_moment(end)[:8]}"
    else:
        yield f"DTSTART:{_moment(first)}"
        yield f"DTEND:{_moment(end)}"
    yield f"SUMMARY:{escaped(summary)}"
    yield f"DESCRIPTION:{escaped(said)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def escaped(text: str) -> str:
    """TEXT as section 3.3.11 writes it; other control characters, which it does not allow, become spaces."""
    for plain, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        text = text.replace(plain, written)
    return "".join(" " if ord(letter) < 32 or ord(letter) == 127 else letter for letter in text)


def folded(line: str) -> Iterator[bytes]:
    """The line in parts of at most 75 octets, without their breaks; no character is cut in two."""
    part = b""
    for letter in line:
        data = letter.encode("utf-8")
        if len(part) + len(data) > LONGEST_LINE:
            yield part
            part = b" "
        part += data
    yield part


def _moment(second: int) -> str:
    return dt.datetime.fromtimestamp(second, dt.UTC).strftime("%Y%m%dT%H%M%SZ")
