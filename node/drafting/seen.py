"""What a delivered file shows of itself: its columns, what it declares about them, and of what kind their texts are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import numpy as np

from node.importing.arrow import open_parquet
from node.importing.cells import Source, TextColumn
from node.importing.excel import open_excel
from node.importing.files import EXCEL, PARQUET, SPSS, TEXT
from node.importing.problems import BadImport, shown
from node.importing.spss import Declared, declared_in, open_spss, try_layouts
from node.importing.text import open_plain
from node.importing.values import decimal, name_of, whole
from policies.study.mapping import Delimiter, Encoding

OFTEN = 5
"""A value that fewer rows have is not shown, whatever it is."""
_MOST_VALUES = 40
_LONG = 30
_BATCH = 200
"""Columns that are looked at together: a file may have many thousands."""
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}( .*)?|\d{1,2}:\d{2}(:\d{2})?.*")
_TURN, _TURNS = re.compile(r"[TtMmWw]?[0-9]"), 6
_CONVENTIONS = ("-9", "-8", "-7", "-1", "8", "9", "88", "98", "99", "888", "998", "999", "9998", "9999")
_POSTCODE = re.compile(r"[1-9]\d{3}\s?[A-Za-z]{2}")
_DATE_FORMATS = ("DATE", "TIME", "JDATE", "QYR", "MOYR", "WKYR", "WKDAY", "MONTH")


@dataclass(frozen=True, slots=True)
class Texts:
    """Of what kind a column's texts are, without those that the file declares missing.

    `often` are texts that at least OFTEN rows have; empty where there are many different ones. `others` says that there
    are more. `turns` are texts that could number waves, `outside` usual codes for "not
    known" beyond all other numbers. Nothing else of the texts is kept.
    """

    filled: int = 0
    distinct: int = 0
    numbers: bool = True
    whole: bool = True
    dates: bool = False
    postcodes: bool = False
    bsn: bool = False
    long: bool = False
    often: tuple[str, ...] = ()
    others: bool = False
    turns: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A column. `labels` are of codes, in the file's order; `missing` the codes that it declares missing.

    `unlabelled` says whether rows have values without a label, and whether more than one in ten does; `decimals` how
    many the file shows (None: not said).
    """

    name: str
    label: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    texts: Texts = Texts()
    unlabelled: Literal["none", "some", "many"] = "none"
    date: bool = False
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file and how it is written, where that is not the usual way."""

    file: str
    columns: tuple[Seen, ...]
    encoding: Encoding | None = None


def look(path: Path, encoding: Encoding | None, delimiter: Delimiter) -> SeenFile:
    """A file's columns. Raises BadImport for one that is no table."""
    file, ending = shown(path.name), path.suffix.casefold()
    declared: Mapping[str, Declared] = {}
    try:
        if not path.stat().st_size:
            raise BadImport("empty", file=file)
        if ending in SPSS:
            try_layouts([path])
            source: Source = open_spss(file, path)
            declared = declared_in(file, path)
        elif ending in PARQUET:
            source = open_parquet(file, path.read_bytes())
        elif ending in EXCEL:
            source = open_excel(file, path.read_bytes(), None)
        elif ending in TEXT:
            data = path.read_bytes()
            encoding = encoding or _encoding(data)
            source = open_plain(file, data, encoding, delimiter)
        else:
            raise BadImport("no_format", file=file)
    except OSError:
        raise BadImport("unreadable", file=file, format="CSV / SPSS / Excel / Parquet") from None
    if len(source.names) < 2 or not any(name.strip() for name in source.names):
        raise BadImport("no_table", file=file)
    _once(file, source.names)
    columns = tuple(_columns(source, declared))
    return SeenFile(file, columns, encoding if encoding != "utf-8" else None)


def _encoding(data: bytes) -> Encoding:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _once(file: str, names: Sequence[str]) -> None:
    """A name that stands twice names nothing."""
    count = Counter(name.strip().casefold() for name in names if name.strip())
    if again := [name for name in names if count[name.strip().casefold()] > 1]:
        raise BadImport("twice", file=file, column=shown(again[0].strip()))


def _columns(source: Source, declared: Mapping[str, Declared]) -> Iterable[Seen]:
    places = [place for place, name in enumerate(source.names) if name.strip()]
    for start in range(0, len(places), _BATCH):
        batch = places[start : start + _BATCH]
        for place, column in _readable(source, batch).items():
            name = source.names[place]
            if column is None:
                yield Seen(name.strip(), date=True)
            else:
                yield _seen(name.strip(), column, declared.get(name, Declared()))


