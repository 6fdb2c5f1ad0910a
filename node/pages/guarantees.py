"""The page for a data-protection officer: what is promised, under which assumptions, and what is not.

Its numbers are the policy's, its claims are tied to the `Privacy:` paragraphs of the code, which stand at its end word
for word. Pure: what it shows is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

from node.guaranteeing import Guaranteed
from node.pages.paragraphs import Paragraph, Proof
from node.status import DELTA
from policies.documents import from_canonical
from policies.pages.dates import date
from policies.pages.numbers import UNKNOWN, at_most, exact
from policies.pages.templates import environment
from policies.pages.words import catalogue, say
from policies.rules.region_policy import RegionPolicy
from policies.study.text import Language
from policies.units.money import NanoRho
from policies.units.privacy import epsilon_from_rho
from policies.units.reading import best_guess, odds_factor, rightly_at_most

FALSELY = Decimal("0.01")
"""The example of the page: a rule that is wrong for one in a hundred households that did not take part."""

PROVED: Mapping[str, tuple[str, ...]] = {
    "unit": ("policies.statistics.blocks", "node.importing"),
    "adjacency": ("policies.units.privacy", "node.mechanism"),
    "noise": ("node.spending", "node.mechanism", "node.rows", "policies.units.noise"),
    "together": (
        "policies.rules.decide",
        "policies.rules.spent",
        "policies.study.calendar",
        "policies.statistics.programme",
        "policies.statistics.plan",
        "node.ledger",
        "node.inheriting",
    ),
    "public": ("policies.rules.decide", "node.departure", "policies.statistics.verify"),
    "kinds": ("policies.statistics",),
    "national": ("policies.secure.group", "policies.secure.masks", "policies.secure.rounds", "node.secure"),
    "caps": ("policies.units.money", "policies.units.privacy", "policies.units.reading"),
    "loss": ("node.ledger", "node.deciding", "node.recovering"),
    "households": ("policies.rules.spent", "policies.rules.policy_check", "node.importing.admitting", "node.registry"),
}
"""Claim -> where the code says why it holds."""

_PROMISES = ("unit", "adjacency", "noise", "together", "public", "kinds")
_TRUSTED = ("node", "entropy", "steward", "consortium", "witnesses", "coordinator", "researcher", "regions", "crypto")
_NOT_PROTECTED = (
    "everyone", "inside", "movers", "two_households", "change", "beyond_caps", "timing", "steward", "local",
    "elsewhere", "colluders",
)  # fmt: skip
_READINGS = ("epsilon", "delta", "rightly", "guess", "worst", "raise")
_LOSS = ("crash", "backup", "copy", "lost", "away", "withdrawn")


@dataclass(frozen=True, slots=True)
class Level:
    """A cap and what it means, as printed. `spent` may be more than the cap: then the meaning is of what was spent."""

    name: str
    rho: str
    epsilon: str
    spent: str
    factor: str
    rightly: str
    guess: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, and the paragraphs that say why it holds."""

    text: str
    proved: tuple[Paragraph, ...]


def page(facts: Guaranteed, proof: Proof, made: int, version: str, lang: Language) -> str:
    """The page as HTML; `made` in unix seconds, `version` of the software. The same arguments give the same text."""
    told: Callable[..., str] = partial(say, lang=lang)
    policy = from_canonical(RegionPolicy, facts.policy.encode("utf-8"))
    fields = _fields(facts, policy, lang)
    worded = partial(_worded, policy=policy, fields=fields, lang=lang)
    region = facts.region_name.in_language(lang)
    test_only = [told("guarantees.test_only")] if policy.test_only else []
    return (
        environment(Path(__file__).parent)
        .get_template("guarantees.html")
        .render(
            lang=lang,
            title=told("guarantees.title"),
            every_page=" ".join(test_only),
            banners=test_only,
            lead=told("guarantees.lead", region=region, version=policy.policy.version, date=date(made, lang)),
            words=lambda key: told(f"guarantees.{key}"),
            promises=[_claim("promise", key, fields, proof, lang) for key in _promises(policy)],
            counted=[
                told("guarantees.counted", codebook=one.codebook, adults=one.adults, children=one.children)
                for one in facts.counted
            ],
            levels=_levels(facts, policy, lang),
            readings=[told(f"guarantees.reading.{key}") for key in _READINGS],
            caps_proved=proof.of(*PROVED["caps"]),
            rules=_rules(facts, policy, fields, lang),
            trusted=[tuple(worded(f"trust.{who}.{what}") for what in ("who", "relied", "else")) for who in _TRUSTED],
            not_protected=[worded(f"not.{key}") for key in _NOT_PROTECTED],
            loss=[told(f"guarantees.loss.{key}") for key in _LOSS],
            loss_proved=proof.of(*PROVED["loss"]),
            paragraphs=proof.paragraphs,
            absent=told("guarantees.absent", rooms=", ".join(proof.absent)) if proof.absent else "",
            origin=told("guarantees.origin", hash=facts.hash, version=version),
        )
    )


