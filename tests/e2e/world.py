"""A small federation of real processes, and a desk that says what a test wants: what end-to-end tests share."""

from __future__ import annotations

import errno
import os
import queue
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import yaml
from rondgang.signed import Signed, sign
from rondgang.v1 import attend_pb2
from rondgang.versions import SPOKEN

from compose.demo.federation import Documents, Federation
from coordinator.client import Desk
from coordinator.desk.views import Progress
from coordinator.home import Home as Profile
from coordinator.transport import SERVER_OPTIONS, server_credentials
from node.home import Home
from node.operations import status
from node.status import Status
from policies.documents import from_canonical, to_canonical
from policies.rules.entries import Entry
from policies.rules.order import Order
from policies.rules.refusals import Reason, Refused
from policies.statistics.programme import Draft
from policies.wire.refusals import refusal_from_wire
from tests import small_study
from tests.witness_desk import witnessing

PATIENCE_S = 30.0
"""How long a test waits for what should happen at once; machines may be busy."""
DEADLINE = "2090-06-30"
CALENDAR = small_study.CALENDAR.replace("release: [2026-01-01, 2026-12-31]", "release: [2020-01-01, 2098-12-31]")
"""The small calendar with its first cohort's release window open for as long as anyone runs these tests."""
POLICY = """
policy: {version: 1}
cohorts: {c1: {rho: "5"}}
lifetime: {rho: "6"}
programme: {rho: "0.3"}
forbidden_crossings: [[profile, incidents]]
"""
_MEMBERS = """
      AA: {household: 60, adult: 70, child: 80}
      BB: {household: 40, adult: 50, child: 60}
      CC: {household: 50, adult: 60, child: 70}"""
STRICT_CALENDAR = f"""{CALENDAR}
  c0:
    group: A
    labels: {{nl: gesloten, en: closed}}
    windows: {{release: [2001-01-01, 2001-12-31]}}
    expected: {_MEMBERS}
  c5:
    group: A
    labels: {{nl: leeg, en: empty}}
    windows: {{release: [2020-01-01, 2098-12-31]}}
    expected: {_MEMBERS}
"""
"""Two more cohorts of the regions' group: one whose release window is long over, and one without data."""
STRICT_POLICY = """
policy: {version: 1}
cohorts: {c0: {rho: "1"}, c1: {rho: "0.25"}, c5: {rho: "1"}}
lifetime: {rho: "0.4"}
programme: {rho: "0.3"}
statistics: [count, proportion, mean]
variables: {deny: [grade]}
forbidden_crossings: [[profile, incidents]]
"""
ONE: Mapping[str, object] = {"id": "helped", "kind": "proportion", "of": "help == yes", "unit": "household"}
QUICK = {"first_wait_ms": 50, "longest_wait_ms": 200, "rejected_wait_ms": 500}
"""How nodes seek a lost desk here: tests kill it."""


def quiet(_line: str) -> None:
    """Nobody reads the progress of a test's federation."""


