"""What was in force and who watched: changes of policy, documents, witnesses and the files of evidence themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from rondgang.canonical import Json

from audit.model import Body, Bundle, LoggedEntry
from audit.report.naming import SHORT, Names, decimal_at, inside, keys_at, list_at, money, nano_of, words_at
from audit.verdict import RegionHistory
from policies.pages.dates import moment
from policies.pages.numbers import NIL
from policies.pages.words import catalogue, say
from policies.study.text import Language

_UNITS = (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
_FEW = 3
_ORDER = ("policy", "calendar", "roster", "codebook")


@dataclass(frozen=True, slots=True)
class Change:
    """A policy that came into force, in every region where it changed the same. `rows`: what, before, after."""

    first: str
    last: str
    places: str
    version: str
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Watch:
    """What one witness did for one region; `missed` are checkpoints in its time that only others cosigned.

    `silence` is the longest time between two of its own with a missed one in between.
    """

    witness: str
    checkpoints: int
    missed: int
    first: str
    last: str
    silence: str


@dataclass(frozen=True, slots=True)
class Watched:
    """A region and its witnesses."""

    region: str
    by: tuple[Watch, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A document that came into force. `still`: the regions where it is the newest of its kind and name.

    Regions by code where they are few, else how many.
    """

    kind: str
    name: str
    hash: str
    regions: str
    still: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of evidence as it was handed in."""

    file: str
    of: str
    made: str
    fingerprint: str
    holds: str


def changes(histories: Iterable[RegionHistory], names: Names) -> tuple[Change, ...]:
    """Every policy that came into force, with what it changed; a first one with all that it says about money."""
    found: dict[tuple[str, tuple[tuple[str, str, str], ...]], list[LoggedEntry]] = {}
    for history in histories:
        before: Body | None = None
        for caps in history.caps:
            version = inside(caps.paper.body, "policy", "version")
            rows = tuple(_differences(before, caps.paper.body, names))
            found.setdefault((str(version) if isinstance(version, int) else "", rows), []).append(caps.since)
            before = caps.paper.body
    ordered = sorted(found.items(), key=lambda item: min(entry.time for entry in item[1]))
    return tuple(
        Change(
            first=moment(min(entry.time for entry in since), names.lang),
            last=moment(max(entry.time for entry in since), names.lang),
            places=", ".join(entry.place for entry in since),
            version=version,
            rows=rows,
        )
        for (version, rows), since in ordered
    )


def _differences(before: Body | None, after: Body, names: Names) -> list[tuple[str, str, str]]:
    told = partial(say, lang=names.lang)
    old = {} if before is None else _rules(before, names)
    new = _rules(after, names)
    found = [(key, old.get(key, ""), new.get(key, NIL)) for key in {**new, **old} if old.get(key) != new.get(key)]
    if before is not None and not found:
        return [(told("report.policy.same"), "", "")]
    return found


def _rules(policy: Body, names: Names) -> dict[str, str]:
    """What a policy says, in words, by what it is about. Defaults that were left out are not shown."""
    lang = names.lang
    found = {
        say("report.policy.cohort", lang, cohort=names.cohort(code)): _cap(policy, lang, "cohorts", code)
        for code in keys_at(policy, "cohorts")
    }
    for key in ("lifetime", "programme"):
        found[say(f"report.policy.{key}", lang)] = _cap(policy, lang, key)
    others: Mapping[str, str] = {
        "approval": _approval(policy, lang),
        "witnesses": _witnesses(policy, lang),
        "statistics": _listed([_kind(kind, lang) for kind in list_at(policy, "statistics")]),
        "sums": _sums(policy, lang),
        "households": _households(policy, lang),
        "deny": _listed(list_at(policy, "variables", "deny")),
        "crossings": _listed([_listed(pair, " x ") for pair in list_at(policy, "forbidden_crossings")]),
        "test_only": say("report.yes", lang) if inside(policy, "test_only") is True else "",
    }
    return found | {say(f"report.policy.{key}", lang): value for key, value in others.items() if value}


def _cap(policy: Body, lang: Language, *path: str) -> str:
    rho = decimal_at(policy, *path, "rho")
    if rho is None:
        return NIL
    cap = money(nano_of(rho), lang)
    return say("report.price", lang, rho=cap.rho, epsilon=cap.epsilon)


def _approval(policy: Body, lang: Language) -> str:
    key = f"report.approval.{words_at(policy, 'approval') or 'automatic'}"
    return say(key, lang) if key in catalogue() else words_at(policy, "approval")


def _witnesses(policy: Body, lang: Language) -> str:
    # What is left out of a signed document has its default: two witnesses, of whom one may lie.
    need, faulty = (inside(policy, "witnesses", key) for key in ("need", "faulty"))
    return say("report.witness_rule", lang, need=_whole(need, 2), faulty=_whole(faulty, 1))


def _sums(policy: Body, lang: Language) -> str:
    """What is wanted of national sums; a policy that says nothing allows none, which is left out as other defaults."""
    rule = inside(policy, "secure")
    if not isinstance(rule, Mapping):
        return ""
    attempts, colluders = _whole(inside(rule, "attempts"), 3), _whole(inside(rule, "colluders"), 1)
    cap = _cap(policy, lang, "secure", "own_noise")
    return say("report.sums_rule", lang, cap=cap, attempts=attempts, colluders=colluders)


def _households(policy: Body, lang: Language) -> str:
    """In how many cohorts a household may be; where the policy does not say, in all, as other defaults left out."""
    most = inside(policy, "households", "most_cohorts")
    return say("report.households_rule", lang, most=most) if isinstance(most, int) else ""


def _kind(kind: Json, lang: Language) -> Json:
    known = f"node.policy.kind.{kind}"
    return say(known, lang) if known in catalogue() else kind


def _whole(value: Json, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise


def _listed(values: object, between: str = ", ") -> str:
    return between.join(one for one in values if isinstance(one, str)) if isinstance(values, list) else ""


def watches(histories: Iterable[RegionHistory], names: Names) -> tuple[Watched, ...]:
    """Every witness of every region, and what it cosigned. A region that nobody cosigned for is left out."""
    found = []
    for history in histories:
        by: dict[str, list[tuple[int, int]]] = {}
        for place, seen in enumerate(history.seen):
            for name, time in seen.by:
                by.setdefault(name, []).append((place, time))
        if by:
            watched = tuple(_watch(name, signed, names.lang) for name, signed in sorted(by.items()))
            found.append(Watched(names.region(history.code), watched))
    return tuple(found)


def _watch(name: str, signed: list[tuple[int, int]], lang: Language) -> Watch:
    """`signed`: which checkpoints, by their place, and when."""
    signed = sorted(dict(signed).items())
    gaps = [(then[1] - now[1], now[1]) for now, then in pairwise(signed) if then[0] > now[0] + 1]
    times = [time for _, time in signed]
    return Watch(
        witness=name,
        checkpoints=len(signed),
        missed=signed[-1][0] - signed[0][0] + 1 - len(signed),
        first=moment(min(times), lang),
        last=moment(max(times), lang),
        silence=_silence(*max(gaps), lang) if gaps else NIL,
    )


def _silence(span: int, since: int, lang: Language) -> str:
    """How long, in the largest unit that fits, and since when."""
    unit, seconds = next(((unit, size) for unit, size in _UNITS if span >= size), _UNITS[-1])
    return say(f"report.gap.{unit}", lang, count=max(span, 0) // seconds, since=moment(since, lang))


def documents(histories: tuple[RegionHistory, ...], names: Names) -> tuple[Document, ...]:
    """Every document that a region adopted, alike ones once, with where each is still in force."""
    adopted: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    newest: dict[tuple[str, str, str], str] = {}
    for history in histories:
        for entry in history.entries:
            if entry.event == "adopted":
                kind, name, digest = (words_at(entry.body, key) for key in ("kind", "name", "hash"))
                adopted.setdefault((kind, name, digest), []).append((entry.time, history.code))
                newest[history.code, kind, name if kind == "codebook" else ""] = digest
    ordered = sorted(adopted, key=lambda key: (_ORDER.index(key[0]) if key[0] in _ORDER else len(_ORDER), *key))
    found = []
    for kind, name, digest in ordered:
        times, codes = zip(*adopted[kind, name, digest], strict=True)
        still = [code for code in codes if newest[code, kind, name if kind == "codebook" else ""] == digest]
        known = f"node.kind.{kind}"
        found.append(
            Document(
                kind=say(known, names.lang) if known in catalogue() else kind,
                name=name,
                hash=digest[:SHORT],
                regions=_which(codes),
                still=_which(still),
                first=moment(min(times), names.lang),
                last=moment(max(times), names.lang),
            )
        )
    return tuple(found)


def _which(codes: Iterable[str]) -> str:
    some = sorted(set(codes))
    return ", ".join(some) if len(some) <= _FEW else str(len(some))


def files(bundles: Iterable[Bundle], names: Names) -> tuple[File, ...]:
    """Every file that was handed in: whose it is, when it was made, and what is in it."""
    lang = names.lang
    found = []
    for bundle in bundles:
        counts = {
            "entries": sum(len(entries) for entries in bundle.entries.values()),
            "checkpoints": len(bundle.checkpoints),
            "answers": len(bundle.answers),
            "documents": len(bundle.papers),
            "forks": len(bundle.forks),
        }
        key = f"report.maker.{bundle.maker}"
        of = say(key, lang, name=names.region(bundle.name)) if key in catalogue() else bundle.maker
        holds = ", ".join(say(f"report.holds.{what}", lang, count=count) for what, count in counts.items() if count)
        found.append(File(bundle.file, of, moment(bundle.made, lang), bundle.fingerprint, holds))
    return tuple(found)
