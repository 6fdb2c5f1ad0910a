"""Two derivations of the same bounds and prices, by different hands: the rules' and the auditor's."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from rondgang import canonical

from audit.checks import content
from audit.reprice import group
from audit.reprice.asked import Asked, read_asked
from audit.reprice.price import Repriced, reprice
from policies.documents import load_yaml, parse_yaml, to_canonical
from policies.secure.group import Group
from policies.secure.rounds import spare
from policies.starters import Starter, starters
from policies.statistics.compile import BadStatistic, compile_blocks
from policies.statistics.names import names
from policies.statistics.plan import BadPlan, plan
from policies.statistics.programme import Draft, DraftPrice, Programme, Secure
from policies.statistics.statistic import Kind, Statistic
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.derive import derived_sources
from tests import national_study, small_study
from tests.applicants import ROTATION

SHIPPED = ROTATION.parent
MORE = """
  stopped:
    alternatives:
      state: {cases: [{when: "incidents == 0", is: yes}, {else: no}]}
      transition: {cases: [{when: "incidents@T0 == 0", missing: true}, {when: "incidents == 0", is: yes}, {else: no}]}
"""
CODEBOOK = parse_yaml(
    Codebook,
    small_study.CODEBOOK.replace("sd: 1, missing", "sd: 1, better: lower, missing").replace(
        "bounds: [0, 1], grid: 0.5", "bounds: [0, 1], grid: 0.5, better: higher"
    )
    + MORE.lstrip("\n"),
    "codebook.yaml",
)
NUMBERS = {"household": ("incidents", "grade"), "adult": ("incidents", "wellbeing"), "child": ("incidents", "age")}
CATEGORIES = {
    "household": ("profile", "help", "state", "began", "silent", "stopped.state", "stopped.transition"),
    "adult": ("profile", "help", "state", "safe"),
    "child": ("profile", "help", "trauma", "hurt_and_unhelped"),
}
CONDITIONS = {
    "household": ("state == none", "help != no and not missing(state)", "incidents in {0, 2..3}", "missing(grade)"),
    "adult": ("safe == yes", "safe@T0 == no or missing(safe@T0)", "not (help == yes) and wellbeing >= 0.5"),
    "child": ("trauma == yes", "age@T0 >= 1", "hurt_and_unhelped == no"),
}
WITHIN = {"incidents": ["1", "3"], "grade": ["-0.5", "1"], "wellbeing": ["0", "0.5"], "age": ["1", "2"]}
BINS = {"incidents": ["1", "3"], "grade": ["0"], "wellbeing": ["0.5", "1"], "age": ["2"]}
WAVES = ("T0", "T1", "T0+T1", "T0->T1")


WEIGHTS: tuple[dict[str, str], ...] = ({}, {"AA": "1.5", "BB": "2.5", "CC": "1", "DD": "0.5"})


def nationally(statistics: list[Statistic], secure: Secure | None, weights: dict[str, str]) -> Programme:
    """Of four regions, which is as few as may add up, at weights such as make 5 of the heaviest and 1 of the least."""
    written: dict[str, object] = {
        "statistics": [one.model_dump(exclude_defaults=True) for one in statistics],
        "price": {"rho": "0.2"},
        "weights": weights or "equal",
    }
    made = Draft.model_validate({**small_study.draft().model_dump(), **written})
    return plan(made.model_copy(update={"secure": secure}), CODEBOOK, national_study.calendar(), small_study.hashes())


def planned(statistics: list[Statistic], codebook: Codebook = CODEBOOK) -> Programme:
    draft = small_study.draft().model_copy(
        update={"statistics": tuple(statistics), "price": DraftPrice.model_validate({"rho": "0.2"})}
    )
    return plan(draft, codebook, small_study.calendar(), small_study.hashes())


def asked_of(programme: Programme) -> Asked:
    body = canonical.decode(to_canonical(programme))
    assert isinstance(body, dict)
    return read_asked(body)


def agreed(programme: Programme, codebook: Codebook) -> Repriced:
    """Both derivations side by side: the same blocks in the same order, bounds, cells and price."""
    repriced = reprice(asked_of(programme), codebook)
    theirs = compile_blocks(programme.statistics, codebook).blocks
    ours = [block.derived for block in repriced.blocks]
    assert (repriced.missing, repriced.unknown) == ((), ())
    assert [(b.id, b.bound, b.cells, b.mode) for b in ours] == [(b.id, b.bound, b.cells, b.mode) for b in theirs]
    assert not any(block.understated or block.overstated for block in repriced.blocks)
    assert not any(block.too_sharp for block in repriced.blocks)
    assert repriced.nano == repriced.stated_nano == programme.charge.amount.nano
    assert repriced.national.nano == repriced.national.stated_nano == programme.charge.national
    assert asked_of(programme).most == programme.most_charge.nano
    return repriced


@st.composite
def drawn(draw: st.DrawFn, name: str) -> Statistic:
    """Any statistic that may make sense; many do not, and the rules say so."""
    kind = draw(st.sampled_from(get_args(Kind)))
    unit = draw(st.sampled_from(sorted(NUMBERS)))
    number, category = draw(st.sampled_from(NUMBERS[unit])), draw(st.sampled_from(CATEGORIES[unit]))
    fields: dict[str, object] = {"id": name, "kind": kind, "unit": unit, "wave": draw(st.sampled_from(WAVES))}
    match kind:
        case "proportion":
            fields["of"] = draw(st.sampled_from(CONDITIONS[unit]))
        case "mean" | "sum" | "variance" | "standard_deviation" | "paired_change":
            fields["of"] = number
            if draw(st.booleans()):
                fields["within"] = WITHIN[number]
        case "covariance" | "correlation" | "regression":
            factors = st.sampled_from((*NUMBERS[unit], f"{number}@T0", *CONDITIONS[unit], f"{category} == yes"))
            fields["of"] = draw(st.lists(factors, min_size=2, max_size=4 if kind == "regression" else 2))
            if draw(st.booleans()):
                fields["ranges"] = {number: WITHIN[number]}
        case "histogram":
            binned = draw(st.booleans())
            fields |= {"of": number, "bins": BINS[number]} if binned else {"of": category}
        case "cross_table":
            fields["of"] = draw(st.lists(st.sampled_from(CATEGORIES[unit]), min_size=2, max_size=3, unique=True))
        case "transition":
            fields["of"] = category
        case "quantile":
            fields |= {"of": number, "at": ["0.5"], "leaves": draw(st.sampled_from((2, 4)))}
        case "adjusted_difference":
            fields |= {"of": draw(st.sampled_from((number, *CONDITIONS[unit]))), "compare": category}
            fields["strata"] = draw(st.lists(st.sampled_from(CATEGORIES[unit]), min_size=1, max_size=2, unique=True))
    fields["by"] = draw(st.lists(st.sampled_from(CATEGORIES[unit]), max_size=2, unique=True))
    if draw(st.booleans()):
        fields["where"] = draw(
            st.sampled_from((*CONDITIONS[unit], f"not missing({category}) and not missing({number})"))
        )
    return Statistic.model_validate(fields)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_bounds_cells_and_prices_agree_on_any_programme(data: st.DataObject) -> None:
    """Statistics that make no sense are left out one by one, so that what is left shares blocks in every way."""
    good: list[Statistic] = []
    for place in range(data.draw(st.integers(1, 6))):
        one = data.draw(drawn(f"s{place}"))
        try:
            compile_blocks((*good, one), CODEBOOK)
        except BadStatistic:
            continue
        good.append(one)
    assume(good)
    try:
        programme = planned(good)
    except BadPlan:
        assume(False)
        raise
    agreed(programme, CODEBOOK)


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_both_agree_on_programmes_of_both_modes_at_any_weights(data: st.DataObject) -> None:
    """The same questions regionally and nationally share no block, and each mode is priced by itself."""
    good: list[Statistic] = []
    for place in range(data.draw(st.integers(1, 4))):
        one = data.draw(drawn(f"s{place}"))
        for mode in data.draw(st.sampled_from((("national",), ("regional", "national")))):
            with_mode = one.model_copy(update={"mode": mode, "id": f"{one.id}_{mode}"})
            try:
                compile_blocks((*good, with_mode), CODEBOOK)
            except BadStatistic:
                continue
            good.append(with_mode)
    assume(any(one.mode == "national" for one in good))
    secure = data.draw(
        st.sampled_from((None, Secure(colluders=1, dropouts=1, attempts=3), Secure(colluders=3, dropouts=0)))
    )
    try:
        programme = nationally(good, secure, data.draw(st.sampled_from(WEIGHTS)))
    except BadPlan:
        assume(False)
        raise
    agreed(programme, CODEBOOK)


def test_a_group_and_its_parts_are_those_of_the_rules() -> None:
    """Exhaustively for small groups: who is sound, the scales of the parts, what is spare, and what is left alone."""
    for regions in range(1, 14):
        for colluders in range(regions + 1):
            for dropouts in range(regions + 1):
                ours = group.Group(regions, colluders, dropouts)
                try:
                    theirs = Group(regions, colluders, dropouts)
                except ValueError:
                    assert not ours.sound
                    continue
                assert ours.sound
                assert (ours.fewest, ours.alone) == (theirs.fewest, theirs.own_factor())
                assert min(ours.parts) * theirs.smallest() == group.LEAST_SIGMA**2
                assert sum(ours.parts) == theirs.share(dropouts)
                for sigma in (Fraction(20), Fraction(64), Fraction(1000)):
                    assert ours.large_enough(sigma) is (sigma**2 >= theirs.smallest())
                gone = range(dropouts + 1)
                assert [ours.spare(regions - k) for k in gone] == [spare(theirs, regions - k) for k in gone]


def statistic(**fields: object) -> Statistic:
    return Statistic.model_validate({"id": "asked", "unit": "household", "wave": "T1"} | fields)


EXAMPLES: dict[str, tuple[dict[str, object], list[tuple[str, int, int]]]] = {
    "count": ({"unit": "adult", "by": ["profile"]}, [("n1", 2, 3)]),
    "proportion": ({"of": "safe == yes", "unit": "adult", "wave": "T0+T1"}, [("asked", 4, 1), ("n1", 4, 1)]),
    "mean": ({"of": "grade", "within": ["-0.5", "1"]}, [("asked", 3, 1), ("n1", 1, 1)]),
    "sum": ({"of": "incidents", "by": ["state"]}, [("asked", 4, 3), ("n1", 1, 3)]),
    "variance": ({"of": "incidents", "wave": "T0+T1"}, [("asked", 32, 1), ("asked_values", 8, 1), ("n1", 2, 1)]),
    "standard_deviation": (
        {"of": "age", "unit": "child", "wave": "T0"},
        [("asked", 12, 1), ("asked_values", 6, 1), ("n1", 3, 1)],
    ),
    "histogram": ({"of": "incidents", "bins": ["1", "3"]}, [("n1", 1, 3)]),
    "cross_table": ({"of": ["safe", "profile"], "unit": "adult"}, [("n1", 2, 6)]),
    "transition": ({"of": "state", "wave": "T0->T1", "by": ["profile"]}, [("asked", 1, 27)]),
    "covariance": (
        {"of": ["wellbeing", "help == yes"], "unit": "adult"},
        [("asked", 4, 1), ("asked_v0", 4, 1), ("asked_v1", 2, 1), ("n1", 2, 1)],
    ),
    "correlation": (
        {"of": ["incidents", "grade"], "ranges": {"grade": ["-0.5", "1"]}, "by": ["profile"]},
        [
            *(("asked", 12, 3), ("asked_v0", 4, 3), ("asked_v1", 3, 3)),
            *(("asked_p00", 16, 3), ("asked_p11", 9, 3), ("n1", 1, 3)),
        ],
    ),
    "regression": (
        {"of": ["age@T0", "trauma == yes", "incidents"], "unit": "child"},
        [
            *(("asked", 6, 1), ("asked_v1", 3, 1), ("asked_v2", 12, 1), ("asked_p00", 12, 1), ("asked_p22", 48, 1)),
            *(("asked_p01", 6, 1), ("asked_p02", 24, 1), ("asked_p12", 12, 1), ("n1", 3, 1)),
        ],
    ),
    "paired_change": (
        {"of": "wellbeing", "unit": "adult", "wave": "T0->T1"},
        [("asked", 4, 1), ("asked_directions", 2, 3)],
    ),
}
EXAMPLES |= {
    "adjusted_difference": (
        {"of": "state == none", "compare": "help", "strata": ["state@T0", "began"]},
        [("asked", 1, 12), ("n1", 1, 12)],
    ),
    "quantile": ({"of": "incidents", "at": ["0.5"], "leaves": 4}, [("asked", 1, 2), ("asked_level2", 1, 4)]),
}
"""By hand: the blocks of one statistic of each kind, with bound and cells."""


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_auditor_derives_each_kind_as_worked_out_by_hand(kind: str) -> None:
    fields, blocks = EXAMPLES[kind]
    repriced = agreed(planned([statistic(kind=kind, **fields)]), CODEBOOK)
    assert [(b.derived.id, b.derived.bound, b.derived.cells) for b in repriced.blocks] == blocks


@pytest.mark.parametrize("starter", starters(), ids=lambda starter: starter.name)
def test_every_starter_costs_by_the_auditor_what_its_plan_says(starter: Starter) -> None:
    codebook, calendar = load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml"), load_yaml(Calendar, ROTATION)
    agreed(plan(starter.draft, codebook, calendar, ("0" * 64, "1" * 64)), codebook)


def test_the_small_programme_costs_the_exact_sum_of_its_blocks() -> None:
    programme = small_study.planned()
    repriced = agreed(programme, small_study.codebook())
    assert repriced.rho == sum((block.rho for block in programme.blocks), Fraction(0))
    assert len(repriced.blocks) == 14


def used_by_the_rules(programme: Programme, codebook: Codebook) -> dict[str, set[str]]:
    """The variables of each statistic, as the node's decision counts them (policies/rules/decide.py)."""
    compilation = compile_blocks(programme.statistics, codebook)
    found = {}
    for compiled in compilation.statistics:
        used = {name for block in compilation.blocks if block.id in compiled.blocks for name in names(block)}
        used |= {source for name in used & set(codebook.definitions) for source in derived_sources(name, codebook)}
        found[compiled.statistic.id] = used | {name.partition(".")[0] for name in used}
    return found


@pytest.mark.parametrize("starter", starters(), ids=lambda starter: starter.name)
def test_what_a_question_touches_is_the_same_to_both(starter: Starter) -> None:
    codebook, calendar = load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml"), load_yaml(Calendar, ROTATION)
    programme = plan(starter.draft, codebook, calendar, ("0" * 64, "1" * 64))
    ours = {statistic.id: content.touched(statistic, codebook) for statistic in asked_of(programme).statistics}
    assert ours == used_by_the_rules(programme, codebook)