def documents(
    folder: Path, codebook: str = small_study.CODEBOOK, calendar: str = CALENDAR, policy: str = POLICY
) -> Documents:
    """These texts as files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Documents(folder / "calendar.yaml", folder / "codebook.yaml", folder / "policy.yaml")
    for path, text in ((made.calendar, calendar), (made.codebook, codebook), (made.policy, policy)):
        path.write_text(text, encoding="utf-8")
    return made


def delivery(folder: Path, households: int, seed: int = 0) -> Path:
    """A region's household file for the small codebook: two waves, every value known."""
    folder.mkdir(parents=True)
    lines = ["hh;wave;incidents;profile;help"]
    for i in range(households):
        number = i * 7 + seed
        for wave, later in (("T0", 0), ("T1", 3)):
            profile, helped = ("1", "12a", "c")[number % 3], ("no", "yes")[(number + later) % 5 < 3]
            lines.append(f"h{i};{wave};{(number + later) % 5};{profile};{helped}")
    (folder / "household.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def small_federation(folder: Path, regions: Sequence[str] = ("AA", "BB")) -> Federation:
    """Set up, not started: a consortium, a desk, a researcher, and these regions with 40 or 41 households each."""
    data = {region: delivery(folder / "data" / region, 40 + i, i) for i, region in enumerate(regions)}
    made = Federation(folder / "federation", data, documents(folder / "documents"), cohort="c1")
    made.set_up(quiet)
    impatient(made)
    return made


def strict_federation(folder: Path) -> Federation:
    """Set up, not started: region AA with a policy that allows little, at a calendar with a closed window."""
    papers = documents(folder / "documents", calendar=STRICT_CALENDAR, policy=STRICT_POLICY)
    made = Federation(folder / "federation", {"AA": delivery(folder / "data" / "AA", 30)}, papers, cohort="c1")
    made.set_up(quiet)
    impatient(made)
    return made


def impatient(federation: Federation) -> None:
    """Every node seeks a lost desk again at once."""
    for region in federation.regions:
        path = federation.node(region) / "config.yaml"
        config = yaml.safe_load(path.read_text(encoding="utf-8")) | {"reconnect": QUICK}
        path.write_text(yaml.safe_dump(config), encoding="utf-8")


def draft(
    name: str,
    *statistics: Mapping[str, object],
    rho: str = "0.2",
    weights: Mapping[str, str] | None = None,
    **heading: object,
) -> Draft:
    """A programme by this name: the share of households that were helped, or these statistics."""
    titles = {"title": {"nl": name, "en": name}, "purpose": "a test", "requester": "Tests"}
    named = {"id": name, **titles, "cohort": "c1", "codebook": "small@1", "deadline": DEADLINE, **heading}
    asked = [{"wave": "T1", **one} for one in (statistics or (ONE,))]
    return Draft.model_validate(
        {
            "programme": named,
            "price": {"rho": rho},
            "weights": weights or {"AA": "1", "BB": "1"},
            "statistics": asked,
        }
    )


def until(condition: Callable[[], bool], what: str = "", patience_s: float = PATIENCE_S) -> None:
    """Waits until a condition holds; fails after a while."""
    last = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < last, f"waited in vain {what}"
        time.sleep(0.02)


def finished(desk: Desk, run: str) -> Progress:
    """The last progress of a run that everybody replies to."""
    *_, last = desk.watch(run, PATIENCE_S)
    return last


def rondgang(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`rondgang WORDS...` as a process of its own."""
    command = [sys.executable, "-m", "rondgang", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False, env=os.environ | environment
    )


def status_of(federation: Federation, region: str) -> Status:
    """What `rondgang node status --json` shows, by the same way, without a process for it."""
    return status(Home(federation.node(region)))


def entries(federation: Federation, region: str) -> tuple[Entry, ...]:
    """Every entry of a region's ledger, read beside the node that writes it."""
    return tuple(from_canonical(Entry, bytes(body)) for (body,) in _ledger(federation, region, "body", "entries"))


def stored_answers(federation: Federation, region: str) -> list[bytes]:
    """The signed answers that a node keeps, oldest first."""
    return [bytes(reply) for (reply,) in _ledger(federation, region, "bytes", "answers")]


def _ledger(federation: Federation, region: str, column: str, table: str) -> list[Any]:
    path = federation.node(region) / "ledger.sqlite"
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as ledger:
        return ledger.execute(f"SELECT {column} FROM {table} ORDER BY rowid").fetchall()


def trap(folder: Path) -> None:
    """Puts a pipe that nobody writes to in the place of every file: whoever opens one for reading is caught."""
    for file in folder.iterdir():
        file.unlink()
        os.mkfifo(file)


def caught(folder: Path) -> bool:
    """Whether somebody is opening, or holds open, one of the pipes; lets go of whoever waits."""
    for pipe in folder.iterdir():
        try:
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            continue
        return True
    return False


@dataclass(frozen=True, slots=True)
class Heard:
    """A node's reply as it came, and when (nanoseconds of one clock)."""

    reply: attend_pb2.Reply
    at_ns: int

    @property
    def outcome(self) -> bytes | Refused:
        if self.reply.WhichOneof("outcome") == "refusal":
            return refusal_from_wire(self.reply.refusal)
        return self.reply.signed_answer


@dataclass
class OtherDesk:
    """A desk with the coordinator's own certificate that orders anything, for one node. Keeps every byte it hears.

    As a witness it is the real one.
    """

    profile: Profile
    raw: list[bytes] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self._out: queue.Queue[attend_pb2.AttendResponse | None] = queue.Queue()
        self._arrived: dict[str, Heard] = {}
        self._replied = threading.Condition()
        self.attending = threading.Event()

    def attend(self, requests: Iterable[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """One node's stream: greets, then sends what tests put in and keeps what comes."""
        context.add_callback(lambda: self._out.put(None))
        reader = threading.Thread(target=self._read, args=(iter(requests),), daemon=True)
        reader.start()
        welcome = attend_pb2.Welcome(version=max(SPOKEN), software="a test")
        yield attend_pb2.AttendResponse(welcome=welcome).SerializeToString()
        self.attending.set()
        while (item := self._out.get()) is not None:
            yield item.SerializeToString()

    def _read(self, requests: Iterator[bytes]) -> None:
        # The stream ends with an error when the node goes; there is nothing more to hear then.
        try:
            for data in requests:
                now = time.perf_counter_ns()
                self.raw.append(data)
                request = attend_pb2.AttendRequest.FromString(data)
                if request.WhichOneof("message") == "reply":
                    with self._replied:
                        self._arrived[request.reply.run] = Heard(request.reply, now)
                        self._replied.notify_all()
        except grpc.RpcError:
            return

    def order(self, programme: Signed, **fields: Any) -> attend_pb2.Order:
        """A duly signed order for a programme; `keys` sign instead of the desk's, `deadline` is in unix seconds."""
        self.number += 1
        run = f"run-{self.number:016x}"
        issued = int(time.time())
        order = Order(
            run=run, programme=programme.digest, issued=issued, deadline=fields.get("deadline", issued + 3600)
        )
        signed = sign("order", to_canonical(order), *fields.get("keys", (self.profile.signing_key(),)))
        return attend_pb2.Order(run=run, signed_order=signed.to_bytes(), signed_programme=programme.to_bytes())

    def send(self, order: attend_pb2.Order) -> int:
        """Sends an order; the moment in nanoseconds."""
        sent = time.perf_counter_ns()
        self._out.put(attend_pb2.AttendResponse(order=order))
        return sent

    def reply(self, run: str) -> Heard:
        """The reply to a run, once it is there."""
        with self._replied:
            assert self._replied.wait_for(lambda: run in self._arrived, PATIENCE_S), f"no reply to {run}"
            return self._arrived.pop(run)

    def ask(self, programme: Signed, **fields: Any) -> bytes | Refused:
        """Orders a programme and waits for the reply."""
        order = self.order(programme, **fields)
        self.send(order)
        return self.reply(order.run).outcome

    @contextmanager
    def serving(self, port: int) -> Iterator[OtherDesk]:
        """Listens on the port that the nodes dial."""
        with ThreadPoolExecutor(4) as pool, witnessing(self.profile) as witness:
            server = grpc.server(pool, options=SERVER_OPTIONS)
            handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self.attend)
            service = grpc.method_handlers_generic_handler("rondgang.v1.AttendService", {"Attend": handler})
            server.add_generic_rpc_handlers((service, witness))
            server.add_secure_port(f"localhost:{port}", server_credentials(self.profile.tls()))
            server.start()
            try:
                yield self
            finally:
                self._out.put(None)
                server.stop(1).wait()


@contextmanager
def node_at(federation: Federation, region: str) -> Iterator[OtherDesk]:
    """One real node process that attends to a desk in the test's hands, beside the independent witness."""
    federation.start_witnesses()
    federation.start_node(region)
    try:
        with OtherDesk(Profile(federation.coordinator)).serving(federation.port) as desk:
            assert desk.attending.wait(2 * PATIENCE_S), "the node did not come"
            yield desk
    finally:
        federation.stop()


def reason(outcome: bytes | Refused) -> Reason:
    assert isinstance(outcome, Refused), "expected a refusal, got an answer"
    return outcome.reason
