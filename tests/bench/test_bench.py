"""`make bench`: absolute milliseconds, CPU and ratios, all of one run. Prints; asserts only that the work was done."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import duckdb
import pytest

from compose.demo.federation import WITNESS
from coordinator.client import Desk, Planned
from node.mechanism import noisy
from node.snapshots import Snapshot
from node.vectors.sums import Engine
from policies.statistics.compile import compile_blocks
from policies.statistics.plan import plan
from policies.statistics.statistic import Statistic
from tests.bench.baseline import baseline
from tests.bench.world import (
    calendar,
    codebook,
    draft,
    federation,
    many_statistics,
    plain_sql,
    table_draft,
    write_snapshot_table,
)

pytestmark = pytest.mark.bench
QUERIES = 40
ANSWERS_BEFORE_PSS = 100
TICK_MS = 25
PAUSE_S = 0.4
"""Between two questions, for the baseline as for us."""


def quartiles(times_ms: list[float]) -> str:
    low, middle, high = statistics.quantiles(times_ms, n=4)
    return f"p50 {middle:7.1f} ms [{low:.1f}..{high:.1f}]"


def pss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no Pss line")


def cpu_s(pid: int) -> float:
    """User and system seconds of a process so far (clock ticks of 10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def one_run(desk: Desk, planned: Planned, regions: int) -> float:
    """Milliseconds from submitting until every region's answer is in."""
    start = time.perf_counter()
    run = desk.submit(planned).run
    *_, last = desk.watch(run, timeout_s=60)
    took = (time.perf_counter() - start) * 1e3
    assert sum(r.state == "answered" for r in last.regions) == regions
    return took


def test_thirty_cells_over_thirteen_nodes(tmp_path: Path) -> None:
    regions = calendar().members("c3")
    (tmp_path / "bare").mkdir()
    world = federation(tmp_path, rows=10_000)
    world.set_up(lambda text: None)
    world.start(lambda text: None)
    try:
        with Desk.open(world.researcher) as desk:
            plans = [desk.plan(table_draft(number)) for number in range(QUERIES + 5)]
            for planned in plans[:5]:
                one_run(desk, planned, len(regions))
            before = {name: cpu_s(process.pid) for name, process in world.processes.items()}
            ours = []
            for planned in plans[5:]:
                # A closed run is given back to the regions: that is not part of answering the next one.
                time.sleep(PAUSE_S)
                ours.append(one_run(desk, planned, len(regions)))
            used = {name: cpu_s(process.pid) - before[name] for name, process in world.processes.items()}
            for number in range(QUERIES + 5, ANSWERS_BEFORE_PSS + 1):
                one_run(desk, desk.plan(table_draft(number)), len(regions))
            memory = [pss_mib(world.processes[region].pid) for region in world.regions]
    finally:
        world.stop()

    async def bare() -> tuple[list[float], list[float]]:
        async with baseline(tmp_path / "bare", regions, 10_000) as peers:
            return await peers.milliseconds(QUERIES, PAUSE_S), await peers.milliseconds(QUERIES, 0)

    base, rushed = asyncio.run(bare())
    ratio = statistics.median(ours) / statistics.median(base)
    nodes_ms = sum(used[region] for region in world.regions) / QUERIES * 1e3
    print(f"\n30-cell table, 10k rows a region, 13 nodes over mTLS, {QUERIES} programmes new to the nodes")
    print(f"  bare baseline        {quartiles(base)}")
    print(f"  Rondgang             {quartiles(ours)}   ratio {ratio:.2f}")
    print(f"  of which the tick    {TICK_MS} ms at least; ratio without one tick "
          f"{(statistics.median(ours) - TICK_MS) / statistics.median(base):.2f}")  # fmt: skip
    print(
        f"  baseline, no pauses  {quartiles(rushed)}   ratio {statistics.median(ours) / statistics.median(rushed):.2f}"
    )
    print("  CPU a question, giving the results back included:")
    desk_ms, witness_ms = (used[name] / QUERIES * 1e3 for name in ("coordinator", WITNESS))
    print(f"    coordinator {desk_ms:.1f} ms, witness {witness_ms:.1f} ms, all nodes {nodes_ms:.1f} ms")
    print(f"  node PSS after {ANSWERS_BEFORE_PSS} answers: {min(memory):.0f}..{max(memory):.0f} MiB")


@pytest.mark.parametrize("rows", [10_000, 100_000, 1_000_000, 10_000_000])
def test_sums_against_plain_sql(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "household.parquet"
    write_snapshot_table(path, rows)
    snapshot = Snapshot("0" * 32, "c3", "0" * 64, tmp_path)
    threads = 2
    plain = duckdb.connect(config={"threads": threads})
    print(f"\n{rows:,} rows, {threads} threads")
    for count in (30, 100):
        engine = Engine(tmp_path, threads=threads)
        engine.sums(snapshot, compile_blocks((Statistic.model_validate(many_statistics(1)[0]),), codebook()).blocks)
        programme = plan(draft(count, many_statistics(count), "1"), codebook(), calendar(), ("0" * 64, "1" * 64))
        blocks = compile_blocks(programme.statistics, codebook()).blocks
        start = time.perf_counter()
        exact = engine.sums(snapshot, blocks)
        summed = time.perf_counter()
        drawn = [noisy(exact[planned.id], planned) for planned in programme.blocks]
        done = time.perf_counter()
        assert sum(map(len, drawn)) == sum(block.cells for block in blocks)
        bare = []
        for _ in range(3):
            begin = time.perf_counter()
            for sql in plain_sql(count, path):
                plain.execute(sql).fetchall()
            bare.append((time.perf_counter() - begin) * 1e3)
        ours, noise = (summed - start) * 1e3, (done - summed) * 1e3
        print(f"  {count:3} statistics: sums {ours:8.1f} ms + noise {noise:6.1f} ms; plain SQL {min(bare):8.1f} ms; "
              f"ratio {(ours + noise) / min(bare):.2f}")  # fmt: skip
        engine.close()
