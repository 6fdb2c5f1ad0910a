"""The shipped programme's statistics computed plainly on generated tables: what tests hold noisy answers against.

Written by hand with pandas, on purpose: it shares no code with the rules that compile a programme. Never run on
anything but generated data.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from compose.demo.generator.tables import ANSWERED, WAVES, Answers, Table, Tables

STATES = ("none", "some", "frequent_or_severe")
PROFILES = ("1", "2", "3", "4", "5")
Key = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A plain figure. `value` is numerator / denominator (for a count the numerator), NaN over nothing."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float:
        return self.numerator / self.denominator if self.denominator else float("nan")


def truth(regions: Iterable[Tables]) -> dict[Key, Figure]:
    """Every figure of the shipped programme over these regions, by statistic and the values of its cell.

    Cells: none for a plain figure, the profile for a `by`, the states at T0 and T1 for the transition table.
    """
    every = list(regions)
    homes = wide(pd.concat([frame(tables.household) for tables in every], ignore_index=True), "hh_id")
    adults = wide(pd.concat([frame(tables.adult) for tables in every], ignore_index=True), "person_id")
    children = wide(pd.concat([frame(tables.child) for tables in every], ignore_index=True), "person_id")
    for wave in WAVES:
        homes[f"state__{wave}"] = _state(homes, wave)
    return (
        _violence(homes) | _changes(homes) | _profiles(homes) | _help(homes) | _families(homes)
        | _persons(adults, children) | _roles(adults, children)
    )  # fmt: skip


def frame(table: Table) -> pd.DataFrame:
    """A long table as a frame; what was not answered, for whichever reason, is missing."""
    columns: dict[str, object] = dict(table.ids)
    columns |= {name: _column(answers) for name, answers in table.variables.items()}
    return pd.DataFrame(columns)


def wide(long: pd.DataFrame, unit: str) -> pd.DataFrame:
    """One row a unit: `name__T0`, `name__T1` for every variable, and whether the unit has a row at T1."""
    names = [name for name in long.columns if name not in ("hh_id", "person_id", "wave")]
    parts = [long[long["wave"] == wave].set_index(unit)[names].add_suffix(f"__{wave}") for wave in WAVES]
    joined = parts[0].join(parts[1], how="left")
    joined["present__T1"] = joined.index.isin(parts[1].index)
    return joined


def _column(answers: Answers) -> pd.Series:
    known = answers.gaps == ANSWERED
    if answers.codes:
        texts = pd.Series(np.array(answers.codes, np.object_)[answers.values])
        return texts.where(known, None)
    return pd.Series(np.where(known, answers.values / 10**answers.decimals, np.nan))


def _state(homes: pd.DataFrame, wave: str) -> pd.Series:
    incidents, severe = homes[f"incidents__{wave}"], homes[f"severe_act__{wave}"]
    some = np.where((incidents < 22) & (severe == "no"), "some", "frequent_or_severe")
    state = pd.Series(np.where(incidents == 0, "none", some), index=homes.index)
    return state.where(incidents.notna() & severe.notna(), None)


def _share(values: pd.Series, codes: tuple[str, ...]) -> Figure:
    known = values.dropna()
    return Figure(float(known.isin(codes).sum()), float(len(known)))


def _mean(values: pd.Series) -> Figure:
    known = values.dropna()
    return Figure(float(known.sum()), float(len(known)))


def _violence(homes: pd.DataFrame) -> dict[Key, Figure]:
    before, after = homes["state__T0"], homes["state__T1"]
    found: dict[Key, Figure] = {
        ("stopped_state", ()): _share(after, ("none",)),
        ("stopped_transition", ()): _share(after[before.isin(["some", "frequent_or_severe"])], ("none",)),
        ("still_frequent_or_severe", ()): _share(after, ("frequent_or_severe",)),
        ("incidents_t0", ()): _mean(homes["incidents__T0"].clip(upper=100)),
        ("incidents_t1", ()): _mean(homes["incidents__T1"].clip(upper=100)[after.notna()]),
    }
    for first in STATES:
        for last in STATES:
            found["state_change", (first, last)] = _share(after[before == first], (last,))
    return found


def _changes(homes: pd.DataFrame) -> dict[Key, Figure]:
    """Of the families with incidents known at both measurements; fewer is improved. The mean counts up to 100."""
    known = homes[[f"incidents__{wave}" for wave in WAVES]].dropna()
    counted, direction = known.clip(upper=100), np.sign(known["incidents__T1"] - known["incidents__T0"])
    change = counted["incidents__T1"] - counted["incidents__T0"]
    return {("incidents_change", ()): _mean(change)} | {
        ("incidents_change", (name,)): Figure(float((direction == sign).sum()), float(len(change)))
        for name, sign in (("improved", -1), ("same", 0), ("worse", 1))
    }


def _families(homes: pd.DataFrame) -> dict[Key, Figure]:
    both = homes.dropna(subset=["income_low__T0", "unemployment__T0"])
    return {
        ("low_income", ()): _share(both["income_low__T0"], ("yes",)),
        ("unemployment", ()): _share(both["unemployment__T0"], ("yes",)),
    }


def _spread(name: str, values: pd.Series, codes: tuple[str, ...]) -> dict[Key, Figure]:
    return {(name, (code,)): _share(values, (code,)) for code in codes}


def _roles(adults: pd.DataFrame, children: pd.DataFrame) -> dict[Key, Figure]:
    return (
        _spread("adults_by_education", adults["education__T0"], ("low", "middle", "high"))
        | _spread("adults_by_role", adults["adult_role__T0"], ("victim", "perpetrator", "both", "neither"))
        | _spread("children_by_role", children["child_role__T0"], ("none", "witness", "direct", "both"))
    )


def _profiles(homes: pd.DataFrame) -> dict[Key, Figure]:
    known = homes[homes["state__T1"].notna()]
    after = known["state__T1"]
    return _spread("families_by_profile", known["profile__T1"], PROFILES) | {
        ("stopped_by_profile", (profile,)): _share(after[known["profile__T1"] == profile], ("none",))
        for profile in PROFILES
    }


def _help(homes: pd.DataFrame) -> dict[Key, Figure]:
    known = homes[homes["state__T1"].notna()]
    after, kinds = known["state__T1"], ("none", "general", "specialised")
    return (
        _spread("families_by_help", known["help__T1"], kinds)
        | {("stopped_by_help", (kind,)): _share(after[known["help__T1"] == kind], ("none",)) for kind in kinds}
        | {("agencies_cooperate", ()): _share(homes["agencies_cooperate__T1"], ("yes",))}
    )  # fmt: skip


def _persons(adults: pd.DataFrame, children: pd.DataFrame) -> dict[Key, Figure]:
    # Those who answered both questions of a pair, as the programme's filters say.
    both_adults = adults.dropna(subset=["adult_felt_safe__T1", "adult_wellbeing__T1"])
    both_children = children.dropna(subset=["trauma__T1", "child_wellbeing__T1"])
    return {
        ("adults_safe", ()): _share(both_adults["adult_felt_safe__T1"], ("yes",)),
        ("children_safe", ()): _share(children["child_felt_safe__T1"], ("yes",)),
        ("adult_wellbeing", ()): _mean(both_adults["adult_wellbeing__T1"]),
        ("child_wellbeing", ()): _mean(both_children["child_wellbeing__T1"]),
        ("trauma_t0", ()): _share(children["trauma__T0"], ("yes",)),
        ("trauma_t1", ()): _share(both_children["trauma__T1"], ("yes",)),
    }
