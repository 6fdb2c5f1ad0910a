"""A region's node in a folder, with everything adopted, and orders to send it: what tests of the node share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rondgang.keys import SigningKey
from rondgang.roles import Role
from rondgang.signed import Signed, sign
from rondgang.tls import new_tls_key

from node.answering import Answering, Rows, Steps
from node.authenticate import Ordered, read_order
from node.home import Config, CoordinatorAddress, Home, Reconnect, create_home
from node.importing.request import ImportRequest
from node.importing.run import import_files
from node.journal import Journal, silent
from node.region import InForce, Region
from node.secure.attempts import Attempts
from node.secure.masking import SecureSteps, Sources
from node.secure.noise import Noise
from node.witnessing.witnesses import Witnesses
from policies.documents import to_canonical
from policies.rules.order import Order
from policies.rules.refusals import Refused
from policies.statistics.blocks import Block
from policies.statistics.programme import PlannedBlock, Programme
from policies.study.calendar import DAY_S, Calendar
from policies.study.roster import Member, Roster
from policies.units.noise import Sigma
from tests.applicants import signing_key
from tests.small_study import OPEN, calendar, codebook, hashes, heading, planned, region_policy
from tests.witnesses import Fault, MemoryLine, Witness

REGION, COHORT = "AA", "c1"
RUN = "run-0123456789abcdef"
FAST = Reconnect(first_wait_ms=20, longest_wait_ms=40, rejected_wait_ms=60_000)
CONSORTIUM, DESK, RESEARCHER, WITNESS = (
    signing_key(label) for label in ("consortium", "desk", "researcher", "witness")
)
CHECKPOINT, STEWARD = (signing_key(f"{REGION} {purpose}") for purpose in ("checkpoint", "steward"))
SNAPSHOT = "5" * 32
FOREVER = 4_000_000_000


def member(role: Role, keys: Mapping[str, SigningKey], **changes: object) -> Member:
    """A live member; its TLS key is nobody's."""
    name = str(changes.pop("name", role.value))
    facts = {
        "role": role,
        "name": name,
        "tls": signing_key(f"tls {name}").public.hex,
        "keys": {purpose: key.public.hex for purpose, key in keys.items()},
        "valid_from": OPEN - DAY_S,
        "valid_to": OPEN + 30 * DAY_S,
    }
    return Member.model_validate(facts | changes)


def roster(*more: Member, serial: int = 1) -> Roster:
    """A roster with the desk, a witness, the researcher, region AA and these."""
    usual = (
        member(Role.COORDINATOR, {"signing": DESK}),
        member(Role.WITNESS, {"signing": WITNESS}),
        member(Role.RESEARCHER, {"signing": RESEARCHER}),
        member(Role.REGION, {"checkpoint": CHECKPOINT, "steward": STEWARD}, region=REGION),
    )
    return Roster(serial=serial, issued=OPEN, members=(*usual, *more))


def signed_programme(programme: Programme, *keys: SigningKey) -> Signed:
    return sign("programme", to_canonical(programme), *(keys or (RESEARCHER,)))


def signed_order(programme: Signed, *keys: SigningKey, run: str = RUN, deadline: int = OPEN + DAY_S) -> Signed:
    order = Order(run=run, programme=programme.digest, issued=OPEN, deadline=deadline)
    return sign("order", to_canonical(order), *(keys or (DESK,)))


def ordered(programme: Programme, run: str = RUN) -> Ordered:
    """An order as it comes in, duly signed."""
    signed = signed_programme(programme)
    read = read_order(run, signed_order(signed, run=run).to_bytes(), signed.to_bytes())
    assert not isinstance(read, Refused)
    return read


@dataclass
class Clock:
    """Unix seconds, as the test says."""

    now: int = OPEN

    def __call__(self) -> int:
        return self.now


@dataclass
class CountedRows:
    """Rows that sum to zero and get no noise, and count how often they were read."""

    reads: list[str] = field(default_factory=list)

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        self.reads.append(snapshot)
        return {block.id: [0] * block.cells for block in blocks}

    def noisy(self, values: Sequence[int], planned_block: PlannedBlock) -> list[int]:
        return [value + planned_block.cells for value in values]

    def draw(self, cells: int, sigma: Sigma) -> list[int]:
        """In the place of the noise of a national sum."""
        return [0] * cells


def witnesses(clock: Callable[[], int], folder: Path | None = None) -> tuple[Witness, ...]:
    """The desk and an independent one, remembering in files of `folder` if it is given."""
    return tuple(
        Witness(label, roster, clock, None if folder is None else folder / label) for label in ("desk", "witness")
    )


