"""Who may put a name under what, by a roster at a moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rondgang.errors import BadKey
from rondgang.keys import PublicKey
from rondgang.notes import witness_name
from rondgang.roles import Role

from policies.study.enrolment import Purpose
from policies.study.roster import Member, Roster

SKEW_S = 300
"""Seconds by which the clocks of honest parties may differ. Public; nothing is found within it."""


def live(member: Member, at: int) -> bool:
    """Neither revoked nor out of date at `at` (unix seconds), within the skew."""
    return not member.revoked and member.valid_from - SKEW_S <= at <= member.valid_to + SKEW_S


def desks(roster: Roster) -> tuple[Member, ...]:
    return _holding(roster, Role.COORDINATOR)


def researchers(roster: Roster) -> tuple[Member, ...]:
    return _holding(roster, Role.RESEARCHER)


def stewards(roster: Roster, region: str) -> tuple[Member, ...]:
    """Who may sign for the steward of a region: by the key in the region's own certificate, or by one of their own."""
    return tuple(
        member for member in roster.members if member.region == region and member.role in (Role.REGION, Role.STEWARD)
    )


def nodes(roster: Roster, region: str) -> tuple[Member, ...]:
    return tuple(member for member in roster.members if member.region == region and member.role is Role.REGION)


def _holding(roster: Roster, role: Role) -> tuple[Member, ...]:
    return tuple(member for member in roster.members if member.role is role)


def unfit(signers: Collection[str], members: Iterable[Member], purpose: Purpose, at: int) -> str:
    """Why none of the keys that signed may sign so at `at`; empty where one may."""
    if not signers:
        return "no signature on it holds"
    fitting = [member for member in members if member.keys.get(purpose) in signers]
    if not fitting:
        return "nobody on the roster who may sign this has signed it"
    if any(live(member, at) for member in fitting):
        return ""
    if all(member.revoked for member in fitting):
        return "its signer was revoked"
    return "its signer's certificate was not valid at that time"


@dataclass(frozen=True, slots=True)
class Cosigner:
    """Somebody whose cosignatures can be recognised: by the roster, at any time."""

    key: PublicKey
    name: str
    coordinator: bool


def cosigners(rosters: Iterable[Roster]) -> dict[str, Cosigner]:
    """Everybody who was ever a witness or the coordinator, by the name under which they cosign."""
    found = {}
    for roster in rosters:
        for member in roster.members:
            if member.role in (Role.WITNESS, Role.COORDINATOR):
                try:
                    key = PublicKey.from_hex(member.keys["signing"])
                except (BadKey, KeyError):
                    continue
                found[witness_name(key)] = Cosigner(key, member.name, member.role is Role.COORDINATOR)
    return found


def witnesses(roster: Roster, at: int) -> dict[str, Member]:
    """Who may cosign at `at` (unix seconds), by signing key (hex)."""
    return {
        member.keys["signing"]: member
        for member in roster.members
        if member.role in (Role.WITNESS, Role.COORDINATOR) and "signing" in member.keys and live(member, at)
    }


def checkpoint_keys(rosters: Iterable[Roster], region: str) -> tuple[PublicKey, ...]:
    """Every checkpoint key that a region ever had."""
    keys = {member.keys.get("checkpoint", "") for roster in rosters for member in nodes(roster, region)}
    found = []
    for key in sorted(keys):
        try:
            found.append(PublicKey.from_hex(key))
        except BadKey:
            continue
    return tuple(found)
