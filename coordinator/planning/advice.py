"""What would help: other ways to ask that cost less, each priced by planning it. Proposed only, never done unasked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from coordinator.planning.found import Found, Line, least_price
from coordinator.planning.needs import ANY_VALUE
from coordinator.planning.noise import Unreached
from coordinator.planning.problem import Study
from coordinator.planning.targets import Targeted, Targets
from policies.statistics.blocks import Difference, Square, Summand, Value
from policies.statistics.compile import BadStatistic, compile_blocks
from policies.statistics.plan import BadPlan
from policies.units.exact import decimal_text

_WORTH = 0.1
"""A statistic or a saving of less than this part of the price is not spoken of."""
_MOST = 4
_WIDEST = 32.0
NUMBERS = ("mean", "sum", "variance", "standard_deviation", "paired_change")
"""Kinds of a number that may be held within narrower bounds."""
_PERSONS = {"adult": "adults", "child": "children"}


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing that would help, in words, and the price of the programme with it (rho) where it was planned."""

    text: str
    price: float | None = None


def out_of_reach(missed: Iterable[Unreached], targets: Targets, study: Study) -> list[Advice]:
    """Of targets that sampling alone exceeds: by how much, how many units would do, and what would help."""
    found = []
    by_id = {one.id: one for one in targets.statistics}
    expected = study.calendar.expected_of(targets.programme.cohort)
    members = _asked(targets, study)
    for one in missed:
        demand, statistic = one.demand, by_id[one.demand.statistic]
        counts = [(expected[region].of(statistic.unit), region) for region in members]
        least, fewest = min(counts)
        units = sum(count for count, _ in counts) if demand.scope == "national" else least
        wanted = round(units * (one.least / demand.target) ** 2)
        where = "nationally" if demand.scope == "national" else f"in every region ({fewest} has fewest)"
        text = (
            f"{demand.statistic}: within {demand.target:g} {where} is out of reach at any price: without any noise "
            f"{units} {_units(statistic)} give {one.least:.3g}, {one.least / demand.target:.2f} times as wide; "
            f"it takes about {wanted}."
        )
        found.append(Advice(f"{text} {_instead(statistic, demand.scope == 'regional')}"))
    return found


def over_limit(found: Found) -> list[Advice]:
    """Where the price is above the limit: by how much, and how much wider all targets would have to be."""
    if found.limit is None or not found.over_limit:
        return []
    least, most = found.quiet.price, float(found.limit.rho)
    text = f"The cheapest programme costs {found.most.text()} rho, {float(found.most.rho) / most:.2f} times the limit."
    # Attempts and rounding cost more than the bare price: the limit is compared with all of it.
    allowed = most * least / float(found.most.rho)
    low, high = 1.0, 1.25
    while found.quiet.price_at(high) > allowed:
        low, high = high, 1.5 * high
        if high > _WIDEST:
            return [Advice(f"{text} Even with every target {low:.0f} times as wide it costs more than that.")]
    while high - low > 0.005 * low:
        middle = (low + high) / 2
        low, high = (middle, high) if found.quiet.price_at(middle) > allowed else (low, middle)
    return [Advice(f"{text} With every target {high:.2f} times as wide it fits.", most)]


def what_helps(found: Found, targets: Targets, study: Study) -> list[Advice]:
    """Other ways to ask the statistics that cost most, and denominators that could be shared; the best first.

    A tenth of the price at least; at most four statistics are looked at.
    """
    price = found.quiet.price
    dear = sorted((one for one in found.lines if float(one.saves.rho) >= _WORTH * price), key=lambda one: one.saves)
    offered: list[Advice] = []
    for line in reversed(dear[-_MOST:]):
        statistic = next(one for one in targets.statistics if one.id == line.statistic)
        offered += _other_ways(line, statistic, targets, study)
        offered += _by_household(line, statistic, targets, study)
    offered += _shared(found, targets, study)
    worth = [one for one in offered if one.price is None or one.price <= price * (1 - _WORTH)]
    return sorted(worth, key=lambda one: (one.price is None, one.price or 0.0))


