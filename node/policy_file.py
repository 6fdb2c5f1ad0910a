"""A policy as it comes in a file: YAML that a person wrote, or one that a steward signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rondgang.errors import ContractError
from rondgang.signed import Signed

from policies.documents import BadDocument, from_canonical, parse_yaml
from policies.rules.region_policy import RegionPolicy

if TYPE_CHECKING:
    from node.home import Home

_SIGNED = b'{"document":'
MOST_BYTES = 200_000
"""Of a policy in a file: a written one has a few hundred lines at most."""


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy; `signed` are the bytes of its envelope, None where it is not signed yet."""

    policy: RegionPolicy
    signed: bytes | None


def read_policy(data: bytes, source: str) -> PolicyFile:
    """The policy in a file called `source`. Raises BadDocument, with the lines that are wrong."""
    if len(data) > MOST_BYTES:
        raise BadDocument(source, (f"{source}: larger than {MOST_BYTES} bytes; no policy is",))
    if not data.startswith(_SIGNED):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadDocument(source, (f"{source}: cannot be read: {type(error).__name__}",)) from error
        return PolicyFile(parse_yaml(RegionPolicy, text, source), None)
    try:
        signed = Signed.from_bytes(data.strip())
    except ContractError as error:
        raise BadDocument(source, (f"{source}: {error}",)) from error
    if signed.kind != "policy":
        raise BadDocument(source, (f"{source}: expected a signed policy, not a signed {signed.kind}",))
    return PolicyFile(from_canonical(RegionPolicy, signed.document), signed.to_bytes())


def policy_in_force(home: Home) -> RegionPolicy | None:
    """The policy that the home has adopted; None where there is none. Raises BadDocument."""
    path = home.adopted / "policy.json"
    if not path.is_file():
        return None
    try:
        return from_canonical(RegionPolicy, Signed.from_bytes(path.read_bytes()).document)
    except (OSError, ContractError) as error:
        raise BadDocument(str(path), (f"{path}: {error}",)) from error
