"""May this programme be answered, and what does it cost? A pure function of public data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rondgang.canonical import digest

from policies.documents import to_canonical
from policies.rules.approval import AWAITING_SENTENCE, DECLINED_SENTENCES, Decision, DeclineReason
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import RegionPolicy
from policies.rules.spent import NONE, Spent, Stated
from policies.rules.turn import not_its_turn
from policies.secure.rounds import group_of
from policies.statistics.compile import Compilation, Compiled
from policies.statistics.names import names
from policies.statistics.programme import Programme
from policies.statistics.verify import verify_plan
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.derive import derived_sources
from policies.units.money import NanoRho

__all__ = ["Granted", "Spent", "Standing", "awaits_inheritance", "decide", "first_of", "left", "touched"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The public facts a region decides by. `snapshots` gives, per cohort, the codebook hash of its snapshot.

    `approvals` is the steward's newest word on each programme (by hash), `declined` the reason where that is a no.
    """

    region: str
    policy: RegionPolicy
    calendar: Calendar
    codebooks: Mapping[str, Codebook]
    snapshots: Mapping[str, str]
    spent: Spent
    now: int
    approvals: Mapping[str, Decision] = field(default_factory=dict)
    declined: Mapping[str, DeclineReason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Granted:
    """The programme may be answered, or attempted, for this charge; `compilation` holds all its verified blocks."""

    charge: NanoRho
    compilation: Compilation


def first_of(programme: Programme) -> int:
    """What a run begins with: 0, the regions' own answers, where there are any; else the first attempt."""
    return 0 if programme.of_mode("regional") else 1


def decide(
    programme: Programme, standing: Standing, verified: Compilation | None = None, *, attempt: int = 0
) -> Granted | Refused:
    """Granted, or the first reason why not, in a fixed order: time and place, content, money, then the steward.

    The steward comes last: what the rules forbid, or nobody can pay, is refused at once and never put before a person.
    What a steward declined stays declined under any policy, until approved; an approval, of every run and repeat of
    that one programme, counts under later policies too.

    `verified` is what an earlier decision found for this very programme by the same codebook and calendar: its blocks
    are then not derived once more; everything that may have changed since is.

    `attempt` 0 is the region's own answer, of the regional blocks; k from 1 on is the k-th attempt at the national
    sums. What a run begins with is granted only where all its attempts could be paid for.

    Privacy: the charge is the exact zCDP price of the blocks of that mode, rounded up to nano-rho; it is granted only
    if spent + charge <= cap for cohort and lifetime, and with every attempt for the programme, in whole numbers without
    tolerance (the zCDP filter: Whitehouse et al. 2023); what counts over the lifetime is policies/rules/spent.py's to
    say. Every attempt has noise of its own, so each is charged. Depends on public data only.
    """
    for check in _PLACE:
        if refused := check(programme, standing):
            return refused
    if refused := _asked_for(programme, attempt):
        return refused
    codebook = standing.codebooks[programme.codebook_hash]
    compiled = verified or verify_plan(programme, codebook, standing.calendar)
    if isinstance(compiled, Refused):
        return compiled
    if refused := _content(compiled, standing.policy, codebook) or _national(programme, standing.policy):
        return refused
    if refused := _money(programme, standing, attempt) or _steward(programme, standing):
        return refused
    return Granted(_charge(programme, attempt), compiled)


def left(cohort: str, standing: Standing) -> tuple[NanoRho, NanoRho]:
    """What remains of the cohort's cap, and for this cohort of the lifetime cap.

    Nothing of either for a region formed of others whose spending has not been taken over. Where a household is in a
    limited number of cohorts, a cohort that cost little may have more left of the lifetime cap than another one.
    """
    if awaits_inheritance(standing):
        return NONE, NONE
    policy, spent = standing.policy, standing.spent
    cap = policy.cohorts.get(cohort)
    of_cohort = NONE if cap is None else cap.amount.left_after(spent.cohort(cohort))
    return of_cohort, spent.room(cohort, policy.lifetime.amount, policy.most_cohorts)


def awaits_inheritance(standing: Standing) -> bool:
    """Whether the region was formed of others, and what they had spent is not stated or not taken over yet.

    Privacy: until then nobody knows what its households have paid already, so nothing more may be charged.
    """
    region, calendar = standing.region, standing.calendar
    found = calendar.inheritance(region) if region in calendar.regions else None
    if found is None:
        return False
    return found == "unknown" or not standing.spent.inherited.covers(Stated(*found))


def touched(compiled: Compiled, compilation: Compilation) -> set[str]:
    """The variables that a statistic names, whatever for; a derived one stands for itself."""
    return {name for block in compilation.blocks if block.id in compiled.blocks for name in names(block)}


def _cohort(programme: Programme, standing: Standing) -> Refused | None:
    name = programme.programme.cohort
    if name not in standing.calendar.cohorts:
        return Refused(Reason.WRONG_COHORT, f"The adopted calendar has no cohort {name}. Check the programme's cohort.")
    return None


def _rotation(programme: Programme, standing: Standing) -> Refused | None:
    refused = not_its_turn(standing.region, programme.programme.cohort, standing.calendar, standing.now)
    if refused is not None:
        return refused
    if standing.region not in programme.weights:
        return Refused(
            Reason.OFF_ROTATION, f"The programme does not name region {standing.region}. Add it to the weights."
        )
    return None


def _test_only(programme: Programme, standing: Standing) -> Refused | None:
    if programme.programme.test_only and not standing.policy.test_only:
        return Refused(
            Reason.TEST_ONLY,
            f"The programme is for tests alone, and region {standing.region} is not. Leave `test_only` out, or ask a "
            "test federation.",
        )
    return None


def _window(programme: Programme, standing: Standing) -> Refused | None:
    name = programme.programme.cohort
    if not standing.calendar.cohorts[name].open(standing.now):
        return Refused(
            Reason.OUTSIDE_WINDOW,
            f"The release window of cohort {name} is not open. See `rondgang coordinator calendar`.",
        )
    return None


def _deadline(programme: Programme, standing: Standing) -> Refused | None:
    if standing.now > programme.programme.deadline:
        return Refused(Reason.DEADLINE_PASSED, "The programme's deadline has passed. Sign it again with a later one.")
    return None


def _snapshot(programme: Programme, standing: Standing) -> Refused | None:
    held = standing.snapshots.get(programme.programme.cohort)
    if held is None:
        return Refused(
            Reason.NO_SNAPSHOT, f"Region {standing.region} holds no data of cohort {programme.programme.cohort} yet."
        )
    if programme.codebook_hash not in standing.codebooks or held != programme.codebook_hash:
        return Refused(
            Reason.CODEBOOK_MISMATCH, "The region's data follow another codebook. Plan with the codebook in force."
        )
    return None


_PLACE: tuple[Callable[[Programme, Standing], Refused | None], ...] = (
    _test_only,
    _deadline,
    _cohort,
    _rotation,
    _window,
    _snapshot,
)


def _content(compilation: Compilation, policy: RegionPolicy, codebook: Codebook) -> Refused | None:
    for compiled in compilation.statistics:
        statistic = compiled.statistic
        if statistic.kind not in policy.statistics:
            return Refused(Reason.FORBIDDEN_KIND, f"The region does not answer {statistic.kind} ({statistic.id}).")
        used = touched(compiled, compilation)
        used |= {name for derived in used & set(codebook.definitions) for name in derived_sources(derived, codebook)}
        # Whoever keeps `stopped` to itself keeps each of its alternatives.
        used |= {name.partition(".")[0] for name in used}
        if denied := used & set(policy.variables.deny):
            return Refused(Reason.FORBIDDEN_VARIABLE, f"The region keeps {min(denied)} to itself ({statistic.id}).")
        for one, other in policy.forbidden_crossings:
            if {one, other} <= used:
                return Refused(
                    Reason.FORBIDDEN_CROSSING, f"The region does not cross {one} with {other} ({statistic.id})."
                )
    return None


def _asked_for(programme: Programme, attempt: int) -> Refused | None:
    if attempt == 0:
        if programme.of_mode("regional"):
            return None
        return Refused(
            Reason.MALFORMED, "All its statistics are national: no region has an answer of its own. Order an attempt."
        )
    if programme.secure is None or not programme.of_mode("national"):
        return Refused(Reason.MALFORMED, "The programme has no national statistics. Order it without an attempt.")
    if attempt > programme.secure.attempts:
        most = programme.secure.attempts
        return Refused(
            Reason.MALFORMED, f"The programme allows {most} attempts; this is number {attempt}. Ask it in a new run."
        )
    return None


def _national(programme: Programme, policy: RegionPolicy) -> Refused | None:
    """Privacy: beyond the assumed colluders a region is left with its own noise: price times `Group.own_factor`."""
    secure, rule, group = programme.secure, policy.secure, group_of(programme)
    if secure is None or group is None:
        return None
    if rule is None:
        return Refused(
            Reason.FORBIDDEN_KIND,
            "The region's policy does not allow national sums. Ask them with `mode: regional`, or ask its steward to "
            "add `secure` to the policy.",
        )
    if secure.colluders < rule.colluders:
        return Refused(
            Reason.FORBIDDEN_KIND,
            f"The region wants at least {rule.colluders} regions to be assumed to collude; the programme assumes "
            f"{secure.colluders}. Raise `secure.colluders`.",
        )
    if secure.attempts > rule.attempts:
        return Refused(
            Reason.OVER_PROGRAMME_CAP,
            f"The region allows {rule.attempts} attempts; the programme asks for {secure.attempts}. Lower "
            "`secure.attempts`.",
        )
    alone, most = NanoRho(programme.charge.national * group.own_factor()), rule.own_noise.amount
    if alone > most:
        return Refused(
            Reason.OVER_PROGRAMME_CAP,
            f"With its own noise alone a household would pay {alone.text()} rho; the region allows {most.text()}. "
            "Lower the price, or raise `secure.colluders`.",
        )
    return None


def _charge(programme: Programme, attempt: int) -> NanoRho:
    return programme.charge.of_attempt if attempt else programme.charge.of_answer


def _money(programme: Programme, standing: Standing, attempt: int) -> Refused | None:
    whole, policy, name = programme.most_charge, standing.policy, programme.programme.cohort
    charge = whole if attempt == first_of(programme) else _charge(programme, attempt)
    cap = policy.cohorts.get(name)
    if whole > policy.programme.amount:
        allowed = policy.programme.amount.text()
        sentence = f"The programme costs {whole.text()} rho; the region allows {allowed} a programme. Lower the price."
        return Refused(Reason.OVER_PROGRAMME_CAP, sentence)
    if cap is None:
        return Refused(Reason.OVER_COHORT_CAP, f"The region's policy gives cohort {name} no budget.")
    if awaits_inheritance(standing):
        return Refused(
            Reason.OVER_LIFETIME_CAP,
            f"What the regions that {standing.region} was formed of have spent is not known yet, so nothing is left. "
            "Ask the consortium for a calendar that states `spent` for each of them.",
        )
    of_cohort, of_lifetime = left(name, standing)
    if charge > of_cohort:
        return Refused(
            Reason.OVER_COHORT_CAP, f"It costs {charge.text()} rho; {of_cohort.text()} is left for cohort {name}."
        )
    if charge > of_lifetime:
        return Refused(
            Reason.OVER_LIFETIME_CAP, f"It costs {charge.text()} rho; {of_lifetime.text()} is left of the lifetime cap."
        )
    return None


def _steward(programme: Programme, standing: Standing) -> Refused | None:
    """The hash is derived here: nobody can hand over the hash of another programme, that was approved."""
    if standing.policy.approval == "automatic" and not standing.approvals:
        return None
    name = digest(to_canonical(programme))
    word = standing.approvals.get(name)
    if word == "decline":
        return Refused(Reason.DECLINED, DECLINED_SENTENCES[standing.declined.get(name, "other")])
    if word is None and standing.policy.approval == "steward":
        return Refused(Reason.AWAITING_APPROVAL, AWAITING_SENTENCE)
    return None
