"""The register: every member the consortium ever admitted, and the serial of its last roster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pydantic import Field, model_validator

from policies.documents import Document
from policies.study.roster import Member, Roster, check_members


@dataclass(frozen=True, slots=True)
class Refusal:
    """The consortium says no. `reason` is a fixed word for programs, `sentence` says what to do next."""

    reason: str
    sentence: str


class Register(Document):
    """Members in the order of admission; `serial` is 0 before the first roster. Kept as canonical JSON."""

    serial: int = Field(default=0, ge=0)
    members: tuple[Member, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        check_members(self.members)
        return self

    def admit(self, member: Member) -> Register:
        """The register with `member`, in the place of an older certificate on the same TLS key if there is one.

        Raises `ValueError` if that breaks the register's own rule on keys; `enrolment.admissible` says so beforehand.
        """
        others = tuple(one for one in self.members if one.tls != member.tls)
        return Register(serial=self.serial, members=(*others, member))

    def find(self, who: str) -> tuple[Member, ...]:
        """Members called `who`: a region code, a party's whole name, or 8 or more first digits of a TLS print."""
        return tuple(
            one
            for one in self.members
            if who in (one.region, one.name) or (len(who) >= 8 and one.tls.startswith(who.lower()))
        )

    def revoke(self, who: str) -> tuple[Register, tuple[Member, ...]] | Refusal:
        """The register with what `find(who)` gives marked revoked, and the members that were marked now.

        A region code or name revokes every certificate of that one party; a TLS fingerprint only its own.
        """
        found = self.find(who)
        if not found:
            return Refusal("unknown_member", f"No member is called {who!r}. `rondgang consortium members` lists them.")
        if len({one.identity for one in found}) > 1:
            prints = ", ".join(one.tls[:16] for one in found)
            return Refusal("ambiguous", f"{who!r} fits several members. Give the TLS fingerprint of one: {prints}.")
        marked = tuple(one for one in found if not one.revoked)
        if not marked:
            return Refusal("already_revoked", f"{who!r} is revoked already. Nothing was changed.")
        members = tuple(one.model_copy(update={"revoked": True}) if one in marked else one for one in self.members)
        return Register(serial=self.serial, members=members), marked

    def roster(self, now: int) -> tuple[Register, Roster]:
        """The next roster, and the register that remembers its serial. Keep the register before the roster goes out."""
        serial = self.serial + 1
        roster = Roster(serial=serial, issued=now, members=self.members)
        return Register(serial=serial, members=self.members), roster