def _fields(facts: Guaranteed, policy: RegionPolicy, lang: Language) -> dict[str, str | int]:
    """What sentences of the page may name."""
    fields: dict[str, str | int] = {
        "region": facts.region_name.in_language(lang),
        "tick": policy.tick_ms,
        "most": policy.most_cohorts or 0,
        "need": policy.witnesses.need,
        "faulty": policy.witnesses.faulty,
        "witnesses": len(facts.witnesses),
    }
    if policy.secure is not None:
        own_noise = policy.secure.own_noise.amount
        fields |= {
            "colluders": policy.secure.colluders,
            "attempts": policy.secure.attempts,
            "own_noise": exact(Decimal(own_noise.text()), lang),
            "own_epsilon": at_most(epsilon_from_rho(own_noise, DELTA), 2, lang),
        }
    return fields


def _promises(policy: RegionPolicy) -> tuple[str, ...]:
    national = () if policy.secure is None else ("national",)
    return (*_PROMISES, *national, *(() if policy.most_cohorts is None else ("households",)))


def _worded(key: str, policy: RegionPolicy, fields: Mapping[str, str | int], lang: Language) -> str:
    """A sentence, in the form for a policy that allows national sums where it does and there is one."""
    national = f"guarantees.{key}.national"
    found = national if policy.secure is not None and national in catalogue() else f"guarantees.{key}"
    return say(found, lang, **fields)


def _claim(group: str, key: str, fields: Mapping[str, str | int], proof: Proof, lang: Language) -> Claim:
    return Claim(say(f"guarantees.{group}.{key}", lang, **fields), proof.of(*PROVED.get(key, ())))


def _levels(facts: Guaranteed, policy: RegionPolicy, lang: Language) -> list[Level]:
    named = {
        cohort: facts.cohorts[cohort].in_language(lang) if cohort in facts.cohorts else cohort
        for cohort in sorted({*policy.cohorts, *facts.spent})
    }
    found = [
        _level(
            say("guarantees.cap.cohort", lang, cohort=name),
            policy.cohorts[cohort].amount if cohort in policy.cohorts else NanoRho(0),
            NanoRho(facts.spent.get(cohort, 0)),
            lang,
        )
        for cohort, name in named.items()
    ]
    lifetime = _level(say("guarantees.cap.lifetime", lang), policy.lifetime.amount, NanoRho(facts.spent_lifetime), lang)
    return [*found, lifetime, _level(say("guarantees.cap.programme", lang), policy.programme.amount, None, lang)]


def _level(name: str, cap: NanoRho, spent: NanoRho | None, lang: Language) -> Level:
    most = cap if spent is None else max(cap, spent)
    epsilon = epsilon_from_rho(most, DELTA)
    factor = odds_factor(epsilon)
    return Level(
        name=name,
        rho=exact(Decimal(cap.text()), lang),
        epsilon=at_most(epsilon, 2, lang),
        spent=UNKNOWN if spent is None else exact(Decimal(spent.text()), lang),
        factor=say("guarantees.beyond", lang)
        if factor is None
        else say("guarantees.at_most", lang, count=at_most(factor, 1, lang)),
        rightly=say("guarantees.at_most", lang, count=at_most(rightly_at_most(most, FALSELY) * 100, 1, lang)),
        guess=say("guarantees.at_most", lang, count=at_most(best_guess(most) * 100, 1, lang)),
    )


def _rules(
    facts: Guaranteed, policy: RegionPolicy, fields: Mapping[str, str | int], lang: Language
) -> list[tuple[str, str]]:
    """The rules of the policy that are no money."""
    told = partial(say, lang=lang)
    none = told("guarantees.rule.none")
    rule = policy.witnesses
    watching = ", ".join(one.name for one in facts.witnesses) or none
    sound = "sound" if rule.sound(len(facts.witnesses)) else "unsound"
    values = {
        "mode": say(f"guarantees.rule.{'regional' if policy.secure is None else 'national'}", lang, **fields),
        "approval": told(f"guarantees.rule.{policy.approval}"),
        "kinds": ", ".join(_kind(kind, lang) for kind in policy.statistics),
        "households": told(f"guarantees.rule.households.{_cohorts(policy)}", most=policy.most_cohorts or 0),
        "deny": ", ".join(policy.variables.deny) or none,
        "crossings": ", ".join(f"{one} × {other}" for one, other in policy.forbidden_crossings) or none,
        "witnesses": told(f"guarantees.rule.{sound}", need=rule.need, faulty=rule.faulty, names=watching),
        "tick": told("guarantees.rule.tick_is", tick=policy.tick_ms),
    }
    return [(told(f"guarantees.rule.{key}"), value) for key, value in values.items()]


def _cohorts(policy: RegionPolicy) -> str:
    most = policy.most_cohorts
    return "all" if most is None else "one" if most == 1 else "some"


def _kind(kind: str, lang: Language) -> str:
    key = f"node.policy.kind.{kind}"
    return say(key, lang) if key in catalogue() else kind
