"""Who a party is: the five roles, region codes, and the URI that a certificate carries for them."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from rondgang.errors import BadRole

_PREFIX = "rondgang://role/"
_REGION = re.compile(r"[A-Z][A-Z0-9]{1,7}")


class Role(StrEnum):
    """What a certificate lets its holder do. One certificate carries one role."""

    REGION = "region"
    COORDINATOR = "coordinator"
    RESEARCHER = "researcher"
    STEWARD = "steward"
    WITNESS = "witness"


@dataclass(frozen=True, slots=True)
class Party:
    """A role and the region it is held for: always for a region, possibly for a steward, never for the others.

    Raises `BadRole` for other pairs, and for a code that is not 2 to 8 uppercase letters and digits, a letter first.
    """

    role: Role
    region: str | None = None

    def __post_init__(self) -> None:
        if self.role is Role.REGION and self.region is None:
            raise BadRole("a region needs its region code")
        if self.region is not None and self.role not in (Role.REGION, Role.STEWARD):
            raise BadRole("only a region or a steward has a region code")
        if self.region is not None and _REGION.fullmatch(self.region) is None:
            raise BadRole("a region code is 2 to 8 uppercase letters and digits, a letter first")

    @property
    def uri(self) -> str:
        """The subject alternative name: `rondgang://role/<role>` or `rondgang://role/<role>/<code>`."""
        return f"{_PREFIX}{self.role}" if self.region is None else f"{_PREFIX}{self.role}/{self.region}"

    @classmethod
    def from_uri(cls, uri: str) -> Self:
        """Reads a role URI. Raises `BadRole` for anything that `uri` does not write."""
        name, slash, region = uri.removeprefix(_PREFIX).partition("/")
        if not uri.startswith(_PREFIX) or name not in set(Role) or (slash and not region):
            raise BadRole("not a role URI")
        return cls(Role(name), region if slash else None)
