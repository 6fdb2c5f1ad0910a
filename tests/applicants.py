"""Parties that apply to a consortium, and consortia that take them in: what tests of certificates and rosters share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rondgang.keys import SigningKey
from rondgang.roles import Party, Role
from rondgang.tls import new_tls_key, request_certificate

from compose.consortium.authority import Authority, found
from compose.consortium.enrolment import SERVERS, Enrolled, Terms, enrol
from compose.consortium.register import Register
from policies.documents import load_yaml
from policies.study.calendar import Calendar
from policies.study.enrolment import PURPOSES, EnrolmentRequest, Purpose

NOW = 1_800_000_000
DAY_S = 86_400
ROTATION = Path(__file__).resolve().parent.parent / "policies" / "shipped" / "rotation.yaml"


def calendar() -> Calendar:
    return load_yaml(Calendar, ROTATION)


def signing_key(label: str) -> SigningKey:
    """A key that is the same for the same label. Public knowledge."""
    return SigningKey.generate(hashlib.sha256(label.encode()).digest())


@dataclass(frozen=True)
class Applicant:
    """A party with its private keys."""

    party: Party
    name: str
    tls_key: bytes
    keys: Mapping[Purpose, SigningKey]

    @classmethod
    def new(cls, role: Role, region: str | None = None, name: str = "") -> Applicant:
        name = name or f"{role} {region or 'one'}"
        keys = {purpose: signing_key(f"{name} {purpose}") for purpose in PURPOSES[role]}
        return cls(Party(role, region), name, new_tls_key(), keys)

    @property
    def request(self) -> EnrolmentRequest:
        csr = request_certificate(self.tls_key, self.party, self.name)
        public = {purpose: key.public for purpose, key in self.keys.items()}
        return EnrolmentRequest.build(self.party, self.name, csr, public)


def authority(label: str = "consortium", now: int = NOW - DAY_S) -> Authority:
    return found(hashlib.sha256(label.encode()).digest(), label, now)


def enrolled(
    under: Authority, *applicants: Applicant, register: Register | None = None, now: int = NOW, days: int = 30
) -> tuple[Register, list[bytes]]:
    """The register after all have enrolled, and their certificates."""
    register = register or Register()
    certificates: list[bytes] = []
    for applicant in applicants:
        hosts = ("localhost",) if applicant.request.role in SERVERS else ()
        outcome = enrol(under, register, calendar(), applicant.request, Terms(now, days, hosts))
        assert isinstance(outcome, Enrolled), outcome
        register, certificates = outcome.register, [*certificates, outcome.certificate]
    return register, certificates
