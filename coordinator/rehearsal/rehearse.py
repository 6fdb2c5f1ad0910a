"""The whole path of a programme on made-up rows: planned, summed, with noise, estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rondgang.canonical import digest

from coordinator.estimate import all_rows, revision_of
from coordinator.estimates.rows import Run
from coordinator.estimates.tables import to_json
from coordinator.prices import PriceList, price_unasked
from coordinator.rehearsal.households import made_up
from coordinator.rehearsal.noise import Sampler, with_parts
from coordinator.rehearsal.sums import exact_sums
from policies.documents import to_canonical
from policies.secure.rounds import NationalSum, group_of
from policies.statistics.answer import block_values
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook

RUN = "rehearsal"
"""What stands where a run's name stands in real results."""
_NO_RUN, _UNSIGNED = f"run-{0:016d}", "0" * 64
"""Of a sum that no parties made and nobody signs."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a real run would have given, from made-up rows. Nothing in it is signed."""

    programme: Programme
    rows_json: bytes
    prices: PriceList


def rehearse(draft: Draft, codebook: Codebook, calendar: Calendar, seed: int, noisy: Sampler) -> Rehearsal:
    """Asks every region of the programme its made-up rows. Raises `BadPlan` and `BadStatistic`.

    The rows come from `seed`; the noise never does. The programme is marked synthetic, so every row of the result says
    so; that mark is also why its hash is not that of the real one.
    """
    marked = draft.programme.model_copy(update={"data": "synthetic"})
    hashes = digest(to_canonical(codebook)), digest(to_canonical(calendar))
    programme = plan(draft.model_copy(update={"programme": marked}), codebook, calendar, hashes)
    compilation = compile_blocks(programme.statistics, codebook)
    expected = [calendar.expected_of(programme.programme.cohort)[region] for region in programme.regions]
    sums = {
        region: exact_sums(rows, compilation.blocks)
        for region, rows in zip(programme.regions, made_up(codebook, expected, seed), strict=True)
    }
    answers = {
        region: {block.id: noisy(own[block.id], block) for block in programme.of_mode("regional")}
        for region, own in sums.items()
    }
    national = _national_sum(programme, sums, noisy)
    named = Run(RUN, revision_of(len(answers), national))
    rows = all_rows(named, programme, codebook, calendar, answers, national)
    return Rehearsal(programme, to_json(rows).encode("utf-8"), price_unasked(programme, codebook, calendar, draft))


def _national_sum(
    programme: Programme, sums: Mapping[str, Mapping[str, list[int]]], noisy: Sampler
) -> NationalSum | None:
    """The finished sum of an attempt in which every region stays to the end; None where nothing is asked nationally.

    `sums` are exact, by region and block.
    """
    group = group_of(programme)
    if group is None:
        return None
    steps = programme.steps
    blocks = []
    for block in programme.of_mode("national"):
        own = ([steps[region] * value for value in found[block.id]] for region, found in sums.items())
        whole = [block.multiplier * sum(values) for values in zip(*own, strict=True)]
        blocks.append(block_values(block.id, with_parts(whole, block, group, noisy)))
    return NationalSum(
        run=_NO_RUN,
        programme=_UNSIGNED,
        cohort=programme.programme.cohort,
        attempt=1,
        survivors=_UNSIGNED,
        regions=programme.regions,
        taken_back=dict.fromkeys(programme.regions, group.dropouts),
        blocks=tuple(blocks),
    )
