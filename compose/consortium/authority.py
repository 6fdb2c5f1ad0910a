"""The offline authority: an ECDSA P-256 root for TLS certificates and an Ed25519 key for documents.

Everything here is a value; files are `compose.consortium.home`'s work. Time is an argument.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from rondgang.keys import SigningKey
from rondgang.roles import Party, Role

DAY_S = 86_400
ROOT_DAYS = 7_305
"""Twenty years: five rounds over both groups of regions. A new root means that every party pins anew."""
SKEW_S = 300
"""A certificate is valid from five minutes before it was made, for clocks that run behind."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The consortium's two private keys and the root certificate. `repr` shows no private half."""

    root_key: ec.EllipticCurvePrivateKey = field(repr=False)
    root: x509.Certificate
    signing: SigningKey

    @property
    def expires(self) -> int:
        """Last unix second of the root, and so of any certificate under it."""
        return int(self.root.not_valid_after_utc.timestamp())


def found(seed32: bytes, name: str, now: int) -> Authority:
    """A new authority called `name`. `seed32` is fresh entropy for the document key; the root key draws its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    root = (
        _dated(now, ROOT_DAYS * DAY_S)
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, root, SigningKey.generate(seed32))


def issue(
    authority: Authority, csr_pem: bytes, party: Party, name: str, hosts: Sequence[str], now: int, days: int
) -> tuple[x509.Certificate, int, int]:
    """The certificate of `party` on the key of its signing request, with its first and last unix second.

    Of the request only the key is used: names and role come from the arguments, which the caller has checked. A
    coordinator's certificate also names `localhost` and 127.0.0.1. No certificate outlives the root.
    """
    key = x509.load_pem_x509_csr(csr_pem).public_key()
    last = min(days * DAY_S, authority.expires - now)
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(party.uri)]
    local = ("localhost", "127.0.0.1") if party.role is Role.COORDINATOR else ()
    names += [host_name(host) for host in dict.fromkeys((*local, *hosts))]
    certificate = (
        _dated(now, last)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority.root.subject)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.root_key.public_key()), critical=False
        )
        .sign(authority.root_key, hashes.SHA256())
    )
    first_s, last_s = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    return certificate, int(first_s), int(last_s)


def host_name(host: str) -> x509.GeneralName:
    """A DNS name or an IP address as a certificate spells it. Raises `ValueError` for neither."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not host or not host.isascii() or any(mark in host for mark in " /:@*"):
            raise ValueError(f"not a host name or IP address: {host!r}") from None
        return x509.DNSName(host.lower())


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _dated(now: int, seconds: int) -> x509.CertificateBuilder:
    first = dt.datetime.fromtimestamp(now - SKEW_S, dt.UTC)
    last = dt.datetime.fromtimestamp(now + seconds, dt.UTC)
    serial = x509.random_serial_number()
    return x509.CertificateBuilder().serial_number(serial).not_valid_before(first).not_valid_after(last)


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
