"""An answer looks the same whatever the data are: nobody at all, one household more or less, or a whole town."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from rondgang.signed import Signed

from coordinator.estimates.rows import Run, answer_values, estimate_rows
from node.importing.request import ImportRequest
from node.importing.run import import_files
from node.rows import SnapshotRows
from policies.documents import from_canonical
from policies.rules.refusals import Refused
from policies.statistics.answer import Answer
from policies.statistics.programme import Programme
from tests.node_world import COHORT, SNAPSHOT, World, make_home, ordered, put_snapshot
from tests.small_study import calendar, codebook, hashes, planned

HOUSE = "hh;wave;incidents;grade;profile;help"
ADULT, CHILD = "hh;person;wave;safe;wellbeing", "hh;person;wave;trauma;age"
PROFILES, ANSWERS = ("1", "12a", "c"), ("no", "yes")
WORST = (
    ["w;T0;4;1.5;c;no", "w;T1;4;1.5;c;no", "w;T1;0;-1;1;yes", "w;T1;1e999;nan;;9"],
    [f"w;a{i};T{wave};yes;1" for i in range(9) for wave in (0, 1)],
    [f"w;c{i};T{wave};yes;2" for i in range(9) for wave in (0, 1)],
)
"""A household of eighteen persons, at extremes, with rows that conflict and cells that cannot be read."""


def ordinary(households: int) -> tuple[list[str], list[str], list[str]]:
    waves = [(i, wave) for i in range(households) for wave in ("T0", "T1")]
    return (
        [f"h{i};{wave};{i % 5};{(i % 6) / 2 - 1};{PROFILES[i % 3]};{ANSWERS[i % 2]}" for i, wave in waves],
        [f"h{i};a;{wave};{ANSWERS[i % 2]};{(i % 3) / 2}" for i, wave in waves],
        [f"h{i};c;{wave};{ANSWERS[i % 2]};{i % 3}" for i, wave in waves],
    )


def with_worst(households: int) -> tuple[list[str], list[str], list[str]]:
    before = ordinary(households)
    return before[0] + WORST[0], before[1] + WORST[1], before[2] + WORST[2]


DATA = {
    "nobody": ordinary(0), "the worst alone": with_worst(0), "one": ordinary(1), "one and the worst": with_worst(1),
    "a town": ordinary(3000), "a town and the worst": with_worst(3000),
}  # fmt: skip


def outcome(folder: Path, tables: tuple[list[str], list[str], list[str]]) -> bytes:
    """What a region with these data answers to the small programme, through import, sums, noise and ledger."""
    home = make_home(folder / "home")
    source = folder / "delivery"
    source.mkdir()
    for name, head, rows in zip(("household", "adult", "child"), (HOUSE, ADULT, CHILD), tables, strict=True):
        (source / f"{name}.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    import_files(
        ImportRequest(home.root, (source,), COHORT, codebook(), hashes()[0], 5000, "semicolon", snapshot_id=SNAPSHOT)
    )
    put_snapshot(home)
    world, rows_of_home = World(home), SnapshotRows(home)
    try:
        answered = world.asked(ordered(planned()), rows_of_home)
        assert not isinstance(answered, Refused), answered
        assert world.spent == planned().charge.amount.nano
        return answered
    finally:
        rows_of_home.close()
        world.region.close()


@pytest.fixture(scope="module")
def replies(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    return {name: outcome(tmp_path_factory.mktemp("shape"), tables) for name, tables in DATA.items()}


def read(reply: bytes) -> Answer:
    return from_canonical(Answer, Signed.from_bytes(reply).document)


def test_every_answer_has_the_same_blocks_lengths_and_bytes(replies: Mapping[str, bytes]) -> None:
    programme: Programme = planned()
    shapes = {tuple((block.id, len(block.numbers())) for block in read(reply).blocks) for reply in replies.values()}
    assert shapes == {tuple((block.id, block.cells) for block in programme.blocks)}
    assert len({len(reply) for reply in replies.values()}) == 1


def test_every_table_has_the_same_rows_and_cells(replies: Mapping[str, bytes]) -> None:
    tables = set()
    for reply in replies.values():
        values = {region: answer_values(read(reply)) for region in planned().regions}
        rows = estimate_rows(Run("run-0123456789abcdef", 1), planned(), codebook(), calendar(), values)
        tables.add(
            tuple((row.statistic, row.cell, row.scope, row.measure, row.unit, row.wave, row.rho) for row in rows)
        )
        assert {row.status for row in rows} <= {"ok", "withheld"}
    assert len(tables) == 1


def test_the_data_are_in_the_answers_all_the_same(replies: Mapping[str, bytes]) -> None:
    """A town stands out of the noise, so that equal shapes are no accident of answering nothing."""
    block = planned().blocks[-1]
    (numbers,) = [found.numbers() for found in read(replies["a town"]).blocks if found.id == block.id]
    assert max(map(abs, numbers)) > 12 * block.scale.value
    (nobody,) = [found.numbers() for found in read(replies["nobody"]).blocks if found.id == block.id]
    assert max(map(abs, nobody)) < 12 * block.scale.value
