"""Adults and children of the households: roles, what they went through, how they are at T0 and T1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from compose.demo.generator.calibration import Calibration
from compose.demo.generator.draws import Rng, carried, grades, pick, shifted, yes
from compose.demo.generator.households import CARE, DIVORCE, NONE, Households
from compose.demo.generator.tables import WAVES, Bools, Floats, Ints, Wide, choices, numbers, where_asked

ROLE_NONE, ROLE_WITNESS, ROLE_DIRECT, ROLE_BOTH = range(4)
CHILD_ROLES = ("none", "witness", "direct", "both")
ADULT_ROLES = ("victim", "perpetrator", "both", "neither")
RELATIONS = ("partner", "ex_partner", "other")
# ASSUMED: roles of women and of men, in the order of ADULT_ROLES.
ROLE_SHARES = np.array([[0.60, 0.07, 0.28, 0.05], [0.20, 0.42, 0.30, 0.08]])
# ASSUMED: relations in a divorce conflict and elsewhere, in the order of RELATIONS.
RELATION_SHARES = np.array([[0.05, 0.90, 0.05], [0.62, 0.33, 0.05]])


def members(counts: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each person the household's row, and the person's place in it, from 0."""
    home = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return home, np.arange(len(home)) - first[home]


def draw_adults(rng: Rng, homes: Households, known: Calibration) -> Wide:
    """Every adult's answers, ordered as `members(homes.adults)`."""
    home, _ = members(homes.adults)
    rows, man = len(home), _men(rng, homes.adults, known)
    sex = man.astype(np.int32)
    divorced = (homes.profile[home] != DIVORCE).astype(np.int32)
    answers: Wide = {
        ("adult_sex", ""): choices(sex, ("woman", "man")),
        ("adult_role", ""): choices(pick(rng, ROLE_SHARES[sex], rows), ADULT_ROLES),
        ("relation", ""): choices(pick(rng, RELATION_SHARES[divorced], rows), RELATIONS),
        ("education", ""): choices(pick(rng, np.array(known.row("education")), rows), ("low", "middle", "high")),
        ("past_victim", ""): choices(yes(rng, known.number("past_victim"), rows)),
    }
    drinks = yes(rng, np.where(man, known.number("alcohol_men"), known.number("alcohol_women")), rows)
    answers["alcohol_problem", "T0"] = choices(drinks)
    answers["alcohol_problem", "T1"] = choices(carried(rng, drinks, np.ones(rows, np.bool_), 0.80, 0.05))
    of_women, of_men = known.row("experienced_share")
    # With two informants some incidents are told by only one of them.
    told = np.where(homes.adults[home] > 1, known.number("reported_by_both"), 1.0)
    for wave, counts in zip(WAVES, homes.partner_incidents, strict=True):
        undergone = rng.binomial(counts[home], np.where(man, of_men, of_women) * told)
        answers["incidents_experienced", wave] = numbers(undergone, "999")
    _state_of_mind(rng, homes, home, "adult", known, answers)
    offered = homes.helped[home] > 0
    none, none_home = known.number("no_help_adult"), known.number("no_help_household")
    offered &= ~yes(rng, (none - none_home) / (1 - none_home), rows)
    answers["adult_help", "T1"] = choices(offered)
    mean, sd = known.row("help_satisfaction")
    stopped = homes.states[1][home] == NONE
    grade = np.rint(mean + known.number("help_satisfaction_stopped") * stopped + sd * rng.standard_normal(rows))
    answers["help_satisfaction", "T1"] = where_asked(numbers(np.clip(grade, 1, 10).astype(np.int32), "99"), offered)
    return answers


def _men(rng: Rng, adults: Ints, known: Calibration) -> Bools:
    """Whether each adult is a man; a second adult is of the other sex, and the overall share of women is the target."""
    second = known.number("two_adults")
    women = (known.number("woman") * (1 + second) - second) / (1 - second)
    first = yes(rng, 1 - women, len(adults))
    home, place = members(adults)
    return np.asarray(first[home] ^ (place > 0))


def draw_children(rng: Rng, homes: Households, known: Calibration) -> Wide:
    """Every child's answers, ordered as `members(homes.children)`."""
    home, _ = members(homes.children)
    rows = len(home)
    youngest, oldest = (int(age) for age in known.row("child_age_range"))
    years = oldest - youngest
    share = (known.number("child_age_mean") - youngest) / years
    age = youngest + rng.binomial(years, rng.beta(4 * share, 4 * (1 - share), rows))
    answers: Wide = {
        ("child_sex", ""): choices(yes(rng, known.number("child_boy"), rows), ("girl", "boy")),
        ("child_age", ""): numbers(age),
    }
    _harm(rng, homes, home, known, answers)
    _trauma(rng, homes.states[1][home] == NONE, known, answers)
    _state_of_mind(rng, homes, home, "child", known, answers)
    asked = age >= known.number("self_report_age")
    for wave in WAVES:
        answers["child_felt_safe", wave] = where_asked(answers["child_felt_safe", wave], asked)
    none, none_home = known.number("no_help_child"), known.number("no_help_household")
    offered = (homes.helped[home] > 0) & ~yes(rng, (none - none_home) / (1 - none_home), rows)
    answers["child_help", "T1"] = choices(offered)
    return answers


