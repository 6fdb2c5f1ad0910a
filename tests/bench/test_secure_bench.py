"""`make bench`: what a national sum costs against the same statistics answered regionally, in one run.

All parties in one process: no network, no witnesses, no disk, which both ways have alike. Regional: each region's noise
is drawn and its answer signed. National: everything between the exact sums and the signed national sum.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from rondgang.signed import sign

from coordinator.secure.aggregation import Finished
from node.mechanism import DiscreteGaussian, noisy
from policies.documents import to_canonical
from policies.secure.group import Group
from policies.secure.messages import BoxesSaid, KeysSaid, Reply, Round, SeenSaid, SharesSaid, VectorSaid
from policies.statistics.answer import Answer, block_values
from policies.statistics.programme import Secure
from policies.wire.secure import round_to_wire
from tests.national_study import codes
from tests.node_world import COHORT
from tests.secure_play import Desk
from tests.secure_world import Played, Sums, checkpoint_key, national

pytestmark = pytest.mark.bench
GROUPS = (Group(13, 4, 2), Group(26, 8, 2))
SIZES = (30, 3_000, 100_000)


@dataclass
class Clocked:
    """Seconds of CPU, and of the clock, by what they were spent on."""

    cpu: dict[str, float] = field(default_factory=dict)
    wall: dict[str, float] = field(default_factory=dict)

    def add(self, what: str, cpu: float, wall: float) -> None:
        self.cpu[what] = self.cpu.get(what, 0) + cpu
        self.wall[what] = self.wall.get(what, 0) + wall


class _Timer:
    def __init__(self, clocked: Clocked, what: str) -> None:
        self._clocked, self._what = clocked, what

    def __enter__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def __exit__(self, *_error: object) -> None:
        self._clocked.add(self._what, time.process_time() - self._cpu, time.perf_counter() - self._wall)


@dataclass
class TimedNoise:
    """The product's noise, and how long it took."""

    clocked: Clocked

    def draw(self, cells: int, sigma: object) -> list[int]:
        with _Timer(self.clocked, "noise"):
            return DiscreteGaussian().draw(cells, sigma)  # type: ignore[arg-type]


def _sums(regions: Sequence[str], cells: int) -> dict[str, Sums]:
    return {name: {"block_0": [at % 50 + place for at in range(cells)]} for place, name in enumerate(regions)}


def regional(played: Played, sums: Mapping[str, Sums]) -> Clocked:
    """Every region's own answer: noise, canonical bytes, signature."""
    clocked, (block,) = Clocked(), played.programme.blocks
    for region, exact in sums.items():
        with _Timer(clocked, "all"):
            with _Timer(clocked, "noise"):
                numbers = noisy(exact["block_0"], block)
            answer = Answer(
                region=region,
                programme=played.ordered.asked.digest,
                cohort=COHORT,
                snapshot="5" * 32,
                blocks=(block_values(block.id, numbers),),
            )
            signed = sign("answer", to_canonical(answer), checkpoint_key(region)).to_bytes()
        clocked.add("bytes", len(signed), 0)
    return clocked


def _said_bytes(said: Reply) -> int:
    match said:
        case KeysSaid():
            return len(said.signed_keys)
        case BoxesSaid():
            return sum(map(len, said.boxes.values()))
        case VectorSaid():
            return len(said.masked)
        case SeenSaid():
            return len(said.signed_seen)
        case SharesSaid():
            shares = [*said.own.values(), *said.lost.values(), *said.taken_back]
            return sum(map(len, shares))
    raise AssertionError("nobody refuses here")


def _told_bytes(said: Round) -> int:
    return round_to_wire("run-0000000000000000", 1, said).ByteSize()


def secure(group: Group, cells: int, sums: Mapping[str, Sums]) -> tuple[Played, Clocked, int, int]:
    """One whole attempt: what it cost, and the bytes that the first node sent and was sent."""
    clocked = Clocked()
    programme = national(group.regions, Secure(colluders=group.colluders, dropouts=group.dropouts), (cells,))
    with _Timer(clocked, "nodes"):
        played = Played(programme, noise=lambda _region: TimedNoise(clocked))
    desk, up, down = Desk(played, sums), 0, 0
    found = None
    while found is None:
        down += _told_bytes(desk.said["AA"]) if desk.said else 0
        for region in sorted(desk.state.awaited):
            with _Timer(clocked, "nodes"):
                reply = desk.reply(region)
            up += _said_bytes(reply) if region == "AA" else 0
            with _Timer(clocked, "desk"):
                desk.take(region, reply)
        with _Timer(clocked, "desk"):
            found = desk.close()
    assert isinstance(found, Finished)
    return played, clocked, up, down + len(found.signed.to_bytes())


@pytest.mark.parametrize("cells", SIZES)
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.regions))
def test_a_national_sum_against_regional_answers(group: Group, cells: int) -> None:
    sums = _sums(codes(group.regions), cells)
    rounds = 1 if cells > 10_000 else 3
    rows = []
    for _ in range(rounds):
        played, ours, up, down = secure(group, cells, sums)
        plain = regional(played, sums)
        rows.append((ours, plain))
    cpu = [(ours.cpu["nodes"] + ours.cpu["desk"]) / plain.cpu["all"] for ours, plain in rows]
    wall = [(ours.wall["nodes"] + ours.wall["desk"]) / plain.wall["all"] for ours, plain in rows]
    node = [ours.cpu["nodes"] / plain.cpu["all"] for ours, plain in rows]
    ours, plain = rows[-1]
    n, ms = group.regions, 1e3
    print(f"\n{n} regions (t={group.colluders}, d={group.dropouts}), {cells:,} coordinates, {rounds} of each")
    print(f"  regional  {plain.cpu['all'] / n * ms:9.2f} ms CPU a node (noise {plain.cpu['noise'] / n * ms:.2f}), "
          f"{plain.cpu['bytes'] / n:,.0f} bytes")  # fmt: skip
    print(f"  national  {ours.cpu['nodes'] / n * ms:9.2f} ms CPU a node (noise {ours.cpu['noise'] / n * ms:.2f}), "
          f"desk {ours.cpu['desk'] * ms:.1f} ms; up {up:,} and down {down:,} bytes a node")  # fmt: skip
    print(f"  ratios    CPU of nodes {statistics.median(node):.2f}, with the desk {statistics.median(cpu):.2f}, "
          f"wall {statistics.median(wall):.2f}")  # fmt: skip
    assert up + down <= 10_000_000
