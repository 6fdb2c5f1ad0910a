"""Who asked what, why, at what price, and what became of it in each region; and what was refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rondgang.canonical import Json

from audit.model import LoggedEntry, Paper
from audit.report.naming import SHORT, Money, Names, inside, keys_at, list_at, money, whole_at, words_at
from audit.verdict import RegionHistory, Spend
from policies.pages.dates import date, moment
from policies.pages.words import catalogue, say
from policies.study.text import Language

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Turn:
    """One region's dealings with a programme: a line for each debit, or one without where nothing was charged.

    `approved` is when its steward said yes, or empty.
    """

    region: str
    asked: str
    approved: str
    charged: str
    place: str
    charge: Money | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Question:
    """A programme as printed. Where the evidence lacks its document, `known` is False and little is said.

    `approved`: some region's steward said yes to it.
    """

    anchor: str
    known: bool
    title: str
    facts: tuple[tuple[str, str], ...]
    statistics: tuple[tuple[str, str], ...]
    turns: tuple[Turn, ...]
    approved: bool


@dataclass(frozen=True, slots=True)
class No:
    """Refusals of one programme for one reason; `regions` by code, with how often where that is more than once."""

    programme: str
    reason: str
    regions: str
    times: int
    first: str
    last: str


@dataclass(slots=True)
class _Known:
    """What one log says about each programme: first asked and approved, last refused."""

    asked: dict[str, LoggedEntry] = field(default_factory=dict)
    approved: dict[str, LoggedEntry] = field(default_factory=dict)
    refused: dict[str, LoggedEntry] = field(default_factory=dict)


@dataclass(slots=True)
class _Told:
    """What the logs say about one programme, while they are read."""

    runs: set[str] = field(default_factory=set)
    researchers: set[str] = field(default_factory=set)
    first: int | None = None
    turns: list[Turn] = field(default_factory=list)


def questions(histories: Iterable[RegionHistory], names: Names) -> tuple[Question, ...]:
    """Every programme that was asked of a region or charged, in the order in which it first was."""
    told: dict[str, _Told] = {}
    for history in histories:
        known = _Known()
        for entry in history.entries:
            programme = words_at(entry.body, "programme")
            if entry.event in ("asked", "debited"):
                _note(told.setdefault(programme, _Told()), entry)
            if entry.event == "asked":
                known.asked.setdefault(programme, entry)
            elif entry.event == "approved":
                known.approved.setdefault(programme, entry)
            elif entry.event in ("refused", "declined"):
                known.refused[programme] = entry
        _turns(told, history, known, names)
    ordered = sorted(told.items(), key=lambda item: (item[1].first or 0, item[0]))
    return tuple(_question(digest, one, names) for digest, one in ordered)


def _note(told: _Told, entry: LoggedEntry) -> None:
    told.runs.add(words_at(entry.body, "run"))
    told.researchers.add(words_at(entry.body, "researcher"))
    told.first = entry.time if told.first is None else min(told.first, entry.time)


def _turns(told: dict[str, _Told], history: RegionHistory, known: _Known, names: Names) -> None:
    lang, region = names.lang, names.region(history.code)

    def at(entry: LoggedEntry | None) -> str:
        return "" if entry is None else moment(entry.time, lang)

    charged = set()
    for spend in history.spends:
        digest = words_at(spend.entry.body, "programme")
        charged.add(digest)
        turn = Turn(
            region=region,
            asked=at(known.asked.get(digest)),
            approved=at(known.approved.get(digest)),
            charged=at(spend.entry),
            place=spend.entry.place,
            charge=money(spend.charge, lang),
            outcome=_outcome(spend, lang),
        )
        told.setdefault(digest, _Told()).turns.append(turn)
    for digest, entry in known.asked.items():
        if digest not in charged:
            no = known.refused.get(digest)
            outcome = say("report.not_charged", lang) if no is None else _reason(no, lang)
            turn = Turn(region, at(entry), at(known.approved.get(digest)), "", entry.place, None, outcome)
            told[digest].turns.append(turn)


def _outcome(spend: Spend, lang: Language) -> str:
    """What became of one debit."""
    if spend.answered is not None:
        return say("report.answered_at", lang, date=moment(spend.answered.time, lang))
    if spend.attempted is not None:
        date = moment(spend.attempted.time, lang)
        return say("report.attempted_at", lang, attempt=spend.attempt, date=date)
    return say("report.dead_attempt", lang, attempt=spend.attempt) if spend.attempt else say("report.dead", lang)


def _question(digest: str, told: _Told, names: Names) -> Question:
    lang, paper = names.lang, names.papers.get(digest)
    who = ", ".join(sorted(names.person(key) for key in told.researchers if key))
    facts = [("researcher", who)]
    if paper is not None:
        facts = [*_facts(paper, names), *facts, *_money(paper, lang), ("variables", _variables(paper, names))]
    facts += [("runs", ", ".join(sorted(run for run in told.runs if run))), ("hash", digest)]
    return Question(
        anchor=f"q-{digest[:SHORT]}",
        known=paper is not None,
        title=names.programme(digest),
        facts=tuple((say(f"report.asked.{key}", lang), value) for key, value in facts if value),
        statistics=() if paper is None else tuple(_statistic(one, lang) for one in list_at(paper.body, "statistics")),
        turns=tuple(told.turns),
        approved=any(turn.approved for turn in told.turns),
    )


def _facts(paper: Paper, names: Names) -> list[tuple[str, str]]:
    heading = inside(paper.body, "programme")
    deadline = whole_at(heading, "deadline")
    return [
        ("purpose", words_at(heading, "purpose")),
        ("requester", words_at(heading, "requester")),
        ("cohort", names.cohort(words_at(heading, "cohort"))),
        ("codebook", words_at(heading, "codebook")),
        ("deadline", "" if deadline is None else date(deadline, names.lang)),
    ]


def _variables(paper: Paper, names: Names) -> str:
    """What the names in the figures stand for, by the labels of the codebook, where the evidence holds it."""
    codebook = names.papers.get(words_at(paper.body, "codebook_hash"))
    if codebook is None:
        return ""
    parts = ("of", "where", "by", "compare", "strata")
    said = [inside(one, part) for one in list_at(paper.body, "statistics") for part in parts]
    text = " ".join(one if isinstance(one, str) else _listed(one) if isinstance(one, list) else "" for one in said)
    found = {}
    for name in sorted(set(_NAME.findall(text))):
        for kind in ("variables", "derived"):
            if label := words_at(codebook.body, kind, name, "labels", names.lang):
                found[name] = label
    return "; ".join(f"{name}: {label}" for name, label in found.items())


def _money(paper: Paper, lang: Language) -> list[tuple[str, str]]:
    """The price; and what it is made of where there are national sums, with who is trusted for them."""
    found = [("price", _price(whole_at(paper.body, "charge", "rho"), lang))]
    if not inside(paper.body, "secure"):
        return found
    trust = {part: whole_at(paper.body, "secure", part) or 0 for part in ("colluders", "dropouts")}
    attempts = whole_at(paper.body, "secure", "attempts") or 1
    national = _price(whole_at(paper.body, "charge", "national"), lang)
    return [
        *found,
        ("attempt", say("report.attempt_price", lang, price=national, attempts=attempts)),
        ("trust", say("report.trust", lang, regions=len(keys_at(paper.body, "weights")), **trust)),
    ]


def _price(nano: int | None, lang: Language) -> str:
    price = money(nano or 0, lang)
    return say("report.price", lang, rho=price.rho, epsilon=price.epsilon)


def _statistic(statistic: Json, lang: Language) -> tuple[str, str]:
    """Its name, and what is counted, in the words of the page of results."""
    kind, unit = words_at(statistic, "kind"), words_at(statistic, "unit")
    key, of = f"page.counted.{kind}", inside(statistic, "of")
    units = f"import.units.{unit}"
    first, *others = (of,) if isinstance(of, str) else list_at(statistic, "of") or ("",)
    fields = {
        "unit": say(units, lang) if units in catalogue() else unit,
        "wave": words_at(statistic, "wave").replace("->", " → "),
        "outcome": _listed([first]),
        "terms": _listed(others),
        "compare": words_at(statistic, "compare"),
        "strata": _listed(list_at(statistic, "strata")),
        "of": of if isinstance(of, str) else _listed(list_at(statistic, "of")),
        "where": _clause("page.counted.where", lang, where=words_at(statistic, "where")),
        "within": _within(statistic, lang),
        "kind": kind.replace("_", " "),
    }
    counted = say(key if key in catalogue() else "page.counted.other", lang, **fields)
    by = _clause("report.by", lang, by=_listed(list_at(statistic, "by")))
    label = words_at(statistic, "label", lang) or words_at(statistic, "id").replace("_", " ")
    national = say("report.nationally", lang) if words_at(statistic, "mode") == "national" else ""
    return label, counted + by + national


def _within(statistic: Json, lang: Language) -> str:
    match list_at(statistic, "within"):
        case [str(low), str(high)]:
            return say("page.counted.within", lang, low=low, high=high)
    return "".join(_range(name, list_at(statistic, "ranges", name), lang) for name in keys_at(statistic, "ranges"))


def _range(name: str, held: Sequence[Json], lang: Language) -> str:
    match held:
        case [str(low), str(high)]:
            return say("page.counted.ranges", lang, name=name, low=low, high=high)
    return ""


def _clause(key: str, lang: Language, **fields: str) -> str:
    return say(key, lang, **fields) if all(fields.values()) else ""


def _listed(values: Sequence[Json]) -> str:
    return ", ".join(value for value in values if isinstance(value, str))


def refusals(histories: Iterable[RegionHistory], names: Names) -> tuple[No, ...]:
    """Every refusal and every steward's no, alike ones counted together, in the order in which they first came."""
    found: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for history in histories:
        for entry in history.entries:
            if entry.event in ("refused", "declined"):
                key = words_at(entry.body, "programme"), _reason(entry, names.lang)
                found.setdefault(key, []).append((entry.time, history.code))
    return tuple(
        No(
            programme=names.programme(digest) or say("report.no_programme", names.lang),
            reason=reason,
            regions=_counted(code for _, code in some),
            times=len(some),
            first=moment(min(some)[0], names.lang),
            last=moment(max(some)[0], names.lang),
        )
        for (digest, reason), some in sorted(found.items(), key=lambda item: min(item[1]))
    )


def _counted(codes: Iterable[str]) -> str:
    return ", ".join(code if times == 1 else f"{code} ({times})" for code, times in sorted(Counter(codes).items()))


def _reason(no: LoggedEntry, lang: Language) -> str:
    """In words; as it stands where a later version had a reason that this one does not know."""
    reason = words_at(no.body, "reason")
    key = f"node.reason.{reason}" if no.event == "refused" else f"report.declined.{reason}"
    return say(key, lang) if key in catalogue() else reason.replace("_", " ")
