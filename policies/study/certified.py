"""Checking what the consortium sent back: is this our certificate, under this root, and are we on the roster?

Pure, and alike for whoever enrols: certificates are bytes and the instant is an argument.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from rondgang.errors import BadCertificate
from rondgang.tls import requested, role_of_certificate

from policies.rules.refusals import Reason, Refused
from policies.study.enrolment import EnrolmentRequest
from policies.study.roster import Roster, check_peer


def check_certificate(own: bytes, root: bytes, request: EnrolmentRequest, now: int) -> Refused | None:
    """None if `own` (PEM) is a certificate for our request, issued by `root` (PEM), in date; else why not.

    Raises `BadCertificate` where either is no certificate.
    """
    found = role_of_certificate(own)
    asked = requested(request.csr.encode("utf-8"))
    if found.tls != asked.tls:
        return Refused(Reason.UNKNOWN_SIGNER, "This certificate is for another key. Give the one for our request.")
    if found.party != asked.party:
        return Refused(Reason.WRONG_ROLE, f"This certificate is that of {found.party.uri}. Ask for the right one.")
    certificate = x509.load_pem_x509_certificate(own)
    try:
        authority = x509.load_pem_x509_certificate(root)
    except (ValueError, x509.InvalidVersion) as error:
        raise BadCertificate("the root is not a certificate in PEM form") from error
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return Refused(Reason.UNKNOWN_SIGNER, "This certificate does not stand under that root. Ask for both again.")
    if not certificate.not_valid_before_utc.timestamp() <= now <= certificate.not_valid_after_utc.timestamp():
        return Refused(Reason.EXPIRED, "This certificate is not in date. Ask the consortium for a new one.")
    return None


def unfit_roster(roster: Roster, own: bytes, now: int) -> Refused | None:
    """What is wrong if the roster does not bear our certificate out: others will turn us away."""
    certified = role_of_certificate(own)
    member = check_peer(roster, certified.tls, certified.party, now)
    if isinstance(member, Reason):
        return Refused(member, "This roster does not bear our certificate out. Ask the consortium for a newer one.")
    return None


def last_second(certificate: bytes) -> int:
    """The unix second after which a certificate (PEM) is refused. Raises `BadCertificate`."""
    try:
        return int(x509.load_pem_x509_certificate(certificate).not_valid_after_utc.timestamp())
    except (ValueError, x509.InvalidVersion) as error:
        raise BadCertificate("not a certificate in PEM form") from error
