"""A whole federation on one machine: consortium, coordinator, witness, researcher and region nodes, as real processes.

Every step is the command a user would give. The demo and the end-to-end tests both stand on it.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import audit.cli
import compose.consortium.cli
import coordinator.cli
import node.cli
from compose.demo.verbs import run
from coordinator.client import Desk
from coordinator.errors import Unreachable
from policies.study.text import RegionCode

SHIPPED = Path(__file__).resolve().parents[2] / "policies" / "shipped"
COHORT = "c3"
WITNESS = "witness"
"""The independent witness that a federation has unless it is told otherwise."""
_START_S = 90.0
_STOP_S = 10.0


class NotStarted(Exception):
    """A process ended early or did not come up in time; says which, and where its log is."""


@dataclass(frozen=True, slots=True)
class Documents:
    """The YAML files that the federation is set up by."""

    calendar: Path = SHIPPED / "rotation.yaml"
    codebook: Path = SHIPPED / "cohort3.codebook.yaml"
    policy: Path = SHIPPED / "region.policy.yaml"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens, where nodes dial it (both host:port), and the host names on its certificate."""

    listen: str
    dialled: str
    hosts: tuple[str, ...]


@dataclass(slots=True)
class Federation:
    """Homes under `folder`; `data` gives each region's folder of files to import.

    `witnesses` are names of independent ones; the coordinator is a witness as well.
    """

    folder: Path
    data: Mapping[RegionCode, Path]
    documents: Documents = field(default_factory=Documents)
    cohort: str = COHORT
    port: int = 0
    witnesses: tuple[str, ...] = (WITNESS,)
    colleagues: tuple[str, ...] = ()
    """Researchers beside the first one, by the names of their homes."""
    witness_ports: dict[str, int] = field(default_factory=dict)
    database: str | None = None
    """The coordinator's store as a SQLAlchemy URL; a file in its home where none is given."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def regions(self) -> tuple[RegionCode, ...]:
        return tuple(sorted(self.data))

    @property
    def consortium(self) -> Path:
        return self.folder / "consortium"

    @property
    def coordinator(self) -> Path:
        return self.folder / "coordinator"

    @property
    def researcher(self) -> Path:
        return self.folder / "researcher"

    @property
    def researchers(self) -> tuple[Path, ...]:
        """The homes of all who ask."""
        return (self.researcher, *(self.folder / name for name in self.colleagues))

    def node(self, region: str) -> Path:
        """The home of a region's node."""
        return self.folder / f"node-{region}"

    def witness(self, name: str = WITNESS) -> Path:
        """The home of an independent witness."""
        return self.folder / name

    def place(self, home: Path) -> Place:
        """Of the server with this home: the coordinator, or an independent witness."""
        here = f"localhost:{self.witness_ports.get(home.name, self.port)}"
        return Place(listen=here, dialled=here, hosts=("localhost",))

    def set_up(self, step: Callable[[str], None]) -> None:
        """Founds the consortium, enrols everyone, adopts documents, imports data. `step` is told what is done."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        for name in self.witnesses:
            self.witness_ports.setdefault(name, free_port())
        step("consortium: keys, calendar and codebook")
        consortium = compose.consortium.cli.app
        run(consortium, "consortium", "init", "--home", self.consortium, "--name", "Demo consortium")
        self._signed("calendar", self.documents.calendar)
        self._signed("codebook", self.documents.codebook)
        self._apply()
        run(consortium, "consortium", "roster", "--out", self.file("roster"), "--home", self.consortium)
        self._enrol(step)

    def file(self, kind: str) -> Path:
        """Where the consortium left a signed document for everyone."""
        return self.folder / f"{kind}.signed.json"

    def _signed(self, kind: str, source: Path) -> None:
        app = compose.consortium.cli.app
        run(app, "consortium", kind, source, "--out", self.file(kind), "--home", self.consortium)

    def _apply(self) -> None:
        """Everyone makes keys and a request, and the consortium signs it."""
        key = self.consortium / "consortium.pub"
        served = self.place(self.coordinator)
        common = ("--consortium-key", key)
        desk = coordinator.cli.app
        store = ("--database", self.database) if self.database else ()
        run(desk, "coordinator", "init", "--role", "coordinator", "--name", "Demo coordinator",
            "--listen", served.listen, *store, "--home", self.coordinator, *common)  # fmt: skip
        for home in self.researchers:
            run(desk, "coordinator", "init", "--role", "researcher", "--name", f"Demo {home.name}",
                "--coordinator", f"localhost:{self.port}", "--home", home, *common)  # fmt: skip
        dialled: list[str] = []
        for name in self.witnesses:
            place = self.place(self.witness(name))
            dialled += ["--witness", place.dialled]
            run(audit.cli.app, "audit", "init", "--name", f"Demo {name}", "--listen", place.listen,
                "--home", self.witness(name), *common)  # fmt: skip
        for region in self.regions:
            run(node.cli.app, "node", "init", "--region", region, "--coordinator", served.dialled, *dialled,
                "--home", self.node(region), *common)  # fmt: skip
        for home in self._homes():
            hosts = self.place(home).hosts if home in self._servers() else ()
            self.sign(home, *(word for host in hosts for word in ("--host", host)))

    def sign(self, home: Path, *options: str) -> Path:
        """The consortium issues a certificate for the request in a home; returns the certificate's file."""
        certificate = self.folder / f"{home.name}.pem"
        run(compose.consortium.cli.app, "consortium", "sign", home / "request.json", "--out", certificate,
            "--home", self.consortium, *options)  # fmt: skip
        return certificate

    def _homes(self) -> list[Path]:
        return [*self._servers(), *self.researchers, *(self.node(region) for region in self.regions)]

    def _servers(self) -> list[Path]:
        return [self.coordinator, *(self.witness(name) for name in self.witnesses)]

    def _enrol(self, step: Callable[[str], None]) -> None:
        papers: list[str | Path] = ["--ca", self.consortium / "certs" / "ca.pem", "--roster", self.file("roster")]
        for home in (self.witness(name) for name in self.witnesses):
            run(audit.cli.app, "audit", "enrol", self.folder / f"{home.name}.pem", "--home", home, *papers)
        for kind in ("calendar", "codebook"):
            papers += [f"--{kind}", self.file(kind)]
        for home in (self.coordinator, *self.researchers):
            run(coordinator.cli.app, "coordinator", "enrol", self.folder / f"{home.name}.pem", "--home", home, *papers)
        for region in self.regions:
            step(f"region {region}: enrol, adopt the policy, import")
            home = self.node(region)
            run(node.cli.app, "node", "enrol", self.folder / f"{home.name}.pem", "--home", home, *papers)
            run(node.cli.app, "node", "policy", "adopt", self.documents.policy, "--home", home)
            run(node.cli.app, "node", "import", self.data[region], "--cohort", self.cohort, "--home", home)

    def start(self, step: Callable[[str], None], timeout_s: float = _START_S) -> None:
        """Starts coordinator, witnesses and nodes, and waits until all nodes attend. Raises NotStarted."""
        step("starting the coordinator, the witness and the nodes")
        self.start_one("coordinator", "coordinator", self.coordinator)
        self.start_witnesses()
        for region in self.regions:
            self.start_node(region)
        self.wait_for(self.regions, timeout_s, step)

    def start_witnesses(self) -> None:
        """Every independent witness. They are not waited for: nodes seek them until they are there."""
        for name in self.witnesses:
            self.start_one(name, "audit", self.witness(name), "witness")

    def start_node(self, region: str) -> None:
        self.start_one(region, "node", self.node(region))

    def start_one(self, name: str, room: str, home: Path, verb: str = "serve") -> None:
        """One `rondgang ROOM VERB` process; its output goes to `serve.out` in its home."""
        with (home / "serve.out").open("ab") as out:
            command = [sys.executable, "-m", "rondgang", room, verb, "--home", str(home)]
            self.processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )

    def wait_for(self, regions: Sequence[str], timeout_s: float, step: Callable[[str], None]) -> None:
        """Waits until these regions attend and the witnesses that were started listen.

        Raises NotStarted with the name of a process that ended or is missing.
        """
        wanted, last = set(regions), time.monotonic() + timeout_s
        shown = -1
        while time.monotonic() < last:
            self.check_alive()
            attending = self._attending() & wanted
            if len(attending) != shown:
                shown = len(attending)
                step(f"{shown} of {len(wanted)} nodes attend")
            if attending == wanted and not self._silent():
                return
            time.sleep(0.1)
        missing = [*sorted(wanted - self._attending()), *self._silent()]
        raise NotStarted(f"these did not come up in {timeout_s:.0f} s: {', '.join(missing)}")

    def check_alive(self) -> None:
        """Raises NotStarted with the name of a process that ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise NotStarted(f"{name} ended with exit code {process.returncode}; its log is serve.out in its home")

    def _attending(self) -> set[str]:
        if not _listening(self.port):
            return set()
        with Desk.open(self.researcher) as desk:
            try:
                return {state.region for state in desk.regions() if state.attending}
            except Unreachable:
                # An engine that passes the port on listens before the desk does.
                return set()

    def _silent(self) -> list[str]:
        """The witnesses that were started and do not listen yet."""
        started = ((name, port) for name, port in self.witness_ports.items() if name in self.processes)
        return [name for name, port in started if not _listening(port)]

    def export(self, out: Path) -> None:
        """Leaves in `out` what each region, the coordinator and the witnesses would hand an auditor."""
        out.mkdir(parents=True, exist_ok=True)
        for region in self.regions:
            run(node.cli.app, "node", "export-ledger", "--out", out / f"{region}.bundle", "--home", self.node(region))
        run(coordinator.cli.app, "coordinator", "export-evidence", "--out", out / "coordinator.bundle",
            "--home", self.coordinator)  # fmt: skip
        for name in self.witnesses:
            run(audit.cli.app, "audit", "export", "--out", out / f"{name}.bundle", "--home", self.witness(name))

    def kill(self, name: str) -> None:
        """kill -9: no goodbye."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ends every process this federation started; those that do not listen are killed."""
        for process in self.processes.values():
            process.terminate()
        last = time.monotonic() + _STOP_S
        for process in self.processes.values():
            try:
                process.wait(max(0.1, last - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(federation: Federation, step: Callable[[str], None]) -> Iterator[Federation]:
    """The federation while it runs. Its processes are ended on leaving, also by Ctrl-C, SIGTERM or SIGHUP."""

    def stop(signum: int, frame: object) -> None:
        del signum, frame
        raise KeyboardInterrupt

    told = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if sys.platform != "win32" else (signal.SIGINT,)
    earlier = {number: signal.signal(number, stop) for number in told}
    try:
        federation.start(step)
        yield federation
    finally:
        # Who presses Ctrl-C twice must not leave half of the processes behind.
        for number in told:
            signal.signal(number, signal.SIG_IGN)
        federation.stop()
        for number, handler in earlier.items():
            signal.signal(number, handler)
