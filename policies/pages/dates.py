"""Dates as people read them, in Dutch and English. Every instant is in unix seconds, every date in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from policies.study.text import Language

_MONTHS = {
    "nl": ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
           "november", "december"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
}  # fmt: skip
_SHORT_MONTHS = {
    "nl": ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_LAST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


def when(instant: int) -> datetime:
    """The moment in UTC; one that no calendar has is held at the nearest that it has."""
    return datetime.fromtimestamp(min(max(instant, 0), _LAST), UTC)


def date(instant: int, lang: Language) -> str:
    """`3 maart 2026`."""
    day = when(instant)
    return f"{day.day} {_MONTHS[lang][day.month - 1]} {day.year}"


def short_date(instant: int, lang: Language) -> str:
    """`3 mrt 2026`."""
    return f"{when(instant).day} {month(instant, lang)}"


def month(instant: int, lang: Language) -> str:
    """`mrt 2026`."""
    day = when(instant)
    return f"{_SHORT_MONTHS[lang][day.month - 1]} {day.year}"


def clock(instant: int, *, seconds: bool = False) -> str:
    """`14:05`, or `14:05:09`."""
    return when(instant).strftime("%H:%M:%S" if seconds else "%H:%M")


def moment(instant: int, lang: Language) -> str:
    """`3 mrt 2026 14:05`."""
    return f"{short_date(instant, lang)} {clock(instant)}"
