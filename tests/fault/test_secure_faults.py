"""Processes killed, stopped and cut off in every round: the exact noisy sum or a clean end, and the ledger right.

Four real nodes with the product's noise, a real desk, and a witness. What the sum must be is known from the openings
that the nodes keep at home: exact sums and noise of every vector, less the parts that came back.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rondgang.signed import Signed

from compose.demo.federation import Federation
from coordinator.client import Desk
from coordinator.secure.national import Where
from node.home import Home
from node.secure.openings import read_opening
from node.secure.sums import sum_file
from policies.documents import from_canonical
from policies.rules.entries import AskedEntry, Attempted, Debited, Summed
from policies.secure.rounds import NationalSum, group_of
from policies.statistics.programme import Draft, Programme, Secure
from tests.e2e.world import CALENDAR, PATIENCE_S, delivery, documents, draft, entries, impatient, quiet, until

CHECKOUT = Path(__file__).resolve().parents[2]
REGIONS = ("AA", "BB", "CC", "DD")
UNLUCKY = "AA"
ROUND_S = 3
POLICY = """
policy: {version: 1}
cohorts: {c1: {rho: "500"}}
lifetime: {rho: "600"}
programme: {rho: "3"}
secure: {own_noise: {rho: "9"}, attempts: 3, colluders: 1}
"""
SHARE = {"kind": "proportion", "of": "help == yes", "unit": "household", "wave": "T1", "mode": "national"}
BEFORE_DEBIT = (("Begin", "before"), ("Begin", "after"), ("Share", "before"), ("Share", "after"), ("Send", "before"))
ROUNDS = (*BEFORE_DEBIT, ("Send", "after"), ("ShowList", "before"), ("ShowList", "after"), ("Unmask", "before"),
          ("Unmask", "after"))  # fmt: skip


def _calendar() -> str:
    text = yaml.safe_load(CALENDAR)
    text["regions"]["DD"]["group"] = "A"
    first = text["cohorts"]["c1"]
    first["expected"] = {region: {"household": 50, "adult": 60, "child": 70} for region in REGIONS}
    return yaml.safe_dump({**text, "cohorts": {"c1": first}}, allow_unicode=True)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("country")
    data = {region: delivery(folder / "data" / region, 40 + i, i) for i, region in enumerate(REGIONS)}
    papers = documents(folder / "documents", calendar=_calendar(), policy=POLICY)
    made = Federation(folder / "federation", data, papers, cohort="c1")
    made.set_up(quiet)
    impatient(made)
    path = made.coordinator / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8")) | {"secure_round_timeout_s": ROUND_S}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    made.start(quiet)
    try:
        yield made
    finally:
        for process in made.processes.values():
            process.send_signal(signal.SIGCONT)
        made.stop()


def _asked(name: str, attempts: int = 2) -> Draft:
    one = draft(name, {"id": "helped", **SHARE}, rho="0.2", weights=dict.fromkeys(REGIONS, "1"))
    return one.model_copy(update={"secure": Secure(colluders=1, dropouts=1, attempts=attempts)})


def _restart(country: Federation, plan: dict[str, object] | None = None) -> None:
    """The unlucky region's node anew: with a plan, or as everybody's."""
    if UNLUCKY in country.processes:
        country.processes[UNLUCKY].send_signal(signal.SIGCONT)
        country.kill(UNLUCKY)
    if plan is None:
        country.start_node(UNLUCKY)
    else:
        home = country.node(UNLUCKY)
        with (home / "serve.out").open("ab") as out:
            command = [sys.executable, "-m", "tests.fault.secure_killed", json.dumps(plan), "--home", str(home)]
            country.processes[UNLUCKY] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, cwd=CHECKOUT
            )
    country.wait_for(REGIONS, PATIENCE_S, quiet)


def _plan(country: Federation, tmp_path: Path, round_: str, when: str, does: str) -> dict[str, object]:
    return {
        "round": round_,
        "when": when,
        "does": does,
        "marker": str(tmp_path / "happened"),
        "port": country.port,
        "desk": country.processes["coordinator"].pid,
    }


def _submit(country: Federation, name: str, attempts: int = 2) -> tuple[str, Programme]:
    with Desk.open(country.researcher) as desk:
        planned = desk.plan(_asked(name, attempts))
        return desk.submit(planned).run, from_canonical(Programme, planned.signed.document)


def _end(country: Federation, run: str) -> tuple[Where, list[str], NationalSum | None]:
    """How it ended, what was said on the way, and the sum."""
    said: list[str] = []
    with Desk.open(country.researcher) as desk:
        for progress in desk.watch(run, 2 * PATIENCE_S):
            assert progress.national is not None
            where = progress.national.where
            if progress.national.sentence not in ("", *said[-1:]):
                said.append(progress.national.sentence)
            if where in (Where.SUMMED, Where.FAILED):
                signed = desk.fetch(run).signed_sum
                found = None if signed is None else from_canonical(NationalSum, Signed.from_bytes(signed).document)
                return where, said, found
    raise AssertionError(f"no end of run {run}: {said}")


def _check_sum(country: Federation, run: str, programme: Programme, found: NationalSum) -> None:
    """It is what the survivors' openings add up to, less what came back: exactly."""
    assert found.fits(programme)
    group = group_of(programme)
    assert group is not None
    for block in found.blocks:
        expected = [0] * len(block.numbers())
        for region in found.regions:
            opening = read_opening(Home(country.node(region)), run, found.attempt)
            assert opening is not None, region
            kept = group.dropouts + 1 - found.taken_back[region]
            pieces = [one for part in (opening.sums, *opening.parts[:kept]) for one in part if one.id == block.id]
            for piece in pieces:
                expected = [a + b for a, b in zip(expected, piece.numbers(), strict=True)]
        assert list(block.numbers()) == expected


