"""The desk over real gRPC with mutual TLS: a researcher, regions that attend, and callers who should not be there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from rondgang.roles import Role
from rondgang.signed import Signed, sign

from coordinator.client import Desk, Planned
from coordinator.errors import DeskRefused, NotFound, NotPermitted, Unreachable
from coordinator.estimates.tables import COLUMNS
from coordinator.gather import Asked, State
from coordinator.remote.wire import RemoteDesk
from coordinator.transport import channel
from policies.documents import to_canonical
from policies.rules.refusals import Reason, Refused
from policies.wire.refusals import reason_to_wire
from tests.applicants import DAY_S, Applicant, authority, signing_key
from tests.desk import (
    OVER,
    REGIONS,
    Consortium,
    Country,
    DeskThread,
    FakeNode,
    all_nodes,
    answer_bytes,
    answers,
    draft,
    empty,
    now,
    until,
)


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


def test_every_region_answers_and_the_result_is_a_frame(country: Country, server: DeskThread, desk: Desk) -> None:
    with ExitStack() as stack:
        all_nodes(stack, country, server.port)
        planned = desk.plan(draft())
        submitted = desk.submit(planned)
        progress = list(desk.watch(submitted.run))
        frame = desk.results(submitted.run)
    assert not submitted.existed
    assert progress[-1].state is State.COMPLETE
    assert progress[-1].count(Asked.ANSWERED) == len(REGIONS)
    assert tuple(frame.columns) == COLUMNS
    assert set(frame["scope"]) == {"national", *REGIONS}
    assert (frame["regions_included"][frame["scope"] == "national"] == len(REGIONS)).all()
    assert set(frame["statistic"]) == {one.id for one in planned.programme.statistics}


def test_price_asks_the_nodes_that_attend_and_opens_no_run(country: Country, server: DeskThread, desk: Desk) -> None:
    planned = desk.plan(draft())
    with (
        FakeNode.of(country, "AA", server.port) as granting,
        replace(FakeNode.of(country, "BB", server.port), refuse=OVER) as refusing,
    ):
        granting.welcomed()
        refusing.welcomed()
        prices = desk.price(planned)
        assert not granting.orders
    decisions = {one.region: one.decision for one in prices.regions}
    assert decisions == {"AA": "granted", "BB": "refused", "CC": "away"}
    assert prices.said("refused")["BB"].reason is Reason.OVER_COHORT_CAP
    assert prices.regions[0].charge == planned.programme.charge.amount
    assert prices.run is None
    assert not prices.hopeless


def test_an_order_waits_for_a_node_that_is_away(country: Country, server: DeskThread, desk: Desk) -> None:
    run = desk.submit(desk.plan(draft())).run
    with ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        *_, last = desk.watch(run)
        assert last.state is State.COMPLETE
        assert all(len(node.orders) == 1 for node in nodes.values())


def test_a_repeat_has_the_same_run_and_asks_nobody_who_answered(
    country: Country, server: DeskThread, desk: Desk
) -> None:
    with ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        first = desk.submit(desk.plan(draft()))
        *_, _ = desk.watch(first.run)
        second = desk.submit(desk.plan(draft()))
        assert (second.run, second.existed) == (first.run, True)
        assert desk.price(desk.plan(draft())).run == first.run
        assert [len(node.orders) for node in nodes.values()] == [1, 1, 1]


def test_asking_again_counts_equal_answers_and_keeps_other_ones_out(
    country: Country, server: DeskThread, desk: Desk
) -> None:
    with ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        run = desk.submit(desk.plan(draft())).run
        *_, _ = desk.watch(run)
        before = desk.fetch(run).signed_answers
        nodes["BB"].respond = lambda node, order: answer_bytes(
            "BB", Signed.from_bytes(order.signed_programme), node.checkpoint, value=41
        )
        desk.submit(desk.plan(draft()), again=True)
        *_, last = desk.watch(run)
        assert {one.region: (one.same, one.other) for one in last.regions} == {"AA": (1, 0), "BB": (0, 1), "CC": (1, 0)}
        assert desk.fetch(run).signed_answers == before


def test_a_region_that_refused_is_asked_anew(country: Country, server: DeskThread, desk: Desk) -> None:
    with ExitStack() as stack:
        nodes = all_nodes(stack, country, server.port)
        nodes["CC"].refuse = OVER
        run = desk.submit(desk.plan(draft())).run
        *_, refused = desk.watch(run)
        assert refused.count(Asked.REFUSED) == 1
        nodes["CC"].refuse = None
        desk.submit(desk.plan(draft()))
        *_, answered = desk.watch(run)
    assert answered.count(Asked.ANSWERED) == len(REGIONS)
    assert [len(node.orders) for node in nodes.values()] == [1, 1, 2]


def test_an_answer_that_another_region_signed_is_kept_out(country: Country, server: DeskThread, desk: Desk) -> None:
    def forged(node: FakeNode, order: object) -> bytes:
        return answer_bytes("AA", planned.signed, country.regions["BB"][0].keys["checkpoint"])

    planned = desk.plan(draft())
    with replace(FakeNode.of(country, "AA", server.port), respond=forged) as node:
        node.welcomed()
        run = desk.submit(planned).run
        for progress in desk.watch(run):
            if progress.count(Asked.REFUSED):
                break
        assert progress.regions[0].refused is not None
        assert progress.regions[0].refused.reason is Reason.WRONG_ROLE
        assert desk.fetch(run).signed_answers == ()


def test_a_newer_stream_replaces_the_older_one(country: Country, server: DeskThread, desk: Desk) -> None:
    with FakeNode.of(country, "AA", server.port) as older:
        older.welcomed()
        with FakeNode.of(country, "AA", server.port) as newer:
            newer.welcomed()
            assert older.hear().WhichOneof("message") is None
            desk.submit(desk.plan(draft()))
            until(lambda: len(newer.orders) == 1)
        assert not older.orders


@pytest.mark.parametrize("case", ["another region", "no common version", "a researcher"])
def test_a_node_that_may_not_attend_is_told_why(country: Country, server: DeskThread, case: str) -> None:
    node = FakeNode.of(country, "AA", server.port)
    expected = Reason.WRONG_ROLE
    match case:
        case "another region":
            node.region = "BB"
        case "no common version":
            node.versions, expected = (99,), Reason.VERSION
        case "a researcher":
            node.tls = country.researcher.tls()
    with node:
        response = node.hear()
        assert response.WhichOneof("message") == "rejected"
        assert response.rejected.reason == reason_to_wire(expected)
        assert response.rejected.sentence


def test_a_revoked_node_is_sent_away_and_stays_away(country: Country, server: DeskThread, desk: Desk) -> None:
    with FakeNode.of(country, "AA", server.port) as node:
        node.welcomed()
        country.consortium.revoke("region AA")
        country.adopt(country.consortium.roster())
        assert node.hear().rejected.reason == reason_to_wire(Reason.REVOKED)
    with FakeNode.of(country, "AA", server.port) as back:
        assert back.hear().rejected.reason == reason_to_wire(Reason.REVOKED)
    assert [view.region for view in desk.regions()] == ["BB", "CC"]


def test_a_region_may_not_use_the_researchers_calls(country: Country, server: DeskThread) -> None:
    _, tls = country.regions["AA"]
    with channel(country.address(server.port), tls) as line:
        remote = RemoteDesk(line, "the desk", 10)
        with pytest.raises(NotPermitted) as refused:
            remote.submit(b"", again=False)
    assert refused.value.reason is Reason.WRONG_ROLE


def test_a_witness_may_look_and_not_ask(country: Country, server: DeskThread) -> None:
    tls = country.join(Applicant.new(Role.WITNESS))
    country.adopt(country.consortium.roster())
    with channel(country.address(server.port), tls) as line:
        remote = RemoteDesk(line, "the desk", 10)
        assert [view.region for view in remote.regions()] == list(REGIONS)
        with pytest.raises(NotPermitted):
            remote.price(b"")


def test_a_revoked_researcher_may_do_nothing(country: Country, server: DeskThread, desk: Desk) -> None:
    planned = desk.plan(draft())
    country.consortium.revoke("Researcher")
    country.adopt(country.consortium.roster())
    with pytest.raises(NotPermitted) as refused:
        desk.submit(planned)
    assert refused.value.reason is Reason.REVOKED


def test_a_certificate_of_another_authority_gets_no_further_than_the_handshake(
    country: Country, server: DeskThread
) -> None:
    stranger = Applicant.new(Role.RESEARCHER, name="Stranger")
    elsewhere = Consortium(authority("another consortium", now() - DAY_S))
    tls = (stranger.tls_key, elsewhere.enrol(stranger.request), country.consortium.root)
    with channel(country.address(server.port), tls) as line, pytest.raises(Unreachable):
        RemoteDesk(line, "the desk", 10).regions()


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("unsigned", Reason.UNSIGNED),
        ("foreign key", Reason.UNKNOWN_SIGNER),
        ("a region's key", Reason.WRONG_ROLE),
        ("tampered", Reason.UNSIGNED),
        ("another calendar", Reason.CODEBOOK_MISMATCH),
        ("another price", Reason.WRONG_PRICE),
        ("not canonical", Reason.MALFORMED),
    ],
)
def test_a_programme_that_is_not_right_opens_no_run(
    country: Country, server: DeskThread, desk: Desk, case: str, reason: Reason
) -> None:
    spoilt = _spoilt(case, desk.plan(draft()), country)
    with (
        FakeNode.of(country, "AA", server.port) as node,
        channel(country.address(server.port), country.researcher.tls()) as line,
    ):
        node.welcomed()
        remote = RemoteDesk(line, "the desk", 10)
        for outcome in (remote.submit(spoilt, again=False), remote.price(spoilt)):
            assert isinstance(outcome, Refused)
            assert outcome.reason is reason
        assert not node.orders
    assert not desk.price(desk.plan(draft())).run


def _spoilt(case: str, planned: Planned, country: Country) -> bytes:
    programme, document = planned.programme, planned.signed.document
    key = country.researcher.signing_key()
    charged = programme.charge.model_copy(update={"rho": programme.charge.rho - 1})
    match case:
        case "unsigned":
            return sign("programme", document).to_bytes()
        case "foreign key":
            return sign("programme", document, signing_key("nobody")).to_bytes()
        case "a region's key":
            return sign("programme", document, country.regions["AA"][0].keys["steward"]).to_bytes()
        case "tampered":
            changed = to_canonical(programme.model_copy(update={"charge": charged}))
            return Signed("programme", changed, planned.signed.signatures).to_bytes()
        case "another calendar":
            changed = to_canonical(programme.model_copy(update={"calendar_hash": "0" * 64}))
            return sign("programme", changed, key).to_bytes()
        case "another price":
            return sign("programme", to_canonical(programme.model_copy(update={"charge": charged})), key).to_bytes()
        case _:
            return planned.signed.to_bytes() + b" "


def test_an_unknown_run_is_said_to_be_unknown(server: DeskThread, desk: Desk) -> None:
    with pytest.raises(NotFound, match="run-0"):
        desk.results("run-0")
    with pytest.raises(NotFound):
        list(desk.watch("run-0"))


def test_documents_that_the_pinned_key_did_not_sign_are_not_planned_by(country: Country, server: DeskThread) -> None:
    (country.researcher.folder / "consortium.pub").write_text(signing_key("another consortium").public.hex)
    with country.open() as desk, pytest.raises(DeskRefused) as refused:
        desk.plan(draft())
    assert refused.value.refused.reason is Reason.UNKNOWN_SIGNER


@pytest.mark.postgres
def test_the_desk_works_on_postgresql_too(country: Country, postgres_url: str) -> None:
    path = country.desk.folder / "config.yaml"
    path.write_text(f"{path.read_text()}database: {postgres_url}\n")
    with DeskThread(country) as server, country.open() as desk, ExitStack() as stack:
        all_nodes(stack, country, server.port)
        run = desk.submit(desk.plan(draft())).run
        *_, last = desk.watch(run)
        assert last.count(Asked.ANSWERED) == len(REGIONS)
        assert len(desk.fetch(run).signed_answers) == len(REGIONS)
    empty(postgres_url)


def test_a_dead_proxy_is_not_used_on_this_machine(
    country: Country, server: DeskThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with country.open() as desk:
        assert len(desk.regions()) == len(REGIONS)


def test_a_desk_that_is_gone_is_said_to_be_unreachable(country: Country) -> None:
    country.point_researcher(1)
    with country.open() as desk, pytest.raises(Unreachable):
        desk.regions()


def test_a_run_closes_at_its_deadline_and_still_keeps_an_answer_that_was_on_its_way(country: Country) -> None:
    late = [0]
    with (
        DeskThread(country, lambda: now() + late[0]) as server,
        country.open() as desk,
        replace(FakeNode.of(country, "AA", server.port), respond=lambda node, order: None) as silent,
    ):
        silent.welcomed()
        planned = desk.plan(draft(deadline=now() + 60))
        run = desk.submit(planned).run
        until(lambda: len(silent.orders) == 1)
        late[0] = 120
        *_, closed = desk.watch(run)
        assert closed.state is State.CLOSED
        with FakeNode.of(country, "BB", server.port) as too_late:
            too_late.welcomed()
            silent.reply(run, answers(silent, silent.orders[0]))
            until(lambda: len(desk.fetch(run).signed_answers) == 1)
            assert not too_late.orders
        with pytest.raises(DeskRefused) as refused:
            desk.submit(planned)
        assert refused.value.refused.reason is Reason.DEADLINE_PASSED
