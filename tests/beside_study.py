"""Six regions with made-up rows, asked with noise of fixed seeds: for estimators beside the direct one."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from rondgang.canonical import digest

from coordinator.estimates.found import Found
from coordinator.estimates.known import Known
from coordinator.estimates.rows import Run, estimate_rows
from coordinator.rehearsal.households import made_up
from coordinator.rehearsal.noise import with_parts
from coordinator.rehearsal.sums import exact_sums
from coordinator.rehearsal.units import Region
from policies.documents import parse_yaml, to_canonical
from policies.secure.rounds import NationalSum, group_of
from policies.statistics.answer import block_values
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, PlannedBlock, Programme
from policies.study.calendar import Calendar
from tests.small_study import codebook

REGIONS = ("AA", "BB", "CC", "DD", "EE", "FF")
_HOUSEHOLDS = (67, 45, 60, 55, 50, 75)
CALENDAR = """
calendar: {id: six_regions, version: 1, labels: {nl: zes, en: six}}
limits: {households_per_region: 100000}
regions:
%s
cohorts:
  c1:
    group: A
    historical: true
    labels: {nl: eerste, en: first}
    windows: {T0: [2024-01-01, 2024-12-31], T1: [2025-01-01, 2025-12-31], release: [2026-01-01, 2026-12-31]}
    expected:
%s
"""


@cache
def calendar() -> Calendar:
    regions = "\n".join(f"  {code}: {{name: {{nl: {code}, en: {code}}}, group: A}}" for code in REGIONS)
    expected = "\n".join(
        f"      {code}: {{household: {households}, adult: {households + 5}, child: {households + 10}}}"
        for code, households in zip(REGIONS, _HOUSEHOLDS, strict=True)
    )
    return parse_yaml(Calendar, CALENDAR % (regions, expected), "calendar.yaml")


def planned(statistics: str, rho: str = "0.5", more: str = "") -> Programme:
    """A programme of these statistics (YAML, a list), at this price; `more` are further keys of the draft."""
    heading = "{id: six, title: {nl: zes, en: six}, purpose: To try estimators, requester: Tests, cohort: c1, "
    heading += "codebook: small@1, deadline: 2026-06-30}"
    text = f'programme: {heading}\nprice: {{rho: "{rho}"}}\n{more}\nstatistics:\n{statistics}'
    draft = parse_yaml(Draft, text, "programme.yaml")
    return plan(draft, codebook(), calendar(), (digest(to_canonical(codebook())), digest(to_canonical(calendar()))))


@cache
def rows_of_regions(seed: int = 1) -> tuple[Region, ...]:
    expected = calendar().expected_of("c1")
    return tuple(made_up(codebook(), [expected[region] for region in REGIONS], seed))


def found(programme: Programme, seed: int = 1, without: Sequence[str] = (), silent: bool = False) -> Found:
    """What came in: everybody's answer but those `without`, and the national sum. `silent`: with no noise in them."""
    rng = np.random.default_rng([17, seed])

    def noisy(values: Sequence[int], block: PlannedBlock) -> list[int]:
        sd = 0.0 if silent else float(block.scale.fraction)
        return [block.multiplier * value + round(rng.normal(0, sd)) for value in values]

    compilation = compile_blocks(programme.statistics, codebook())
    sums = {
        code: exact_sums(rows, compilation.blocks)
        for code, rows in zip(REGIONS, rows_of_regions(), strict=True)
        if code in programme.regions
    }
    answers = {
        code: {block.id: noisy(own[block.id], block) for block in programme.of_mode("regional")}
        for code, own in sums.items()
        if code not in without
    }
    finished, run = None, Run("run-1", 1)
    if (group := group_of(programme)) is not None:
        blocks = []
        for block in programme.of_mode("national"):
            each = ([programme.steps[code] * value for value in own[block.id]] for code, own in sums.items())
            whole = [block.multiplier * sum(values) for values in zip(*each, strict=True)]
            blocks.append(block_values(block.id, with_parts(whole, block, group, noisy)))
        finished = NationalSum(
            run=f"run-{0:016d}",
            programme="0" * 64,
            cohort="c1",
            attempt=1,
            survivors="0" * 64,
            regions=programme.regions,
            taken_back=dict.fromkeys(programme.regions, group.dropouts),
            blocks=tuple(blocks),
        )
    direct = estimate_rows(run, programme, codebook(), calendar(), answers, finished)
    known = Known.of(programme, answers, finished)
    return Found(run, programme, codebook(), calendar(), compilation, known, direct)
