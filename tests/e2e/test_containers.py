"""The federation in containers: each holds its own room, may do nothing it need not, and answers as elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compose.containers import images
from compose.containers.__main__ import ask, prepare, regions_of
from compose.containers.engine import answers, docker
from compose.containers.federation import ContainerFederation, verify
from compose.demo.programme import demo_programme
from coordinator.client import Desk
from tests.e2e.world import quiet, until

pytestmark = [pytest.mark.docker, pytest.mark.slow]

REGIONS = 4
"""The fewest that are asked nationally."""
ROOMS = ("rondgang", "policies", "node", "coordinator", "audit", "compose", "tests")
READING = ("numpy", "pandas", "pyarrow", "pyreadstat", "psycopg")
_PRESENT = "import importlib.util as u, sys; print(*(n for n in sys.argv[1:] if u.find_spec(n)))"
_STATUS = "print(open('/proc/self/status').read())"
_REACHED = """
import socket, sys
for address in sys.argv[1:]:
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        print(address)
    except OSError:
        pass
"""


@dataclass
class World:
    """A running federation, and what came of asking it the demo's programme."""

    federation: ContainerFederation
    answered: int
    summed: int
    evidence: Path

    def facts(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container."""
        (facts,) = json.loads(docker("inspect", self.federation.container(service)))
        return dict(facts)

    def addresses(self, service: str) -> dict[str, str]:
        """A container's address on each of its networks."""
        return {name: one["IPAddress"] for name, one in self.facts(service)["NetworkSettings"]["Networks"].items()}

    def python(self, service: str, code: str, *arguments: str) -> list[str]:
        """The words that Python code prints in a service's container."""
        return self.federation.inside(service, "python3", "-c", code, *arguments).split()


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    if not answers():
        pytest.skip("no container engine answers; as root: sh compose/ci/engine.sh up")
    images.build("node", "coordinator", "auditor", images.DATABASE)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("containers")
    regions, _ = regions_of(REGIONS)
    federation = prepare(folder, regions, f"rondgang-test-{os.getpid()}")
    federation.set_up(quiet)
    try:
        federation.start(quiet)
        programme = folder / "programme.yaml"
        programme.write_text(demo_programme(regions), encoding="utf-8")
        with Desk.open(federation.researcher) as desk:
            answered, summed, _ = ask(desk, federation, programme, folder)
        federation.export(folder / "evidence")
        yield World(federation, answered, summed, folder / "evidence")
    finally:
        federation.stop()


def _in_image(target: str, *names: str) -> set[str]:
    """Which of these modules Python finds in an image."""
    words = ("--rm", "--network", "none", "--entrypoint", "python3", images.name(target), "-c", _PRESENT, *names)
    return set(docker("run", *words).split())


def test_each_image_holds_its_own_room_and_no_other() -> None:
    own = {"node": "node", "coordinator": "coordinator", "auditor": "audit"}
    assert {target: _in_image(target, *ROOMS) for target in own} == {
        target: {"rondgang", "policies", room} for target, room in own.items()
    }


def test_the_serving_image_is_small_and_reads_no_files() -> None:
    assert _in_image("node", *READING) == set()
    assert images.megabytes("node") <= 600


def test_an_image_announces_the_verbs_of_its_room_alone() -> None:
    printed = docker("run", "--rm", "--network", "none", "--entrypoint", "rondgang", images.name("auditor"), "--help")
    offered = {
        line.split()[0] for line in printed.splitlines() if line.startswith("  ") and "not installed" not in line
    }
    assert offered & {"demo", "consortium", "node", "coordinator", "audit"} == {"audit"}


def test_the_federation_answers_both_ways_and_its_evidence_holds(world: World) -> None:
    assert (world.answered, world.summed) == (REGIONS, REGIONS)
    key = (world.federation.consortium / "consortium.pub").read_text(encoding="ascii").strip()
    assert f"The evidence of {REGIONS} regions holds" in verify(world.evidence, key, world.federation.user)


def test_every_container_is_confined(world: World) -> None:
    """By what the engine was told, and by what the kernel says of a process inside."""
    user = ":".join(map(str, world.federation.user))
    for service in ("database", *world.federation.services):
        facts = world.facts(service)
        told = facts["HostConfig"]
        assert facts["Config"]["User"] == user, service
        assert told["ReadonlyRootfs"], service
        assert told["CapDrop"] == ["ALL"], service
        assert told["SecurityOpt"] == ["no-new-privileges:true"], service
        assert min(told["Memory"], told["PidsLimit"]) > 0, service
        assert told["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "5"}, service
        assert told["RestartPolicy"]["Name"] == "unless-stopped", service
        status = dict(
            line.split(":\t", 1)
            for line in world.federation.inside(service, "python3", "-c", _STATUS).splitlines()
            if ":\t" in line
        )
        assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}, service
        assert status["NoNewPrivs"] == "1", service
        assert set(status["Uid"].split()) == {str(world.federation.user[0])}, service


def test_a_node_reaches_the_desk_and_the_witnesses_on_its_own_network_and_nothing_else(world: World) -> None:
    first, *others = (service for service in world.federation.services if service.startswith("node-"))
    networks = {service: set(world.addresses(service)) for service in (first, *others)}
    assert [len(one) for one in networks.values()] == [1] * REGIONS
    assert len(set.union(*networks.values())) == REGIONS
    (own,) = networks[first]
    servers = ("coordinator", *world.federation.witnesses)
    may = [f"{world.addresses(server)[own]}:8443" for server in servers]
    # The same desk by its addresses on other networks, and the database.
    may_not = [f"{ip}:8443" for net, ip in world.addresses("coordinator").items() if net != own]
    may_not = [*may_not[:2], *(f"{ip}:5432" for ip in world.addresses("database").values())]
    assert world.python(first, _REACHED, *may, *may_not) == may


def test_only_the_desk_is_open_to_this_machine(world: World) -> None:
    ports = {service: world.facts(service)["NetworkSettings"]["Ports"] for service in world.federation.services}
    opened = {service: bound for service, ports in ports.items() for bound in ports.values() if bound}
    assert opened == {"coordinator": [{"HostIp": "127.0.0.1", "HostPort": str(world.federation.port)}]}


def test_the_engine_finds_everyone_healthy(world: World) -> None:
    services = ("database", *world.federation.services)
    # The engine asks every 30 s, the first time after 30; on a busy machine it may have to ask again.
    asked = 4 * 30

    def health() -> set[str]:
        return {world.facts(service)["State"]["Health"]["Status"] for service in services}

    until(lambda: health() == {"healthy"}, "for everybody's health", asked)
