"""Households: who takes part, in which state the violence is at T0 and T1, and what help came between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compose.demo.generator.calibration import Calibration
from compose.demo.generator.draws import Rng, carried, few_incidents, logit, many_incidents, pick, shifted, yes
from compose.demo.generator.tables import WAVES, Bools, Floats, Ints, Wide, choices, numbers

NONE, SOME, FREQUENT = 0, 1, 2
TERROR, STRESS, CARE, CHILD, DIVORCE = range(5)
HELP = ("none", "general", "specialised")
PROFILES = ("1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True)
class Households:
    """What persons depend on, one value a household; households of a region lie together, in `sizes` order."""

    region: Ints
    retained: Bools
    profile: Ints
    adults: Ints
    children: Ints
    states: tuple[Ints, Ints]
    incidents: tuple[NDArray[np.int64], NDArray[np.int64]]
    partner_incidents: tuple[NDArray[np.int64], NDArray[np.int64]]
    helped: Ints


def draw_households(rng: Rng, sizes: Mapping[str, int], known: Calibration) -> tuple[Households, Wide]:
    """Every household of every region. `sizes` is the number of households at T1."""
    region = _recruited(rng, sizes, known)
    rows = len(region)
    profile = pick(rng, np.array(known.row("profiles")), rows)
    children = _children(rng, profile, known)
    adults = (1 + yes(rng, known.number("two_adults"), rows)).astype(np.int32)
    income = yes(rng, known.number("income_low"), rows)
    state_0 = _state_at_report(rng, profile, known)
    retained = _retained(rng, region, tuple(sizes.values()), state_0, income, known)
    helped = _help(rng, region, state_0, known)
    state_1 = _state_after(rng, region, retained, profile, state_0, helped, known)
    answers: Wide = {("profile", ""): choices(profile, PROFILES)}
    _circumstances(rng, income, known, answers)
    incidents, partner = _violence(rng, profile, children, (state_0, state_1), known, answers)
    answers["help", "T1"] = choices(helped, HELP)
    answers["agencies_cooperate", "T1"] = choices(yes(rng, known.number("agencies_cooperate"), rows), missing_code="9")
    states = (state_0, state_1)
    return Households(region, retained, profile, adults, children, states, incidents, partner, helped), answers


def _recruited(rng: Rng, sizes: Mapping[str, int], known: Calibration) -> Ints:
    """The region of each household at T0: enough of them to leave the given number at T1."""
    kept = known.number("retention") + known.number("retention_region_sd") * rng.standard_normal(len(sizes))
    at_report = np.rint(np.array(list(sizes.values())) / np.clip(kept, 0.4, 0.9)).astype(np.int64)
    return np.repeat(np.arange(len(sizes), dtype=np.int32), at_report)


def _children(rng: Rng, profile: Ints, known: Calibration) -> Ints:
    """Children per household. A family whose profile is about its child has one; the others make up for that."""
    shares = np.array(known.row("children_0_to_4"))
    some = shares[1:] / shares[1:].sum()
    about_child = known.row("profiles")[CHILD]
    childless = np.where(profile == CHILD, 0.0, shares[0] / (1 - about_child))
    drawn = 1 + pick(rng, some, len(profile))
    return np.where(yes(rng, childless, len(profile)), 0, drawn).astype(np.int32)


def _state_at_report(rng: Rng, profile: Ints, known: Calibration) -> Ints:
    overall, share = np.array(known.row("state_t0")), known.row("profiles")[TERROR]
    severe = known.number("frequent_profile_1")
    calm = overall[:2] / overall[:2].sum()
    terror = np.append(calm * (1 - severe), severe)
    other = (overall - share * terror) / (1 - share)
    return pick(rng, np.where((profile == TERROR)[:, None], terror, other), len(profile))


def _retained(rng: Rng, region: Ints, sizes: tuple[int, ...], state: Ints, income: Bools, known: Calibration) -> Bools:
    """Exactly `sizes` households stay; frequent violence and a low income make leaving likelier."""
    leave = np.log(known.number("dropout_odds_frequent")) * (state == FREQUENT)
    leave += np.log(known.number("dropout_odds_income_low")) * income
    order = np.lexsort((leave - rng.gumbel(size=len(region)), region))
    place = np.arange(len(region)) - np.searchsorted(region, region)
    kept = np.zeros(len(region), np.bool_)
    kept[order] = place < np.array(sizes)[region]
    return kept


def _help(rng: Rng, region: Ints, state: Ints, known: Calibration) -> Ints:
    """No, general or specialised help; severe families get specialised help more often."""
    none = known.number("no_help_household")
    local = known.number("help_region_logit_sd") * rng.standard_normal(int(region.max()) + 1)
    offset = np.log(known.number("help_specialised_odds_frequent")) * (state == FREQUENT) + local[region]
    special = shifted(offset, known.number("help_specialised") / (1 - none))
    kind = np.where(yes(rng, special, len(region)), 2, 1)
    return np.where(yes(rng, none, len(region)), 0, kind).astype(np.int32)


def _state_after(
    rng: Rng, region: Ints, retained: Bools, profile: Ints, before: Ints, helped: Ints, known: Calibration
) -> Ints:
    """The state at T1, so that the share without violence among those retained is the published one."""
    step = np.array(known.rows("transition"))[before]
    local = known.number("stop_region_logit_sd") * rng.standard_normal(int(region.max()) + 1)
    offset = logit(step[:, 0] * np.array(known.row("stop_rate_by_profile"))[profile])
    offset += np.log(known.number("stop_odds_specialised")) * (helped == 2) + local[region]
    stopped = shifted(offset, known.number("state_t1_none"), retained)
    rest = step[:, 1:] / step[:, 1:].sum(axis=1, keepdims=True) * (1 - stopped[:, None])
    return pick(rng, np.column_stack([stopped, rest]), len(region))


def _circumstances(rng: Rng, income: Bools, known: Calibration, answers: Wide) -> None:
    rows = len(income)
    # Low income and unemployment go together; the overall share of each stays the published one.
    unemployed = yes(rng, shifted(1.25 * income, known.number("unemployment")), rows)
    everyone = np.ones(rows, np.bool_)
    for name, before in (("income_low", income), ("unemployment", unemployed)):
        answers[name, "T0"] = choices(before)
        answers[name, "T1"] = choices(carried(rng, before, everyone, 0.88, 0.09))
    answers["violence_over_year", "T0"] = choices(yes(rng, known.number("violence_over_year"), rows))


def _incidents(rng: Rng, state: Ints, profile: Ints, wave: str, known: Calibration) -> tuple[NDArray[np.int64], Bools]:
    """Incidents a year and whether an act was severe, so that the mean over all families is the target."""
    rows, overall = len(state), known.number(f"incidents_{wave.lower()}_mean")
    shares = known.row(f"state_{wave.lower()}")
    some, below = known.number("incidents_some_mean"), known.number("severe_below_threshold")
    frequent = (overall - shares[SOME] * some) / shares[FREQUENT]
    most = (frequent - below * some) / (1 - below)
    least, cap = int(known.number("frequent_threshold")), int(known.number("incidents_cap"))
    few = few_incidents(rng, rows, some)
    many = many_incidents(rng, rows, most, known.number("incidents_shape"), least, cap)
    rare = (state == FREQUENT) & yes(rng, below, rows)
    counts = np.where(state == NONE, 0, np.where((state == SOME) | rare, few, many))
    terror, other = known.row("severe_act")
    severe = (state == FREQUENT) & (rare | yes(rng, np.where(profile == TERROR, terror, other), rows))
    return counts, severe


def _violence(
    rng: Rng, profile: Ints, children: Ints, states: tuple[Ints, Ints], known: Calibration, answers: Wide
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    kinds = _kinds_at_report(rng, profile, children, states[0], known)
    active = 1 - known.row("state_t0")[NONE]
    between = known.number("partner_incidents_t0_mean") * active / known.number("incidents_t0_mean")
    found: list[NDArray[np.int64]] = []
    partner: list[NDArray[np.int64]] = []
    for wave, state in zip(WAVES, states, strict=True):
        if wave == "T1":
            kinds = _kinds_after(rng, kinds, state, children)
        counts, severe = _incidents(rng, state, profile, wave, known)
        # At least one of the incidents is between partners where there is partner violence at all.
        own = np.where(kinds["partner_violence"] & (counts > 0), np.maximum(1, rng.binomial(counts, between)), 0)
        answers["incidents", wave] = numbers(counts, "999")
        answers["partner_incidents", wave] = numbers(own, "999")
        answers["severe_act", wave] = choices(severe)
        answers.update({(name, wave): choices(there) for name, there in kinds.items()})
        found.append(counts)
        partner.append(own)
    return (found[0], found[1]), (partner[0], partner[1])


def _kinds_at_report(rng: Rng, profile: Ints, children: Ints, state: Ints, known: Calibration) -> dict[str, Bools]:
    rows = len(profile)
    active, any_share = 1 - known.row("state_t0")[NONE], known.number("partner_any")
    # Where there are no children, violence at home is between partners; families with children make up for that.
    childless = known.row("children_0_to_4")[0]
    with_children = (any_share / active - childless) / (1 - childless)
    partner = (state != NONE) & yes(rng, np.where(children == 0, 1.0, with_children), rows)

    def kind(name: str, offset: Floats, among: Bools, base: float) -> Bools:
        return among & yes(rng, shifted(offset, known.number(name) / base, among), rows)

    flat = np.zeros(rows)
    psychological = kind("partner_psychological", flat, partner, any_share)
    physical = kind("partner_physical", -1.2 * (profile == DIVORCE), partner, any_share)
    sexual = kind("partner_sexual", 1.5 * (profile == TERROR), partner, any_share)
    injury = kind("injury", flat, physical, known.number("partner_physical"))
    return {
        "partner_violence": partner,
        "psychological_violence": psychological | (partner & ~physical & ~sexual),
        "physical_violence": physical,
        "sexual_violence": sexual,
        "injury": injury,
    }


def _kinds_after(rng: Rng, before: dict[str, Bools], state: Ints, children: Ints) -> dict[str, Bools]:
    """Kinds of violence at T1: none where it stopped, else mostly those of T0. ASSUMED throughout."""
    active = state != NONE
    partner = carried(rng, before["partner_violence"], active, 0.95, 0.10) | (active & (children == 0))
    physical = carried(rng, before["physical_violence"], partner, 0.70, 0.05)
    sexual = carried(rng, before["sexual_violence"], partner, 0.70, 0.02)
    psychological = carried(rng, before["psychological_violence"], partner, 0.92, 0.40)
    return {
        "partner_violence": partner,
        "psychological_violence": psychological | (partner & ~physical & ~sexual),
        "physical_violence": physical,
        "sexual_violence": sexual,
        "injury": carried(rng, before["injury"], physical, 0.55, 0.20),
    }
