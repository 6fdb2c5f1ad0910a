"""The demo's federation with every party in a container of its own: same homes, same verbs, other places."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from compose.containers.engine import COMPOSE_FILE, EngineFailed, docker
from compose.containers.images import DATABASE, name
from compose.demo.federation import Federation, NotStarted, Place

WITNESSES = ("witness-1", "witness-2")
_PORT = 8443
_HOME = "/srv/rondgang"
_IMAGES_USER = 10001
_START_S = 180.0
_BUNDLE = "evidence.bundle"
_LOOK_S = 2.0
"""How often it is looked at whether every container still runs: asking takes the engine's time too."""
_STORE = "postgresql+psycopg://desk@database/rondgang?passfile=/run/secrets/pgpass"


@dataclass(slots=True)
class ContainerFederation(Federation):
    """Homes under `folder`, mounted into containers of the Compose project `project`.

    Run by root, the homes belong to the images' own user. Run by anybody else they stay theirs, and so do the
    containers' processes.
    """

    project: str = "rondgang-e2e"
    witnesses: tuple[str, ...] = WITNESSES
    database: str | None = _STORE
    looked: float = 0.0

    @property
    def user(self) -> tuple[int, int]:
        """User and group that the containers run as."""
        return (_IMAGES_USER, _IMAGES_USER) if os.getuid() == 0 else (os.getuid(), os.getgid())

    @property
    def services(self) -> dict[str, Path]:
        """The home of every service that has one."""
        servers = {server.name: server for server in (self.coordinator, *map(self.witness, self.witnesses))}
        return servers | {f"node-{region.lower()}": self.node(region) for region in self.regions}

    def place(self, home: Path) -> Place:
        """Inside, under its service's name; the desk also from this machine."""
        return Place(listen=f"0.0.0.0:{_PORT}", dialled=f"{home.name}:{_PORT}", hosts=(home.name, "localhost"))

    def set_up(self, step: Callable[[str], None]) -> None:
        """As the demo does, and the database's password; all of it readable by the containers' user alone."""
        Federation.set_up(self, step)
        password, kept = secrets.token_hex(32), self.folder / "secrets"
        kept.mkdir(mode=0o700)
        for file, text in (("database_password", password), ("pgpass", f"database:5432:rondgang:desk:{password}\n")):
            (kept / file).write_text(text, encoding="ascii")
            (kept / file).chmod(0o400)
        for root in (kept, *self.services.values()):
            for path in (root, *root.rglob("*")):
                os.chown(path, *self.user)

    def start(self, step: Callable[[str], None], timeout_s: float = _START_S) -> None:
        """Starts the database, the desk, the witnesses and the nodes; waits until all nodes attend.

        Raises NotStarted, with the last lines of the log where a container ended.
        """
        step(f"starting {len(self.services) + 1} containers")
        try:
            self.compose("up", "--detach", "--quiet-pull", "database", *self.services)
        except EngineFailed as error:
            raise NotStarted(str(error)) from error
        self.wait_for(self.regions, timeout_s, step)

    def stop(self) -> None:
        """Takes down containers, networks and the database's volume; the homes stay."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "15")

    def check_alive(self) -> None:
        """Raises NotStarted with the name and the last words of a container that does not run; looks now and then."""
        if time.monotonic() < self.looked + _LOOK_S:
            return
        self.looked = time.monotonic()
        printed = self.compose("ps", "--all", "--format", "json")
        for line in printed.splitlines():
            container = json.loads(line)
            if container["State"] not in ("running", "created"):
                last = self.compose("logs", "--no-color", "--tail", "20", container["Service"])
                raise NotStarted(f"{container['Service']} is {container['State']}:\n{last}")

    def export(self, out: Path) -> None:
        """Asks each party, in its container, for what it would hand an auditor; leaves it in `out`."""
        out.mkdir(parents=True, exist_ok=True)
        verbs = {"coordinator": ("rondgang", "coordinator", "export-evidence")}
        verbs |= dict.fromkeys(self.witnesses, ("rondgang", "audit", "export"))

        def one(service: str, home: Path) -> None:
            verb = verbs.get(service, ("rondgang", "node", "export-ledger"))
            self.inside(service, *verb, "--out", f"{_HOME}/{_BUNDLE}")
            bundle = out / f"{home.name.removeprefix('node-')}.bundle"
            # A home may be a disk of its own: then it is copied, and would be ours.
            shutil.move(home / _BUNDLE, bundle)
            os.chown(bundle, *self.user)

        with ThreadPoolExecutor(2) as both:
            tuple(both.map(one, self.services, self.services.values()))

    def inside(self, service: str, *command: str) -> str:
        """What a command prints that runs in a service's container. Raises EngineFailed."""
        return self.compose("exec", "--no-TTY", service, *command)

    def container(self, service: str) -> str:
        """The id of a service's container."""
        return self.compose("ps", "--quiet", service).strip()

    def containers(self) -> tuple[str, ...]:
        """The ids of all containers."""
        return tuple(self.compose("ps", "--quiet").split())

    def compose(self, *arguments: str) -> str:
        """What `docker compose ARGUMENTS...` of this project prints. Raises EngineFailed."""
        return docker("compose", "--file", str(COMPOSE_FILE), *arguments, more=self._environment)

    @property
    def _environment(self) -> Mapping[str, str]:
        return {
            "RONDGANG_PROJECT": self.project,
            "RONDGANG_HOMES": str(self.folder),
            "RONDGANG_PORT": str(self.port),
            "RONDGANG_UID": str(self.user[0]),
            "RONDGANG_GID": str(self.user[1]),
            "RONDGANG_NODE_IMAGE": name("node"),
            "RONDGANG_COORDINATOR_IMAGE": name("coordinator"),
            "RONDGANG_AUDITOR_IMAGE": name("auditor"),
            "RONDGANG_POSTGRES_IMAGE": name(DATABASE),
        }


def verify(evidence: Path, consortium_key: str, user: Sequence[int], *options: str) -> str:
    """What `rondgang audit verify` says of a folder of bundles, in a container without a network or a home.

    Raises EngineFailed where it finds anything: its exit code is that of the verb.
    """
    return docker(
        "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--user", ":".join(map(str, user)),
        "--security-opt", "no-new-privileges", "--tmpfs", "/tmp:size=64m", "--volume", f"{evidence.resolve()}:/in:ro",
        name("auditor"), "verify", *(f"/in/{bundle.name}" for bundle in sorted(evidence.glob("*.bundle"))),
        "--consortium-key", consortium_key, *options,
    )  # fmt: skip
