"""A region that says "not yet" is not done with: the run stays open, and the answer comes without a new submit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from coordinator.cli import app
from coordinator.client import Desk
from coordinator.gather import LONGEST_PAUSE_S, Asked, State
from policies.rules.approval import AWAITING_SENTENCE, DECLINED_SENTENCES
from policies.rules.refusals import Reason, Refused
from tests import small_study
from tests.desk import Country, DeskThread, FakeNode, all_nodes, answers, draft, now, until

AWAITING = Refused(Reason.AWAITING_APPROVAL, AWAITING_SENTENCE)
DECLINED = Refused(Reason.DECLINED, DECLINED_SENTENCES["detail"])
LATER = 75


@pytest.fixture
def country(tmp_path: Path) -> Country:
    return Country.found(tmp_path)


@pytest.fixture
def server(country: Country) -> Iterator[DeskThread]:
    with DeskThread(country) as running:
        yield running


def asked(desk: Desk, run: str, region: str) -> Asked:
    """Where a region stands now."""
    return next(one.state for one in next(iter(desk.watch(run))).regions if one.region == region)


def rondgang(country: Country, *words: str | Path) -> Result:
    result = CliRunner().invoke(app, [*map(str, words), "--home", str(country.researcher.folder)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_region_that_awaits_its_steward_answers_by_itself_and_ends_the_run(
    country: Country, server: DeskThread
) -> None:
    with country.open() as desk, ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        nodes["BB"].refuse = AWAITING
        planned = desk.plan(draft())
        assert {one.region: one.decision for one in desk.price(planned).regions}["BB"] == "pending"
        run = desk.submit(planned).run
        seen = []
        for progress in desk.watch(run):
            seen.append(progress.regions[1])
            if seen[-1].state is Asked.PENDING and progress.count(Asked.ANSWERED) == 2:
                assert progress.state is State.ASKING
                # The steward approved: the node sends its answer without being asked again.
                nodes["BB"].reply(run, answers(nodes["BB"], nodes["BB"].orders[0]))
        assert progress.state is State.COMPLETE
        assert seen[-1].state is Asked.ANSWERED
        assert AWAITING in [one.refused for one in seen]
        assert len(nodes["BB"].orders) == 1


def test_a_steward_who_declines_ends_the_waiting(country: Country, server: DeskThread) -> None:
    with country.open() as desk, ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        nodes["BB"].refuse = AWAITING
        run = desk.submit(desk.plan(draft())).run
        until(lambda: asked(desk, run, "BB") is Asked.PENDING)
        nodes["BB"].reply(run, DECLINED)
        *_, last = desk.watch(run)
        assert (last.state, last.regions[1].state, last.regions[1].refused) == (
            State.COMPLETE,
            Asked.REFUSED,
            DECLINED,
        )


@pytest.mark.parametrize("reason", [Reason.LATE, Reason.AWAITING_APPROVAL])
def test_who_said_not_yet_is_asked_again_after_a_pause_without_a_new_submit(country: Country, reason: Reason) -> None:
    late = [0]
    with (
        DeskThread(country, lambda: now() + late[0]) as server,
        country.open() as desk,
        FakeNode.of(country, "AA", server.port) as node,
    ):
        node.welcomed()
        node.refuse = Refused(reason, "Not yet.")
        run = desk.submit(desk.plan(draft())).run
        until(lambda: asked(desk, run, "AA") is Asked.PENDING)
        assert len(node.orders) == 1
        node.refuse = None
        late[0] = LONGEST_PAUSE_S
        until(lambda: asked(desk, run, "AA") is Asked.ANSWERED)
        assert len(node.orders) == 2


def test_who_said_not_yet_is_asked_again_when_it_comes_back_also_at_a_desk_that_started_anew(country: Country) -> None:
    with DeskThread(country) as server, country.open() as desk, FakeNode.of(country, "AA", server.port) as node:
        node.welcomed()
        node.refuse = AWAITING
        run = desk.submit(desk.plan(draft())).run
        until(lambda: asked(desk, run, "AA") is Asked.PENDING)
    with DeskThread(country) as server, country.open() as desk:
        assert asked(desk, run, "AA") is Asked.PENDING
        with FakeNode.of(country, "AA", server.port) as node:
            node.welcomed()
            until(lambda: asked(desk, run, "AA") is Asked.ANSWERED)
            assert len(node.orders) == 1


def test_the_terminal_does_not_wait_for_a_steward_and_says_how_to_come_back(
    country: Country, server: DeskThread, tmp_path: Path
) -> None:
    path = tmp_path / "programme.yaml"
    written = yaml.safe_load(small_study.DRAFT)
    written["programme"]["deadline"] = "2999-12-31"
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    with ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        nodes["BB"].refuse = AWAITING
        submitted = rondgang(country, "submit", path, "--wait", "--json")
        (facts,) = map(json.loads, submitted.stdout.splitlines())
        assert (submitted.exit_code, facts["pending"], facts["answered"]) == (LATER, {"BB": "awaiting_approval"}, 2)
        assert f"rondgang coordinator watch {facts['run']}" in submitted.stderr
        watched = rondgang(country, "watch", facts["run"])
        assert watched.exit_code == LATER
        assert "2 answered, 1 awaiting approval" in watched.stdout
        assert f"BB pending: {AWAITING_SENTENCE}" in watched.stdout
        told = rondgang(country, "watch", facts["run"], "--json")
        assert told.exit_code == LATER
        assert json.loads(told.stdout.splitlines()[-1])["progress"][1] == {
            "region": "BB", "state": "pending", "reason": "awaiting_approval", "repeats": 0, "conflicts": 0,
        }  # fmt: skip
        nodes["BB"].reply(facts["run"], answers(nodes["BB"], nodes["BB"].orders[0]))
        complete = rondgang(country, "watch", facts["run"], "--stay")
        assert (complete.exit_code, "complete: 3 answered" in complete.stdout) == (0, True)
        assert "complete" not in complete.stderr


def test_where_every_region_awaits_its_steward_a_run_is_opened(country: Country, server: DeskThread) -> None:
    with country.open() as desk, FakeNode.of(country, "AA", server.port) as node:
        node.welcomed()
        node.refuse = AWAITING
        planned = desk.plan(draft())
        assert not desk.price(planned).hopeless
        run = desk.submit(planned).run
        until(lambda: asked(desk, run, "AA") is Asked.PENDING)
