"""A real node with a real ledger, before witnesses that are real by their rules, and what the coordinator keeps of it.

Time is made up, the disk is real. The parties have certificates, so that all evidence is as it would be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rondgang.bundles import frame, seal
from rondgang.canonical import digest
from rondgang.keys import SigningKey
from rondgang.notes import Note
from rondgang.roles import Party, Role
from rondgang.signed import Signed, sign
from rondgang.tls import new_tls_key, request_certificate, role_of_certificate

from compose.consortium.authority import Authority, found, issue, pem
from node.home import Config, CoordinatorAddress, Home, create_home
from node.region import InForce, Region
from policies.documents import to_canonical
from policies.rules import evidence
from policies.rules.evidence import Maker, Values
from policies.rules.region_policy import RegionPolicy
from policies.statistics.blocks import Block
from policies.statistics.plan import plan
from policies.statistics.programme import DraftPrice, PlannedBlock, Programme
from policies.study.calendar import DAY_S, Calendar
from policies.study.roster import Member, Roster
from tests.applicants import signing_key
from tests.national_study import RULE, SECURE, calendar
from tests.node_world import CHECKPOINT, CONSORTIUM, REGION, STEWARD, Clock
from tests.small_study import OPEN, codebook, draft, heading, region_policy
from tests.witnesses import Witness

COHORTS = ("c1", "c3")
OTHER_REGION = signing_key("BB checkpoint")
_FROM, _TO = OPEN - 30 * DAY_S, OPEN + 300 * DAY_S
_DEADLINE = OPEN + 250 * DAY_S


@cache
def study() -> Calendar:
    """The small calendar of four regions with a second cohort of the same group, both open all year."""
    small = calendar()
    cohort = small.cohorts["c1"].model_copy(update={"windows": {"release": (_FROM, _TO)}})
    return small.model_copy(update={"cohorts": {**small.cohorts, "c1": cohort, "c3": cohort}})


@cache
def programme(name: str, cohort: str, rho: str) -> Programme:
    """One count, at a price."""
    asked = draft().model_copy(
        update={
            "programme": heading(id=name, cohort=cohort, deadline=_DEADLINE),
            "price": DraftPrice.model_validate({"rho": rho}),
            "statistics": draft().statistics[:1],
        }
    )
    hashes = digest(to_canonical(codebook())), digest(to_canonical(study()))
    return plan(asked, codebook(), study(), hashes)


@cache
def together(name: str, cohort: str, rho: str) -> Programme:
    """The same count over the regions together; two attempts."""
    count = draft().statistics[0].model_copy(update={"mode": "national"})
    asked = draft().model_copy(
        update={
            "programme": heading(id=name, cohort=cohort, deadline=_DEADLINE),
            "price": DraftPrice.model_validate({"rho": rho}),
            "statistics": (count,),
            "secure": SECURE,
        }
    )
    hashes = digest(to_canonical(codebook())), digest(to_canonical(study()))
    return plan(asked, codebook(), study(), hashes)


@cache
def authority() -> Authority:
    return found(bytes(32), "Test consortium", _FROM)


@dataclass(frozen=True)
class Enrolled:
    """A party of the tests with its certificate (PEM) and its place on the roster."""

    member: Member
    certificate: bytes
    tls_key: bytes


@cache
def enrolled(role: Role, name: str) -> Enrolled:
    keys: Mapping[str, SigningKey] = {
        "region": {"checkpoint": CHECKPOINT, "steward": STEWARD},
        "other region": {"checkpoint": OTHER_REGION, "steward": signing_key("BB steward")},
    }.get(name, {"signing": signing_key(name)})
    party = Party(role, {"region": REGION, "other region": "BB"}.get(name))
    tls_key = new_tls_key()
    request = request_certificate(tls_key, party, name)
    certificate, first, last = issue(authority(), request, party, name, (), _FROM, (_TO - _FROM) // DAY_S)
    member = Member.model_validate({
        "role": role,
        "region": party.region,
        "name": name,
        "tls": role_of_certificate(pem(certificate)).tls,
        "keys": {purpose: key.public.hex for purpose, key in keys.items()},
        "valid_from": first,
        "valid_to": last,
    })  # fmt: skip
    return Enrolled(member, pem(certificate), tls_key)


def roster(serial: int, *, third: bool = False, left: bool = False) -> Roster:
    """Everybody; with a third witness, or without the researcher who leaves."""
    usual = [
        enrolled(Role.COORDINATOR, "desk").member,
        enrolled(Role.WITNESS, "witness").member,
        enrolled(Role.RESEARCHER, "researcher").member,
        enrolled(Role.REGION, "region").member,
        enrolled(Role.REGION, "other region").member,
        enrolled(Role.RESEARCHER, "leaver").member.model_copy(update={"revoked": left}),
    ]
    usual += [enrolled(Role.WITNESS, "third").member] if third else []
    return Roster(serial=serial, issued=OPEN, members=tuple(usual))


def signed_roster(document: Roster) -> Signed:
    return sign("roster", to_canonical(document), CONSORTIUM)


def make_template(folder: Path) -> Home:
    """A home with everything adopted, to be copied for each history."""
    config = Config(region=REGION, coordinator=CoordinatorAddress(address="localhost:443"), lang="en")
    own = enrolled(Role.REGION, "region")
    keys = {"checkpoint": CHECKPOINT.to_pem(), "steward": STEWARD.to_pem(), "tls": own.tls_key}
    home = create_home(folder, config, CONSORTIUM.public, keys)
    home.certs.mkdir(exist_ok=True)
    (home.certs / "own.pem").write_bytes(own.certificate)
    (home.certs / "ca.pem").write_bytes(pem(authority().root))
    region = Region(home, Clock())
    for kind, document in (("roster", roster(1)), ("calendar", study()), ("codebook", codebook())):
        assert isinstance(region.adopt(sign(kind, to_canonical(document), CONSORTIUM).to_bytes()), InForce)
    assert isinstance(region.adopt_policy(policy(1)), InForce)
    region.close()
    return home


def policy(version: int, **changes: object) -> RegionPolicy:
    caps = {"cohorts": {cohort: {"rho": "0.5"} for cohort in COHORTS}, "lifetime": {"rho": "0.8"}}
    return region_policy(**{"policy": {"version": version}, "secure": RULE, **caps, **changes})


@dataclass
class Rows:
    """Rows that sum to zero; reading them breaks where the test says so."""

    broken: bool = False

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        if self.broken:
            raise OSError("the disk with the snapshot is gone")
        return {block.id: [0] * block.cells for block in blocks}

    def noisy(self, values: Sequence[int], planned: PlannedBlock) -> list[int]:
        return [value + planned.cells for value in values]


@dataclass
class Desk:
    """What the coordinator keeps: what it asked, and every answer as it came, by run."""

    papers: list[Signed] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def keep(self, *signed: Signed) -> None:
        self.papers += [one for one in signed if one not in self.papers]


def witness_bundle(maker: Maker, who: str, watching: Witness, rosters: Sequence[Signed], desk: Desk, now: int) -> bytes:
    """What the coordinator, or a witness, would export; answers are the coordinator's."""
    role = Role.COORDINATOR if maker == "coordinator" else Role.WITNESS
    documents = [*rosters, *(desk.papers if maker == "coordinator" else [])]

    def records() -> Iterator[Values]:
        yield evidence.header(maker, who, now, CONSORTIUM.public.hex)
        yield evidence.certificate("own", _der(enrolled(role, who).certificate))
        yield evidence.certificate("root", _der(pem(authority().root)))
        for signed in documents:
            yield evidence.document(signed)
        for _key, note in sorted(watching.memory.notes.items()):
            yield evidence.checkpoint(Note.parse(note).to_text())
        for run, (received, data) in desk.answers.items() if maker == "coordinator" else ():
            yield evidence.answer(REGION, run, received, data)
        for fork in watching.memory.kept:
            yield evidence.fork(fork.region, fork.why, fork.at, fork.held, fork.offered)

    return b"".join(seal(map(frame, records()), watching.key))


def _der(certificate: bytes) -> bytes:
    return x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
