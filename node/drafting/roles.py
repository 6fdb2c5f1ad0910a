"""What a column is for, by its name and label: who a row is of, which wave, an answer, or nothing to be taken in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from node.drafting.seen import Seen, Texts

Why = Literal["name", "date", "bsn", "postcode", "free_text", "id", "empty", "constant"]
"""Why a column is left out: a name or an address, a date, a citizen's service number, a postcode, free text, another
number that points to somebody, nothing in it, or one and the same value."""

_HOUSEHOLD = (
    r"hh_?id", r"household(_?id|_?nr|_?number)?", r"(huishoud(en|ing)?|gezins?)(_?(id|nr|num(mer)?|code))?",
    r"famil(y|ie)(_?(id|nr))?", r"case_?(id|nr|num(ber)?)?", r"clients?_?(id|nr|nummer)", r"dossier(_?(id|nr|nummer))?",
    r"resp(ondent)?(_?(id|nr|num(mer)?))?", r"(record|subject|unit|unique)_?(id|nr)", r"id(_?(nr|num(mer)?))?",
    r"nr|nummer|number",
)  # fmt: skip
"""Best first."""
_PERSON = (
    r"pers(oon|on)?(s?_?(id|nr|num(mer)?))?", r"(kind|child)_?(id|nr|num(mer)?)",
    r"(ouder|parent|adult|volwassene)_?(id|nr|num(mer)?)",
    r"(lid|member)_?(id|nr|num(mer)?)?",
)  # fmt: skip
_WAVE = (r"wave", r"meting(_?nr)?", r"golf", r"ronde", r"meetmoment", r"tijdstip", r"moment", r"t")
_PRESENT = re.compile(r"(deel(name|genomen)?|meegedaan|aanwezig|present|participat\w*|respons[e]?)", re.IGNORECASE)
_NAMES = re.compile(
    r"(voor|achter|roep|geslachts)?na(a)?m(e|en)?(_.*)?|(first|last|sur)_?name|straat(naam)?|street|adres|address|"
    r"woonplaats|plaats|city|e_?mail(adres)?|telefoon(nr|nummer)?|tel|phone|mobiel|iban|huisnummer|huisnr"
)
_DATES = re.compile(r".*(datum|_date|^date).*|geb(oorte)?_?(dat|jaar|jr|dag|mnd|maand).*|dob|birth.*|.*_dt")
_BSN = re.compile(r".*(bsn|burgerservice|sofi).*")
_POSTCODE = re.compile(r"post_?code.*|pc_?[46].*|zip(_?code)?")
_TEXT = re.compile(r".*(toelicht|opmerk|anders_?nl|namelijk|omschrijv|open_?antw|remark|comment|specify|verhaal).*")
_FEW = 12
_MANY = 8
"""Whole numbers with as many different values are taken for an amount, fewer for a code."""


def household(columns: Sequence[Seen], told: str | None) -> Seen | None:
    """The column that tells the household, by the codebook's own name first."""
    return _first(columns, *((re.escape(told.casefold()),) if told else ()), *_HOUSEHOLD)


def person(columns: Sequence[Seen], told: str | None) -> Seen | None:
    """The column that tells the person within the household."""
    return _first(columns, *((re.escape(told.casefold()),) if told else ()), *_PERSON)


def wave(columns: Sequence[Seen], told: str | None) -> Seen | None:
    """The column that tells the wave: few values, each of many rows."""
    few = [one for one in columns if one.texts.turns]
    return _first(few, *((re.escape(told.casefold()),) if told else ()), *_WAVE)


def says_present(stem: str, texts: Texts) -> bool:
    """Whether a column says who took part."""
    return _PRESENT.fullmatch(stem.strip("_")) is not None and texts.distinct <= 3


def left_out(column: Seen) -> Why | None:
    """Why the column may not be suggested; None: it may."""
    name, label, texts = column.name.casefold(), column.label.casefold(), column.texts
    if not texts.filled and not column.labels and not column.date:
        return "empty"
    named: tuple[tuple[Why, re.Pattern[str], bool], ...] = (
        ("bsn", _BSN, texts.bsn),
        ("postcode", _POSTCODE, texts.postcodes),
        ("date", _DATES, column.date or texts.dates),
        ("name", _NAMES, False),
    )
    for why, pattern, shows in named:
        if shows or any(pattern.fullmatch(word) for word in (name, label, *name.split("_")) if word):
            return why
    if len(column.labels) >= 2:
        return None
    return _of_texts(name, texts)


def _of_texts(name: str, texts: Texts) -> Why | None:
    """Of a column without labels."""
    if _TEXT.fullmatch(name) or texts.long:
        return "free_text"
    if texts.distinct == 1:
        return "constant"
    if not texts.numbers:
        return "free_text" if texts.others or texts.distinct > _FEW else None
    unique = texts.distinct == texts.filled and texts.filled >= _MANY
    pointing = any(re.fullmatch(pattern, name) for pattern in (*_HOUSEHOLD, *_PERSON)) or name.endswith(("_id", "_nr"))
    return "id" if texts.whole and unique and pointing else None


def is_category(texts: Texts) -> bool:
    """Whether undeclared values are few enough, and each frequent enough, to be codes."""
    limit = _MANY if texts.numbers else _FEW
    return texts.whole | (not texts.numbers) and 2 <= texts.distinct < limit and not texts.others


def _first(columns: Sequence[Seen], *patterns: str) -> Seen | None:
    for pattern in patterns:
        for column in columns:
            if re.fullmatch(pattern, column.name.casefold()):
                return column
    return None
