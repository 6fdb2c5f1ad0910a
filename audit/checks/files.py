"""Who made each file, and does everybody mean the same consortium?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from rondgang.errors import BadCertificate, BadKey
from rondgang.keys import PublicKey
from rondgang.roles import Party, Role
from rondgang.tls import Certified, role_of_certificate

from audit.evidence import Evidence
from audit.findings import Finding, Where, error, note, record_place, warning
from audit.model import Bundle
from audit.people import live, nodes
from policies.study.roster import Member, Roster

OTHER_CONSORTIUM = error(
    "consortium.other",
    "This file was made under another consortium's key; whatever that key signed is worth nothing here.",
    "Ask the maker which key it pinned, and compare fingerprints with the consortium by telephone.",
)
UNPINNED = note(
    "consortium.unpinned",
    "Everything rests on the consortium's key; the files name it themselves, and nobody has compared it yet.",
    "Compare this fingerprint with the consortium by telephone, or give the key with --consortium-key.",
)
NO_ROSTER = error(
    "roster.none",
    "Without a list of parties that the consortium signed, nobody's signature can be believed.",
    "Ask the consortium for its rosters, and the makers for files that hold them.",
)
NO_CERTIFICATE = error(
    "certificate.missing",
    "The file does not show who made it, or under which root.",
    "Ask the maker for a new export.",
)
BAD_CERTIFICATE = error(
    "certificate.bad",
    "The certificate was not issued under this root, or is not for the party that the file names.",
    "Ask the consortium for whom it issued this certificate.",
)
STRANGER = error(
    "certificate.unknown",
    "The roster does not know the holder of this certificate.",
    "Ask the consortium whether this party takes part.",
)
REVOKED = warning(
    "certificate.revoked",
    "The party that made the file was revoked, or its certificate was out of date, when it made it.",
    "Ask the consortium since when, and why.",
)
OTHER_ROOT = warning(
    "certificate.root",
    "The parties' certificates were issued under different roots.",
    "Ask the consortium whether it has renewed its root.",
)
SEAL = error(
    "seal.unknown",
    "The file was sealed with a key that is not its maker's by the roster: somebody else made it.",
    "Ask the supposed maker whether this file is theirs.",
)


def check(evidence: Evidence, *, pinned: bool) -> Iterator[Finding]:
    """Every file by itself, and all against each other."""
    if not evidence.bundles:
        return
    if not pinned:
        yield UNPINNED.broken(Where(""), f"Fingerprint of the consortium's key: {fingerprint(evidence.consortium)}.")
    if evidence.newest is None:
        yield NO_ROSTER.broken(Where(""), "No roster in the evidence carries the signature of the consortium's key.")
    roots = Counter(bundle.certificates.get("root", b"") for bundle in evidence.bundles)
    usual = max(roots, key=lambda der: (roots[der], der))
    for bundle in evidence.bundles:
        yield from _certificates(evidence.newest, bundle)
        yield from _seal(evidence.newest, bundle)
        if bundle.certificates.get("root", usual) != usual:
            place = bundle.certificate_places["root"]
            yield OTHER_ROOT.broken(
                Where(bundle.file, bundle.region, place), "Its root certificate is not the one of the other files."
            )


def fingerprint(key: str) -> str:
    """What people compare of a public key (hex); the key itself where it is none that can be used."""
    try:
        return PublicKey.from_hex(key).fingerprint
    except BadKey:
        return f"none ({key[:16]} is not a usable key)"


def _header(bundle: Bundle) -> Where:
    return Where(bundle.file, bundle.region, record_place(0, 0))


def other_consortium(bundle: Bundle, consortium: str) -> Finding | None:
    """Whether a file was made under another consortium's key than the one (hex) by which all is judged."""
    if bundle.consortium == consortium:
        return None
    what = f"It names the key with fingerprint {fingerprint(bundle.consortium)}, not {fingerprint(consortium)}."
    return OTHER_CONSORTIUM.broken(_header(bundle), f"{what} It was not checked further.")


def _certificates(roster: Roster | None, bundle: Bundle) -> Iterator[Finding]:
    if set(bundle.certificates) != {"own", "root"}:
        yield NO_CERTIFICATE.broken(_header(bundle), "It does not hold its maker's certificate and the root.")
        return
    found = _read(bundle.certificates["own"], bundle.certificates["root"])
    where = Where(bundle.file, bundle.region, bundle.certificate_places["own"])
    if isinstance(found, str):
        yield BAD_CERTIFICATE.broken(where, found)
        return
    party = Party(Role(bundle.maker), bundle.region or None)
    if found.party != party:
        yield BAD_CERTIFICATE.broken(where, f"The certificate is for {found.party.uri}, the file of {party.uri}.")
        return
    if roster is None:
        return
    member = roster.member_by_tls(found.tls)
    if member is None or member.party != party or (not bundle.region and member.name != bundle.name):
        yield STRANGER.broken(where, f"No {bundle.maker} {bundle.name} with this TLS key is on the roster.")
    elif not live(member, bundle.made):
        yield REVOKED.broken(where, f"{member.name} was not a live member when the file was made.")


def _read(own: bytes, root: bytes) -> Certified | str:
    """The party of a certificate that was issued directly under the root, or what is wrong."""
    try:
        certificate, authority = x509.load_der_x509_certificate(own), x509.load_der_x509_certificate(root)
        certificate.verify_directly_issued_by(authority)
        authority.verify_directly_issued_by(authority)
        return role_of_certificate(certificate.public_bytes(Encoding.PEM))
    except InvalidSignature:
        return "The certificate's signature is not that of the root."
    except BadCertificate as fault:
        return f"The certificate cannot be used: {fault}."
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.UnsupportedGeneralNameType):
        return "The certificate or the root is not an X.509 certificate that fits the other."


def _seal(roster: Roster | None, bundle: Bundle) -> Iterator[Finding]:
    if roster is None:
        return
    where = Where(bundle.file, bundle.region, bundle.seal_place)
    holders = [member for member in _makers(roster, bundle) if bundle.sealed_by in member.keys.values()]
    if not holders:
        what = f"The seal's key {bundle.sealed_by[:16]} is not one that {bundle.maker} {bundle.name} has by the roster."
        yield SEAL.broken(where, what)
    elif not any(live(member, bundle.made) for member in holders):
        yield REVOKED.broken(where, f"The seal's key of {bundle.name} was not a live member's when the file was made.")


def _makers(roster: Roster, bundle: Bundle) -> tuple[Member, ...]:
    if bundle.region:
        return tuple(
            member.model_copy(update={"keys": {"checkpoint": member.keys.get("checkpoint", "")}})
            for member in nodes(roster, bundle.region)
        )
    return tuple(one for one in roster.members if one.role is Role(bundle.maker) and one.name == bundle.name)
