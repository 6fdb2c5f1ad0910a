"""Answering: what is refused costs nothing and opens nothing, what is charged is charged once, and a repeat is free."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from rondgang.keys import SigningKey
from rondgang.roles import Role
from rondgang.signed import Signed, sign, verify

from node.answering import FAULT, Rows, Step
from node.authenticate import read_order, read_programme
from node.entropy import seed32
from node.region import InForce
from node.rows import SnapshotRows
from policies.documents import from_canonical, to_canonical
from policies.rules.entries import RefusedEntry
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import Cap, VariableRule
from policies.statistics.answer import Answer
from policies.statistics.blocks import Block
from policies.statistics.programme import Charge, PlannedBlock, Programme
from policies.statistics.statistic import Statistic
from policies.study.roster import Member
from policies.units.money import NanoRho
from tests.node_world import (
    COHORT,
    CONSORTIUM,
    DESK,
    RESEARCHER,
    RUN,
    SNAPSHOT,
    World,
    import_rows,
    make_home,
    member,
    ordered,
    put_snapshot,
    roster,
    signed_order,
    signed_programme,
)
from tests.small_study import OPEN, heading, planned, region_policy

PRICE = planned().charge.amount.nano
STRANGER = SigningKey.generate(seed32())
NO_DOCUMENT = b'{"document":{},"kind":"programme","signatures":[]}'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    home = make_home(tmp_path / "home")
    put_snapshot(home)
    made = World(home)
    yield made
    made.region.close()


def refused(outcome: bytes | Refused) -> Reason:
    assert isinstance(outcome, Refused)
    return outcome.reason


def set_policy(world: World, **changes: object) -> None:
    """Another policy in force, of the next version."""
    held = world.region.documents.policy
    version = 1 if held is None else held.document.policy.version + 1
    assert isinstance(world.region.adopt_policy(region_policy(policy={"version": version}, **changes)), InForce)


def cap(nano: int) -> Cap:
    return Cap.model_validate({"rho": NanoRho(nano).text()})


def events(world: World) -> list[str]:
    return [str(entry.body.event) for entry in world.region.ledger.last_entries(100)][6:]


def test_an_answer_has_the_shape_of_the_programme_and_the_nodes_signature(world: World) -> None:
    reply = world.ask()
    assert isinstance(reply, bytes)
    signed = Signed.from_bytes(reply)
    assert verify(signed, world.home.signing_key("checkpoint").public)
    answer = from_canonical(Answer, signed.document)
    assert answer.fits(planned())
    assert (answer.region, answer.cohort, answer.snapshot) == ("AA", COHORT, SNAPSHOT)
    assert world.spent == PRICE
    assert events(world) == ["asked", "debited", "answered"]


def test_a_repeat_returns_the_same_bytes_at_no_cost_also_after_a_restart(world: World) -> None:
    first = world.ask()
    world.restart()
    assert world.ask(run="run-ffffffffffffffff") == first
    assert world.spent == PRICE
    assert world.rows.reads == [SNAPSHOT]


def test_a_repeat_is_free_when_the_budget_is_gone_and_the_programme_is_over(world: World) -> None:
    first = world.ask()
    set_policy(world, cohorts={COHORT: cap(0)})
    world.clock.now = planned().programme.deadline + 1
    late = signed_programme(planned())
    order = read_order(RUN, signed_order(late, deadline=world.clock.now).to_bytes(), late.to_bytes())
    assert not isinstance(order, Refused)
    # The signers' certificates are out of date by then: nobody may ask, even for what is stored.
    assert refused(world.asked(order)) is Reason.EXPIRED
    world.clock.now = OPEN
    assert world.ask() == first


def test_a_new_snapshot_makes_it_a_new_question(world: World) -> None:
    first = world.ask()
    world.region.record_import("6" * 32, COHORT, planned().codebook_hash)
    second = world.ask()
    assert second != first
    assert world.spent == 2 * PRICE


@pytest.mark.parametrize(
    ("short", "reason"),
    [
        ("programme", Reason.OVER_PROGRAMME_CAP),
        ("cohorts", Reason.OVER_COHORT_CAP),
        ("lifetime", Reason.OVER_LIFETIME_CAP),
    ],
)
def test_a_cap_holds_to_the_last_nano_rho(world: World, short: str, reason: Reason) -> None:
    def limit(nano: int) -> object:
        return {COHORT: cap(nano)} if short == "cohorts" else cap(nano)

    set_policy(world, **{short: limit(PRICE - 1)})
    assert refused(world.ask()) is reason
    assert world.spent == 0
    set_policy(world, **{short: limit(PRICE)})
    assert isinstance(world.ask(), bytes)
    assert world.spent == PRICE


def test_the_budget_runs_out_exactly(world: World) -> None:
    set_policy(world, cohorts={COHORT: cap(2 * PRICE)}, lifetime=cap(2 * PRICE))
    assert isinstance(world.ask(planned()), bytes)
    other = planned().model_copy(update={"programme": heading(id="another")})
    assert isinstance(world.ask(other), bytes)
    third = planned().model_copy(update={"programme": heading(id="third")})
    assert refused(world.ask(third)) is Reason.OVER_COHORT_CAP
    assert world.spent == 2 * PRICE


def _one(rho: str = "0.2", **statistic: object) -> Programme:
    facts = {"id": "one", "kind": "proportion", "unit": "household", "wave": "T1", "of": "help == yes"}
    return planned((Statistic.model_validate(facts | statistic),), rho)


def _spelled(**statistic: object) -> Programme:
    """A programme whose one statistic was changed after planning."""
    programme = _one()
    changed = programme.statistics[0].model_copy(update=statistic)
    return programme.model_copy(update={"statistics": (changed,)})


def _block(**changes: object) -> Programme:
    programme = _one()
    blocks = (programme.blocks[0].model_copy(update=changes), *programme.blocks[1:])
    return programme.model_copy(update={"blocks": blocks})


REFUSED_PROGRAMMES = {
    "too dear": (_one("100"), Reason.OVER_PROGRAMME_CAP),
    "a billion rho": (planned().model_copy(update={"charge": Charge(rho=10**18)}), Reason.WRONG_PRICE),
    "almost free": (planned().model_copy(update={"charge": Charge(rho=1)}), Reason.WRONG_PRICE),
    "unknown variable": (_spelled(of="no_such_thing == yes"), Reason.UNKNOWN_VARIABLE),
    "forbidden crossing": (_one(by=("profile",), of="state == none"), Reason.FORBIDDEN_CROSSING),
    "forbidden variable": (_one(of="grade < 0"), Reason.FORBIDDEN_VARIABLE),
    "unknown cohort": (planned().model_copy(update={"programme": heading(cohort="c9")}), Reason.WRONG_COHORT),
    "off rotation": (planned().model_copy(update={"programme": heading(cohort="c2")}), Reason.OFF_ROTATION),
    "not named": (planned().model_copy(update={"weights": {"BB": 1000}}), Reason.OFF_ROTATION),
    "after the deadline": (
        planned().model_copy(update={"programme": heading(deadline=OPEN - 1)}), Reason.DEADLINE_PASSED,
    ),
    "another codebook": (planned().model_copy(update={"codebook_hash": "e" * 64}), Reason.CODEBOOK_MISMATCH),
    "less noise": (_block(sigma=(9, 0)), Reason.WRONG_PRICE),
    "hardly any noise": (_block(sigma=(1, 3)), Reason.WRONG_PRICE),
    "a smaller bound": (_block(bound_squared=0), Reason.WRONG_PRICE),
    "another spelling": (_spelled(of="help   ==   yes"), Reason.MALFORMED),
}  # fmt: skip


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A strict region whose snapshot is a trap: whoever opens a file of it waits for ever, for nobody writes there."""
    home = make_home(
        tmp_path_factory.mktemp("trapped") / "home",
        forbidden_crossings=(("profile", "incidents"),),
        variables=VariableRule(deny=("grade",)),
    )
    trap(import_rows(home))
    world = World(home)
    yield world
    world.region.close()


