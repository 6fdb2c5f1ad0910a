"""The files by which a region, the desk and a witness deploy: each does what its own first lines say.

Everybody's home is a volume, everybody's keys are secrets. The consortium is here, beside them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import compose.consortium.cli
from compose.containers import images
from compose.containers.engine import COMPOSE_FILE, EngineFailed, answers, docker
from compose.demo.federation import SHIPPED, free_port
from compose.demo.generator.calibration import load_calibration
from compose.demo.generator.generate import generate
from compose.demo.generator.write import write_all
from compose.demo.verbs import run
from tests.e2e.world import until

pytestmark = [pytest.mark.docker, pytest.mark.slow]

REGION = "DR"
CONSORTIUM = compose.consortium.cli.app
_KEYS = "import os; print(*sorted(os.listdir('/srv/rondgang/keys')))"


@dataclass
class Party:
    """A folder with one of our files, as somebody who deploys has it."""

    folder: Path
    file: str
    consortium: Path
    port: int

    def compose(self, *arguments: str) -> str:
        """What `docker compose -f FILE ARGUMENTS` prints."""
        uid, gid = (10001, 10001) if os.getuid() == 0 else (os.getuid(), os.getgid())
        more = {"RONDGANG_UID": str(uid), "RONDGANG_GID": str(gid), "RONDGANG_PORT": str(self.port)}
        more |= {f"RONDGANG_{target.upper().replace('-', '_')}_IMAGE": images.name(target) for target in images.TARGETS}
        project = f"rondgang-test-{self.file}-{os.getpid()}"
        return docker("compose", "-p", project, "-f", str(self.folder / f"{self.file}.yaml"), *arguments, more=more)

    def tool(self, service: str, *words: str) -> str:
        """What a one-off container of a service prints."""
        return self.compose("run", "--rm", "--no-TTY", service, *words)

    def sign(self, *options: str) -> None:
        """The request that `init` left goes to the consortium; certificate and roster come back."""
        request, home = self.folder / "request.json", ("--home", self.consortium)
        request.write_text(self.compose("run", "--rm", "--no-TTY", "--entrypoint", "cat", "init",
                                        "/srv/rondgang/request.json"), encoding="utf-8")  # fmt: skip
        run(CONSORTIUM, "", "sign", request, "--out", self.folder / "in" / "own.pem", *options, *home)
        run(CONSORTIUM, "", "roster", "--out", self.folder / "in" / "roster.json", *home)

    def keys(self, service: str) -> list[str]:
        """The names of the keys that a running container sees."""
        return self.compose("exec", "--no-TTY", service, "python3", "-c", _KEYS).split()


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not answers():
        pytest.skip("no container engine answers; as root: sh compose/ci/engine.sh up")
    images.build(*images.TARGETS)
    folder = tmp_path_factory.mktemp("deployed") / "consortium"
    home = ("--home", folder)
    run(CONSORTIUM, "", "init", "--name", "Tests", *home)
    run(CONSORTIUM, "", "calendar", SHIPPED / "rotation.yaml", "--out", folder / "calendar.json", *home)
    run(CONSORTIUM, "", "codebook", SHIPPED / "cohort3.codebook.yaml", "--out", folder / "cohort3.json", *home)
    return folder


@pytest.fixture
def party(request: pytest.FixtureRequest, tmp_path: Path, consortium: Path) -> Iterator[Party]:
    made = Party(tmp_path, request.param, consortium, free_port())
    shutil.copy(COMPOSE_FILE.with_name(f"{made.file}.yaml"), tmp_path)
    for folder in ("in", "out", "keys/import"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "keys" / "pgpass").touch(mode=0o600)
    for paper in ("consortium.pub", "certs/ca.pem", "calendar.json", "cohort3.json"):
        shutil.copy(consortium / paper, tmp_path / "in")
    if os.getuid() == 0:
        for path in (tmp_path / "out", tmp_path / "keys", *(tmp_path / "keys").rglob("*")):
            os.chown(path, 10001, 10001)
    try:
        yield made
    finally:
        made.compose("--profile", "tools", "down", "--volumes", "--timeout", "5")


@pytest.mark.parametrize("party", ["region"], indirect=True)
def test_a_region_by_its_own_file(party: Party, tmp_path: Path) -> None:
    """A serving node never sees the steward's key, a steward's verb works beside it, and its image reads no files."""
    calibration = load_calibration()
    delivered = write_all(tmp_path / "data", generate(1, calibration.sizes((REGION,)), calibration))[REGION]
    shutil.copytree(delivered, tmp_path / "in" / "delivery")
    shutil.copy(SHIPPED / "region.policy.yaml", tmp_path / "in")

    party.tool("init", "--region", REGION, "--coordinator", "desk.example.nl:443", "--witness", "w.example.nl:443",
               "--consortium-key", "/in/consortium.pub")  # fmt: skip
    party.sign()
    party.tool("steward", "enrol", "/in/own.pem", "--ca", "/in/ca.pem", "--roster", "/in/roster.json",
               "--calendar", "/in/calendar.json", "--codebook", "/in/cohort3.json")  # fmt: skip
    party.tool("steward", "policy", "adopt", "/in/region.policy.yaml")
    party.tool("import", "/in/delivery", "--cohort", "c3")
    party.compose("up", "--detach")

    def health() -> dict[str, object]:
        try:
            return dict(json.loads(party.compose("exec", "--no-TTY", "node", "rondgang", "node", "health", "--json")))
        except EngineFailed:
            return {}

    until(lambda: health() == {"region": REGION, "serving": True, "attending": False})
    status = json.loads(party.compose("exec", "--no-TTY", "node", "rondgang", "node", "status", "--json"))
    assert status["missing"] == []
    assert [budget["snapshot"] for budget in status["budgets"] if budget["cohort"] == "c3"] == [True]
    assert party.keys("node") == ["checkpoint.pem", "tls.pem"]
    assert party.tool("steward", "pending")
    with pytest.raises(EngineFailed, match="Hier kan niets worden ingelezen"):
        party.tool("steward", "import", "/in/delivery", "--cohort", "c3")


@pytest.mark.parametrize("party", ["coordinator"], indirect=True)
def test_the_desk_by_its_own_file(party: Party) -> None:
    party.tool("init", "--name", "Desk", "--listen", "0.0.0.0:8443", "--consortium-key", "/in/consortium.pub")
    party.sign("--host", "desk.example.nl")
    party.tool("tool", "enrol", "/in/own.pem", "--ca", "/in/ca.pem", "--roster", "/in/roster.json",
               "--calendar", "/in/calendar.json", "--codebook", "/in/cohort3.json")  # fmt: skip
    party.compose("up", "--detach")
    until(lambda: _serves(party, "coordinator", "coordinator"))


@pytest.mark.parametrize("party", ["auditor"], indirect=True)
def test_a_witness_by_its_own_file(party: Party) -> None:
    party.tool("init", "--name", "Court", "--listen", "0.0.0.0:8443", "--consortium-key", "/in/consortium.pub")
    party.sign("--host", "witness.example.nl")
    party.tool("tool", "enrol", "/in/own.pem", "--ca", "/in/ca.pem", "--roster", "/in/roster.json")
    party.compose("up", "--detach")
    until(lambda: _serves(party, "witness", "audit"))
    party.tool("tool", "export", "--out", "/out/witness.bundle")
    assert (party.folder / "out" / "witness.bundle").stat().st_size > 0


def _serves(party: Party, service: str, room: str) -> bool:
    try:
        party.compose("exec", "--no-TTY", service, "rondgang", room, "health")
    except EngineFailed:
        return False
    return True
