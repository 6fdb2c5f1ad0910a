"""How names of columns hang together: one question over waves and persons, told by a suffix or a number in the name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from policies.study.codebook import Table
from policies.study.mapping import PERSON, WAVE

_ENDS = (
    re.compile(r"(?P<stem>.+?)(?P<mark>_?t(?P<n>\d))"),
    re.compile(r"(?P<stem>.+?)(?P<mark>_(?:w|m|g|golf|meting|ronde|wave)_?(?P<n>\d))"),
    re.compile(r"(?P<stem>.+?)(?P<mark>_(?P<n>\d))"),
)
_STARTS = (re.compile(r"(?P<mark>(?:t|w|m)(?P<n>\d)_)(?P<stem>.+)"),)
_CHILD = "kind|child|kd|ch|k|c"
_ADULT = "ouder|parent|volwassene|volw|adult|partner|persoon|pers|ou|v|o|p|a"
_PERSONS = (
    re.compile(rf"(?P<word>{_CHILD}|{_ADULT})(?P<n>[1-9]\d?)_?(?P<rest>[a-z_].*)"),
    re.compile(rf"(?P<word>{_CHILD}|{_ADULT})_(?P<n>[1-9]\d?)_(?P<rest>.+)"),
    re.compile(rf"(?P<rest>.+?)_(?P<word>{_CHILD}|{_ADULT})_?(?P<n>[1-9]\d?)"),
)
_MOST_WAVES, _ENOUGH = 5, 0.4


@dataclass(frozen=True, slots=True)
class Waves:
    """What tells the wave in names of columns: each mark as it is written, by its number."""

    marks: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """Columns that ask one thing. `template` has `<wave>` and `<person>` where their names differ.

    `columns` are their names, `waves` and `persons` the numbers that they have; none where the names tell nothing.
    `cells` are person and wave of each column.
    """

    table: Table
    stem: str
    template: str
    columns: tuple[str, ...]
    waves: tuple[int, ...] = ()
    persons: tuple[int, ...] = ()
    front: str = ""
    cells: frozenset[tuple[int | None, int | None]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Cut:
    """A name in pieces: where `<wave>` and `<person>` would stand, as places of the written name."""

    name: str
    stem: str
    mark: tuple[int, int] | None = None
    wave: int | None = None
    number: tuple[int, int] | None = None
    person: int | None = None
    word: str = ""
    rest: str = ""

    def template(self) -> str:
        """The name with what differs taken out."""
        text = self.name
        spans = [(self.mark, WAVE), (self.number, PERSON)]
        for span, sign in sorted(((s, sign) for s, sign in spans if s is not None), reverse=True):
            text = text[: span[0]] + sign + text[span[1] :]
        return text


def shape(names: Sequence[str], *, waves: bool = True, persons: bool = True) -> tuple[Waves, tuple[Question, ...]]:
    """The questions of a file, by the names of its columns alone, and what tells the wave in them.

    Without `waves` or `persons` the rows tell them, and the names do not.
    """
    cuts = {name: _Cut(name, name.casefold()) for name in names}
    told = _by_wave(cuts) if waves else Waves()
    if persons:
        _by_person(cuts)
    groups: defaultdict[tuple[str, str, str], list[_Cut]] = defaultdict(list)
    for cut in cuts.values():
        groups[(_table(cut), cut.template().casefold(), cut.rest or cut.stem)].append(cut)
    return told, tuple(_question(found) for found in groups.values())


def _question(cuts: Sequence[_Cut]) -> Question:
    first = cuts[0]
    return Question(
        _table(first),
        first.rest or first.stem,
        first.template(),
        tuple(cut.name for cut in cuts),
        tuple(sorted({cut.wave for cut in cuts if cut.wave is not None})),
        tuple(sorted({cut.person for cut in cuts if cut.person is not None})),
        first.word,
        frozenset((cut.person, cut.wave) for cut in cuts),
    )


def _table(cut: _Cut) -> Table:
    if not cut.word:
        return "household"
    return "child" if re.fullmatch(_CHILD, cut.word) else "adult"


def _by_wave(cuts: dict[str, _Cut]) -> Waves:
    """Cuts the wave off where one way of writing it explains enough columns."""
    best: tuple[int, dict[str, _Cut]] = (0, {})
    for pattern in (*_ENDS, *_STARTS):
        found = {
            name: _Cut(name, match["stem"], match.span("mark"), int(match["n"]))
            for name in cuts
            if (match := pattern.fullmatch(name.casefold()))
        }
        kept = _waved(found)
        if len(kept) > best[0]:
            best = len(kept), kept
    cuts.update(best[1])
    marks: dict[int, str] = {}
    for cut in best[1].values():
        if cut.wave is not None and cut.mark is not None:
            marks.setdefault(cut.wave, cut.name[cut.mark[0] : cut.mark[1]])
    return Waves(dict(sorted(marks.items())))


def _waved(found: Mapping[str, _Cut]) -> dict[str, _Cut]:
    """Those that do tell a wave: few numbers that follow each other, and most stems have them all. Else none."""
    stems: defaultdict[str, set[int]] = defaultdict(set)
    for cut in found.values():
        stems[cut.stem].add(cut.wave or 0)
    every = set().union(*stems.values()) if stems else set()
    usual = [numbers for numbers in stems.values() if len(numbers) > 1]
    if not usual or len(every) > _MOST_WAVES or min(every) > 1 or max(every) - min(every) != len(every) - 1:
        return {}
    # In a list of items (CTS_1 .. CTS_4) the numbers are no waves: several questions share them, or a mark says so.
    spelled = any("t" in cut.name[slice(*(cut.mark or (0, 0)))].casefold() for cut in found.values())
    if len(usual) < _ENOUGH * len(stems) and not spelled:
        return {}
    return dict(found) if spelled or len(usual) > 1 or len(every) <= 3 else {}


def _by_person(cuts: dict[str, _Cut]) -> None:
    """Marks the number of a person where there are several in a row, from 1."""
    for pattern in _PERSONS:
        words: defaultdict[str, dict[str, re.Match[str]]] = defaultdict(dict)
        for name, cut in cuts.items():
            if not cut.word and (match := pattern.fullmatch(cut.stem)):
                words[match["word"]][name] = match
        for word, matches in words.items():
            numbers = {int(match["n"]) for match in matches.values()}
            if len(numbers) > 1 and numbers == set(range(1, max(numbers) + 1)):
                for name, match in matches.items():
                    cuts[name] = _with_person(cuts[name], match, word)


def _with_person(cut: _Cut, match: re.Match[str], word: str) -> _Cut:
    # The stem stands at the start of the name, unless the wave's mark does.
    shift = cut.mark[1] if cut.mark is not None and cut.mark[0] == 0 else 0
    start, end = match.span("n")
    rest = match["rest"].strip("_")
    return _Cut(cut.name, cut.stem, cut.mark, cut.wave, (start + shift, end + shift), int(match["n"]), word, rest)
