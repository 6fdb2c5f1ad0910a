"""A federation on a clock that a test sets, in which every party remembers on disk, and time wears things out.

The desk is the real one over mutual TLS, with its store in a file; the witnesses are the desk's and the auditor's own
stores; nodes have real ledgers, rows and noise. The handshake looks at the machine's own clock and gets certificates of
today: how long they are good for in the story is in the roster, by the story's clock.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rondgang.notes import Note
from rondgang.roles import Party, Role
from rondgang.tls import new_tls_key
from rondgang.witnessing import Submission

import audit.export
import coordinator.evidence
from audit.home import Home as WitnessHome
from audit.home import WitnessConfig
from audit.study import adopt_file, read_study
from audit.witness.store import Store as WitnessStore
from audit.witness.store import open_store as open_witness_store
from compose.consortium.authority import found
from coordinator.home import CoordinatorConfig, ResearcherConfig
from coordinator.home import Home as Profile
from coordinator.store.store import Store, open_store
from coordinator.witness import store as desk_witness
from node.evidence import export
from node.home import Home
from policies.documents import to_canonical
from policies.rules.witness import Ask, Exchanged, Reply
from policies.study.adoption import NotAdopted
from policies.study.calendar import DAY_S
from policies.study.enrolment import PURPOSES, EnrolmentRequest
from policies.study.roster import Roster
from tests import rotating_study, small_study
from tests.applicants import Applicant, signing_key
from tests.desk import Consortium, Country, DeskThread, FakeNode
from tests.desk import now as real_now
from tests.node_world import Clock
from tests.travel_world import POLICY, REGIONS, Station, Travel
from tests.witnesses import Witness

YEAR_S = 365 * DAY_S
OLD_HOME = Path(__file__).parents[1] / "vectors" / "homes" / "2026-11-sums.tar.gz"
WIDE: dict[str, Any] = {
    **POLICY,
    "cohorts": {"c3": {"rho": "1.5"}, "c4": {"rho": "1.5"}},
    "lifetime": {"rho": "2.5"},
}


@dataclass
class OnDisk(Witness):
    """A witness that remembers in its own store, as the independent one does, or in the desk's."""

    own: WitnessStore | None = None
    desks: Store | None = None

    def add_checkpoint(self, region: str, given: Submission | None) -> Reply:
        ask, now = Ask(self.roster(), region, given), self.clock()
        if self.own is not None:
            return self.own.add([ask], self.key, now)[0]
        assert self.desks is not None
        return desk_witness.add(self.desks, [ask], self.key, now)[0]

    def exchange(self, region: str, notes: Sequence[Note]) -> Exchanged:
        if self.own is not None:
            return self.own.exchange(self.roster(), region, notes, self.clock())
        assert self.desks is not None
        return desk_witness.exchange_with(self.desks, self.roster(), region, notes, self.clock())