def _other_ways(line: Line, statistic: Targeted, targets: Targets, study: Study) -> Iterator[Advice]:
    """The same statistic with other keys, each planned whole."""
    name, summand = statistic.id, _summand(statistic, targets, study)
    ways = (
        *_fewer(statistic),
        *_narrower(statistic, summand, study),
        *_expected(line, statistic, summand, study),
    )
    for text, keys in ways:
        other = Targeted.model_validate({**_written(statistic), **keys})
        price = _price(_with(targets, [other]), study)
        if price is not None:
            yield Advice(f"{name}: {text} the programme costs {price:.4g} rho.", price)


def _fewer(statistic: Targeted) -> Iterator[tuple[str, dict[str, Any]]]:
    target = statistic.target
    if statistic.by:
        yield f"without `by: [{', '.join(statistic.by)}]`", {"by": ()}
    if target.regional is None:
        return
    if target.national is None:
        wanted = decimal_text(target.regional)
        kept = target.model_copy(update={"national": target.regional, "regional": None})
        yield f"as a national figure within {wanted} (no figures of regions)", {"target": kept}
    else:
        kept = target.model_copy(update={"regional": None})
        yield "without its regional target (a national sum, no figures of regions)", {"target": kept}


def _narrower(statistic: Targeted, summand: Summand, study: Study) -> Iterator[tuple[str, dict[str, Any]]]:
    """Half and a quarter of a number's bounds; where its values lie is for the researcher to know.

    Around the middle of `between` where a level is asked and that is said, else from the lowest value on.
    """
    if statistic.kind not in NUMBERS or not isinstance(summand, Value | Square | Difference):
        return
    ref = summand.after if isinstance(summand, Difference) else summand.of
    reach = summand.reach if isinstance(summand, Square) else summand.top
    column, between = study.codebook.columns[ref.name], statistic.target.between
    for part, word in ((2, "half"), (4, "a quarter")):
        width = reach // part
        if width < 1:
            continue
        first = summand.low
        if between is not None and isinstance(summand, Value):
            middle = (Fraction(between[0]) + Fraction(between[1])) / 2
            first += min(reach - width, max(0, int((middle - column.lower) / column.grid) - width // 2 - summand.low))
        ends = [column.lower + column.grid * step for step in (first, first + width)]
        within = [decimal_text(_decimal(end)) for end in ends]
        such = f'such as `within: ["{within[0]}", "{within[1]}"]` (values beyond count as the nearest end)'
        yield f"held within {word} of its bounds, {such},", {"within": within}


def _expected(line: Line, statistic: Targeted, summand: Summand, study: Study) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where a figure will lie, if that were known: the middle half of its range."""
    if statistic.kind not in ANY_VALUE or statistic.target.between is not None:
        return
    if not any(one.at_worst > 1.1 * one.margin for one in line.reached):
        return
    low, high = _range(summand, study)
    ends = [decimal_text(_decimal(low + (high - low) * part)) for part in (Fraction(1, 4), Fraction(3, 4))]
    target = {**statistic.target.model_dump(exclude_none=True), "between": ends}
    such = f'`between: ["{ends[0]}", "{ends[1]}"]`'
    yield f"if it is known to lie in the middle half of its range ({such}),", {"target": target}


def _range(summand: Summand, study: Study) -> tuple[Fraction, Fraction]:
    """The lowest and highest value that a figure may have; 0 and 1 of a share."""
    match summand:
        case Value(of=ref, low=low, top=top):
            column = study.codebook.columns[ref.name]
            return column.lower + column.grid * low, column.lower + column.grid * (low + top)
        case Difference(after=ref, top=top):
            grid = study.codebook.columns[ref.name].grid
            return -grid * top, grid * top
    return Fraction(0), Fraction(1)


def _by_household(line: Line, statistic: Targeted, targets: Targets, study: Study) -> Iterator[Advice]:
    """What the cap on persons costs, as a number: D grows with it, and the figure with the persons there are."""
    if statistic.unit == "household":
        return
    cap = study.codebook.cap(statistic.unit)
    expected = study.calendar.expected_of(targets.programme.cohort)
    members = _asked(targets, study)
    persons, households = (sum(expected[r].of(unit) for r in members) for unit in (statistic.unit, "household"))
    ratio = (cap * households / persons) ** 2
    if ratio >= 2:
        yield Advice(
            f"{line.statistic}: a household counts with up to {cap} {_PERSONS[statistic.unit]}. Asked of households "
            f"(whether any, or how many of them) the same noise costs about 1/{ratio:.0f}; so does a codebook with a "
            "lower cap, by its square."
        )


def _shared(found: Found, targets: Targets, study: Study) -> Iterator[Advice]:
    """Statistics whose denominators differ by their missing rule alone, asking for each other's answers too."""
    problem = found.quiet.problem
    groups: dict[Any, dict[str, frozenset[Any]]] = {}
    for one in problem.compilation.statistics:
        if one.denominator is None or one.statistic.pooled:
            continue
        block = next(block for block in problem.compilation.blocks if block.id == one.denominator)
        chosen = block.selection
        key = (block.mode, chosen.unit, chosen.waves, chosen.where, block.axes)
        groups.setdefault(key, {})[one.statistic.id] = frozenset(chosen.required)
    for group in groups.values():
        refs = sorted({ref.text for required in group.values() for ref in required})
        if len(set(group.values())) < 2:
            continue
        also = " and ".join(f"not missing({ref})" for ref in refs)
        price = _price(_with(targets, [_also(one, also) for one in targets.statistics if one.id in group]), study)
        if price is not None:
            text = f"with `{also}` in the `where` of each they share one denominator, and the programme costs"
            yield Advice(f"{', '.join(group)}: {text} {price:.4g} rho.", price)


def _also(statistic: Targeted, condition: str) -> Targeted:
    where = condition if statistic.where is None else f"({statistic.where}) and {condition}"
    return Targeted.model_validate({**_written(statistic), "where": where})


def _with(targets: Targets, changed: Iterable[Targeted]) -> Targets:
    by_id = {one.id: one for one in changed}
    return targets.model_copy(update={"statistics": tuple(by_id.get(one.id, one) for one in targets.statistics)})


def _written(statistic: Targeted) -> dict[str, Any]:
    return {name: getattr(statistic, name) for name in statistic.model_fields_set}


def _price(targets: Targets, study: Study) -> float | None:
    """None where it cannot be asked so: a proposal that does not fit is no proposal."""
    try:
        return least_price(targets, study)
    except (BadPlan, BadStatistic):
        return None


def _summand(statistic: Targeted, targets: Targets, study: Study) -> Summand:
    """What its first block sums."""
    return compile_blocks((statistic.plain("regional"),), study.codebook, targets.using).blocks[0].summand


def _instead(statistic: Targeted, regional: bool) -> str:
    ways = ["a wider target"]
    if regional:
        ways.insert(0, "a national target instead")
    if statistic.kind in NUMBERS:
        ways.insert(0, "narrower bounds (`within`)")
    if statistic.by:
        ways.insert(0, "fewer cells (`by`)")
    return f"What would help: {', '.join(ways)}."


def _asked(targets: Targets, study: Study) -> tuple[str, ...]:
    """The regions that are asked: those with a weight, else all of the cohort."""
    if isinstance(targets.weights, dict):
        return tuple(sorted(targets.weights))
    return study.calendar.members(targets.programme.cohort, study.at)


def _units(statistic: Targeted) -> str:
    return {"household": "households"}.get(statistic.unit) or _PERSONS[statistic.unit]


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)
