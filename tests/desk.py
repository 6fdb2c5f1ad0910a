"""A desk with its researcher and regions for tests: real keys, certificates, mutual TLS and gRPC; made-up answers."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import grpc
import yaml
from rondgang.keys import PublicKey, SigningKey
from rondgang.roles import Role
from rondgang.signed import Signed, sign
from rondgang.tls import requested
from rondgang.v1 import attend_pb2
from rondgang.versions import SPOKEN
from sqlalchemy import create_engine, text

from compose.consortium.authority import Authority, found, issue, pem
from coordinator.client import Desk
from coordinator.home import CoordinatorConfig, Home, ResearcherConfig
from coordinator.service import running
from coordinator.store.store import open_store
from coordinator.study import adopt_file
from coordinator.transport import Tls, channel
from policies.documents import from_canonical, to_canonical
from policies.rules.refusals import Reason, Refused
from policies.statistics.answer import Answer, block_values
from policies.statistics.programme import Draft, Programme
from policies.study.adoption import NotAdopted
from policies.study.calendar import Calendar, Cohort
from policies.study.enrolment import EnrolmentRequest
from policies.study.roster import Member, Roster
from policies.units.money import NanoRho
from policies.wire.refusals import refusal_to_wire
from tests import small_study
from tests.applicants import Applicant

DAY_S = 86_400
REGIONS = ("AA", "BB", "CC")
PATIENCE_S = 20.0
"""How long a test waits for what should happen at once."""


def now() -> int:
    return int(time.time())


def open_calendar() -> Calendar:
    """The small calendar with its first cohort's release window open today."""
    small = small_study.calendar()
    cohort = small.cohorts["c1"]
    windows = {**cohort.windows, "release": (now() - DAY_S, now() + 90 * DAY_S)}
    cohorts = {**small.cohorts, "c1": Cohort.model_validate({**cohort.model_dump(), "windows": windows})}
    return small.model_copy(update={"cohorts": cohorts})


def draft(rho: str = "0.2", deadline: int | None = None, **heading: object) -> Draft:
    """The small programme at another price, with a deadline in a month unless said."""
    small = small_study.draft()
    changed = small.programme.model_copy(update={"deadline": deadline or DEADLINE, **heading})
    return Draft.model_validate({**small.model_dump(), "programme": changed.model_dump(), "price": {"rho": rho}})


DEADLINE = now() + 30 * DAY_S
"""One moment for all tests: the same draft is the same programme, however long a test takes."""


@dataclass
class Consortium:
    """Who takes part. `roster()` signs a new roster of everyone enrolled so far."""

    authority: Authority
    members: list[Member] = field(default_factory=list)
    serial: int = 0

    @property
    def root(self) -> bytes:
        return pem(self.authority.root)

    @property
    def public(self) -> PublicKey:
        return self.authority.signing.public

    def enrol(self, request: EnrolmentRequest, days: int = 30, hosts: tuple[str, ...] = ()) -> bytes:
        """The certificate for a request; its holder is on the next roster."""
        csr = request.csr.encode("utf-8")
        certificate, first, last = issue(self.authority, csr, request.party, request.name, hosts, now(), days)
        self.members.append(
            Member(
                role=request.role,
                region=request.region,
                name=request.name,
                tls=requested(csr).tls,
                keys=request.keys,
                valid_from=first,
                valid_to=last,
            )
        )
        return pem(certificate)

    def revoke(self, name: str) -> None:
        self.members = [one.model_copy(update={"revoked": True}) if one.name == name else one for one in self.members]

    def roster(self) -> bytes:
        self.serial += 1
        roster = Roster(serial=self.serial, issued=now(), members=tuple(self.members))
        return sign("roster", to_canonical(roster), self.authority.signing).to_bytes()

    def signed(self, kind: str, document: bytes) -> bytes:
        return sign(kind, document, self.authority.signing).to_bytes()


