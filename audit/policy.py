"""A region's policy as the auditor reads it, from the signed document itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from rondgang.canonical import Json

from audit.exact import fraction, whole
from audit.model import Body

_KNOWN = frozenset((
    "policy", "region", "test_only", "cohorts", "lifetime", "programme", "statistics", "variables",
    "forbidden_crossings", "approval", "witnesses", "secure", "households", "tick_ms",
))  # fmt: skip
_MOST_RHO = 1000
"""An ordinary policy has no cap above this; one for tests alone may."""
_KINDS = ("count", "proportion", "mean", "transition")
"""What may be asked where a policy does not say."""
_NEED, _FAULTY = 2, 1
"""The witness rule of a policy that has none: the coordinator and an independent witness, one of whom may lie."""
_ATTEMPTS, _COLLUDERS = 3, 1
"""What a policy that allows national sums wants where it does not say."""


@dataclass(frozen=True, slots=True)
class Witnesses:
    """`need` of m witnesses must cosign; `faulty` of them may lie."""

    need: int
    faulty: int

    def sound(self, m: int) -> bool:
        """Whether no two histories can both get `need` names: any two groups share more than `faulty` witnesses.

        Two groups of `need` out of m share at least 2 * need - m. With two names one is not the coordinator.
        """
        return self.need >= 2 and self.need <= m and 2 * self.need - m > self.faulty


@dataclass(frozen=True, slots=True)
class Sums:
    """What a policy wants of national sums: the most, in rho, that its own noise alone may leave to pay; how many
    attempts; and the least number of regions that are assumed to collude.
    """

    own_noise: Fraction
    attempts: int
    colluders: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Caps in rho, exact. A cohort that is not listed has no budget. `region` is empty where the document has none.

    Without `sums` national sums are not allowed. `most_cohorts`: in how many cohorts a household may be; None: in all.
    """

    version: int
    region: str
    test_only: bool
    cohorts: Mapping[str, Fraction]
    lifetime: Fraction
    programme: Fraction
    steward_approves: bool
    witnesses: Witnesses
    kinds: frozenset[str]
    denied: frozenset[str]
    crossings: tuple[tuple[str, str], ...]
    sums: Sums | None = None
    most_cohorts: int | None = None

    @property
    def widest(self) -> Fraction:
        alone = Fraction(0) if self.sums is None else self.sums.own_noise
        return max(self.lifetime, self.programme, *self.cohorts.values(), alone)


def read_policy(body: Body) -> Policy | None:
    """The policy, or None where it is not one that this version can read; never raises."""
    if not set(body) <= _KNOWN:
        return None
    version, region, test_only = _version(body.get("policy")), body.get("region", ""), body.get("test_only", False)
    cohorts, lifetime, programme = (
        _cohorts(body.get("cohorts")),
        _cap(body.get("lifetime")),
        _cap(body.get("programme")),
    )
    rule, content = _witnesses(body.get("witnesses", {})), _content(body)
    if version is None or not isinstance(region, str) or not isinstance(test_only, bool) or cohorts is None:
        return None
    if lifetime is None or programme is None or rule is None or content is None:
        return None
    approval, sums = body.get("approval", "automatic"), _sums(body.get("secure"))
    if approval not in ("automatic", "steward") or (sums is None and "secure" in body):
        return None
    most = _most_cohorts(body.get("households"))
    if most is None and "households" in body:
        return None
    steward = approval == "steward"
    found = Policy(version, region, test_only, cohorts, lifetime, programme, steward, rule, *content, sums, most)
    return found if test_only or found.widest <= _MOST_RHO else None


def _version(value: Json) -> int | None:
    match value:
        case {"version": int(version), **rest} if not set(rest) - {"labels"} and whole(version) is not None:
            return version
        case _:
            return None


def _cap(value: Json) -> Fraction | None:
    match value:
        case {"rho": str(text), **rest} if not rest:
            found = fraction(text)
            return found if found is not None and found >= 0 else None
        case _:
            return None


def _cohorts(value: Json) -> dict[str, Fraction] | None:
    if not isinstance(value, dict):
        return None
    caps = {name: _cap(cap) for name, cap in value.items()}
    found = {name: cap for name, cap in caps.items() if cap is not None}
    return found if len(found) == len(caps) else None


def _witnesses(value: Json) -> Witnesses | None:
    if not isinstance(value, dict) or set(value) - {"need", "faulty"}:
        return None
    need, faulty = whole(value.get("need", _NEED)), whole(value.get("faulty", _FAULTY))
    return None if need is None or faulty is None or need < 1 or faulty < 0 else Witnesses(need, faulty)


def _sums(value: Json) -> Sums | None:
    match value:
        case {"own_noise": cap, **rest} if not set(rest) - {"attempts", "colluders"}:
            alone = _cap(cap)
            attempts, colluders = whole(rest.get("attempts", _ATTEMPTS)), whole(rest.get("colluders", _COLLUDERS))
        case _:
            return None
    if alone is None or attempts is None or colluders is None or attempts < 1 or colluders < 1:
        return None
    return Sums(alone, attempts, colluders)


def _most_cohorts(value: Json) -> int | None:
    match value:
        case {"most_cohorts": most, **rest} if not rest:
            found = whole(most)
            return found if found is not None and found >= 1 else None
        case _:
            return None


def _content(body: Body) -> tuple[frozenset[str], frozenset[str], tuple[tuple[str, str], ...]] | None:
    """Kinds that may be asked, variables that may not, and pairs that may not meet."""
    kinds, crossings = _texts(body.get("statistics", list(_KINDS))), body.get("forbidden_crossings", [])
    match body.get("variables", {}):
        case {"deny": listed, **rest} if not rest:
            denied = _texts(listed)
        case {**rest} if not rest:
            denied = []
        case _:
            return None
    pairs = [_texts(pair) for pair in crossings] if isinstance(crossings, list) else [None]
    if kinds is None or denied is None:
        return None
    found = tuple((pair[0], pair[1]) for pair in pairs if pair is not None and len(pair) == 2)
    return (frozenset(kinds), frozenset(denied), found) if len(found) == len(pairs) else None


def _texts(value: Json) -> list[str] | None:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return None
    return [one for one in value if isinstance(one, str)]