def _check_ledgers(country: Federation, run: str, programme: Programme, found: NationalSum | None) -> dict[str, int]:
    """Every debit of an attempt once and at its price, every vector paid for, the sum noted; debits by region."""
    debits = {}
    for region in REGIONS:
        bodies = [(entry.seq, entry.body) for entry in entries(country, region)]
        lifetime = 0
        for _, body in bodies:
            if isinstance(body, Debited):
                lifetime += body.charge
                assert body.lifetime_total == lifetime
        mine = {body.attempt: (seq, body) for seq, body in bodies if isinstance(body, Debited) and body.run == run}
        sent = [body for _, body in bodies if isinstance(body, Attempted) and body.run == run]
        assert 0 not in mine
        assert len(mine) == sum(isinstance(body, Debited) and body.run == run for _, body in bodies)
        assert all(mine[one.attempt][0] == one.debit for one in sent)
        assert len({one.attempt for one in sent}) == len(sent)
        assert {body.charge for _, body in mine.values()} <= {programme.charge.of_attempt.nano}
        if found is not None and region in found.regions:
            assert found.attempt in {one.attempt for one in sent}
        debits[region] = len(mine)
    return debits


def _kept(country: Federation, run: str) -> bool:
    """Whether every region that heard of the run has stored the sum, and noted it.

    A region that never did does not know the programme, and takes no sum of it.
    """
    for region in REGIONS:
        bodies = [entry.body for entry in entries(country, region)]
        heard = any(isinstance(body, AskedEntry) and body.run == run for body in bodies)
        noted = any(isinstance(body, Summed) and body.run == run for body in bodies)
        if heard != noted or heard != sum_file(Home(country.node(region)), run).exists():
            return False
    return True


