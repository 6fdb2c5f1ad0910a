"""The storms' script, judge, lines and table, without an engine: same seed, same storm; and a judge who sees wrongs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rondgang.canonical import Json, encode

from audit.model import LoggedEntry
from compose.chaos.chance import Chance
from compose.demo.federation import free_port
from coordinator.desk.views import NationalProgress, Progress, RegionProgress
from coordinator.gather import Asked, State
from coordinator.secure.national import Where
from policies.rules.refusals import Reason, Refused
from tests.storms.federation import cast
from tests.storms.judge import SUM, Fetched, Judge, Priced
from tests.storms.kinds import NATIONAL_MOMENTS, Asking, Fault, Kind, Mode, Moment, Role, reached
from tests.storms.line import Line, Lines
from tests.storms.overlay import Overlay
from tests.storms.programme import Hit, Ran
from tests.storms.script import NODE_CLOCK_S, SERVER_CLOCK_S, counts, script, shuffled
from tests.storms.table import Audit, Report, outcome, page

REGIONS = ("DR", "FR", "GM", "GZ", "HM", "NHN", "NML", "NOG", "WB", "ZE", "ZHZ", "ZL", "ZOB")
CAST = cast(REGIONS)
WHOLE = script(1, 220, CAST)
FAULTS = tuple(fault for asking in WHOLE for fault in asking.faults)
_SKEW_S = 300
"""What the auditor grants to honest clocks (audit/people.py)."""


def test_a_seed_gives_the_same_storm_again_and_another_seed_another() -> None:
    assert script(1, 220, CAST) == WHOLE
    assert script(2, 220, CAST) != WHOLE
    assert [fault.number for fault in FAULTS] == list(range(1, 221))


@pytest.mark.parametrize("faults", [20, 24, 200, 221])
def test_a_storm_of_any_size_has_every_kind(faults: int) -> None:
    drawn = [fault.kind for asking in script(7, faults, CAST) for fault in asking.faults]
    assert len(drawn) == faults
    assert set(drawn) == set(Kind)
    assert counts(faults) == {kind: drawn.count(kind) for kind in Kind}


def test_every_fault_is_done_to_somebody_it_can_be_done_to() -> None:
    for fault in FAULTS:
        assert fault.targets in CAST.who(fault.kind.role), fault
    hit = {service for fault in FAULTS for service in fault.targets}
    assert hit >= {*CAST.nodes, "coordinator", "database", "witness-1", "witness-2"}


def test_no_two_faults_hit_one_service_at_once_and_one_server_falls_at_a_time() -> None:
    for asking in WHOLE:
        hit = [service for fault in asking.faults for service in fault.targets]
        assert len(hit) == len(set(hit))
        assert sum(fault.kind.role in (Role.DESK, Role.DATABASE) for fault in asking.faults) <= 1
    assert max(len(asking.faults) for asking in WHOLE) == 4
    combined = [{fault.kind.role for fault in asking.faults} for asking in WHOLE]
    assert any({Role.WITNESS, Role.NODE} <= roles for roles in combined)


def test_the_desk_is_killed_in_every_phase_of_national_sums() -> None:
    killed = {
        fault.moment
        for asking in WHOLE
        for fault in asking.faults
        if fault.kind is Kind.DESK_KILLED and asking.mode is not Mode.REGIONAL
    }
    assert killed == set(NATIONAL_MOMENTS)


def test_clocks_jump_by_less_than_honest_clocks_may_differ() -> None:
    # Entries keep the time of the one before: a node's jump is still in its ledger when a witness's comes.
    assert NODE_CLOCK_S + SERVER_CLOCK_S < _SKEW_S
    jumps = {kind: {fault.by for fault in FAULTS if fault.kind is kind} for kind in Kind}
    assert (jumps[Kind.NODE_CLOCK_ON], jumps[Kind.NODE_CLOCK_BACK]) == ({NODE_CLOCK_S}, {-NODE_CLOCK_S})
    assert jumps[Kind.WITNESS_CLOCK] == jumps[Kind.DESK_CLOCK] == {SERVER_CLOCK_S, -SERVER_CLOCK_S}


def test_shuffling_loses_nobody() -> None:
    kinds = [*Kind, *Kind]
    assert sorted(shuffled(kinds, Chance(1, "a"))) == sorted(kinds)
    assert shuffled(kinds, Chance(1, "a")) != kinds


def progress(state: State = State.COMPLETE, *regions: RegionProgress, where: Where | None = None) -> Progress:
    told = regions or tuple(RegionProgress(code, Asked.ANSWERED) for code in ("AA", "BB"))
    sums = None if where is None else NationalProgress(where, 1, 3, 2, 2, "2 regions did; it takes 3.")
    return Progress("run-0", state, told, 0, sums)


def test_a_moment_is_reached_by_what_comes_after_it_too() -> None:
    asking = progress(State.ASKING, RegionProgress("AA", Asked.SENT), where=Where.SEEN)
    passed = {moment for moment in Moment if reached(moment, asking)}
    assert passed == {Moment.ASKED, Moment.KEYS, Moment.SHARING, Moment.VECTORS, Moment.SEEN}
    assert {moment for moment in Moment if reached(moment, progress(where=Where.SUMMED))} == set(Moment)


FAULT = Refused(Reason.FAULT, "It broke.")
NO_WORD = NationalProgress(Where.FAILED, 1, 3, 0, 2)
ENDS: list[tuple[Progress | None, str]] = [
    (None, "did not end"),
    (progress(State.ASKING), "did not end"),
    (progress(State.COMPLETE, RegionProgress("AA", Asked.ANSWERED, other=1)), "another answer than its first"),
    (progress(State.COMPLETE, RegionProgress("AA", Asked.SENT)), "complete, yet AA is sent"),
    (progress(State.COMPLETE, RegionProgress("AA", Asked.REFUSED)), "refused without a reason"),
    (progress(State.COMPLETE, RegionProgress("AA", Asked.REFUSED, FAULT)), "nobody had touched it"),
    (progress(where=Where.VECTORS), "national sums are at 'vectors'"),
    (replace(progress(), national=NO_WORD), "no word why"),
]


@pytest.mark.parametrize(("last", "said"), ENDS, ids=[said for _, said in ENDS])
def test_the_judge_sees_a_run_that_did_not_end_right(last: Progress | None, said: str) -> None:
    assert any(said in what for what in Judge().end("a", last, {"ZZ"}))


def test_the_judge_passes_a_run_that_says_what_became_of_it() -> None:
    late = RegionProgress("AA", Asked.PENDING, Refused(Reason.LATE, "Not in time."))
    hit = RegionProgress("BB", Asked.REFUSED, FAULT)
    ends = (progress(), progress(where=Where.SUMMED), progress(where=Where.FAILED), progress(State.CLOSED, late, hit))
    assert [what for last in ends for what in Judge().end("a", last, {"BB"})] == []


def test_the_judge_sees_another_answer_however_much_later() -> None:
    judge = Judge()
    assert list(judge.fetch("a", [Fetched("p", "AA", "1"), Fetched("p", SUM, "s")])) == []
    assert list(judge.fetch("a", [Fetched("q", "AA", "2"), Fetched("p", "AA", "1")])) == []
    assert list(judge.fetch("b", [Fetched("p", "AA", "2")])) == ["b: AA was given twice, and differently"]
    assert list(judge.fetch("b", [Fetched("p", SUM, "t")])) == ["b: the national sum was given twice, and differently"]


def entry(seq: int, **body: Json) -> LoggedEntry:
    return LoggedEntry("AA", 1, seq, 0, "", body, encode({"seq": seq, "body": body}), seq)


def debit(seq: int, total: str, charge: str = "10", **more: Json) -> LoggedEntry:
    return entry(seq, event="debited", programme="p", charge=charge, lifetime_total=total, **more)


BOOK: tuple[LoggedEntry, ...] = (
    debit(0, "10"),
    entry(1, event="answered", programme="p", debit=0, answer="h"),
    debit(2, "15", "5", attempt=1),
    entry(3, event="attempted", programme="p", debit=2, attempt=1),
    entry(4, event="summed", programme="p", hash="s"),
)


def judge(**given: str) -> Judge:
    made = Judge(prices={"p": Priced(answer=10, attempt=5, attempts=2)})
    assert list(made.fetch("a", [Fetched("p", {"sums": SUM}.get(who, who), what) for who, what in given.items()])) == []
    return made


def test_the_judge_passes_a_ledger_that_holds_what_was_given() -> None:
    assert list(judge(AA="h", sums="s").books({"AA": BOOK})) == []
    dead = (debit(0, "10"), debit(1, "20"), entry(2, event="answered", programme="p", debit=1, answer="h"))
    killed = judge(AA="h")
    killed.deaths["p", "AA"] += 1
    assert list(killed.books({"AA": dead})) == []


WRONGS: list[tuple[Sequence[LoggedEntry], str]] = [
    (BOOK[:1], "is not the answer in its ledger"),
    ((*BOOK[:4], entry(4, event="summed", programme="p", hash="t")), "keeps another national sum"),
    ((*BOOK, entry(5, event="answered", programme="p", debit=0, answer="h")), "uses debit 0 once more"),
    ((*BOOK, entry(5, event="answered", programme="p", debit=0, answer="h")), "second answer of one programme"),
    ((*BOOK, entry(5, event="attempted", programme="p", debit=2, attempt=1)), "uses debit 2 once more"),
    ((*BOOK, entry(5, event="attempted", programme="p", debit=4, attempt=1)), "answers without a debit"),
    ((*BOOK, debit(5, "25")), "attempt 0, was charged 2 times"),
    ((*BOOK, debit(5, "20", "5", attempt=1)), "attempt 1, was charged 2 times"),
    ((*BOOK, debit(5, "20", "5", attempt=3)), "of attempt 3; 2 were allowed"),
    ((*BOOK, debit(5, "21", "6", attempt=2)), "does not charge what was priced"),
    ((*BOOK, debit(5, "16", "5", attempt=2)), "not the sum of the charges"),
    ((*BOOK, entry(5, event="debited", programme="x", charge="0", lifetime_total="15")), "that nobody asked"),
]


@pytest.mark.parametrize(("book", "said"), WRONGS, ids=[said for _, said in WRONGS])
def test_the_judge_sees_a_ledger_that_is_wrong(book: Sequence[LoggedEntry], said: str) -> None:
    assert any(said in what for what in judge(AA="h", sums="s").books({"AA": book}))


def test_the_judge_sees_a_past_that_changed() -> None:
    one = judge(AA="h", sums="s")
    assert list(one.books({"AA": BOOK})) == []
    assert any("not a continuation" in what for what in one.books({"AA": BOOK[:4]}))


def fault(kind: Kind, *targets: str) -> Fault:
    return Fault(1, kind, targets, Moment.KEYS, 1.0)


def test_an_outcome_says_who_is_missing_and_why() -> None:
    killed = fault(Kind.NODE_KILLED, "node-aa")
    away, there = RegionProgress("AA", Asked.WAITING), RegionProgress("BB", Asked.ANSWERED)
    assert outcome(killed, progress()) == "all answered"
    assert outcome(killed, progress(State.CLOSED, away, there)) == "closed without the region hit (waiting)"
    other = fault(Kind.NODE_KILLED, "node-bb")
    assert outcome(other, progress(State.CLOSED, away, there)) == "closed without 1 regions (waiting)"
    assert outcome(killed, progress(where=Where.SUMMED)) == "all answered, summed"
    assert outcome(killed, progress(where=Where.FAILED)) == "all answered, no sum: 2 regions did"
    assert outcome(killed, None) == "no word of the run"


def test_the_table_shows_outcomes_audits_and_what_was_wrong() -> None:
    done = fault(Kind.NODE_KILLED, "node-aa")
    ran = Ran(Asking("a", Mode.BOTH, 60, (done,)), [Hit(done, "", "")], progress(), ["AA: a debit is gone"])
    audit = Audit(1200, 30, 20, 0, {"sum.not_in": 2})
    report = Report(1, 13, "20.10", (ran,), (audit,), ("the auditor found x",), 61.0)
    shown = page(report, "python -m tests.storms")
    assert "| node killed, started again | 1 | all answered: 1 | 1 |" in shown
    assert "| 1 | 1,200 | 30 | 20 | 0 | sum.not_in: 2 |" in shown
    assert "All data are synthetic" in shown
    assert "- AA: a debit is gone\n- the auditor found x" in shown
    assert report.to_json()["violations"] == ["AA: a debit is gone", "the auditor found x"]


def test_the_table_tells_in_which_phase_the_desk_died() -> None:
    killed, crashed = (fault(kind, "coordinator") for kind in (Kind.DESK_KILLED, Kind.DESK_CRASHED))
    hits = [Hit(killed, "asking, shares 1", ""), Hit(crashed, "asking, shares 2", ""), Hit(killed, "asking", "")]
    ran = Ran(Asking("a", Mode.NATIONAL, 60, (killed,)), hits, progress(where=Where.SUMMED))
    shown = page(Report(1, 13, "20.10", (ran,), (), (), 61.0), "x")
    assert "| asking, shares | 2 | all answered, summed: 2 |\n" in shown
    assert "were hit: asking, shares 2; asking 1." in shown


def overlay(folder: Path) -> Overlay:
    made = Overlay(folder, ("node-aa", "node-bb", "coordinator"), ("node-bb",))
    made.write((10001, 10001))
    return made


def test_an_overlay_gives_everyone_a_clock_and_some_a_line(tmp_path: Path) -> None:
    made = overlay(tmp_path)
    made.set_clock("node-aa", -200)
    assert (tmp_path / "clocks" / "node-aa").read_text(encoding="ascii") == "-200"
    assert (tmp_path / "clocks" / "coordinator").read_text(encoding="ascii") == "+0"
    services = json.loads(made.compose_file.read_text(encoding="utf-8"))["services"]
    assert set(services) == {"node-aa", "node-bb", "coordinator", "lines"}
    assert services["lines"]["networks"] == ["region-bb"]
    assert made.address("node-bb", "witness-1") == {"address": "lines:7002", "name": "witness-1"}


def _lines(file: Path, port: int, to: int, delay_ms: int = 0, *, broken: bool = False) -> None:
    line: Mapping[str, Line] = {str(port): {"to": f"127.0.0.1:{to}", "delay_ms": delay_ms, "broken": broken}}
    file.write_text(json.dumps(line), encoding="utf-8")


def test_a_line_passes_bytes_on_late_or_breaks_and_can_be_mended(tmp_path: Path) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(100):
                writer.write(data)
        writer.close()

    async def story() -> None:
        file, port, far = tmp_path / "lines.json", free_port(), free_port()
        server = await asyncio.start_server(echo, "127.0.0.1", far)
        _lines(file, port, far, 100)
        lines = Lines(file)
        serving = asyncio.create_task(lines.serve())
        reader, writer = await _dialled(port)
        began = asyncio.get_running_loop().time()
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert asyncio.get_running_loop().time() - began >= 0.2
        _lines(file, port, far, broken=True)
        lines.read()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        _lines(file, port, far)
        lines.read()
        reader, writer = await _dialled(port)
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"
        writer.close()
        serving.cancel()
        await asyncio.wait({serving})
        server.close()

    asyncio.run(asyncio.wait_for(story(), 30))


async def _dialled(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection, once somebody listens."""
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