@dataclass
class Country:
    """A consortium, the desk's folder, a researcher's folder, and nodes that could attend."""

    folder: Path
    consortium: Consortium
    desk: Home
    researcher: Home
    regions: Mapping[str, tuple[Applicant, Tls]]
    calendar: Calendar

    @classmethod
    def found(cls, folder: Path) -> Country:
        consortium = Consortium(found(bytes(range(32)), "Tests", now() - DAY_S))
        calendar = open_calendar()
        desk = Home.create(
            folder / "desk",
            CoordinatorConfig(role="coordinator", name="Desk", listen="127.0.0.1:0"),
            consortium.public,
            b"\x01" * 32,
        )
        researcher = Home.create(
            folder / "researcher",
            ResearcherConfig(role="researcher", name="Researcher", coordinator="127.0.0.1:1"),
            consortium.public,
            b"\x02" * 32,
        )
        regions = {code: cls._region(consortium, code) for code in REGIONS}
        made = cls(folder, consortium, desk, researcher, regions, calendar)
        for home in (desk, researcher):
            own = consortium.enrol(EnrolmentRequest.read(home.request.read_bytes()))
            home.keep_certificates(own, consortium.root)
        made.adopt(
            consortium.roster(),
            consortium.signed("calendar", to_canonical(calendar)),
            consortium.signed("codebook", to_canonical(small_study.codebook())),
        )
        return made

    @staticmethod
    def _region(consortium: Consortium, code: str) -> tuple[Applicant, Tls]:
        applicant = Applicant.new(Role.REGION, code)
        return applicant, (applicant.tls_key, consortium.enrol(applicant.request), consortium.root)

    def join(self, applicant: Applicant) -> Tls:
        """Enrols another party; it is on the roster that the desk adopts next."""
        return applicant.tls_key, self.consortium.enrol(applicant.request), self.consortium.root

    def adopt(self, *documents: bytes) -> None:
        for document in documents:
            kept = adopt_file(self.desk, document)
            assert not isinstance(kept, NotAdopted), kept

    def address(self, port: int) -> str:
        return f"127.0.0.1:{port}"

    def point_researcher(self, port: int) -> None:
        path = self.researcher.folder / "config.yaml"
        config = {**yaml.safe_load(path.read_text()), "coordinator": self.address(port)}
        path.write_text(yaml.safe_dump(config))

    def open(self) -> Desk:
        return Desk.open(self.researcher.folder)


