"""TLS identities: key and signing request of a party, and reading role, key and hosts out of a certificate.

Every party's TLS key is ECDSA on P-256. Who it is stands in one URI of the subject alternative name (see
`rondgang.roles`), and the roster knows it by the SHA-256 of its SubjectPublicKeyInfo, so that a renewed certificate on
the same key is the same party. `new_tls_key` draws from the cryptography library's own source of entropy.
"""

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rondgang.canonical import digest
from rondgang.errors import BadCertificate, BadKey, BadRole
from rondgang.roles import Party

__all__ = [
    "BadCertificate",
    "Certified",
    "host_names",
    "new_tls_key",
    "request_certificate",
    "requested",
    "role_of_certificate",
    "spki_sha256",
]

_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    InternalError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for bytes that are no certificate, or one of a kind that it does not know."""


@dataclass(frozen=True, slots=True)
class Certified:
    """What a certificate or a signing request says: the party, and the SHA-256 (hex) of its SubjectPublicKeyInfo."""

    party: Party
    tls: str


def new_tls_key() -> bytes:
    """A fresh ECDSA P-256 private key as unencrypted PKCS#8 PEM: write it with mode 0600."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def request_certificate(key_pem: bytes, party: Party, name: str) -> bytes:
    """A certificate signing request (PEM) for `party`, called `name` (1 to 64 characters), signed by its TLS key.

    Raises `BadKey` if the key is no P-256 key, `BadCertificate` if the name does not fit.
    """
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
        raise BadKey("not an unencrypted private key in PEM form") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadKey("a TLS key is an ECDSA key on P-256; this is another kind of key")
    if not 1 <= len(name) <= 64:
        raise BadCertificate("a party's name has 1 to 64 characters")
    builder = x509.CertificateSigningRequestBuilder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(party.uri)])
    return (
        builder.add_extension(names, critical=False).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )


def requested(csr_pem: bytes) -> Certified:
    """The party and key of a signing request that its own key has signed. Raises `BadCertificate`."""
    try:
        csr = x509.load_pem_x509_csr(csr_pem)
        valid, extensions, key = csr.is_signature_valid, csr.extensions, csr.public_key()
    except (*_UNREADABLE, InvalidSignature):
        raise BadCertificate("not a certificate signing request in PEM form") from None
    if not valid:
        raise BadCertificate("the signing request is not signed by its own key")
    return _certified(extensions, key)


@lru_cache(maxsize=256)
def role_of_certificate(pem: bytes) -> Certified:
    """The party and key of a certificate (PEM; the first one if several stand in it).

    Reads only: whether the certificate is genuine and in date is the TLS handshake's work, and whether it is revoked
    the roster's. Raises `BadCertificate` without exactly one role URI or with another kind of key.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        extensions, key = certificate.extensions, certificate.public_key()
    except _UNREADABLE:
        raise BadCertificate("not a certificate in PEM form") from None
    return _certified(extensions, key)


def host_names(pem: bytes) -> tuple[str, ...]:
    """The host names in a certificate (PEM), and then its addresses: under what it may be dialled. Often none.

    Reads only, as `role_of_certificate` does. Raises `BadCertificate` where no names of any kind stand in it.
    """
    try:
        extensions = x509.load_pem_x509_certificate(pem).extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (*_UNREADABLE, x509.ExtensionNotFound):
        raise BadCertificate("not a certificate in PEM form with a subject alternative name") from None
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*names.get_values_for_type(x509.DNSName), *(str(address) for address in addresses))


def spki_sha256(key: ec.EllipticCurvePublicKey) -> str:
    """SHA-256 (hex) of the key's SubjectPublicKeyInfo in DER: the name under which the roster knows a TLS key."""
    return digest(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def _certified(extensions: x509.Extensions, key: object) -> Certified:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadCertificate("the key is not an ECDSA key on P-256")
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        (uri,) = names.get_values_for_type(x509.UniformResourceIdentifier)
        return Certified(Party.from_uri(uri), spki_sha256(key))
    except (x509.ExtensionNotFound, BadRole, ValueError):
        raise BadCertificate(
            "expected exactly one role URI (rondgang://role/...) in the subject alternative name"
        ) from None