class NoPace:
    """Time that stands still unless the test moves it; nobody waits."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now_s(self) -> float:
        return self.at_s

    def rest(self, seconds: float) -> None:
        self.at_s += seconds


def always_roster() -> Roster:
    """A roster whose members are in date whenever the tests run, for processes that read the real clock."""
    members = tuple(one.model_copy(update={"valid_from": 0, "valid_to": FOREVER}) for one in roster().members)
    return Roster(serial=1, issued=0, members=members)


def always_calendar() -> Calendar:
    """The small calendar with a release window that is open whenever the tests run."""
    cohort = calendar().cohorts[COHORT]
    windows = {**cohort.windows, "release": (0, FOREVER)}
    return calendar().model_copy(update={"cohorts": {COHORT: cohort.model_copy(update={"windows": windows})}})


def always_programme(name: str = "small_outcome") -> Signed:
    """The small programme, signed, without a deadline to speak of."""
    return signed_programme(planned().model_copy(update={"programme": heading(id=name, deadline=FOREVER)}))


def make_home(folder: Path, address: str = "localhost:443", *, always: bool = False, **policy: object) -> Home:
    """A home with roster, calendar, codebook and policy in force, and no data. `always` for the real clock."""
    config = Config(region=REGION, coordinator=CoordinatorAddress(address=address), lang="en", reconnect=FAST)
    keys = {"checkpoint": CHECKPOINT.to_pem(), "steward": STEWARD.to_pem()}
    home = create_home(folder, config, CONSORTIUM.public, keys | {"tls": new_tls_key()})
    region = Region(home, Clock())
    who, when = (always_roster(), always_calendar()) if always else (roster(), calendar())
    for kind, document in (("roster", who), ("calendar", when), ("codebook", codebook())):
        assert isinstance(region.adopt(sign(kind, to_canonical(document), CONSORTIUM).to_bytes()), InForce)
    assert isinstance(region.adopt_policy(region_policy(**policy)), InForce)
    region.close()
    return home


def put_snapshot(home: Home, snapshot: str = SNAPSHOT) -> None:
    """Puts a snapshot into force by name only: there are no files."""
    region = Region(home, Clock())
    region.record_import(snapshot, COHORT, hashes()[0])
    region.close()


def import_rows(home: Home, snapshot: str = SNAPSHOT, households: int = 5) -> Path:
    """A snapshot with real files, in force. Returns its folder."""
    source = home.root / "delivery"
    source.mkdir(exist_ok=True)
    lines = ["hh;wave;incidents;profile;help"]
    lines += [f"h{i};{wave};{(i + w) % 5};c;yes" for i in range(households) for w, wave in enumerate(("T0", "T1"))]
    (source / "household.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    request = ImportRequest(
        home.root, (source,), COHORT, codebook(), hashes()[0], 1000, "semicolon", snapshot_id=snapshot
    )
    result = import_files(request)
    put_snapshot(home, snapshot)
    return result.snapshot.folder


@dataclass
class World:
    """An open region with its answering; `restart` opens it again, as after the process ended."""

    home: Home
    clock: Clock = field(default_factory=Clock)
    rows: CountedRows = field(default_factory=CountedRows)
    journal: Journal = silent
    watching: tuple[Witness, ...] = ()
    pace: NoPace = field(default_factory=NoPace)

    def __post_init__(self) -> None:
        # Two, as the default rule wants: the desk, and one that is independent.
        self.watching = self.watching or witnesses(self.clock)
        self._open()

    def _open(self) -> None:
        self.region = Region(self.home, self.clock)
        self.lines = [MemoryLine(witness, REGION) for witness in self.watching]
        key = self.home.signing_key("checkpoint")
        self.witnesses = Witnesses(self.region, key, self.lines, self.journal)

    def restart(self) -> None:
        self.region.close()
        self._open()

    def copied(self, folder: Path) -> World:
        """Another node on a copy of the disk as it is now, watched by the same witnesses."""
        shutil.copytree(self.home.root, folder)
        return World(Home(folder), self.clock, CountedRows(), self.journal, self.watching)

    def answering(self, steps: Steps | None = None, rows: Rows | None = None) -> Answering:
        key, stepping = self.home.signing_key("checkpoint"), (() if steps is None else (steps,))
        made = partial(Answering, self.region, rows or self.rows, key, self.witnesses, self.journal, pace=self.pace)
        return made(*stepping)

    def attempts(
        self, steps: SecureSteps | None = None, rows: Rows | None = None, noise: Noise | None = None
    ) -> Attempts:
        """This process's part in attempts; without noise unless a source is given."""
        key, stepping = self.home.signing_key("checkpoint"), (() if steps is None else (steps,))
        sources = Sources(rows or self.rows, noise or self.rows, os.urandom)
        made = partial(Attempts, self.region, sources, key, self.witnesses, self.journal, pace=self.pace)
        return made(*stepping)

    def ask(self, programme: Programme | None = None, run: str = RUN) -> bytes | Refused:
        return self.asked(ordered(programme or planned(), run))

    def asked(self, order: Ordered, rows: Rows | None = None) -> bytes | Refused:
        (outcome,) = self.answering(rows=rows).answer([order])
        return outcome

    def befall(self, fault: Fault, *which: int) -> None:
        """From now on this befalls every call to these witnesses; to all where none is named."""
        for place in which or range(len(self.watching)):
            self.watching[place].fault = fault

    @property
    def spent(self) -> int:
        return self.region.ledger.book.lifetime.nano
