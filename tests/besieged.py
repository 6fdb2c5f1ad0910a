"""Services under attack: desk and witness as processes of their own, a caller who means well, and what it costs."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from rondgang.roles import Role
from rondgang.v1 import attend_pb2, desk_pb2, witness_pb2

from coordinator.transport import Tls, channel
from tests.applicants import Applicant
from tests.desk import PATIENCE_S, Consortium, Country, until
from tests.witness_world import Watched

LONGEST_WAIT_S = 5.0
"""What a caller who means well may have to wait while somebody else floods, on a busy machine."""
MOST_MORE_MB = 200
"""What an attack may add to a service's memory, whatever is sent."""
ATTEND, PRICE, REGIONS, WATCH = (
    "/rondgang.v1.AttendService/Attend",
    "/rondgang.v1.DeskService/Price",
    "/rondgang.v1.DeskService/Regions",
    "/rondgang.v1.DeskService/Watch",
)
EXCHANGE = "/rondgang.v1.WitnessService/Exchange"
OURS = {
    "desk": (REGIONS, desk_pb2.RegionsRequest().SerializeToString()),
    "witness": (EXCHANGE, witness_pb2.ExchangeRequest().SerializeToString()),
}
"""What a caller who means well asks each service."""


@dataclass
class Besieged:
    """One running service: its process and port, who may call it, and how others are enrolled."""

    kind: str
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    consortium: Consortium
    friend: Tls
    adopt: Callable[[], None]

    @property
    def root(self) -> bytes:
        return self.consortium.root

    @property
    def method(self) -> str:
        return OURS[self.kind][0]

    def join(self, role: Role, region: str | None = None, name: str = "") -> Tls:
        """A new member, on the roster that is in force from now on."""
        applicant = Applicant.new(role, region, name)
        tls = applicant.tls_key, self.consortium.enrol(applicant.request), self.consortium.root
        self.adopt()
        return tls

    def say(self, tls: Tls, method: str, data: bytes = b"", timeout_s: float = PATIENCE_S) -> bytes:
        """One call. Raises `grpc.RpcError`."""
        with channel(f"127.0.0.1:{self.port}", tls) as line:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = line.unary_unary(method)
            return call(data, timeout=timeout_s)

    def refusal(self, tls: Tls, method: str, data: bytes = b"") -> grpc.StatusCode:
        """The status that a call gets; OK where it goes through."""
        try:
            self.say(tls, method, data)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
        return grpc.StatusCode.OK

    def serves(self) -> bool:
        return self.refusal(self.friend, *OURS[self.kind]) is grpc.StatusCode.OK

    def memory_mb(self) -> int:
        """What it holds now."""
        return self._memory_mb("VmRSS")

    def forget_peak(self) -> None:
        """From now on `peak_mb` counts anew (proc(5), clear_refs)."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")

    def peak_mb(self) -> int:
        """The most that it held since."""
        return self._memory_mb("VmHWM")

    def _memory_mb(self, what: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith(f"{what}:"))
        return int(kilobytes) // 1024

    def files(self) -> int:
        """How many files and sockets the service has open."""
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())


@dataclass
class Friend:
    """A caller who means well, calling all the time: how often it was served, and the longest that it had to wait."""

    served: int = 0
    longest_s: float = 0.0
    faults: list[grpc.StatusCode] = field(default_factory=list)


@contextmanager
def meanwhile(besieged: Besieged) -> Iterator[Friend]:
    """Calls the service from another thread until the block is left; afterwards it has been served, and in time.

    Asserts that the service lives, that no call failed, how long the longest took, and what the attack added in memory.
    """
    before, friend, stop = besieged.memory_mb(), Friend(), threading.Event()
    besieged.forget_peak()

    def call() -> None:
        with channel(f"127.0.0.1:{besieged.port}", besieged.friend) as line:
            method, data = OURS[besieged.kind]
            ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = line.unary_unary(method)
            while not (stop.is_set() and friend.served):
                started = time.monotonic()
                try:
                    ask(data, timeout=PATIENCE_S)
                    friend.served += 1
                except grpc.RpcError as error:
                    friend.faults.append(error.code())
                    return
                friend.longest_s = max(friend.longest_s, time.monotonic() - started)
                stop.wait(0.02)

    thread = threading.Thread(target=call, name="friend")
    thread.start()
    try:
        yield friend
    finally:
        stop.set()
        thread.join(2 * PATIENCE_S)
    assert besieged.process.poll() is None, besieged.log.read_text(errors="replace")[-3000:]
    assert friend.faults == []
    assert friend.served
    assert friend.longest_s < LONGEST_WAIT_S
    assert besieged.peak_mb() - before < MOST_MORE_MB


@contextmanager
def _process(kind: str, folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    log, port = folder / "serve.out", folder / "port"
    command = [sys.executable, "-m", "rondgang", *words, "--home", str(folder)]
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        until(lambda: port.exists() or process.poll() is not None)
        assert process.poll() is None, (kind, log.read_text(errors="replace"))
        yield process, int(port.read_text()), log
    finally:
        process.kill()
        process.wait(PATIENCE_S)


@contextmanager
def besieged_desk(country: Country) -> Iterator[Besieged]:
    """The real desk in a process of its own; its friend is the researcher."""
    with _process("desk", country.desk.folder, "coordinator", "serve") as (process, port, log):
        country.point_researcher(port)

        def adopt() -> None:
            country.adopt(country.consortium.roster())

        yield Besieged("desk", process, port, log, country.consortium, country.researcher.tls(), adopt)


@contextmanager
def besieged_witness(watched: Watched) -> Iterator[Besieged]:
    """The real independent witness in a process of its own; its friend is region AA."""
    with _process("witness", watched.home.folder, "audit", "witness") as (process, port, log):
        friend = watched.regions["AA"][1]
        yield Besieged("witness", process, port, log, watched.consortium, friend, watched.adopt)


def hello(region: str) -> bytes:
    """What a node says first."""
    greeting = attend_pb2.Hello(versions=(1,), software="hostile", region=region, keeps_results=True)
    return attend_pb2.AttendRequest(hello=greeting).SerializeToString()
