"""Who may speak, and which documents the desk takes in. Pure: documents in, a value out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rondgang.errors import BadCertificate, BadKey, BadSigned, NotCanonical
from rondgang.keys import PublicKey
from rondgang.roles import Role
from rondgang.signed import Signed, verify
from rondgang.tls import role_of_certificate

from coordinator.study import Study
from policies.documents import BadDocument, from_canonical
from policies.rules.refusals import Reason, Refused
from policies.statistics.answer import Answer
from policies.statistics.programme import Programme
from policies.statistics.verify import verify_plan
from policies.study.codebook import Codebook
from policies.study.enrolment import Purpose
from policies.study.roster import Member, Roster, check_member, check_peer

_WHY = {
    Reason.UNKNOWN_SIGNER: "{who} is not on the roster that the desk works by. Ask the consortium to enrol you.",
    Reason.WRONG_ROLE: "{who} does not have the role that this takes. Use the party that was enrolled for it.",
    Reason.REVOKED: "{who} was revoked. Ask the consortium.",
    Reason.EXPIRED: "{who} is out of date. Ask the consortium for a new certificate.",
}


@dataclass(frozen=True, slots=True)
class Admitted:
    """A programme that the desk works with: genuine, planned by the documents in force, and priced right."""

    signed: Signed
    programme: Programme
    codebook: Codebook
    researcher: str

    @property
    def digest(self) -> str:
        return self.signed.digest


def admit_peer(pem: bytes, roster: Roster, roles: Collection[Role], now: int) -> Member | Refused:
    """The live member who calls, if it has one of `roles`. The handshake has checked issuer and dates of `pem`."""
    try:
        certified = role_of_certificate(pem)
    except BadCertificate:
        return Refused(Reason.UNKNOWN_SIGNER, "The certificate names no party. Ask the consortium for a new one.")
    member = check_peer(roster, certified.tls, certified.party, now)
    if isinstance(member, Reason):
        return Refused(member, _WHY[member].format(who="Your certificate"))
    if member.role not in roles:
        return Refused(Reason.WRONG_ROLE, _WHY[Reason.WRONG_ROLE].format(who=f"A {member.role}"))
    return member


def sent_away(tls: str, roster: Roster, now: int) -> Refused | None:
    """Why the holder of a TLS key (SHA-256, hex) may not stay, by the roster in force; None where it may."""
    member = roster.member_by_tls(tls)
    if member is not None and member.live(now):
        return None
    revoked = member is not None and member.revoked
    reason = Reason.REVOKED if revoked else Reason.EXPIRED if member else Reason.UNKNOWN_SIGNER
    return Refused(reason, "The roster in force no longer admits this certificate. Ask the consortium.")


def admit_programme(data: bytes, study: Study, now: int) -> Admitted | Refused:
    """The programme in a signed envelope, if a live researcher signed it and the documents in force bear it out."""
    try:
        signed = Signed.from_bytes(data)
        programme = from_canonical(Programme, signed.document)
    except (NotCanonical, BadSigned, BadDocument) as error:
        return Refused(Reason.MALFORMED, f"This is not a signed programme: {error}. Plan it again and sign it.")
    if signed.kind != "programme":
        return Refused(Reason.MALFORMED, f"This is a signed {signed.kind}, not a programme.")
    signer = _signer(signed, study.roster.document, Role.RESEARCHER, "signing", now)
    if isinstance(signer, Refused):
        return signer
    codebook = study.codebook(programme.codebook_hash)
    if codebook is None or programme.programme.codebook not in study.codebooks:
        return Refused(Reason.CODEBOOK_MISMATCH, "The desk works by another codebook. Plan the programme again.")
    if programme.calendar_hash != study.calendar.digest:
        return Refused(Reason.CODEBOOK_MISMATCH, "The desk works by another calendar. Plan the programme again.")
    if refused := _place(programme, study, now):
        return refused
    verified = verify_plan(programme, codebook, study.calendar.document)
    if isinstance(verified, Refused):
        return verified
    return Admitted(signed, programme, codebook, signer.name)


def researcher_of(signed: Signed, roster: Roster, now: int) -> str:
    """Under whom a programme counts: the TLS key (SHA-256, hex) of the live researcher who signed it; empty without."""
    signer = _signer(signed, roster, Role.RESEARCHER, "signing", now)
    return "" if isinstance(signer, Refused) else signer.tls


def admit_answer(
    data: bytes, region: str, asked: Signed, programme: Programme, roster: Roster, now: int
) -> Answer | Refused:
    """The answer in a signed envelope, if `region` signed it with its checkpoint key and it answers what was asked."""
    try:
        signed = Signed.from_bytes(data)
        answer = from_canonical(Answer, signed.document)
    except (NotCanonical, BadSigned, BadDocument):
        return Refused(Reason.MALFORMED, f"Region {region} sent no signed answer. Ask its steward to look at the node.")
    if signed.kind != "answer":
        return Refused(Reason.MALFORMED, f"Region {region} sent a signed {signed.kind}, not an answer.")
    signer = _signer(signed, roster, Role.REGION, "checkpoint", now)
    if isinstance(signer, Refused):
        return signer
    if signer.region != region or answer.region != region:
        return Refused(Reason.WRONG_ROLE, f"Region {region} sent an answer of another region.")
    if answer.programme != asked.digest or answer.cohort != programme.programme.cohort or not answer.fits(programme):
        return Refused(Reason.MALFORMED, f"Region {region} sent an answer that does not fit the programme.")
    return answer


def _place(programme: Programme, study: Study, now: int) -> Refused | None:
    calendar, heading = study.calendar.document, programme.programme
    if heading.cohort not in calendar.cohorts:
        return Refused(
            Reason.WRONG_COHORT, f"The calendar has no cohort {heading.cohort}. Check the programme's cohort."
        )
    if outside := set(programme.weights) - calendar.ever_members(heading.cohort):
        return Refused(
            Reason.OFF_ROTATION, f"Region {min(outside)} is not asked in cohort {heading.cohort}. Leave it out."
        )
    if now > heading.deadline:
        return Refused(Reason.DEADLINE_PASSED, "The programme's deadline has passed. Sign it again with a later one.")
    return None


def _signer(signed: Signed, roster: Roster, role: Role, purpose: Purpose, now: int) -> Member | Refused:
    """The one live member with this role whose signature stands under the document and holds."""
    if not signed.signatures:
        return Refused(Reason.UNSIGNED, f"The {signed.kind} is not signed. Sign it with your own key.")
    refused = Refused(Reason.UNSIGNED, f"The signature under the {signed.kind} does not hold. Sign it again.")
    for text in signed.signers:
        try:
            key = PublicKey.from_hex(text)
        except BadKey:
            continue
        if not verify(signed, key):
            continue
        member = check_member(roster, key, role, purpose, now)
        if isinstance(member, Member):
            return member
        refused = Refused(member, _WHY[member].format(who=f"The signer of the {signed.kind}"))
    return refused
