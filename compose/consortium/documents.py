"""Signing what all parties must agree on: roster, calendar and codebook."""

from __future__ import annotations

from typing import Literal

from rondgang.keys import SigningKey
from rondgang.signed import Signed, sign

from compose.consortium.register import Refusal
from policies.documents import to_canonical
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Roster


def sign_roster(roster: Roster, key: SigningKey) -> Signed:
    """The roster under the consortium's name. Serials come from the register and are never used twice."""
    return sign("roster", to_canonical(roster), key)


def sign_study(document: Calendar | Codebook, earlier: Signed | None, key: SigningKey) -> Signed | Refusal:
    """A calendar or codebook under the consortium's name.

    `earlier` is what was signed before under the same id and version, if anything: a version never changes its content,
    because programmes and snapshots cite it by hash. The same content again gives the same bytes.
    """
    signed = sign(kind_of(document), to_canonical(document), key)
    if earlier is not None and earlier.digest != signed.digest:
        return Refusal(
            "version_taken",
            f"{reference(document)} was signed before with other content. Give the changed file the next version.",
        )
    return signed


def kind_of(document: Calendar | Codebook) -> Literal["calendar", "codebook"]:
    return "calendar" if isinstance(document, Calendar) else "codebook"


def reference(document: Calendar | Codebook) -> str:
    """`<id>@<version>`: how people and file names cite the document."""
    name = document.calendar if isinstance(document, Calendar) else document.codebook
    return f"{name.id}@{name.version}"
