"""Who asks, and is it theirs to ask? Pure: documents and roster in, an authentic request or a refusal out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from rondgang.canonical import digest
from rondgang.errors import BadKey, ContractError
from rondgang.keys import PublicKey
from rondgang.roles import Role
from rondgang.signed import Signed, verify

from policies.documents import BadDocument, Document, from_canonical, to_canonical
from policies.rules.order import Order
from policies.rules.refusals import Reason, Refused
from policies.rules.result import Result
from policies.statistics.programme import Programme
from policies.study.roster import Roster, check_member

D = TypeVar("D", bound=Document)
_LONGEST = 300
_MOST_SIGNATURES = 8
"""More names than anyone needs under a document, and few enough that checking them costs nothing."""
_SENTENCES = {
    Reason.UNSIGNED: "The {what} carries no valid signature. The {who} must sign it.",
    Reason.UNKNOWN_SIGNER: "The signer of the {what} is not on the roster. Enrol the {who}, or adopt a newer roster.",
    Reason.WRONG_ROLE: "The signer of the {what} is not a {who}. A {who} must sign it.",
    Reason.REVOKED: "The signer of the {what} was revoked. A {who} on the roster must sign it.",
    Reason.EXPIRED: "The certificate of the signer of the {what} is out of date. Renew the {who}'s certificate.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A programme that can be read; nothing about it is verified yet. `digest` is the programme's hash."""

    signed: Signed
    programme: Programme

    @property
    def digest(self) -> str:
        return self.signed.digest


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order that can be read, with its programme; nothing is verified yet. `run` is the order's own."""

    asked: Asked
    signed_order: Signed
    order: Order


@dataclass(frozen=True, slots=True)
class Returned:
    """A result that can be read; nothing about it is verified yet."""

    signed: Signed
    result: Result


@dataclass(frozen=True, slots=True)
class Authentic:
    """A programme of a live researcher (`researcher` is the public key, hex)."""

    asked: Asked
    researcher: str


def read_programme(data: bytes) -> Asked | Refused:
    """The programme in a signed envelope, unverified; MALFORMED if it cannot be read."""
    signed = _envelope("programme", data)
    if isinstance(signed, Refused):
        return signed
    programme = _document(Programme, signed)
    return programme if isinstance(programme, Refused) else Asked(signed, programme)


def read_order(run: str, signed_order: bytes, signed_programme: bytes) -> Ordered | Refused:
    """An order and the programme it brings, unverified; MALFORMED unless they belong together and to `run`."""
    asked = read_programme(signed_programme)
    if isinstance(asked, Refused):
        return asked
    signed = _envelope("order", signed_order)
    if isinstance(signed, Refused):
        return signed
    order = _document(Order, signed)
    if isinstance(order, Refused):
        return order
    if order.run != run or order.programme != asked.digest:
        return Refused(Reason.MALFORMED, "The order is for another run or another programme. Send the order anew.")
    return Ordered(asked, signed, order)


def read_result(run: str, data: bytes) -> Returned | Refused:
    """The result in a signed envelope, unverified; MALFORMED if it cannot be read, or is that of another run."""
    signed = _envelope("result", data)
    if isinstance(signed, Refused):
        return signed
    result = _document(Result, signed)
    if isinstance(result, Refused):
        return result
    if result.run != run or digest(to_canonical(result.asked)) != result.programme or not result.whole():
        return Refused(Reason.MALFORMED, "The result is of another run, programme or region. Send it anew.")
    return Returned(signed, result)


def authenticate_result(returned: Returned, region: str, roster: Roster, now: int) -> Refused | None:
    """Why a result is not for this region to keep: who signed it, or whose it is. `now` is in unix seconds."""
    desk = _signer(returned.signed, roster, Role.COORDINATOR, now)
    if isinstance(desk, Refused):
        return desk
    if returned.result.region != region:
        return Refused(Reason.MALFORMED, f"This is the result of {returned.result.region}; the node is {region}.")
    return None


def authenticate(ordered: Ordered, roster: Roster, now: int) -> Authentic | Refused:
    """Whether a live coordinator orders what a live researcher signed, in time. `now` is in unix seconds."""
    desk = _signer(ordered.signed_order, roster, Role.COORDINATOR, now)
    if isinstance(desk, Refused):
        return desk
    authentic = authenticate_programme(ordered.asked, roster, now)
    if isinstance(authentic, Refused):
        return authentic
    if now > ordered.order.deadline:
        return Refused(Reason.DEADLINE_PASSED, "The order's deadline has passed. Submit the programme in a new run.")
    return authentic


def read_signed(kind: str, model: type[D], data: bytes) -> tuple[Signed, D] | Refused:
    """A signed document of this kind with what it says, unverified; MALFORMED if it cannot be read."""
    signed = _envelope(kind, data)
    if isinstance(signed, Refused):
        return signed
    document = _document(model, signed)
    return document if isinstance(document, Refused) else (signed, document)


def signed_by_coordinator(signed: Signed, roster: Roster, now: int) -> PublicKey | Refused:
    """The live coordinator's key under a document. `now` is in unix seconds."""
    return _signer(signed, roster, Role.COORDINATOR, now)


def authenticate_programme(asked: Asked, roster: Roster, now: int) -> Authentic | Refused:
    """Whether a live researcher signed the programme."""
    researcher = _signer(asked.signed, roster, Role.RESEARCHER, now)
    return researcher if isinstance(researcher, Refused) else Authentic(asked, researcher.hex)


def _envelope(kind: str, data: bytes) -> Signed | Refused:
    try:
        signed = Signed.from_bytes(data)
    except ContractError as error:
        return _malformed(kind, error)
    if signed.kind != kind:
        return Refused(Reason.MALFORMED, f"Expected a signed {kind}, got a signed {signed.kind}. Send the {kind}.")
    if len(signed.signers) > _MOST_SIGNATURES:
        return Refused(Reason.MALFORMED, f"The {kind} carries too many signatures. Send it with one.")
    return signed


def _document(model: type[D], signed: Signed) -> D | Refused:
    try:
        return from_canonical(model, signed.document)
    except BadDocument as error:
        return _malformed(signed.kind, error)


def _malformed(kind: str, error: Exception) -> Refused:
    what = str(error).partition("\n")[0]
    return Refused(Reason.MALFORMED, f"The {kind} cannot be read: {what}"[:_LONGEST])


def _signer(signed: Signed, roster: Roster, role: Role, now: int) -> PublicKey | Refused:
    """The first signer that the roster knows in this role; else what is wrong with the first one."""
    wrong = Reason.UNSIGNED
    for signer in signed.signers:
        found = _checked(signed, signer, roster, role, now)
        if isinstance(found, PublicKey):
            return found
        wrong = found if wrong is Reason.UNSIGNED else wrong
    return Refused(wrong, _SENTENCES[wrong].format(what=signed.kind, who=role.value))


def _checked(signed: Signed, signer: str, roster: Roster, role: Role, now: int) -> PublicKey | Reason:
    try:
        key = PublicKey.from_hex(signer)
    except BadKey:
        return Reason.UNSIGNED
    if not verify(signed, key):
        return Reason.UNSIGNED
    member = check_member(roster, key, role, "signing", now)
    return member if isinstance(member, Reason) else key
