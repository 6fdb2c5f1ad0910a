"""Becoming a region: keys and an enrolment request first, and the certificate that comes back later."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from rondgang.errors import BadCertificate, ContractError
from rondgang.keys import PublicKey, SigningKey
from rondgang.roles import Party, Role
from rondgang.tls import new_tls_key, request_certificate, requested, role_of_certificate

from node.entropy import seed32
from node.errors import BadHome
from node.files import write_private
from node.home import Config, Home, create_home
from policies.documents import to_canonical
from policies.study.enrolment import EnrolmentRequest


@dataclass(frozen=True, slots=True)
class Founded:
    """A new home, and the public keys to compare with the consortium by telephone, by purpose."""

    home: Home
    fingerprints: dict[str, str]


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Why a certificate is not taken: a key of the catalogue, with its fields."""

    key: str
    fields: dict[str, str]


def read_key(given: str) -> PublicKey:
    """The consortium's public key, as 64 hexadecimal digits or a file that holds them. Raises BadHome."""
    path = Path(given)
    try:
        text = path.read_text(encoding="ascii").strip() if path.is_file() else given.strip()
        return PublicKey.from_hex(text)
    except (OSError, UnicodeDecodeError, ContractError) as error:
        raise BadHome(f"--consortium-key: expected 64 hexadecimal digits, or a file with them ({error})") from error


def found(root: Path, config: Config, pinned: PublicKey, name: str) -> Founded:
    """Makes a home with new keys and its enrolment request. Raises BadHome if there is a home already.

    Three keys: TLS, checkpoints and answers, and the steward's. They never leave the home.
    """
    tls = new_tls_key()
    checkpoint, steward = SigningKey.generate(seed32()), SigningKey.generate(seed32())
    party = Party(Role.REGION, config.region)
    try:
        request = EnrolmentRequest.build(
            party,
            name,
            request_certificate(tls, party, name),
            {"checkpoint": checkpoint.public, "steward": steward.public},
        )
    except ValueError as error:
        raise BadHome(f"--name: {error}") from error
    keys = {"tls": tls, "checkpoint": checkpoint.to_pem(), "steward": steward.to_pem()}
    home = create_home(root, config, pinned, keys)
    write_private(home.request_file, to_canonical(request) + b"\n")
    prints = {"tls": requested(request.csr.encode("ascii")).tls}
    return Founded(home, prints | {"checkpoint": checkpoint.public.fingerprint, "steward": steward.public.fingerprint})


def check_certificate(home: Home, certificate: Path, ca: Path) -> tuple[bytes, bytes] | NotOurs:
    """Certificate and root (PEM), if the certificate is for this node's region and key and the root issued it.

    Raises BadHome where the home's own key cannot be read.
    """
    try:
        own, root = certificate.read_bytes(), ca.read_bytes()
        certified = role_of_certificate(own)
    except (OSError, BadCertificate) as error:
        return NotOurs("node.enrol.no_certificate", {"file": str(certificate), "detail": _reason(error)})
    party = Party(Role.REGION, home.config().region)
    if certified.party != party:
        return NotOurs("node.enrol.other_party", {"party": certified.party.uri, "region": str(party.region)})
    if certified.tls != _own_tls(home, party):
        return NotOurs("node.enrol.other_key", {})
    try:
        issuer = x509.load_pem_x509_certificate(root)
        x509.load_pem_x509_certificate(own).verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return NotOurs("node.enrol.other_ca", {"file": str(ca)})
    return own, root


def take_certificate(home: Home, own: bytes, root: bytes) -> Path:
    """Keeps a checked certificate and its root. Durable on return."""
    write_private(home.certs / "ca.pem", root)
    path = home.certs / "own.pem"
    write_private(path, own)
    return path


def _own_tls(home: Home, party: Party) -> str:
    try:
        key = (home.keys / "tls.pem").read_bytes()
        return requested(request_certificate(key, party, "fingerprint")).tls
    except (OSError, ContractError) as error:
        raise BadHome(f"{home.keys / 'tls.pem'}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)
