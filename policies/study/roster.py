"""The roster: who takes part, with which keys, until when. Signed by the consortium; every party adopts its own copy.

An adopted roster decides who may speak: the coordinator can relay a document, but it cannot make a signer of anyone.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator
from rondgang.keys import PublicKey
from rondgang.roles import Party, Role

from policies.documents import Document
from policies.rules.refusals import Reason
from policies.study.enrolment import KeyHex, PartyName, Purpose, check_keys, check_party
from policies.study.text import RegionCode

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Member(Document):
    """One certificate's holder. `tls` is the SHA-256 of its SubjectPublicKeyInfo; instants are unix seconds."""

    role: Role
    region: RegionCode | None = None
    name: PartyName
    tls: Sha256
    keys: dict[Purpose, KeyHex]
    valid_from: int = Field(ge=0)
    valid_to: int = Field(ge=0)
    revoked: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        check_party(self.role, self.region)
        check_keys(self.role, self.keys)
        if self.valid_from > self.valid_to:
            raise ValueError("valid_to lies before valid_from")
        return self

    @property
    def party(self) -> Party:
        return Party(self.role, self.region)

    @property
    def identity(self) -> tuple[Role, str]:
        """Who it is over all its certificates: a region by its code, anyone else by its name."""
        return self.role, self.region if self.role is Role.REGION and self.region else self.name

    def live(self, now: int) -> bool:
        """Neither revoked nor out of date at `now` (unix seconds)."""
        return not self.revoked and self.valid_from <= now <= self.valid_to


def check_members(members: tuple[Member, ...]) -> tuple[Member, ...]:
    """The members again. Raises `ValueError` where two share a TLS key, or two parties or purposes a signing key."""
    tls_keys = [member.tls for member in members]
    if len(set(tls_keys)) != len(tls_keys):
        raise ValueError("two members have the same TLS key")
    owners: dict[str, tuple[tuple[Role, str], Purpose]] = {}
    for member in members:
        for purpose, key in member.keys.items():
            if owners.setdefault(key, (member.identity, purpose)) != (member.identity, purpose):
                raise ValueError("one signing key stands for two parties or two purposes")
    return members


class Roster(Document):
    """All members, also revoked ones. `serial` grows with every roster, `issued` is its unix second."""

    serial: int = Field(ge=1)
    issued: int = Field(ge=0)
    members: tuple[Member, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        check_members(self.members)
        return self

    def member_by_tls(self, sha256: str) -> Member | None:
        """The member with this TLS key (SHA-256 of the SubjectPublicKeyInfo, hex), revoked or out of date alike."""
        return next((member for member in self.members if member.tls == sha256), None)


def check_peer(roster: Roster, tls: str, party: Party, now: int) -> Member | Reason:
    """Who is calling: the live member whose TLS key this is, if its certificate says the same party as the roster.

    For use after the handshake, which checked issuer and dates; revocation and role are checked here.
    """
    member = roster.member_by_tls(tls)
    if member is None:
        return Reason.UNKNOWN_SIGNER
    if member.party != party:
        return Reason.WRONG_ROLE
    return _live([member], now)


def check_member(roster: Roster, key: PublicKey, role: Role, purpose: Purpose, now: int) -> Member | Reason:
    """The live member whose signing key this is, for this role and purpose; else the first thing that is wrong.

    `now` is in unix seconds. Proves nothing about a document by itself: ask `rondgang.signed.verify` as well.
    """
    owners = [member for member in roster.members if key.hex in member.keys.values()]
    if not owners:
        return Reason.UNKNOWN_SIGNER
    fitting = [member for member in owners if member.role is role and member.keys.get(purpose) == key.hex]
    if not fitting:
        return Reason.WRONG_ROLE
    return _live(fitting, now)


def _live(members: list[Member], now: int) -> Member | Reason:
    """The first live one. A renewed party has several certificates on one key, so one dead one is no refusal."""
    for member in members:
        if member.live(now):
            return member
    return Reason.REVOKED if all(member.revoked for member in members) else Reason.EXPIRED


def witnesses(roster: Roster, now: int) -> dict[str, Member]:
    """Who may cosign at `now` (unix seconds), by public key (hex): the live witnesses, and the coordinator.

    One of each identity: a renewed party counts once.
    """
    found = {}
    for member in roster.members:
        if member.role in (Role.WITNESS, Role.COORDINATOR) and member.live(now):
            found[member.keys["signing"]] = member
    return found


def checkpoint_keys(roster: Roster, region: str, now: int) -> tuple[PublicKey, ...]:
    """The live checkpoint keys of a region at `now` (unix seconds)."""
    keys = {
        member.keys["checkpoint"]
        for member in roster.members
        if member.role is Role.REGION and member.region == region and member.live(now)
    }
    return tuple(PublicKey.from_hex(key) for key in sorted(keys))


def steward_keys(roster: Roster, region: str, now: int | None = None) -> tuple[PublicKey, ...]:
    """The keys that may sign a region's policy and approvals: its own steward key, and those of its stewards.

    The live ones at `now` (unix seconds); without it all that the roster lists, revoked and out of date alike.
    """
    keys = {
        member.keys["steward"]
        for member in roster.members
        if member.role in (Role.REGION, Role.STEWARD) and member.region == region and (now is None or member.live(now))
    }
    return tuple(PublicKey.from_hex(key) for key in sorted(keys))
