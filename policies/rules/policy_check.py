"""What a region's policy would mean before it is in force: what stands against it, and what it changes.

Findings and changes are values; whoever shows them finds the words for their codes. Of two policies in force one after
the other, the later has the higher version, so that an approval, a debit and a decision can each name theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from policies.documents import to_canonical
from policies.rules.region_policy import Cap, RegionPolicy, SecureRule
from policies.rules.spent import Spent
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.units.money import NanoRho

Direction = Literal["loosens", "tightens", "neutral"]
"""Whether the region answers more afterwards, or less, or neither."""

Objection = Literal[
    "other_region",
    "unknown_cohort",
    "unknown_variable",
    "same_version",
    "older_version",
    "weak_rule",
    "no_roster",
    "fewer_cohorts",
]
Remark = Literal[
    "test_only",
    "no_calendar",
    "no_codebook",
    "few_witnesses",
    "no_budget",
    "over_lifetime",
    "over_cohort",
    "overspent",
    "lifetime_overspent",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a policy. `objection`: it keeps the policy from being adopted; else it is a remark."""

    code: Objection | Remark
    objection: bool
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs. `old` and `new` are as written, empty where there is nothing; caps are in rho."""

    field: str
    old: str
    new: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Place:
    """Where a policy would come into force. `witnesses`: how many live ones the roster lists; None without a roster.

    `imported` are the cohorts of which data ever came into force here, or at a region that this one was formed of.
    """

    region: str
    calendar: Calendar | None
    codebooks: tuple[Codebook, ...]
    witnesses: int | None
    held: RegionPolicy | None
    spent: Spent
    imported: frozenset[str] = frozenset()


def for_region(policy: RegionPolicy, region: str) -> RegionPolicy:
    """The policy with its region filled in where it names none."""
    return policy if policy.region is not None else policy.model_copy(update={"region": region})


def findings(policy: RegionPolicy, place: Place) -> tuple[Finding, ...]:
    """What is to be said about a policy at its place: objections first, then remarks. From public facts only."""
    found = [*_names(policy, place), *_version(policy, place), *_witnesses(policy, place), *_caps(policy, place)]
    found += _households(policy, place)
    if policy.test_only:
        found.append(_remark("test_only"))
    return tuple(sorted(found, key=lambda one: not one.objection))


def changes(old: RegionPolicy, new: RegionPolicy) -> tuple[Change, ...]:
    """Every field in which `new` differs from the policy before it.

    A change loosens if some programme that was refused could be granted for it, or its answer given with fewer
    witnesses or less hidden by the tick; it tightens if only the other way round can happen.
    """
    return tuple(
        chain(_plain(old, new), _money(old, new), _sets(old, new), _witness_rule(old, new), _secure_rule(old, new))
    )


def _objection(code: Objection, **fields: str) -> Finding:
    return Finding(code, True, fields)


def _remark(code: Remark, **fields: str) -> Finding:
    return Finding(code, False, fields)


def _names(policy: RegionPolicy, place: Place) -> Iterator[Finding]:
    if policy.region not in (None, place.region):
        yield _objection("other_region", region=str(policy.region), here=place.region)
    if place.calendar is None:
        yield _remark("no_calendar")
    else:
        for cohort in sorted(set(policy.cohorts) - set(place.calendar.cohorts)):
            yield _objection("unknown_cohort", cohort=cohort, known=", ".join(place.calendar.cohorts))
    named = {*policy.variables.deny, *chain.from_iterable(policy.forbidden_crossings)}
    if named and not place.codebooks:
        yield _remark("no_codebook")
    if place.codebooks:
        for name in sorted(named - _known(place.codebooks)):
            yield _objection("unknown_variable", variable=name, codebooks=", ".join(b.label for b in place.codebooks))


def _known(codebooks: Iterable[Codebook]) -> set[str]:
    known = {name for codebook in codebooks for name in (*codebook.variables, *codebook.derived, *codebook.definitions)}
    # `stopped` stands for each of its alternatives, see decide.
    return known | {name.partition(".")[0] for name in known}


def _version(policy: RegionPolicy, place: Place) -> Iterator[Finding]:
    held = place.held
    if held is None or to_canonical(for_region(policy, place.region)) == to_canonical(for_region(held, place.region)):
        return
    given, before = policy.policy.version, held.policy.version
    if given <= before:
        code: Objection = "same_version" if given == before else "older_version"
        yield _objection(code, version=str(given), held=str(before), next=str(before + 1))


def _witnesses(policy: RegionPolicy, place: Place) -> Iterator[Finding]:
    """A rule that asks for more names than there are can become sound with the next roster; a weak one cannot.

    Without a roster nobody can tell whose signature is under the policy either.
    """
    rule, count = policy.witnesses, place.witnesses
    if count is None:
        yield _objection("no_roster")
    elif not rule.sound(count):
        least = max(2, (count + rule.faulty) // 2 + 1)
        fields = {"need": str(rule.need), "witnesses": str(count), "faulty": str(rule.faulty), "least": str(least)}
        lacking = rule.need > count or least > count
        yield _remark("few_witnesses", **fields) if lacking else _objection("weak_rule", **fields)


def _caps(policy: RegionPolicy, place: Place) -> Iterator[Finding]:
    lifetime, programme = policy.lifetime.amount, policy.programme.amount
    if not any(cap.amount.nano for cap in policy.cohorts.values()) or not lifetime.nano or not programme.nano:
        yield _remark("no_budget")
    for cohort, cap in policy.cohorts.items():
        fields = {"cohort": cohort, "cap": cap.amount.text(), "spent": place.spent.cohort(cohort).text()}
        if cap.amount > lifetime:
            yield _remark("over_lifetime", **fields, lifetime=lifetime.text())
        if cap.amount < programme:
            yield _remark("over_cohort", **fields, programme=programme.text())
        if place.spent.cohort(cohort) > cap.amount:
            yield _remark("overspent", **fields)


def _households(policy: RegionPolicy, place: Place) -> Iterator[Finding]:
    """Fewer cohorts than a household may be in already cannot be promised afterwards.

    Privacy: where at most m cohorts were ever imported, no household is in more of them; else a household may be in as
    many as the policy before allowed, and counting only the m largest would leave out what it paid.
    """
    most, before = policy.most_cohorts, None if place.held is None else place.held.most_cohorts
    fewer = most is not None and (before is None or most < before)
    if fewer and most is not None and len(place.imported) > most:
        listed = ", ".join(sorted(place.imported))
        yield _objection("fewer_cohorts", most=str(most), cohorts=listed, least=str(len(place.imported)))
    counted = place.spent.counted(most)
    if counted > policy.lifetime.amount:
        yield _remark("lifetime_overspent", spent=counted.text(), cap=policy.lifetime.amount.text())


def _plain(old: RegionPolicy, new: RegionPolicy) -> Iterator[Change]:
    if old.policy.version != new.policy.version:
        yield Change("policy.version", str(old.policy.version), str(new.policy.version), "neutral")
    if old.approval != new.approval:
        yield Change("approval", old.approval, new.approval, _direction(looser=new.approval == "automatic"))
    if old.test_only != new.test_only:
        yield Change("test_only", _word(old.test_only), _word(new.test_only), _direction(looser=new.test_only))
    if old.tick_ms != new.tick_ms:
        looser = new.tick_ms < old.tick_ms
        yield Change("tick_ms", str(old.tick_ms), str(new.tick_ms), _direction(looser=looser))
    was, becomes = old.most_cohorts, new.most_cohorts
    if was != becomes:
        # The fewer cohorts a household is in, the less counts against the lifetime cap.
        looser = was is None or (becomes is not None and becomes < was)
        yield Change("households.most_cohorts", str(was or ""), str(becomes or ""), _direction(looser=looser))


def _money(old: RegionPolicy, new: RegionPolicy) -> Iterator[Change]:
    before, after, nothing = _named_caps(old), _named_caps(new), NanoRho(0)
    for name in sorted({*before, *after}):
        was, becomes = before.get(name, nothing), after.get(name, nothing)
        if was != becomes:
            yield Change(name, _text(before.get(name)), _text(after.get(name)), _direction(looser=becomes > was))


def _named_caps(policy: RegionPolicy) -> dict[str, NanoRho]:
    caps: dict[str, Cap] = {"lifetime": policy.lifetime, "programme": policy.programme}
    caps |= {f"cohorts.{name}": cap for name, cap in policy.cohorts.items()}
    return {name: cap.amount for name, cap in caps.items()}


def _sets(old: RegionPolicy, new: RegionPolicy) -> Iterator[Change]:
    yield from _set("statistics", old.statistics, new.statistics, added="loosens", removed="tightens")
    yield from _set("variables.deny", old.variables.deny, new.variables.deny, added="tightens", removed="loosens")
    yield from _set("forbidden_crossings", _crossings(old), _crossings(new), added="tightens", removed="loosens")


def _crossings(policy: RegionPolicy) -> set[str]:
    return {" x ".join(sorted(pair)) for pair in policy.forbidden_crossings}


def _set(
    name: str, old: Collection[str], new: Collection[str], added: Direction, removed: Direction
) -> Iterator[Change]:
    yield from (Change(name, "", one, added) for one in sorted(set(new) - set(old)))
    yield from (Change(name, one, "", removed) for one in sorted(set(old) - set(new)))


def _witness_rule(old: RegionPolicy, new: RegionPolicy) -> Iterator[Change]:
    pairs = {
        "need": (old.witnesses.need, new.witnesses.need),
        "faulty": (old.witnesses.faulty, new.witnesses.faulty),
    }
    for name, (before, after) in pairs.items():
        if before != after:
            yield Change(f"witnesses.{name}", str(before), str(after), _direction(looser=after < before))


def _secure_rule(old: RegionPolicy, new: RegionPolicy) -> Iterator[Change]:
    before, after = _limits(old.secure), _limits(new.secure)
    for name in sorted({*before, *after}):
        was, becomes = before.get(name), after.get(name)
        if was != becomes:
            # Where there is no rule, nothing national is answered.
            looser = was is None or (becomes is not None and becomes > was)
            one, other = ("" if limit is None else limit[1] for limit in (was, becomes))
            yield Change(f"secure.{name}", one, other, _direction(looser=looser))


def _limits(rule: SecureRule | None) -> dict[str, tuple[int, str]]:
    """Each limit as a whole number that is higher the more it allows, and as it is written; own noise in nano-rho."""
    if rule is None:
        return {}
    own = rule.own_noise.amount
    return {
        "own_noise": (own.nano, own.text()),
        "attempts": (rule.attempts, str(rule.attempts)),
        "colluders": (-rule.colluders, str(rule.colluders)),
    }


def _direction(*, looser: bool) -> Direction:
    return "loosens" if looser else "tightens"


def _word(value: bool) -> str:
    return "true" if value else "false"


def _text(amount: NanoRho | None) -> str:
    return "" if amount is None else amount.text()