def _grief(country: Federation, tmp_path: Path, round_: str, when: str, does: str) -> None:
    _restart(country, _plan(country, tmp_path, round_, when, does))
    run, programme = _submit(country, f"{does}_{round_}_{when}".lower())
    begun = time.monotonic()
    where, said, found = _end(country, run)
    print(f"\n{does} {when} {round_}: {where}, attempt {found and found.attempt}, survivors "
          f"{found and found.regions}, taken back {found and found.taken_back}, "
          f"{time.monotonic() - begun:.1f} s {said}")  # fmt: skip
    assert (tmp_path / "happened").exists()
    assert where is Where.SUMMED
    assert found is not None
    _check_sum(country, run, programme, found)
    _restart(country)
    until(lambda: _kept(country, run), "for everyone to keep the sum")
    debits = _check_ledgers(country, run, programme, found)
    assert {debits[region] for region in REGIONS[1:]} == {found.attempt}
    # A node that is only cut off goes on with what it has heard.
    charged = (round_, when) not in BEFORE_DEBIT or (does == "cut" and round_ == "Send")
    # One that was stopped may do so too, between being woken and being ended.
    either = (does, round_, when) == ("stop", "Send", "before")
    assert found.attempt == 1
    assert debits[UNLUCKY] in ({False, True} if either else {charged})


FAST = ("kill", "Send", "after")
SOONER = {("kill", "Unmask", "before"), ("stop", "Send", "before"), ("cut", "List", "before")}


def _marks(does: str, round_: str, when: str) -> tuple[pytest.MarkDecorator, ...]:
    """One case with every run of the tests, a few with all of them, and the rest where there is time for each."""
    if (does, round_, when) == FAST:
        return ()
    return (pytest.mark.slow if (does, round_, when) in SOONER else pytest.mark.thorough,)


CASES = [
    pytest.param(does, round_, when, marks=_marks(does, round_, when))
    for does in ("kill", "stop", "cut")
    for round_, when in ROUNDS
    if does == "kill" or when == "before"
]


@pytest.mark.parametrize(("does", "round_", "when"), CASES)
def test_a_node_in_grief_in_any_round_leaves_an_exact_sum_and_right_ledgers(
    country: Federation, tmp_path: Path, does: str, round_: str, when: str
) -> None:
    _grief(country, tmp_path, round_, when, does)


DESK = [*(one for one in ROUNDS if one[1] == "before"), ("Done", "before")]


@pytest.mark.parametrize(
    ("round_", "when"),
    [pytest.param(*one, marks=pytest.mark.slow if one[0] == "Send" else pytest.mark.thorough) for one in DESK],
)
def test_a_desk_killed_in_any_round_ends_with_an_exact_sum_and_right_ledgers(
    country: Federation, tmp_path: Path, round_: str, when: str
) -> None:
    _restart(country, _plan(country, tmp_path, round_, when, "desk"))
    run, programme = _submit(country, f"desk_{round_}".lower(), 3)
    until((tmp_path / "happened").exists, "for the desk to be killed")
    country.processes.pop("coordinator").wait(PATIENCE_S)
    begun = time.monotonic()
    country.start_one("coordinator", "coordinator", country.coordinator)
    country.wait_for(REGIONS, PATIENCE_S, quiet)
    where, said, found = _end(country, run)
    print(
        f"\ndesk {when} {round_}: {where}, attempt {found and found.attempt}, {time.monotonic() - begun:.1f} s {said}"
    )
    assert where is Where.SUMMED
    assert found is not None
    _check_sum(country, run, programme, found)
    until(lambda: _kept(country, run), "for everyone to keep the sum")
    debits = _check_ledgers(country, run, programme, found)
    assert all(1 <= debits[region] <= found.attempt for region in found.regions)
    assert max(debits.values()) <= found.attempt


@pytest.mark.slow
def test_two_nodes_gone_of_which_one_may_be_end_the_attempt_by_name_and_nothing_more_is_charged(
    country: Federation, tmp_path: Path
) -> None:
    _restart(country, _plan(country, tmp_path, "Send", "before", "stop"))
    country.processes["BB"].send_signal(signal.SIGSTOP)
    try:
        run, programme = _submit(country, "two_gone", 1)
        where, said, found = _end(country, run)
    finally:
        country.processes["BB"].send_signal(signal.SIGCONT)
    print(f"\n{where} {said}")
    assert (where, found) == (Where.FAILED, None)
    assert any("AA" in one and "BB" in one for one in said)
    _restart(country)
    debits = _check_ledgers(country, run, programme, None)
    assert debits["BB"] == 0
    assert debits["CC"] <= 1
