"""Two regions whose stewards decide: a yes is answered without a new submit, a no is told with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import coordinator.cli
import node.cli
from compose.demo.federation import Federation
from compose.demo.verbs import run as verb
from coordinator.client import Desk
from coordinator.gather import Asked, State
from policies.rules.approval import DECLINED_SENTENCES
from policies.rules.entries import Answered, Approved, AskedEntry, Debited, Declined, Entry, RefusedEntry
from policies.rules.refusals import Reason
from tests.e2e.world import POLICY, delivery, documents, draft, entries, finished, impatient, quiet, status_of, until

REGIONS = ("AA", "BB")


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("stewards")
    data = {region: delivery(folder / "data" / region, 40) for region in REGIONS}
    papers = documents(folder / "documents", policy=f"{POLICY}approval: steward\n")
    made = Federation(folder / "federation", data, papers, cohort="c1")
    made.set_up(quiet)
    impatient(made)
    try:
        made.start(quiet)
        yield made
    finally:
        made.stop()


@pytest.fixture
def desk(federation: Federation) -> Iterator[Desk]:
    with Desk.open(federation.researcher) as opened:
        yield opened


def node_verb(federation: Federation, region: str, *words: str | Path) -> dict[str, Any]:
    """What a verb of a region's node tells programs."""
    told = verb(node.cli.app, "node", *words, "--home", federation.node(region), "--json")
    found: dict[str, Any] = json.loads(told)
    return found


def waiting(federation: Federation, region: str) -> list[str]:
    """The ids of the programmes that wait for a region's steward, as `rondgang node pending` lists them."""
    return [one["id"] for one in node_verb(federation, region, "pending")["pending"]]


def states(desk: Desk, run: str) -> list[Asked]:
    return [one.state for one in next(iter(desk.watch(run))).regions]


def since(federation: Federation, region: str, name: str) -> list[Entry]:
    """The ledger's entries on one programme."""
    return [one for one in entries(federation, region) if getattr(one.body, "programme", "") == name]


def test_one_steward_approves_and_the_other_refuses_while_the_nodes_serve(federation: Federation, desk: Desk) -> None:
    planned = desk.plan(draft("decided", purpose="To learn who was helped", requester="The ministry"))
    prices = desk.price(planned)
    assert {one.decision for one in prices.regions} == {"pending"}
    run = desk.submit(planned).run
    until(lambda: states(desk, run) == [Asked.PENDING] * 2, "for both to await their steward")
    (shown,) = node_verb(federation, "AA", "pending")["pending"]
    assert (shown["hash"], shown["purpose"], shown["requester"]) == (
        planned.hash,
        "To learn who was helped",
        "The ministry",
    )
    assert shown["researcher"] == "Demo researcher"
    assert not [one for one in since(federation, "AA", planned.hash) if isinstance(one.body, Debited)]
    node_verb(federation, "AA", "approve", planned.hash[:8])
    until(lambda: states(desk, run) == [Asked.ANSWERED, Asked.PENDING], "for the approved answer, without a new submit")
    node_verb(federation, "BB", "refuse", planned.hash[:8], "--reason", "detail", "--note", "te klein")
    last = finished(desk, run)
    assert (last.state, last.count(Asked.ANSWERED)) == (State.COMPLETE, 1)
    refused = last.regions[1].refused
    assert refused is not None
    assert (refused.reason, refused.sentence) == (Reason.DECLINED, DECLINED_SENTENCES["detail"])
    kinds = [type(one.body) for one in since(federation, "AA", planned.hash)]
    assert kinds == [AskedEntry, RefusedEntry, Approved, Debited, Answered]
    assert [type(one.body) for one in since(federation, "BB", planned.hash)] == [
        AskedEntry, RefusedEntry, Declined, RefusedEntry,
    ]  # fmt: skip
    assert status_of(federation, "BB").budgets[0].spent.rho == "0"


def test_a_decision_on_a_node_that_is_down_is_followed_when_it_comes_back(federation: Federation, desk: Desk) -> None:
    planned = desk.plan(draft("while_away", rho="0.1", weights={"AA": "1"}))
    run = desk.submit(planned).run
    until(lambda: waiting(federation, "AA") == ["while_away"], "for the question to be there")
    federation.kill("AA")
    node_verb(federation, "AA", "approve", planned.hash)
    federation.start_node("AA")
    assert finished(desk, run).count(Asked.ANSWERED) == 1


def test_a_policy_that_no_longer_asks_for_a_word_lets_what_waits_through(
    federation: Federation, desk: Desk, tmp_path: Path
) -> None:
    planned = desk.plan(draft("let_through", rho="0.1", weights={"BB": "1"}))
    run = desk.submit(planned).run
    until(lambda: waiting(federation, "BB") == ["let_through"], "for the question to be there")
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.replace("version: 1", "version: 2"), encoding="utf-8")
    assert "approval" in [one["field"] for one in node_verb(federation, "BB", "policy", "diff", policy)["changes"]]
    node_verb(federation, "BB", "policy", "adopt", policy)
    assert finished(desk, run).count(Asked.ANSWERED) == 1


def test_submit_does_not_wait_for_a_steward_and_says_how_to_come_back(federation: Federation, tmp_path: Path) -> None:
    path = tmp_path / "programme.yaml"
    path.write_text(
        "programme: {id: later, title: {nl: Later, en: Later}, purpose: a test, requester: Tests, cohort: c1, "
        "codebook: small@1, deadline: 2090-06-30}\n"
        'price: {rho: "0.05"}\nweights: {AA: "1"}\n'
        'statistics:\n  - {id: helped, kind: proportion, of: "help == yes", unit: household, wave: T1}\n',
        encoding="utf-8",
    )
    words = ["submit", str(path), "--wait", "--home", str(federation.researcher)]
    told = CliRunner().invoke(coordinator.cli.app, words)
    assert told.exit_code == 75, told.output
    assert "Awaiting the steward of AA" in told.stderr
    assert "rondgang coordinator watch run-" in told.stderr
    assert waiting(federation, "AA") == ["later"]