def _harm(rng: Rng, homes: Households, home: NDArray[np.int64], known: Calibration, answers: Wide) -> None:
    """The child's part in the violence, its kinds and how often, at both waves."""
    rows = len(home)
    exposed, both = known.number("child_exposed"), known.number("child_direct_and_witness")
    witness = known.number("child_witness_only")
    direct = exposed - both - witness
    active = 1 - known.row("state_t0")[NONE]
    drawn = pick(rng, np.array([active - exposed, witness, direct, both]) / active, rows)
    role = np.where(homes.states[0][home] == NONE, ROLE_NONE, drawn).astype(np.int32)
    hit, seen = role >= ROLE_DIRECT, role != ROLE_NONE
    neglect = shifted(1.0 * (homes.profile[home] == CARE), known.number("child_neglect") / exposed, seen)
    kinds = {
        "child_psychological": seen & yes(rng, known.number("child_psychological") / exposed, rows),
        "child_physical": hit & yes(rng, known.number("child_physical") / (both + direct), rows),
        "child_neglect": seen & yes(rng, neglect, rows),
    }
    # Of the family's incidents beyond the first, the share that is aimed at this child; it gives the published mean.
    per_family = known.number("incidents_t0_mean") / active
    aimed = (known.number("child_incidents_t0_mean") / (both + direct) - 1) / (per_family - 1)
    own = rng.beta(4 * aimed, 4 * (1 - aimed), rows)
    for wave, counts, state in zip(WAVES, homes.incidents, homes.states, strict=True):
        if wave == "T1":
            active_now = state[home] != NONE
            hit = carried(rng, hit, active_now, 0.75, 0.03)
            seen = hit | carried(rng, seen, active_now, 0.90, 0.20)
            struck = np.where(role == ROLE_DIRECT, ROLE_DIRECT, ROLE_BOTH)
            role = np.where(hit, struck, np.where(seen, ROLE_WITNESS, ROLE_NONE)).astype(np.int32)
            kinds = {
                name: carried(rng, before, hit if name == "child_physical" else seen, 0.65, 0.05)
                for name, before in kinds.items()
            }
        aimed_at = np.where(hit, 1 + rng.binomial(np.maximum(counts[home] - 1, 0), own), 0)
        answers["child_role", wave] = choices(role, CHILD_ROLES)
        answers["child_incidents", wave] = numbers(np.minimum(aimed_at, counts[home]), "999")
        answers.update({(name, wave): choices(there) for name, there in kinds.items()})


def _trauma(rng: Rng, stopped: Bools, known: Calibration, answers: Wide) -> None:
    rows = len(stopped)
    before = yes(rng, known.number("trauma_t0"), rows)
    # A child with complaints at T0 has them likelier at T1; the share in each group stays the target.
    after = np.where(
        stopped,
        shifted(1.5 * before, known.number("trauma_t1_stopped"), stopped),
        shifted(1.5 * before, known.number("trauma_t1_not"), ~stopped),
    )
    answers["trauma", "T0"] = choices(before)
    answers["trauma", "T1"] = choices(yes(rng, after, rows))


def _state_of_mind(
    rng: Rng, homes: Households, home: NDArray[np.int64], who: str, known: Calibration, answers: Wide
) -> None:
    """Wellbeing and safety felt, at T0 and after, by what became of the violence."""
    state = homes.states[1][home]
    levels = np.array(known.rows(f"{who}_wellbeing"))
    tenths, score = _first_grades(rng, len(home), levels[0])
    later, _ = grades(rng, levels[1 + state, 0], levels[1 + state, 1], score)
    answers[f"{who}_wellbeing", "T0"] = numbers(tenths, "99", 1)
    answers[f"{who}_wellbeing", "T1"] = numbers(later, "99", 1)
    at_report, stopped, going_on = known.row(f"{who}_felt_safe")
    safe = yes(rng, at_report, len(home))
    safe_later = yes(rng, np.where(state == NONE, stopped, going_on), len(home))
    answers[f"{who}_felt_safe", "T0"] = choices(safe, missing_code="9")
    answers[f"{who}_felt_safe", "T1"] = choices(safe_later, missing_code="9")


def _first_grades(rng: Rng, rows: int, level: Floats) -> tuple[Ints, Floats]:
    score = rng.standard_normal(rows)
    return np.clip(np.rint(10 * (level[0] + level[1] * score)), 0, 100).astype(np.int32), score
