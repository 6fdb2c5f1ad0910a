"""`make bench`: what a charge costs with witnesses, and how many entries a second a busy node logs. One run, ratios."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from rondgang.signed import Signed, sign

from compose.demo.federation import WITNESS, Federation
from coordinator.client import Desk
from coordinator.home import Home as Profile
from node.answering import Answering
from node.authenticate import Ordered, read_order
from node.home import Home
from node.journal import silent
from node.region import Region
from node.rows import SnapshotRows
from node.witnessing.wire import GrpcLine
from node.witnessing.witnesses import Witnesses
from policies.documents import to_canonical
from policies.rules.order import Order
from tests.e2e.world import draft, small_federation, until

pytestmark = pytest.mark.bench
REGION = "AA"
CHARGES = 60
AT_ONCE = 16
ROUNDS = 12
RHO = "0.001"


def bare_commit(folder: Path) -> Callable[[int], None]:
    """One row of an entry's size, durable on return: what any ledger on SQLite pays at least."""
    connection = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "fullfsync = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")

    def commit(number: int) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO entries VALUES (?, ?)", (number, b"x" * 500))
        connection.execute("COMMIT")

    return commit


def milliseconds(work: Callable[[int], object], numbers: range) -> list[float]:
    found = []
    for number in numbers:
        start = time.perf_counter()
        work(number)
        found.append((time.perf_counter() - start) * 1e3)
    return found


def _note(moments: dict[str, float], step: str) -> None:
    moments[step] = time.perf_counter()


def shown(times_ms: list[float]) -> str:
    low, middle, high = statistics.quantiles(times_ms, n=4)
    return f"p50 {middle:7.2f} ms [{low:.2f}..{high:.2f}]"


@contextmanager
def watched(folder: Path) -> Iterator[tuple[Federation, Region, Witnesses]]:
    """A region opened here, whose two witnesses (the desk and an independent one) are processes on the loopback."""
    made = small_federation(folder)
    made.start_one("coordinator", "coordinator", made.coordinator)
    made.start_witnesses()
    home = Home(made.node(REGION))
    region = Region(home, lambda: int(time.time()))
    lines = [GrpcLine(home, address, region.config.reconnect) for address in region.config.watchers]
    witnesses = Witnesses(region, home.signing_key("checkpoint"), lines, silent)
    try:
        until(lambda: witnesses.cosign() is None, "for the witnesses")
        yield made, region, witnesses
    finally:
        witnesses.close()
        region.close()
        made.stop()


def orders(made: Federation, count: int) -> list[Ordered]:
    """Programmes that the node has not seen, each ordered by the desk."""
    key, issued = Profile(made.coordinator).signing_key(), int(time.time())
    found = []
    with Desk.open(made.researcher) as desk:
        for number in range(count):
            programme: Signed = desk.plan(draft(f"bench_{number}", rho=RHO)).signed
            order = Order(run=f"run-{number:016x}", programme=programme.digest, issued=issued, deadline=issued + 3600)
            signed = sign("order", to_canonical(order), key).to_bytes()
            ordered = read_order(order.run, signed, programme.to_bytes())
            assert isinstance(ordered, Ordered)
            found.append(ordered)
    return found


def test_a_charge_with_two_witnesses_against_a_bare_commit(tmp_path: Path) -> None:
    with watched(tmp_path) as (made, region, witnesses), closing(SnapshotRows(region.home)) as rows:
        asked = orders(made, CHARGES + AT_ONCE * ROUNDS)
        moments: dict[str, float] = {}
        answering = Answering(
            region, rows, region.home.signing_key("checkpoint"), witnesses, silent, lambda step: _note(moments, step)
        )
        debits: list[float] = []

        def one(number: int) -> None:
            start = time.perf_counter()
            (outcome,) = answering.answer([asked[number]])
            assert isinstance(outcome, bytes)
            debits.append((moments["cosigned"] - start) * 1e3)

        commit = bare_commit(tmp_path)
        bare = milliseconds(commit, range(CHARGES))
        whole = milliseconds(one, range(CHARGES))
        bare += milliseconds(commit, range(CHARGES, 2 * CHARGES))
        size, start = region.ledger.book.size, time.perf_counter()
        for number in range(ROUNDS):
            first = CHARGES + number * AT_ONCE
            outcomes = answering.answer(asked[first : first + AT_ONCE])
            assert all(isinstance(outcome, bytes) for outcome in outcomes)
        took = time.perf_counter() - start
        entries = region.ledger.book.size - size
    middle = statistics.median(bare)
    print(f"\nOne region, two witnesses as processes over mTLS ({WITNESS} and desk), {CHARGES} of each")
    print(f"  bare durable SQLite commit          {shown(bare)}")
    print(f"  decide, debit, two cosignatures     {shown(debits)}   ratio {statistics.median(debits) / middle:.1f}")
    print(f"  charge, cosign, sum, store, cosign  {shown(whole)}   ratio {statistics.median(whole) / middle:.1f}")
    print(f"  {AT_ONCE} programmes at once: {entries} entries in {took:.2f} s = {entries / took:.0f} entries/s, "
          f"{AT_ONCE * ROUNDS / took:.0f} answers/s")  # fmt: skip
