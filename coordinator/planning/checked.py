"""Targets that can never be met as they stand: found before planning, and named with the line of the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from coordinator.planning.needs import span
from coordinator.planning.problem import Problem, Study
from coordinator.planning.targets import Targeted, Targets
from policies.documents import load_yaml
from policies.statistics.compile import BadStatistic, compile_blocks
from policies.study.codebook import Codebook

Place = tuple[tuple[str, ...], str]


def load_targets(path: Path, study: Study) -> Targets:
    """The file's targets, as far as the study's documents allow. Raises BadDocument with file, line and key."""
    return load_yaml(Targets, path, lambda targets: problems(targets, study))


def problems(targets: Targets, study: Study) -> Iterator[Place]:
    """The key's path, and what was expected there: unknown names, targets wider than a figure can be."""
    heading = targets.programme
    if heading.codebook != study.codebook.label:
        yield ("programme", "codebook"), f"the codebook given is {study.codebook.label}"
        return
    if heading.cohort not in study.calendar.cohorts:
        known = ", ".join(sorted(study.calendar.cohorts))
        yield ("programme", "cohort"), f"the calendar has no cohort {heading.cohort}; it has {known}"
        return
    found = list(_unreadable(targets, study.codebook))
    yield from found or _senseless(targets, study)


def _unreadable(targets: Targets, codebook: Codebook) -> Iterator[Place]:
    seen: set[str] = set()
    for place, one in enumerate(targets.statistics):
        path = ("statistics", str(place))
        if one.id in seen:
            yield (*path, "id"), "this id stands twice; ids must differ"
        seen.add(one.id)
        try:
            compile_blocks((one.plain("regional"),), codebook, targets.using)
        except BadStatistic as error:
            yield path, str(error)


def _senseless(targets: Targets, study: Study) -> Iterator[Place]:
    """Targets of half the range of the figure or more, and values that it cannot have."""
    problem = Problem.of(targets, {one.id: one.chosen or "regional" for one in targets.statistics}, study)
    blocks = problem.noisy(problem.start)
    for place, one in enumerate(targets.statistics):
        path = ("statistics", str(place), "target")
        expectation = problem.expectation(one.id, blocks)
        ends = span(expectation)
        if ends is not None:
            yield from (((*path, key), said) for key, said in _beyond(one, *ends))


def _beyond(one: Targeted, lowest: float, highest: float) -> Iterator[tuple[str, str]]:
    span, between = highest - lowest, one.target.between
    for key, margin in (("national", one.target.national), ("regional", one.target.regional)):
        if margin is not None and float(margin) >= span / 2:
            yield key, f"a margin of half the figure's range ({span:g}) or more says nothing; expected a smaller one"
    if between is not None and not (lowest <= float(between[0]) and float(between[1]) <= highest):
        yield "between", f"the figure lies between {lowest:g} and {highest:g}; expected values within that"
