"""A country whose clock the test sets: the real desk over mutual TLS, and real nodes with real rows, noise and ledgers.

Years pass between two lines of a test. Certificates are those of today; the roster says who is in date, and it says for
ever. The rotation is that of tests/rotating_study.py.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rondgang.roles import Role
from rondgang.signed import Signed, sign
from rondgang.v1 import attend_pb2

from compose.consortium.authority import found
from coordinator.client import Desk, Planned
from coordinator.desk.views import Progress
from coordinator.gather import Asked, State
from coordinator.home import CoordinatorConfig, ResearcherConfig
from coordinator.home import Home as Profile
from node.answering import Answering
from node.authenticate import read_order
from node.home import Config, CoordinatorAddress, Home, create_home
from node.importing.request import Manner, Wishes, prepare
from node.importing.run import import_files
from node.journal import silent
from node.region import InForce, Region
from node.rows import SnapshotRows
from node.terms import terms_of
from node.witnessing.witnesses import Witnesses
from policies.documents import from_canonical, to_canonical
from policies.rules.entries import Entry, Imported
from policies.rules.order import Order
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import RegionPolicy
from policies.statistics.plan import plan
from policies.statistics.programme import Draft, Programme
from policies.study.calendar import Calendar
from policies.study.enrolment import EnrolmentRequest
from policies.study.mapping import STABLE
from policies.study.roster import Member, Roster
from tests import rotating_study, small_study
from tests.applicants import Applicant, signing_key
from tests.desk import PATIENCE_S, Consortium, Country, DeskThread, FakeNode, now, until
from tests.node_world import FOREVER, Clock, NoPace
from tests.witnesses import MemoryLine, Witness

REGIONS = ("AA", "BB", "CC", "DD", "FF", "MM")
STOPPED: Mapping[str, object] = {
    "id": "stopped", "kind": "proportion", "of": "state == none", "unit": "household", "wave": "T1",
}  # fmt: skip
RHO = "0.02"
"""What most programmes here cost."""
POLICY: Mapping[str, Any] = {
    "policy": {"version": 1},
    "cohorts": {"c3": {"rho": "0.05"}, "c4": {"rho": "0.05"}, "c5": {"rho": "0.05"}},
    "lifetime": {"rho": "0.09"},
    "programme": {"rho": "0.03"},
}


class Station:
    """One region's node, as it is between coming on the line and leaving it."""

    def __init__(self, folder: Path, travel: Travel, code: str) -> None:
        who, _tls = travel.country.regions[code]
        config = Config(region=code, coordinator=CoordinatorAddress(address="localhost:443"), lang="en")
        keys = {str(purpose): key.to_pem() for purpose, key in who.keys.items()}
        home = create_home(folder, config, travel.country.consortium.public, {**keys, "tls": who.tls_key})
        self._open(home, travel, code)

    @classmethod
    def on(cls, home: Home, travel: Travel, code: str) -> Station:
        """The node of a home that is there already."""
        made = cls.__new__(cls)
        made._open(home, travel, code)
        return made

    def _open(self, home: Home, travel: Travel, code: str) -> None:
        self.home = home
        self.region = Region(self.home, travel.clock)
        self.rows = SnapshotRows(self.home)
        self._clock = travel.clock
        lines = [MemoryLine(witness, code) for witness in travel.witnesses]
        key = self.home.signing_key("checkpoint")
        watching = Witnesses(self.region, key, lines, silent)
        self.answering = Answering(self.region, self.rows, key, watching, silent, pace=NoPace())

    def close(self) -> None:
        self.region.close()
        self.rows.close()

    def adopt(self, *documents: bytes) -> None:
        for document in documents:
            taken = self.region.adopt(document)
            assert isinstance(taken, InForce), taken

    def rule(self, **changes: Any) -> None:
        """The steward signs the usual policy with these fields otherwise, and the next version."""
        held = self.region.documents.policy
        version = 1 if held is None else held.document.policy.version + 1
        policy = RegionPolicy.model_validate({**POLICY, **changes, "policy": {"version": version}})
        taken = self.region.adopt_policy(policy)
        assert isinstance(taken, InForce), taken

    def deliver(self, cohort: str, waves: Sequence[str], households: Sequence[str], manner: Manner = "keep") -> int:
        """Imports these households; every fifth has no violence at T1. Gives how many are in, for the test."""
        folder = self.home.root / f"delivery-{self._clock()}-{cohort}"
        folder.mkdir()
        lines = [f"hh;{STABLE};wave;incidents;profile;help"]
        for wave in waves:
            for place, name in enumerate(households):
                incidents = 0 if wave == "T1" and place % 5 == 0 else 1 + place % 4
                lines.append(f"{cohort}-{name};{name};{wave};{incidents};{('1', '12a', 'c')[place % 3]};yes")
        (folder / "household.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        terms = terms_of(self.region, cohort)
        wishes = Wishes(delimiter="semicolon", manner=manner)
        request = replace(prepare(self.home, (folder,), cohort, "small@1", wishes), terms=terms)
        result = import_files(request)
        taken = self.region.record_import(
            result.snapshot.id, cohort, result.snapshot.codebook_hash, terms.snapshot, terms.most_cohorts
        )
        assert isinstance(taken, Imported), taken
        return result.report.tables[0].kept

    def ask(self, order: attend_pb2.Order) -> bytes | Refused:
        """What the node says to an order, whoever sent it."""
        read = read_order(order.run, order.signed_order, order.signed_programme)
        if isinstance(read, Refused):
            return read
        (outcome,) = self.answering.answer([read])
        return outcome

    def respond(self, _node: FakeNode, order: attend_pb2.Order) -> bytes | Refused:
        """As `ask`, for an order of the desk."""
        return self.ask(order)

    @property
    def events(self) -> list[str]:
        path = self.home.ledger_file.resolve().as_uri()
        with closing(sqlite3.connect(f"{path}?mode=ro", uri=True)) as ledger:
            found = ledger.execute("SELECT body FROM entries ORDER BY rowid").fetchall()
        return [from_canonical(Entry, bytes(body)).body.event for (body,) in found]

    def spent(self, cohort: str = "") -> str:
        """In rho: of a cohort, or in all."""
        spent = self.region.ledger.book.spent
        return (spent.cohort(cohort) if cohort else spent.lifetime).text()


@dataclass
class Travel:
    """The country and its stations by region. `clock` is everybody's."""

    folder: Path
    country: Country
    clock: Clock
    witnesses: tuple[Witness, ...]
    desk: Desk = field(init=False)
    stations: dict[str, Station] = field(default_factory=dict)
    nodes: dict[str, FakeNode] = field(default_factory=dict)
    calendar: Calendar = field(default_factory=rotating_study.calendar)
    _port: int = 0

    @classmethod
    @contextmanager
    def begun(cls, folder: Path, start: int) -> Iterator[Travel]:
        """Everything enrolled and adopted, the desk serving and every node on the line, at `start` (unix seconds)."""
        clock = Clock(start)
        made = cls(folder, _country(folder), clock, ())
        made.witnesses = tuple(Witness(label, lambda: made.roster, clock) for label in ("desk", "witness"))
        book = made.signed("codebook", to_canonical(small_study.codebook()))
        roster, calendar = made.signed("roster", to_canonical(made.roster)), made.signed_calendar()
        made.country.adopt(roster, calendar, book)
        with ExitStack() as closing:
            for code in REGIONS:
                station = Station(folder / code, made, code)
                closing.callback(station.close)
                made.stations[code] = station
                station.adopt(roster, calendar, book)
                station.rule()
            made._port = closing.enter_context(DeskThread(made.country, clock)).port
            closing.callback(made._all_leave)
            for code in REGIONS:
                made._attend(code)
            made.desk = closing.enter_context(made.country.open())
            yield made

    @property
    def roster(self) -> Roster:
        """Everyone enrolled, in date for ever."""
        members = tuple(
            one.model_copy(update={"valid_from": 0, "valid_to": FOREVER}) for one in self.country.consortium.members
        )
        return Roster(serial=1, issued=0, members=members)

    def signed(self, kind: str, document: bytes) -> bytes:
        return self.country.consortium.signed(kind, document)

    def signed_calendar(self) -> bytes:
        return self.signed("calendar", to_canonical(self.calendar))

    def adopt_calendar(self, calendar: Calendar) -> None:
        """The consortium's next calendar, at the desk and at every node."""
        self.calendar = calendar
        data = self.signed_calendar()
        self.country.adopt(data)
        for station in self.stations.values():
            station.adopt(data)

    def planned(self, name: str, cohort: str, rho: str = RHO, weights: Mapping[str, str] | None = None) -> Planned:
        """A programme of one proportion, of the regions that answer for the cohort now, signed by the researcher.

        Its deadline is in a month.
        """
        heading = {"id": name, "title": {"nl": name, "en": name}, "purpose": "a test", "requester": "Tests"}
        heading |= {"cohort": cohort, "codebook": "small@1", "data": "synthetic"}
        draft = Draft.model_validate(
            {
                "programme": {**heading, "deadline": self.clock() + 30 * 86_400},
                "price": {"rho": rho},
                "weights": weights or "equal",
                "statistics": [STOPPED],
            }
        )
        hashes = small_study.hashes()[0], Signed.from_bytes(self.signed_calendar()).digest
        programme = plan(draft, small_study.codebook(), self.calendar, hashes, self.clock())
        return self.sign(programme, draft)

    def sign(self, programme: Programme, draft: Draft) -> Planned:
        signed = sign("programme", to_canonical(programme), self.country.researcher.signing_key())
        return Planned(signed, programme, small_study.codebook(), self.calendar, draft)

    def forged(self, planned: Planned, **weights: int) -> Planned:
        """The same programme with other regions, signed all the same: what an honest desk never orders."""
        return self.sign(planned.programme.model_copy(update={"weights": dict(weights)}), planned.draft)

    def order(self, planned: Planned) -> attend_pb2.Order:
        """A duly signed order of the coordinator's own key, that no desk has looked at."""
        run = f"run-{hashlib.sha256(planned.hash.encode()).hexdigest()[:16]}"
        issued = self.clock()
        order = Order(run=run, programme=planned.hash, issued=issued, deadline=issued + 3600)
        signed = sign("order", to_canonical(order), self.country.desk.signing_key())
        return attend_pb2.Order(run=run, signed_order=signed.to_bytes(), signed_programme=planned.signed.to_bytes())

    def says(self, region: str, planned: Planned) -> Reason | None:
        """The reason for which a node refuses an order, whatever the desk thinks; None where it answers."""
        outcome = self.stations[region].ask(self.order(planned))
        return outcome.reason if isinstance(outcome, Refused) else None

    def _given_back(self, run: str) -> int:
        """How many answers are in the results that the desk keeps of a run: later runs look at those."""
        path = self.country.desk.folder / "rondgang.sqlite"
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as store:
            ((revision,),) = store.execute("SELECT coalesce(max(revision), 0) FROM results WHERE run = ?", (run,))
        return int(revision)

    def asked(self, planned: Planned) -> Outcome:
        """Submits, waits for every region on the line, and until a complete run is given back. Raises DeskRefused."""
        run = self.desk.submit(planned).run
        for progress in self.desk.watch(run, PATIENCE_S):
            said = [
                one.state in (Asked.ANSWERED, Asked.REFUSED) for one in progress.regions if one.region in self.nodes
            ]
            if all(said):
                break
        if progress.state is State.COMPLETE and progress.count(Asked.ANSWERED):
            until(lambda: self._given_back(run) >= progress.count(Asked.ANSWERED))
        return self._outcome(progress)

    def closed(self, run: str) -> Outcome:
        """What came of a run whose deadline has passed."""
        *_, progress = self.desk.watch(run, PATIENCE_S)
        return self._outcome(progress)

    def _outcome(self, progress: Progress) -> Outcome:
        return Outcome(progress, tuple(json.loads(self.desk.fetch(progress.run).rows_json)))

    def _attend(self, code: str) -> None:
        node = FakeNode.of(self.country, code, self._port)
        node.respond = self.stations[code].respond
        self.nodes[code] = node.__enter__().welcomed()

    def _all_leave(self) -> None:
        while self.nodes:
            self.nodes.popitem()[1].__exit__(None, None, None)

    def leave(self, code: str) -> None:
        """A region's node goes off the line, and the desk has noticed."""
        self.nodes.pop(code).__exit__(None, None, None)
        until(lambda: code not in {one.region for one in self.desk.regions() if one.attending})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one programme: the last progress and the rows."""

    progress: Progress
    rows: tuple[dict[str, Any], ...]

    @property
    def refused(self) -> dict[str, Reason]:
        return {one.region: one.refused.reason for one in self.progress.regions if one.refused is not None}

    def row(self, scope: str = "national", estimator: str = "direct") -> dict[str, Any] | None:
        """The row of this scope and estimator, if there is one."""
        found = [one for one in self.rows if (one["scope"], one["estimator"]) == (scope, estimator)]
        assert len(found) <= 1
        return found[0] if found else None


def _country(folder: Path) -> Country:
    consortium = Consortium(found(bytes(range(32)), "Tests", now() - 86_400))
    config = CoordinatorConfig(role="coordinator", name="Desk", listen="127.0.0.1:0")
    # The keys that tests/witnesses.py signs with: the desk is a witness too.
    desk = Profile.create(folder / "desk", config, consortium.public, hashlib.sha256(b"desk").digest())
    asks = ResearcherConfig(role="researcher", name="Researcher", coordinator="127.0.0.1:1")
    researcher = Profile.create(folder / "researcher", asks, consortium.public, hashlib.sha256(b"asks").digest())
    for home in (desk, researcher):
        own = consortium.enrol(EnrolmentRequest.read(home.request.read_bytes()))
        home.keep_certificates(own, consortium.root)
    regions = {}
    for code in REGIONS:
        applicant = Applicant.new(Role.REGION, code)
        regions[code] = applicant, (applicant.tls_key, consortium.enrol(applicant.request), consortium.root)
    witness = Applicant.new(Role.WITNESS, name="witness")
    consortium.enrol(witness.request)
    consortium.members[-1] = _with_key(consortium.members[-1], "signing")
    return Country(folder, consortium, desk, researcher, regions, rotating_study.calendar())


def _with_key(member: Member, purpose: str) -> Member:
    """The witness of tests/witnesses.py by its label."""
    return member.model_copy(update={"keys": {purpose: signing_key("witness").public.hex}})
