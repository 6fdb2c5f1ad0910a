"""A policy in words: what it means, what stands against it, and what it changes. For the verbs and the screen alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Literal, get_args

from node.pages.decision import amount_words
from node.reviewing import Changed, Remark, Reviewed
from node.status import amount
from policies.pages.words import say
from policies.rules.region_policy import Cap, RegionPolicy
from policies.statistics.statistic import Kind
from policies.study.text import Language
from policies.units.money import allowance

_IN_RHO = ("cohorts", "lifetime", "programme")


@dataclass(frozen=True, slots=True)
class ChangeTold:
    """One field that differs, in words: whether that loosens or tightens, and from what to what."""

    way: Literal["loosens", "tightens", "neutral"]
    direction: str
    field: str
    old: str
    new: str


def meaning(written: RegionPolicy, reviewed: Reviewed, lang: Language) -> tuple[str, ...]:
    """What a policy means at this node, a sentence each."""
    return tuple(_meaning(written, reviewed, lang))


def remark_words(one: Remark, lang: Language) -> str:
    """What is to be said of a policy, or against it."""
    return say(f"node.policy.finding.{one.code}", lang, **one.fields)


def change_words(changes: Iterable[Changed], lang: Language) -> tuple[ChangeTold, ...]:
    """Every field that differs from the policy in force."""
    return tuple(
        ChangeTold(
            way=one.direction,
            direction=say(f"node.policy.direction.{one.direction}", lang),
            field=_field(one.field, lang),
            old=_value(one.field, one.old, lang),
            new=_value(one.field, one.new, lang),
        )
        for one in changes
    )


def sum_words(changes: Iterable[Changed], lang: Language) -> str:
    """How many changes loosen and how many tighten."""
    ways = [one.direction for one in changes]
    return say("node.policy.sum", lang, loosens=ways.count("loosens"), tightens=ways.count("tightens"))


def _meaning(written: RegionPolicy, reviewed: Reviewed, lang: Language) -> Iterator[str]:
    words = partial(say, lang=lang)
    yield words("node.policy.heading", version=written.policy.version, region=written.region or reviewed.region)
    if reviewed.in_force:
        yield words("node.policy.now", version=reviewed.in_force)
    caps = [
        words("node.policy.spend_of", cohort=cohort, amount=_cap(cap, lang)) for cohort, cap in written.cohorts.items()
    ]
    single, everything = _cap(written.programme, lang), _cap(written.lifetime, lang)
    listed = ", ".join(caps) or words("node.policy.spend_none")
    yield words("node.policy.spend", caps=listed, lifetime=everything, programme=single)
    yield _households(written, lang)
    yield from _kinds(written, lang)
    if written.variables.deny:
        names = ", ".join(_label(name, reviewed, lang) for name in written.variables.deny)
        yield words("node.policy.denied", names=names)
    for first, second in written.forbidden_crossings:
        one, other = (_label(name, reviewed, lang) for name in (first, second))
        yield words("node.policy.crossing", one=one, other=other)
    yield words(f"node.policy.approval.{written.approval}")
    rule = written.witnesses
    known = "?" if reviewed.witnesses is None else str(reviewed.witnesses)
    yield words("node.policy.witnesses", need=rule.need, faulty=rule.faulty, witnesses=known)
    yield _secure(written, lang)
    yield words("node.policy.tick", tick_ms=written.tick_ms)


def _households(written: RegionPolicy, lang: Language) -> str:
    most = written.most_cohorts
    which = "all" if most is None else "one" if most == 1 else "some"
    return say(f"node.policy.households.{which}", lang, most=most or 0)


def _secure(written: RegionPolicy, lang: Language) -> str:
    rule = written.secure
    if rule is None:
        return say("node.policy.secure.none", lang)
    own = _cap(rule.own_noise, lang)
    return say("node.policy.secure.allowed", lang, own=own, attempts=rule.attempts, colluders=rule.colluders)


def _kinds(written: RegionPolicy, lang: Language) -> Iterator[str]:
    others = [kind for kind in get_args(Kind) if kind not in written.statistics]
    for key, kinds in (("kinds", written.statistics), ("no_kinds", others)):
        if kinds:
            named = ", ".join(say(f"node.policy.kind.{kind}", lang) for kind in kinds)
            yield say(f"node.policy.{key}", lang, kinds=named)


def _label(name: str, reviewed: Reviewed, lang: Language) -> str:
    label = reviewed.labels.get(name)
    return name if label is None else f"{name} ({label.in_language(lang)})"


def _field(path: str, lang: Language) -> str:
    head, _, rest = path.partition(".")
    if head == "cohorts":
        return say("node.policy.field.cohorts", lang, cohort=rest)
    return say(f"node.policy.field.{rest or head}", lang)


def _value(path: str, value: str, lang: Language) -> str:
    """A value as people read it: caps in both currencies, kinds and choices by their names."""
    if not value:
        return say("node.policy.nothing", lang)
    if path.partition(".")[0] in _IN_RHO or path == "secure.own_noise":
        return amount_words(amount(allowance(Decimal(value))), lang)
    if path == "statistics":
        return say(f"node.policy.kind.{value}", lang)
    if path in ("approval", "test_only"):
        return say(f"node.policy.value.{value}", lang)
    return value


def _cap(cap: Cap, lang: Language) -> str:
    return amount_words(amount(cap.amount), lang)
