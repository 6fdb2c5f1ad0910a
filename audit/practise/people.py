"""Who takes part in the made-up federation: keys, certificates and rosters.

Entropy is an argument, 32 bytes at a time, so that the same source makes the same files again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from rondgang.canonical import Json
from rondgang.keys import SigningKey
from rondgang.roles import Party, Role
from rondgang.tls import spki_sha256

Entropy = Callable[[], bytes]
"""32 bytes that were never given before."""

DAY_S = 86_400
START = 1_803_859_200
"""2027-03-01, midnight UTC: the day on which the made-up federation opens."""

REGIONS = ("FR", "GR")
_FROM, _TO = START - 30 * DAY_S, START + 365 * DAY_S
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The number of points of P-256 (FIPS 186-4, D.1.2.3)."""


@dataclass(frozen=True, slots=True)
class Person:
    """One party with its private keys, by purpose, and its certificate (DER)."""

    party: Party
    name: str
    keys: Mapping[str, SigningKey] = field(repr=False)
    certificate: bytes
    tls: str

    @property
    def signing(self) -> SigningKey:
        """The key that seals this party's bundle."""
        return self.keys["checkpoint" if self.party.role is Role.REGION else "signing"]

    def member(self, *, revoked: bool = False) -> dict[str, Json]:
        """The party's place on a roster."""
        region: dict[str, Json] = {} if self.party.region is None else {"region": self.party.region}
        gone: dict[str, Json] = {"revoked": True} if revoked else {}
        return {
            "role": self.party.role.value,
            "name": self.name,
            "tls": self.tls,
            "keys": {purpose: key.public.hex for purpose, key in self.keys.items()},
            "valid_from": _FROM,
            "valid_to": _TO,
            **region,
            **gone,
        }


@dataclass(frozen=True, slots=True)
class People:
    """Everybody. `stranger` is on no roster; `other` is another consortium's key; `regions` is by code."""

    consortium: SigningKey = field(repr=False)
    other: SigningKey = field(repr=False)
    root: bytes
    desk: Person
    auditor: Person
    researcher: Person
    leaver: Person
    stranger: Person
    regions: Mapping[str, Person]

    @property
    def witnesses(self) -> tuple[Person, Person]:
        return self.desk, self.auditor


def gather(entropy: Entropy) -> People:
    """New people with fresh keys."""
    root_key = _tls_key(entropy)
    root = _certificate(entropy, root_key, None, "Made-up consortium", root_key.public_key())

    def person(name: str, party: Party, *purposes: str) -> Person:
        key = _tls_key(entropy).public_key()
        certificate = _certificate(entropy, root_key, party, name, key)
        keys = {purpose: SigningKey.generate(entropy()) for purpose in purposes}
        return Person(party, name, keys, certificate, spki_sha256(key))

    return People(
        consortium=SigningKey.generate(entropy()),
        other=SigningKey.generate(entropy()),
        root=root,
        desk=person("Made-up desk", Party(Role.COORDINATOR), "signing"),
        auditor=person("Made-up auditor", Party(Role.WITNESS), "signing"),
        researcher=person("Made-up researcher", Party(Role.RESEARCHER), "signing"),
        leaver=person("Made-up researcher who leaves", Party(Role.RESEARCHER), "signing"),
        stranger=person("Made-up stranger", Party(Role.WITNESS), "signing"),
        regions={
            code: person(f"Made-up region {code}", Party(Role.REGION, code), "checkpoint", "steward")
            for code in REGIONS
        },
    )


def _tls_key(entropy: Entropy) -> ec.EllipticCurvePrivateKey:
    # One bit in 2^32 of these keys is likelier than another: of no weight for keys that protect nothing.
    return ec.derive_private_key(int.from_bytes(entropy(), "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def _certificate(
    entropy: Entropy, issuer: ec.EllipticCurvePrivateKey, party: Party | None, name: str, key: ec.EllipticCurvePublicKey
) -> bytes:
    """A certificate under the root; the root itself for no party."""
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Made-up consortium")])
    builder = (
        x509.CertificateBuilder()
        .serial_number(int.from_bytes(entropy()[:16], "big") | 1)
        .not_valid_before(dt.datetime.fromtimestamp(_FROM, dt.UTC))
        .not_valid_after(dt.datetime.fromtimestamp(_TO, dt.UTC))
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(root_name)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=party is None, path_length=None), critical=True)
    )
    if party is not None:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(party.uri)])
        builder = builder.add_extension(names, critical=False)
    signed = builder.sign(issuer, hashes.SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(serialization.Encoding.DER)
