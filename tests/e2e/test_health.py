"""Whoever keeps a desk, a witness or a node running can ask whether it serves, in a way that container engines know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import typer
from grpc_health.v1 import health_pb2

import audit.cli
import coordinator.cli
import node.cli
from compose.demo.federation import WITNESS, Federation
from compose.demo.verbs import VerbFailed, run
from coordinator.home import Home as Profile
from coordinator.transport import channel
from tests.e2e.world import quiet, small_federation, until


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    made = small_federation(tmp_path_factory.mktemp("health"), ("AA",))
    try:
        made.start(quiet)
        yield made
    finally:
        made.stop()


def _says(app: typer.Typer, home: Path, *options: str) -> tuple[int, dict[str, object]]:
    """Exit code and JSON of `health`."""
    try:
        return 0, json.loads(run(app, "", "health", *options, "--json", "--home", home))
    except VerbFailed as failed:
        return failed.code, json.loads(failed.printed)


def _check(federation: Federation, port: int, service: str) -> grpc.StatusCode | int:
    """What a researcher of the federation is told by grpc.health.v1 at a port: a status of serving, or of the call."""
    with channel(f"localhost:{port}", Profile(federation.researcher).tls()) as line:
        check = line.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            return int(check(health_pb2.HealthCheckRequest(service=service), timeout=10).status)
        except grpc.RpcError as error:
            return error.code()


def test_desk_and_witness_answer_the_standard_health_service_for_each_of_their_services(
    federation: Federation,
) -> None:
    served = {
        federation.port: ("", "rondgang.v1.AttendService", "rondgang.v1.DeskService", "rondgang.v1.WitnessService"),
        federation.witness_ports[WITNESS]: ("", "rondgang.v1.WitnessService"),
    }
    for port, services in served.items():
        assert {_check(federation, port, service) for service in services} == {health_pb2.HealthCheckResponse.SERVING}
        assert _check(federation, port, "rondgang.v1.NoSuchService") is grpc.StatusCode.NOT_FOUND


def test_each_verb_says_of_its_own_process_whether_it_serves(federation: Federation) -> None:
    """In the order in which they are lost: a node without a desk goes on serving, and says that it is alone."""
    home = federation.node("AA")
    assert _says(coordinator.cli.app, federation.coordinator) == (0, {"serving": True})
    assert _says(audit.cli.app, federation.witness()) == (0, {"serving": True})
    assert _says(node.cli.app, home, "--attending") == (0, {"region": "AA", "serving": True, "attending": True})

    federation.kill("coordinator")
    federation.kill(WITNESS)
    assert _says(coordinator.cli.app, federation.coordinator) == (1, {"serving": False})
    assert _says(audit.cli.app, federation.witness()) == (1, {"serving": False})
    alone = {"region": "AA", "serving": True, "attending": False}
    until(lambda: _says(node.cli.app, home) == (0, alone))
    assert _says(node.cli.app, home, "--attending") == (1, alone)

    federation.kill("AA")
    assert _says(node.cli.app, home) == (1, {"region": "AA", "serving": False, "attending": False})