def _readable(source: Source, places: Sequence[int]) -> dict[int, TextColumn | None]:
    """The columns, None for one of a type that import does not take, such as a date."""
    try:
        cells = source.read(places)
        return {place: cells.columns[place] for place in places}
    except BadImport as error:
        if error.reason != "type":
            raise
    if len(places) == 1:
        return {places[0]: None}
    return {place: column for one in places for place, column in _readable(source, (one,)).items()}


def _seen(name: str, column: TextColumn, facts: Declared) -> Seen:
    counts = np.bincount(column.codes, minlength=len(column.texts)).tolist()
    found: Counter[str] = Counter()
    for place, text in enumerate(column.texts):
        if name_of(text) and place not in column.declared:
            found[whole(text)] += counts[place]
    beyond = sum(count for text, count in found.items() if text not in facts.labels)
    unlabelled: Literal["none", "some", "many"] = "some" if beyond else "none"
    if beyond * 10 > sum(found.values()):
        unlabelled = "many"
    date = facts.format.startswith(_DATE_FORMATS) or "DATE" in facts.format
    labels = {code: tidy(label) for code, label in facts.labels.items()}
    return Seen(name, tidy(facts.label), labels, facts.missing, _texts(found), unlabelled, date, facts.decimals)


def _texts(found: Counter[str]) -> Texts:
    if not found:
        return Texts()
    numbers = all(decimal(text) is not None for text in found)
    few = len(found) <= _MOST_VALUES
    often = tuple(sorted(text for text, count in found.items() if count >= OFTEN)) if few else ()
    return Texts(
        filled=sum(found.values()),
        distinct=len(found),
        numbers=numbers,
        whole=numbers and all(text.lstrip("+-").isdigit() for text in found),
        dates=all(_DATE.fullmatch(text) for text in found),
        postcodes=all(_POSTCODE.fullmatch(text) for text in found),
        bsn=len(found) > 1 and all(_is_bsn(text) for text in found),
        long=any(len(text) > _LONG for text in found),
        often=often,
        others=len(often) < len(found),
        outside=_outside(found) if numbers else (),
        turns=tuple(sorted(found)) if len(found) <= _TURNS and all(map(_TURN.fullmatch, found)) else (),
    )


def _outside(found: Counter[str]) -> tuple[str, ...]:
    """Usual codes for "not known" that rows have, and that lie beyond every other number."""
    others = [Decimal(text.replace(",", ".")) for text in found if text not in _CONVENTIONS]
    low, high = min(others, default=Decimal(0)), max(others, default=Decimal(0))
    usual = [text for text in _CONVENTIONS if found[text] >= OFTEN]
    below, above = min(low, Decimal(0)), max(high, Decimal(0))
    return tuple(text for text in usual if not below <= Decimal(text) <= above)


def merged(columns: Sequence[Seen]) -> Seen:
    """Columns of one question, such as its waves, as one."""
    first = columns[0]
    labels, texts = dict(first.labels), first.texts
    for one in columns[1:]:
        labels = {**one.labels, **labels}
        texts = _both(texts, one.texts)
    return replace(
        first,
        label=next((one.label for one in columns if one.label), ""),
        labels=labels,
        missing=tuple(dict.fromkeys(code for one in columns for code in one.missing)),
        texts=texts,
        unlabelled=max((one.unlabelled for one in columns), key=("none", "some", "many").index),
        date=any(one.date for one in columns),
        decimals=max((one.decimals for one in columns if one.decimals is not None), default=None),
    )


def _both(one: Texts, other: Texts) -> Texts:
    if not one.filled or not other.filled:
        return one if one.filled else other
    often = tuple(sorted({*one.often, *other.often}))
    return Texts(
        filled=one.filled + other.filled,
        distinct=max(one.distinct, other.distinct, len(often)),
        numbers=one.numbers and other.numbers,
        whole=one.whole and other.whole,
        dates=one.dates and other.dates,
        postcodes=one.postcodes and other.postcodes,
        bsn=one.bsn and other.bsn,
        long=one.long or other.long,
        often=often,
        others=one.others or other.others,
        outside=tuple(text for text in dict.fromkeys((*one.outside, *other.outside))),
    )


def tidy(text: str) -> str:
    """A label without odd spaces and signs that no screen shows."""
    return "".join(sign if sign.isprintable() else " " for sign in " ".join(text.split()))[:200].strip()


def _is_bsn(text: str) -> bool:
    """A citizen's service number: nine digits that pass the test of eleven."""
    if not text.isdigit() or len(text) not in (8, 9):
        return False
    digits = [int(digit) for digit in text.zfill(9)]
    return sum(digit * weight for digit, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True)) % 11 == 0
