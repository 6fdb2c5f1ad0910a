"""The desk gives back: to each region that answered its own rows and the national ones, until it says it keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from rondgang.keys import PublicKey
from rondgang.signed import Signed, verify
from rondgang.v1 import attend_pb2

from coordinator.client import Desk
from coordinator.gather import State
from coordinator.home import Home
from coordinator.store.store import open_store
from coordinator.table import csv_text as researchers_csv
from policies.documents import from_canonical
from policies.rules.refusals import Reason, Refused
from policies.rules.result import Result, csv_text, json_text
from policies.wire.refusals import refusal_to_wire
from tests.desk import OVER, Country, DeskThread, FakeNode, answers, draft, now, until


@dataclass
class KeepingNode(FakeNode):
    """A node of a version that takes results."""

    keeps_results: bool = True

    def given(self) -> attend_pb2.RegionResults:
        message = self.hear()
        assert message.WhichOneof("message") == "results"
        return message.results

    def keep(self, given: attend_pb2.RegionResults) -> None:
        digest = bytes.fromhex(Signed.from_bytes(given.signed_result).digest)
        self.say(attend_pb2.AttendRequest(results_kept=attend_pb2.ResultsKept(run=given.run, result_hash=digest)))

    def decline(self, given: attend_pb2.RegionResults) -> None:
        refusal = refusal_to_wire(Refused(Reason.UNKNOWN_SIGNER, "Adopt a newer roster."))
        self.say(attend_pb2.AttendRequest(results_kept=attend_pb2.ResultsKept(run=given.run, refusal=refusal)))


@pytest.fixture
def country(tmp_path: Path) -> Country:
    return Country.found(tmp_path)


@pytest.fixture
def server(country: Country) -> Iterator[DeskThread]:
    with DeskThread(country) as running:
        yield running


@pytest.fixture
def desk(country: Country, server: DeskThread) -> Iterator[Desk]:
    with country.open() as opened:
        yield opened


def read(given: attend_pb2.RegionResults, home: Home) -> Result:
    signed = Signed.from_bytes(given.signed_result)
    assert signed.kind == "result"
    assert verify(signed, PublicKey.from_hex(home.signing_key().public.hex))
    return from_canonical(Result, signed.document)


def test_each_region_that_answered_gets_its_rows_and_the_national_ones_with_the_researchers_digits(
    country: Country, server: DeskThread, desk: Desk
) -> None:
    with ExitStack() as stack:
        aa, bb = (
            stack.enter_context(KeepingNode.of(country, region, server.port)).welcomed() for region in ("AA", "BB")
        )
        old = stack.enter_context(FakeNode.of(country, "CC", server.port)).welcomed()
        planned = desk.plan(draft())
        run = desk.submit(planned).run
        results = {"AA": read(aa.given(), country.desk), "BB": read(bb.given(), country.desk)}
        assert old.heard.empty()
        lines = researchers_csv(desk.fetch(run).rows_json).splitlines()
        researchers = desk.fetch(run).rows_json.decode().splitlines()
    for region, result in results.items():
        assert (result.run, result.region, result.revision, result.regions) == (run, region, 3, ("AA", "BB", "CC"))
        assert (result.programme, result.asked) == (planned.hash, planned.programme)
        assert result.whole()
        own = [line for line in lines[1:] if ",national," in line or f",{region}," in line]
        assert csv_text(result).splitlines() == [lines[0], *own]
        kept = [line.rstrip(",") for line in json_text(result).splitlines()]
        mine = [
            line.rstrip(",") for line in researchers if '"scope": "national"' in line or f'"scope": "{region}"' in line
        ]
        assert kept == ["[", *mine, "]"]


def test_a_region_that_was_away_gets_its_result_when_it_is_back_until_it_keeps_it(
    country: Country, server: DeskThread, desk: Desk
) -> None:
    with ExitStack() as stack:
        for region in ("AA", "BB"):
            stack.enter_context(FakeNode.of(country, region, server.port)).welcomed()
        with FakeNode.of(country, "CC", server.port) as third:
            third.welcomed()
            run = desk.submit(desk.plan(draft())).run
            *_, last = desk.watch(run)
            assert last.state is State.COMPLETE
    with KeepingNode.of(country, "CC", server.port) as node:
        node.welcomed()
        first = node.given()
        node.decline(first)
    with KeepingNode.of(country, "CC", server.port) as node:
        node.welcomed()
        again = node.given()
        assert again == first
        node.keep(again)
        until(lambda: kept_everything(country, "CC"))
    with KeepingNode.of(country, "CC", server.port) as node:
        node.welcomed()
        # What waited for the region is queued before it is asked anything.
        desk.price(desk.plan(draft("0.1")))
        assert node.heard.empty()


def kept_everything(country: Country, region: str) -> bool:
    with open_store(f"sqlite:///{country.desk.folder / 'rondgang.sqlite'}") as store:
        return store.results_to_send(region) == ()


def test_a_closed_run_gives_back_too_and_anew_when_a_late_answer_comes(
    country: Country, server: DeskThread, desk: Desk
) -> None:
    with KeepingNode.of(country, "AA", server.port) as aa, FakeNode.of(country, "BB", server.port) as bb:
        aa.welcomed()
        bb.respond = lambda _node, _order: None
        bb.welcomed()
        run = desk.submit(desk.plan(draft(deadline=now() + 2))).run
        early = read(aa.given(), country.desk)
        assert (early.revision, early.regions) == (1, ("AA",))
        # The deadline has passed: without a late answer this is how it stays.
        assert {row.status for row in early.rows if row.scope == "national"} <= {"ok", "withheld"}
        bb.reply(run, answers(bb, bb.orders[0]))
        late = read(aa.given(), country.desk)
        assert (late.revision, late.regions) == (2, ("AA", "BB"))


def test_a_region_that_refused_gets_nothing(country: Country, server: DeskThread, desk: Desk) -> None:
    with ExitStack() as stack:
        aa = stack.enter_context(KeepingNode.of(country, "AA", server.port))
        bb = stack.enter_context(KeepingNode.of(country, "BB", server.port))
        cc = stack.enter_context(KeepingNode.of(country, "CC", server.port))
        bb.refuse = OVER
        for node in (aa, bb, cc):
            node.welcomed()
        desk.submit(desk.plan(draft()))
        assert read(aa.given(), country.desk).regions == ("AA", "CC")
        cc.given()
        assert bb.heard.empty()


def test_a_desk_that_was_stopped_in_between_still_gives_back(country: Country) -> None:
    with DeskThread(country) as server, country.open() as desk, ExitStack() as stack:
        for region in ("AA", "BB", "CC"):
            stack.enter_context(FakeNode.of(country, region, server.port)).welcomed()
        run = desk.submit(desk.plan(draft())).run
        *_, last = desk.watch(run)
        assert last.state is State.COMPLETE
    with DeskThread(country) as server, KeepingNode.of(country, "BB", server.port) as node:
        node.welcomed()
        assert node.given().run == run


def test_a_region_that_was_away_for_long_gets_a_few_results_at_a_time(
    country: Country, server: DeskThread, desk: Desk
) -> None:
    """The next ones follow what it has spoken of, kept or declined, so that a slow node is never sent them all."""
    with ExitStack() as stack:
        for region in ("AA", "BB"):
            stack.enter_context(FakeNode.of(country, region, server.port)).welcomed()
        with FakeNode.of(country, "CC", server.port) as third:
            third.welcomed()
            runs = {desk.submit(desk.plan(draft(f"0.{price}"))).run for price in range(11, 17)}
            for run in runs:
                *_, last = desk.watch(run)
                assert last.state is State.COMPLETE
    with KeepingNode.of(country, "CC", server.port) as node:
        node.welcomed()
        first = [node.given() for _ in range(4)]
        desk.price(desk.plan(draft("0.1")))
        assert node.heard.empty()
        for given in first[:3]:
            node.keep(given)
        node.decline(first[3])
        rest = [node.given() for _ in range(2)]
        assert {given.run for given in first + rest} == runs