@dataclass
class Months(Travel):
    """`until` says for how long the roster bears a party out, by its TLS key."""

    until: dict[str, int] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    serial: int = 9
    witness_home: WitnessHome = field(init=False)
    _stack: ExitStack = field(default_factory=ExitStack)
    _desk: DeskThread | None = None

    @classmethod
    @contextmanager
    def lived(cls, folder: Path, start: int) -> Iterator[Months]:
        """Everything enrolled and adopted at `start`; AA on a home that the release before left."""
        country, home = _country(folder)
        made = cls(folder, country, Clock(start), ())
        made.witness_home = home
        with made._stack as ending:
            made._witnesses()
            made.issue_roster(nodes=False)
            book = made.signed("codebook", to_canonical(small_study.codebook()))
            made.country.adopt(made.signed_calendar(), book)
            adopt_file(home, made.signed_calendar())
            for code in REGIONS:
                made.station(code).adopt(made.signed_roster(), made.signed_calendar(), book)
                made.stations[code].rule(**WIDE)
            ending.callback(made.close_witnesses)
            ending.callback(made.close_stations)
            made.start_desk()
            ending.callback(made.stop_desk)
            yield made

    @property
    def roster(self) -> Roster:
        """Everyone enrolled, each as long as the story's certificates last."""
        members = [
            one.model_copy(
                update={
                    "valid_from": rotating_study.TODAY - YEAR_S,
                    "valid_to": self.until.get(one.tls, rotating_study.TODAY + YEAR_S),
                    "revoked": one.tls in self.revoked,
                }
            )
            for one in self.country.consortium.members
        ]
        return Roster(serial=self.serial, issued=rotating_study.TODAY, members=tuple(members))

    def signed_roster(self) -> bytes:
        return self.signed("roster", to_canonical(self.roster))

    def issue_roster(self, *, nodes: bool = True) -> None:
        """The consortium's next roster, adopted by all."""
        self.serial += 1
        data = self.signed_roster()
        self.country.adopt(data)
        kept = adopt_file(self.witness_home, data)
        assert not isinstance(kept, NotAdopted), kept
        witness, desk = self.witnesses[1], self.witnesses[0]
        assert isinstance(witness, OnDisk)
        assert witness.own is not None
        witness.own.keep_documents(read_study(self.witness_home).papers, self.clock())
        if nodes:
            for station in self.stations.values():
                station.adopt(data)
            assert isinstance(desk, OnDisk)

    def renew(self, code: str, days: int) -> None:
        """A region gets a new certificate, on a new key, good for so many days; it dials with it from now on."""
        who, _tls = self.country.regions[code]
        applicant = Applicant(who.party, who.name, new_tls_key(), who.keys)
        own = self.country.consortium.enrol(applicant.request)
        tls = (applicant.tls_key, own, self.country.consortium.root)
        self.country.regions = {**self.country.regions, code: (applicant, tls)}
        self.until[self.country.consortium.members[-1].tls] = self.clock() + days * DAY_S
        self._certify(code)

    def station(self, code: str) -> Station:
        """Sets up the node of a region; AA's home is the one that the release before left."""
        if code != "AA":
            made = Station(self.folder / code, self, code)
        else:
            with tarfile.open(OLD_HOME) as packed:
                packed.extractall(self.folder / "old", filter="data")
            old = Home(self.folder / "old" / "home")
            made = Station.on(old, self, code)
        self.stations[code] = made
        self._certify(code)
        return made

    def _certify(self, code: str) -> None:
        """Puts a region's certificate where its node keeps it."""
        _who, (_key, own, root) = self.country.regions[code]
        certs = self.stations[code].home.certs
        (certs / "own.pem").write_bytes(own)
        (certs / "ca.pem").write_bytes(root)

    def copy_of(self, code: str, name: str) -> Path:
        """A copy of a node's disk as it is now."""
        folder = self.folder / name
        shutil.copytree(self.stations[code].home.root, folder)
        return folder

    def reopen(self, code: str) -> None:
        """A node's process ends and starts again."""
        home = self.stations[code].home
        self.stations[code].close()
        self.stations[code] = Station.on(home, self, code)

    def close_stations(self) -> None:
        for station in self.stations.values():
            station.close()

    def start_desk(self) -> None:
        """The desk starts, every node comes on the line, and the researcher dials."""
        self._desk = DeskThread(self.country, self.clock)
        self._port = self._desk.__enter__().port
        for code in REGIONS:
            self._attend(code)
        self.desk = self.country.open()

    def stop_desk(self) -> None:
        if self._desk is not None:
            self.desk.close()
            self._all_leave()
            self._desk.__exit__(None, None, None)
            self._desk = None

    def come(self, code: str) -> None:
        """A region's node comes on the line again, with the certificate that it has now."""
        self._attend(code)

    def _attend(self, code: str) -> None:
        node = FakeNode.of(self.country, code, self._port)
        # Whichever process serves the region by then.
        node.respond = lambda _node, order: self.stations[code].ask(order)
        self.nodes[code] = node.__enter__().welcomed()

    def turned_away(self, code: str) -> int:
        """The reason (its number on the wire) for which the desk does not let a region's node in."""
        with FakeNode.of(self.country, code, self._port) as node:
            return int(node.hear().rejected.reason)

    def reopen_witnesses(self) -> None:
        """Both witnesses' processes end and start again, on what is on their disks; and every node's with them."""
        self.close_witnesses()
        self.open_witnesses()

    def witness_adopts_calendar(self) -> None:
        kept = adopt_file(self.witness_home, self.signed_calendar())
        assert not isinstance(kept, NotAdopted), kept

    def export(self, out: Path) -> list[Path]:
        """What every party would hand an auditor, by its own means."""
        out.mkdir()
        made = [out / f"{code}.bundle" for code in REGIONS]
        for path in made:
            station = self.stations[path.stem]
            station.region.ledger.flush()
            export(station.home, path, self.clock())
        desk, witness = self.witnesses
        assert isinstance(desk, OnDisk)
        assert isinstance(witness, OnDisk)
        assert desk.desks is not None
        assert witness.own is not None
        coordinator.evidence.export(self.country.desk, desk.desks, out / "desk.bundle", self.clock())
        audit.export.export(self.witness_home, witness.own, out / "witness.bundle", self.clock())
        return [*made, out / "desk.bundle", out / "witness.bundle"]

    def open_witnesses(self) -> None:
        self._witnesses()
        for code in self.stations:
            self.reopen(code)

    def close_witnesses(self) -> None:
        self._disks.close()

    def _witnesses(self) -> None:
        disks = self._disks = ExitStack()
        own = disks.enter_context(open_witness_store(self.witness_home.store))
        desks = disks.enter_context(open_store(f"sqlite:///{self.country.desk.folder / 'rondgang.sqlite'}"))
        self.witnesses = (
            OnDisk("desk", lambda: self.roster, self.clock, desks=desks),
            OnDisk("witness", lambda: self.roster, self.clock, own=own),
        )


def _country(folder: Path) -> tuple[Country, WitnessHome]:
    """As in tests/travel_world.py, with the keys that the old home knows, and a witness with a folder."""
    consortium = Consortium(found(_seed("consortium"), "Tests", real_now() - DAY_S))
    config = CoordinatorConfig(role="coordinator", name="Desk", listen="127.0.0.1:0")
    desk = Profile.create(folder / "desk", config, consortium.public, _seed("desk"))
    asks = ResearcherConfig(role="researcher", name="Researcher", coordinator="127.0.0.1:1")
    researcher = Profile.create(folder / "researcher", asks, consortium.public, _seed("asks"))
    seen = WitnessConfig(role="witness", name="witness", listen="127.0.0.1:0")
    witness = WitnessHome.create(folder / "witness", seen, consortium.public, _seed("witness"))
    for home in (desk, researcher, witness):
        own = consortium.enrol(EnrolmentRequest.read(home.request.read_bytes()))
        home.keep_certificates(own, consortium.root)
    regions = {}
    for code in REGIONS:
        keys = {purpose: signing_key(f"{code} {purpose}") for purpose in PURPOSES[Role.REGION]}
        applicant = Applicant(Party(Role.REGION, code), f"region {code}", new_tls_key(), keys)
        regions[code] = applicant, (applicant.tls_key, consortium.enrol(applicant.request), consortium.root)
    return Country(folder, consortium, desk, researcher, regions, rotating_study.calendar()), witness


def _seed(label: str) -> bytes:
    """What tests.applicants.signing_key makes its key of."""
    return hashlib.sha256(label.encode()).digest()
