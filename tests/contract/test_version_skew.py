"""A party of the next release says things that this one does not know: they are left aside, and a no stays a no."""

from __future__ import annotations

import subprocess
import sys

import pytest
from google.protobuf.unknown_fields import UnknownFieldSet
from rondgang.signed import Signed
from rondgang.v1 import attend_pb2, desk_pb2, refusal_pb2
from rondgang.versions import SPOKEN

from coordinator.desk.views import Results
from coordinator.desk.wire import progress_from_wire, results_from_wire
from coordinator.gather import Asked, State
from coordinator.secure.national import Where
from node.wire import TurnedAway, _incoming
from policies.rules.refusals import Reason
from tests.desk import Country, DeskThread, FakeNode, answer_bytes, answers, draft
from tests.newer_party import UNKNOWN

NEWER = (*SPOKEN, max(SPOKEN) + 1)
SAYS = """
from tests.newer_party import speaks_more
speaks_more()
from rondgang.v1 import attend_pb2
print(attend_pb2.AttendRequest(reply=attend_pb2.Reply(run="r")).SerializeToString().hex())
"""


def test_the_next_release_of_these_tests_does_say_more_in_messages_and_in_what_is_in_them() -> None:
    said = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, text=True, timeout=60, check=True)
    message = attend_pb2.AttendRequest.FromString(bytes.fromhex(said.stdout.strip()))
    assert len(UnknownFieldSet(message)) == len(UnknownFieldSet(message.reply)) == 2
    assert message.reply.run == "r"


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    return Country.found(tmp_path_factory.mktemp("skew"))


def newer(node: FakeNode, order: attend_pb2.Order) -> None:
    """Answers as the next release would: after a message of a kind that we do not know, and with more fields."""
    unknown = attend_pb2.AttendRequest()
    unknown.MergeFromString(UNKNOWN)
    node.say(unknown)
    signed = answer_bytes(node.region, Signed.from_bytes(order.signed_programme), node.checkpoint)
    reply = attend_pb2.AttendRequest(reply=attend_pb2.Reply(run=order.run, signed_answer=signed))
    reply.reply.MergeFromString(UNKNOWN)
    reply.MergeFromString(UNKNOWN)
    node.say(reply)


def refuses(node: FakeNode, order: attend_pb2.Order) -> None:
    """Refuses for a reason that only the next release knows."""
    refusal = refusal_pb2.Refusal(sentence="The tide is out.")
    refusal.MergeFromString(b"\x08\xe7\x07")
    node.say(attend_pb2.AttendRequest(reply=attend_pb2.Reply(run=order.run, refusal=refusal)))


def test_a_desk_agrees_with_newer_nodes_on_what_both_speak_and_takes_their_answers_and_refusals(
    country: Country,
) -> None:
    with DeskThread(country) as desk, country.open() as client:
        nodes = [FakeNode.of(country, region, desk.port) for region in ("AA", "BB", "CC")]
        for node, respond in zip(nodes, (newer, refuses, answers), strict=True):
            node.versions, node.respond = NEWER, respond
        nodes[2].versions = SPOKEN
        with nodes[0] as first, nodes[1] as second, nodes[2] as third:
            for node in (first, second, third):
                welcome = node.hear().welcome
                assert welcome.version == max(SPOKEN)
            run = client.submit(client.plan(draft(id="skew"))).run
            *_, progress = client.watch(run, 20)
    assert progress.state is State.COMPLETE
    by_region = {one.region: one for one in progress.regions}
    assert [by_region[region].state for region in ("AA", "BB", "CC")] == [Asked.ANSWERED, Asked.REFUSED, Asked.ANSWERED]
    refused = by_region["BB"].refused
    assert refused is not None
    assert (refused.reason, refused.sentence) == (Reason.FAULT, "The tide is out.")


def test_a_node_that_speaks_the_next_contract_alone_is_told_who_must_be_upgraded(country: Country) -> None:
    with DeskThread(country) as desk:
        node = FakeNode.of(country, "AA", desk.port)
        node.versions = (max(NEWER),)
        with node:
            rejected = node.hear().rejected
    assert rejected.reason == refusal_pb2.REFUSAL_REASON_VERSION
    assert "Upgrade the desk" in rejected.sentence
    assert list(rejected.versions) == list(SPOKEN)


def test_a_node_skips_what_a_newer_desk_says_and_takes_an_unknown_no_for_a_no() -> None:
    unknown = attend_pb2.AttendResponse()
    unknown.MergeFromString(UNKNOWN)
    assert _incoming(unknown) is None
    rejected = attend_pb2.Rejected(sentence="The tide is out.")
    rejected.MergeFromString(b"\x08\xe7\x07")
    said = _incoming(attend_pb2.AttendResponse(rejected=rejected))
    assert said == TurnedAway(Reason.FAULT, "The tide is out.")


def test_a_researcher_reads_a_state_of_a_newer_desk_as_one_of_a_run_that_goes_on() -> None:
    regions = [desk_pb2.RegionProgress(region="AA", state="dreaming")]
    national = desk_pb2.NationalProgress(state="humming", attempt=1)
    progress = progress_from_wire(
        desk_pb2.WatchResponse(run="run-1", state="paused", regions=regions, national=national)
    )
    assert (progress.state, progress.regions[0].state) == (State.ASKING, Asked.WAITING)
    assert progress.national is not None
    assert progress.national.where is Where.WAITING
    results = results_from_wire(desk_pb2.ResultsResponse(results=desk_pb2.Results(run="run-1", state="paused")))
    assert isinstance(results, Results)
    assert results.state is State.ASKING