class DeskThread:
    """The real desk on an event loop of its own. Leaving the block stops it."""

    def __init__(self, country: Country, clock: Callable[[], int] = now) -> None:
        self._country = country
        self._clock = clock
        self._ready: queue.Queue[int | BaseException] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="desk")
        self.port = 0

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        # Handed to the thread that waits for the port.
        except BaseException as error:
            self._ready.put(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        config = self._country.desk.config(CoordinatorConfig)
        url = config.database or f"sqlite:///{self._country.desk.folder / 'rondgang.sqlite'}"
        with open_store(url) as store:
            async with running(self._country.desk, config, store, self._clock) as port:
                self._ready.put(port)
                await self._stop.wait()

    def __enter__(self) -> DeskThread:
        self._thread.start()
        ready = self._ready.get(timeout=PATIENCE_S)
        if isinstance(ready, BaseException):
            raise ready
        self.port = ready
        self._country.point_researcher(self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


def answer_bytes(
    region: str, programme: Signed, key: SigningKey, *, value: int = 40, snapshot: str = "ab" * 16
) -> bytes:
    """A signed answer with the same made-up number in every coordinate."""
    asked = from_canonical(Programme, programme.document)
    blocks = tuple(block_values(block.id, [value] * block.cells) for block in asked.blocks)
    answer = Answer(
        region=region, programme=programme.digest, cohort=asked.programme.cohort, snapshot=snapshot, blocks=blocks
    )
    return sign("answer", to_canonical(answer), key).to_bytes()


Respond = Callable[["FakeNode", attend_pb2.Order], bytes | Refused | None]


def answers(node: FakeNode, order: attend_pb2.Order) -> bytes:
    """Answers as a real node would in form."""
    return answer_bytes(node.region, Signed.from_bytes(order.signed_programme), node.checkpoint)


@dataclass
class FakeNode:
    """A node that attends over real mutual TLS, and replies what `respond` says; None keeps silent."""

    region: str
    checkpoint: SigningKey
    tls: Tls
    port: int
    respond: Respond = answers
    refuse: Refused | None = None
    versions: tuple[int, ...] = SPOKEN
    keeps_results: bool = False
    heard: queue.Queue[attend_pb2.AttendResponse] = field(default_factory=queue.Queue)
    orders: list[attend_pb2.Order] = field(default_factory=list)
    fault: grpc.RpcError | None = None

    @classmethod
    def of(cls, country: Country, region: str, port: int) -> Self:
        applicant, tls = country.regions[region]
        return cls(region, applicant.keys["checkpoint"], tls, port)

    def __enter__(self) -> Self:
        self._say: queue.Queue[attend_pb2.AttendRequest | None] = queue.Queue()
        self._channel = channel(f"127.0.0.1:{self.port}", self.tls)
        self._call = self._channel.stream_stream(
            "/rondgang.v1.AttendService/Attend",
            request_serializer=attend_pb2.AttendRequest.SerializeToString,
            response_deserializer=attend_pb2.AttendResponse.FromString,
        )(iter(self._say.get, None))
        hello = attend_pb2.Hello(versions=self.versions, software="fake node", region=self.region)
        hello.keeps_results = self.keeps_results
        self.say(attend_pb2.AttendRequest(hello=hello))
        self._thread = threading.Thread(target=self._listen, name=f"node {self.region}")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._call.cancel()
        self._say.put(None)
        self._thread.join(PATIENCE_S)
        self._channel.close()

    def say(self, request: attend_pb2.AttendRequest) -> None:
        self._say.put(request)

    def hear(self) -> attend_pb2.AttendResponse:
        """The next thing the desk said, apart from what was replied to already."""
        return self.heard.get(timeout=PATIENCE_S)

    def welcomed(self) -> Self:
        assert self.hear().WhichOneof("message") == "welcome"
        return self

    def reply(self, run: str, outcome: bytes | Refused) -> None:
        reply = attend_pb2.Reply(run=run)
        if isinstance(outcome, bytes):
            reply.signed_answer = outcome
        else:
            reply.refusal.CopyFrom(refusal_to_wire(outcome))
        self.say(attend_pb2.AttendRequest(reply=reply))

    def _listen(self) -> None:
        try:
            for response in self._call:
                match response.WhichOneof("message"):
                    case "order":
                        self._order(response.order)
                    case "quote_request":
                        self._quote(response.quote_request)
                    case _:
                        self.heard.put(response)
        except grpc.RpcError as error:
            self.fault = error
        self.heard.put(attend_pb2.AttendResponse())

    def _order(self, order: attend_pb2.Order) -> None:
        self.orders.append(order)
        outcome = self.refuse or self.respond(self, order)
        if outcome is not None:
            self.reply(order.run, outcome)

    def _quote(self, request: attend_pb2.QuoteRequest) -> None:
        programme = from_canonical(Programme, Signed.from_bytes(request.signed_programme).document)
        quote = attend_pb2.Quote(
            quote=request.quote,
            charge=str(programme.charge.amount.nano),
            left_cohort=str(NanoRho(500_000_000).nano),
            left_lifetime="800000000",
        )
        if self.refuse is not None:
            quote.refusal.CopyFrom(refusal_to_wire(self.refuse))
        self.say(attend_pb2.AttendRequest(quote=quote))


def all_nodes(stack: ExitStack, country: Country, port: int) -> dict[str, FakeNode]:
    """Every region on the line, welcomed."""
    return {region: stack.enter_context(FakeNode.of(country, region, port)).welcomed() for region in REGIONS}


OVER = Refused(Reason.OVER_COHORT_CAP, "It costs 0.2 rho; 0.1 is left for cohort c1.")


def empty(postgres_url: str) -> None:
    """Takes everything out of a PostgreSQL database."""
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    engine.dispose()


def until(condition: Callable[[], bool]) -> None:
    """Waits until a condition holds; fails after a while."""
    last = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < last, "waited in vain"
        time.sleep(0.02)