def trap(folder: Path) -> None:
    """Makes every file a pipe that nobody writes to."""
    for file in folder.iterdir():
        file.unlink()
        os.mkfifo(file)


def test_an_answer_does_open_the_snapshot_and_the_debit_is_on_disk_by_then(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    folder = import_rows(home)
    trap(folder)
    world = World(home)
    rows = SnapshotRows(home)
    with ThreadPoolExecutor(1) as thread:
        outcome = thread.submit(world.asked, ordered(planned()), rows)
        # Opening a pipe for writing waits until somebody opens it for reading.
        with (folder / "manifest.json").open("wb"), closing(sqlite3.connect(home.ledger_file)) as connection:
            bodies = connection.execute("SELECT body FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        assert b'"event":"debited"' in bodies[0]
        assert outcome.result() is FAULT
    world.region.close()


@pytest.mark.parametrize("name", REFUSED_PROGRAMMES)
def test_what_is_refused_costs_nothing_opens_nothing_and_is_logged(trapped: World, name: str) -> None:
    programme, reason = REFUSED_PROGRAMMES[name]
    rows = SnapshotRows(trapped.home)
    size = trapped.region.ledger.book.size
    order = ordered(programme)
    assert refused(trapped.asked(order, rows)) is reason
    assert refused(trapped.asked(order, rows)) is reason
    assert trapped.answering().quote(order.asked).refused is not None
    assert trapped.spent == 0
    asked, entry = trapped.region.ledger.last_entries(trapped.region.ledger.book.size - size)
    assert asked.body.event == "asked"
    expected = RefusedEntry(event="refused", programme=order.asked.digest, run=RUN, reason=reason.value)
    assert entry.body == expected
    rows.close()


def revoked(role: Role, key: SigningKey) -> Member:
    return member(role, {"signing": key}, name="revoked one", revoked=True)


def expired(role: Role, key: SigningKey) -> Member:
    return member(role, {"signing": key}, name="expired one", valid_to=OPEN - 1)


SIGNERS = {
    "unsigned programme": ((), (DESK,), (), Reason.UNSIGNED),
    "unsigned order": ((RESEARCHER,), (), (), Reason.UNSIGNED),
    "foreign researcher": ((STRANGER,), (DESK,), (), Reason.UNKNOWN_SIGNER),
    "foreign coordinator": ((RESEARCHER,), (STRANGER,), (), Reason.UNKNOWN_SIGNER),
    "coordinator as researcher": ((DESK,), (DESK,), (), Reason.WRONG_ROLE),
    "researcher as coordinator": ((RESEARCHER,), (RESEARCHER,), (), Reason.WRONG_ROLE),
    "revoked researcher": ((STRANGER,), (DESK,), (revoked(Role.RESEARCHER, STRANGER),), Reason.REVOKED),
    "revoked coordinator": ((RESEARCHER,), (STRANGER,), (revoked(Role.COORDINATOR, STRANGER),), Reason.REVOKED),
    "expired researcher": ((STRANGER,), (DESK,), (expired(Role.RESEARCHER, STRANGER),), Reason.EXPIRED),
    "expired coordinator": ((RESEARCHER,), (STRANGER,), (expired(Role.COORDINATOR, STRANGER),), Reason.EXPIRED),
}


@pytest.mark.parametrize("name", SIGNERS)
def test_only_live_signers_in_their_role_are_heard(world: World, name: str) -> None:
    programme_keys, order_keys, more, reason = SIGNERS[name]
    newer = sign("roster", to_canonical(roster(*more, serial=2)), CONSORTIUM)
    assert isinstance(world.region.adopt(newer.to_bytes()), InForce)
    programme = sign("programme", to_canonical(planned()), *programme_keys)
    order = sign("order", signed_order(programme).document, *order_keys)
    read = read_order(RUN, order.to_bytes(), programme.to_bytes())
    assert not isinstance(read, Refused)
    assert refused(world.asked(read)) is reason
    assert world.spent == 0
    assert world.rows.reads == []


def test_a_stored_answer_is_not_for_those_who_may_not_ask(world: World) -> None:
    world.ask()
    programme = signed_programme(planned())
    order = read_order(RUN, signed_order(programme, STRANGER).to_bytes(), programme.to_bytes())
    assert not isinstance(order, Refused)
    assert refused(world.asked(order)) is Reason.UNKNOWN_SIGNER


def test_an_order_after_its_deadline_charges_nothing(world: World) -> None:
    programme = signed_programme(planned())
    order = read_order(RUN, signed_order(programme, deadline=OPEN - 1).to_bytes(), programme.to_bytes())
    assert not isinstance(order, Refused)
    assert refused(world.asked(order)) is Reason.DEADLINE_PASSED
    assert world.spent == 0


def test_an_order_belongs_to_its_programme_and_run() -> None:
    programme, other = signed_programme(planned()), signed_programme(planned(rho="0.1"))
    order = signed_order(programme).to_bytes()
    for run, asked in ((RUN, other), ("run-0000000000000000", programme)):
        read = read_order(run, order, asked.to_bytes())
        assert isinstance(read, Refused)
        assert read.reason is Reason.MALFORMED


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", NO_DOCUMENT, b"[" * 99])
def test_bytes_that_are_no_programme_are_malformed(data: bytes) -> None:
    read = read_programme(data)
    assert isinstance(read, Refused)
    assert read.reason is Reason.MALFORMED
    assert len(read.sentence) <= 300


class _Broken:
    """Rows that fail at one place, with a message that no one may see."""

    def __init__(self, at: str) -> None:
        self._at = at

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        if self._at == "sums":
            raise ValueError("household 4711 has 23 incidents")
        cells = 1 if self._at == "shape" else 0
        return {block.id: [0] * (block.cells + cells) for block in blocks}

    def noisy(self, values: Sequence[int], planned_block: PlannedBlock) -> list[int]:
        if self._at == "noise":
            raise OverflowError("4711")
        return [2**63 if self._at == "range" else value for value in values]


@pytest.mark.parametrize("at", ["sums", "shape", "noise", "range"])
def test_every_fault_after_the_debit_looks_the_same_and_stays_charged(world: World, at: str) -> None:
    broken: Rows = _Broken(at)
    assert world.asked(ordered(planned()), broken) is FAULT
    assert world.spent == PRICE
    assert events(world) == ["asked", "debited"]
    assert isinstance(world.ask(), bytes)
    assert world.spent == 2 * PRICE


def test_steps_come_in_the_one_order(world: World) -> None:
    steps: list[Step] = []
    world.answering(steps.append).answer([ordered(planned())])
    assert steps == ["authenticated", "decided", "debited", "cosigned", "read", "noised", "stored", "released"]


def test_a_quote_touches_neither_ledger_nor_rows(world: World) -> None:
    size = world.region.ledger.book.size
    quoted = world.answering().quote(ordered(planned()).asked)
    assert (quoted.charge.nano, quoted.left_cohort.text(), quoted.left_lifetime.text()) == (PRICE, "0.5", "0.8")
    assert quoted.refused is None
    assert (world.region.ledger.book.size, world.rows.reads) == (size, [])


def test_a_quote_says_what_would_be_refused_and_that_a_repeat_is_free(world: World) -> None:
    dear = world.answering().quote(ordered(planned(rho="100")).asked)
    assert dear.refused is not None
    assert dear.refused.reason is Reason.OVER_PROGRAMME_CAP
    assert dear.left_cohort.text() == "0.5"
    world.ask()
    again = world.answering().quote(ordered(planned()).asked)
    assert (again.charge.nano, again.refused) == (0, None)
