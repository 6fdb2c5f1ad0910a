"""The enrolment request: what a new party hands to the consortium to get a certificate and a place in the roster.

It holds public halves only. The signing request proves possession of the TLS key; the consortium compares the
fingerprints of the other keys with the applicant by another channel, such as the telephone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from rondgang.errors import BadKey, BadRole
from rondgang.keys import PublicKey
from rondgang.roles import Party, Role

from policies.documents import Document, from_canonical
from policies.study.text import RegionCode

Purpose = Literal["checkpoint", "steward", "signing"]
"""What a signing key is for: a node's answers, a steward's policy and approvals, a desk's or researcher's documents."""

PURPOSES: Mapping[Role, frozenset[Purpose]] = {
    Role.REGION: frozenset({"checkpoint", "steward"}),
    Role.COORDINATOR: frozenset({"signing"}),
    Role.RESEARCHER: frozenset({"signing"}),
    Role.WITNESS: frozenset({"signing"}),
    Role.STEWARD: frozenset({"steward"}),
}
"""The keys that a party of each role has, neither more nor fewer."""

KeyHex = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A public signing key: 64 lowercase hexadecimal digits."""

PartyName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""What people call a party: 1 to 64 characters on one line. Never an identifier; the keys are."""


class EnrolmentRequest(Document):
    """One party's request. `csr` is PEM text; `keys` has exactly the purposes of the role, all different keys."""

    role: Role
    region: RegionCode | None = None
    name: PartyName
    csr: str = Field(max_length=10_000)
    keys: dict[Purpose, KeyHex]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        check_party(self.role, self.region)
        check_keys(self.role, self.keys)
        return self

    @property
    def party(self) -> Party:
        return Party(self.role, self.region)

    @classmethod
    def build(cls, party: Party, name: str, csr_pem: bytes, keys: Mapping[Purpose, PublicKey]) -> Self:
        """The request of `party`. Raises `ValidationError` (a `ValueError`) where the keys do not fit the role."""
        return cls(
            role=party.role,
            region=party.region,
            name=name,
            csr=csr_pem.decode("ascii"),
            keys={purpose: key.hex for purpose, key in keys.items()},
        )

    @classmethod
    def read(cls, data: bytes) -> Self:
        """A request from a file; line ends around it, as e-mail programs add, are ignored. Raises `BadDocument`."""
        return from_canonical(cls, data.strip())


def check_party(role: Role, region: str | None) -> None:
    """Raises `ValueError` unless role and region go together."""
    try:
        Party(role, region)
    except BadRole as error:
        raise ValueError(str(error)) from None


def check_keys(role: Role, keys: Mapping[Purpose, str]) -> None:
    """Raises `ValueError` unless `keys` are the usable keys of a `role`, one for each purpose and all different."""
    if set(keys) != PURPOSES[role]:
        raise ValueError(f"keys of a {role} are exactly: {', '.join(sorted(PURPOSES[role]))}")
    if len(set(keys.values())) != len(keys):
        raise ValueError("each purpose needs a key of its own")
    try:
        for text in keys.values():
            PublicKey.from_hex(text)
    except BadKey as error:
        raise ValueError(str(error)) from None
