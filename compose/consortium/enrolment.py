"""Whether an enrolment request may become a member, and the member it becomes.

The rules, in order: the signing request is signed by its own key and names the same party; the region is in the signed
calendar; no key was ever another's, another purpose's or revoked; a party has one live certificate, unless the new one
renews it on the same signing keys (new signing keys are a new member: revoke the old one first).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rondgang.errors import BadCertificate
from rondgang.roles import Role
from rondgang.tls import Certified, requested

from compose.consortium.authority import Authority, host_name, issue, pem
from compose.consortium.register import Refusal, Register
from policies.study.calendar import Calendar
from policies.study.enrolment import EnrolmentRequest
from policies.study.roster import Member

SERVERS = frozenset({Role.COORDINATOR, Role.WITNESS})
"""Roles that others dial, and whose certificates may name hosts."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the person at the consortium decides: instant (unix seconds), days of validity, host names, renewal."""

    now: int
    days: int
    hosts: tuple[str, ...] = ()
    renew: bool = False


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A signed request: the certificate to hand out, the member, and the register that holds it."""

    certificate: bytes
    member: Member
    register: Register


def enrol(
    authority: Authority, register: Register, calendar: Calendar | None, request: EnrolmentRequest, terms: Terms
) -> Enrolled | Refusal:
    """Issues a certificate for an admissible request. Nothing is kept until the caller stores the register."""
    csr = request.csr.encode("utf-8")
    try:
        certified = requested(csr)
    except BadCertificate as error:
        return Refusal("bad_csr", f"The signing request cannot be used: {error}. Ask the applicant for a new request.")
    refusal = _unfit(authority, certified, calendar, request, terms) or _taken(
        authority, register, certified, request, terms
    )
    if refusal is not None:
        return refusal
    certificate, first, last = issue(authority, csr, request.party, request.name, terms.hosts, terms.now, terms.days)
    member = Member(
        role=request.role,
        region=request.region,
        name=request.name,
        tls=certified.tls,
        keys=request.keys,
        valid_from=first,
        valid_to=last,
    )
    return Enrolled(pem(certificate), member, register.admit(member))


def _unfit(
    authority: Authority, certified: Certified, calendar: Calendar | None, request: EnrolmentRequest, terms: Terms
) -> Refusal | None:
    if certified.party != request.party:
        return Refusal(
            "wrong_role",
            f"The signing request says {certified.party.uri}, the request itself {request.party.uri}. "
            "Ask the applicant for a new request.",
        )
    if request.region is not None:
        if calendar is None:
            return Refusal(
                "no_calendar", "Sign the calendar first (`rondgang consortium calendar`): it lists the regions."
            )
        if request.region not in calendar.regions:
            known = ", ".join(sorted(calendar.regions))
            return Refusal("unknown_region", f"The calendar has no region {request.region}. It has: {known}.")
    if authority.expires <= terms.now:
        return Refusal(
            "root_expired", "The root certificate is out of date. Found a new consortium; everyone pins anew."
        )
    if terms.hosts and request.role not in SERVERS:
        return Refusal("hosts", f"Nobody dials a {request.role}, so its certificate names no host. Leave out --host.")
    if not terms.hosts and request.role in SERVERS:
        return Refusal("hosts", "Give --host: the name or address under which nodes dial it, such as desk.example.org.")
    return _bad_host(terms.hosts)


def _bad_host(hosts: Sequence[str]) -> Refusal | None:
    for host in hosts:
        try:
            host_name(host)
        except ValueError as error:
            return Refusal("hosts", f"{error}. Give --host a name such as desk.example.org, or an IP address.")
    return None


def _taken(
    authority: Authority, register: Register, certified: Certified, request: EnrolmentRequest, terms: Terms
) -> Refusal | None:
    if authority.signing.public.hex in request.keys.values():
        return Refusal("key_in_use", "A key in this request is the consortium's own. Ask for a request with own keys.")
    identity = (request.role, request.region if request.role is Role.REGION else request.name)
    for member in register.members:
        same_tls = member.tls == certified.tls
        shared = set(member.keys.values()) & set(request.keys.values())
        if not same_tls and not shared:
            continue
        if member.revoked:
            return Refusal("key_revoked", f"A key in this request was revoked with {member.name!r}. Ask for new keys.")
        if member.identity != identity:
            return Refusal("key_in_use", f"A key in this request belongs to {member.name!r}. Every party has its own.")
    live = [member for member in register.members if member.identity == identity and member.live(terms.now)]
    if live and not terms.renew:
        return Refusal(
            "live_certificate",
            f"{live[0].name!r} has a certificate in force. Use --renew to extend it, or revoke it first.",
        )
    if any(
        member.identity == identity and not member.revoked and member.keys != request.keys
        for member in register.members
    ):
        return Refusal("new_keys", "A renewal keeps its signing keys. New signing keys are a new member: revoke first.")
    return None
