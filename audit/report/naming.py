"""Names for the hashes, keys and codes in evidence, and careful reading of documents that nobody vouches for.

Evidence may be forged: a place that holds something else than expected reads as empty, and the page goes on. Whether
that is in order was for `verify` to say, which is where the findings come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from rondgang.canonical import Json

from audit.model import Body, Bundle, Paper
from policies.pages.numbers import UNKNOWN, at_most, exact
from policies.study.text import Language
from policies.units.money import NANO, NanoRho
from policies.units.privacy import epsilon_from_rho

DELTA = Decimal("0.000001")
"""The delta at which epsilon is shown."""
SHORT = 12
"""So many digits of a hash or key are enough to find it again; all of them stand where it matters."""
_MOST_DIGITS = 30


def inside(value: Json | Body, *path: str) -> Json:
    """What stands at that place of a document; None where there is nothing."""
    found: object = value
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    # Whatever is in a document was decoded from JSON.
    return found  # type: ignore[return-value]


def words_at(value: Json | Body, *path: str) -> str:
    """The text at that place; empty where there is none."""
    found = inside(value, *path)
    return found if isinstance(found, str) else ""


def whole_at(value: Json | Body, *path: str) -> int | None:
    """The whole number at that place, written as one or in digits; None where there is none of a sane length."""
    found = inside(value, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) <= _MOST_DIGITS:
        return int(found)
    return None


def decimal_at(value: Json | Body, *path: str) -> Fraction | None:
    """The decimal at that place, such as a cap in rho, exactly; None where there is none."""
    try:
        found = Decimal(words_at(value, *path))
    except InvalidOperation:
        return None
    return Fraction(found) if found.is_finite() and abs(found.adjusted()) <= _MOST_DIGITS else None


def list_at(value: Json | Body, *path: str) -> list[Json]:
    """The list at that place; empty where there is none."""
    found = inside(value, *path)
    return found if isinstance(found, list) else []


def keys_at(value: Json | Body, *path: str) -> list[str]:
    """The keys of the object at that place, sorted."""
    found = inside(value, *path)
    return sorted(found) if isinstance(found, Mapping) else []


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as printed: rho exactly, and rounded up to three decimals; epsilon at delta 1e-6, rounded up."""

    rho: str
    short: str
    epsilon: str


def money(nano: int, lang: Language) -> Money:
    """An amount in nano-rho; a point for what is no amount or beyond all reason."""
    if not 0 <= nano <= NANO * 10**12:
        return Money(UNKNOWN, UNKNOWN, UNKNOWN)
    if nano == 0:
        return Money("0", "0", "0")
    amount = NanoRho(nano)
    rho = Decimal(amount.text())
    return Money(exact(rho, lang), at_most(rho, 3, lang), at_most(epsilon_from_rho(amount, DELTA), 2, lang))


def nano_of(rho: Fraction) -> int:
    """A cap in nano-rho, rounded down as every allowance is."""
    return rho.numerator * NANO // rho.denominator


@dataclass(frozen=True, slots=True)
class Names:
    """What people call the regions, cohorts, keys and programmes of the evidence, in one language."""

    lang: Language
    regions: Mapping[str, str]
    cohorts: Mapping[str, str]
    people: Mapping[str, str]
    papers: Mapping[str, Paper]

    def region(self, code: str) -> str:
        return self.regions.get(code, code)

    def cohort(self, code: str) -> str:
        return self.cohorts.get(code, code)

    def person(self, key: str) -> str:
        """Whose signing key that is, as the newest roster has it; the key's first digits where none does."""
        return self.people.get(key) or key[:SHORT]

    def programme(self, digest: str) -> str:
        """The title of a programme; the hash's first digits where the evidence does not hold it."""
        paper = self.papers.get(digest)
        title = "" if paper is None else words_at(paper.body, "programme", "title", self.lang)
        return title or digest[:SHORT]


def names(bundles: tuple[Bundle, ...], lang: Language) -> Names:
    """Gathers names from every document of the evidence; what came later wins."""
    regions: dict[str, str] = {}
    cohorts: dict[str, str] = {}
    people: dict[str, str] = {}
    papers: dict[str, Paper] = {}
    for paper in _papers(bundles):
        papers[paper.hash] = paper
        if paper.kind == "calendar":
            for code in keys_at(paper.body, "regions"):
                regions[code] = words_at(paper.body, "regions", code, "name", lang) or code
            for code in keys_at(paper.body, "cohorts"):
                cohorts[code] = words_at(paper.body, "cohorts", code, "labels", lang) or code
        elif paper.kind == "roster":
            for member in list_at(paper.body, "members"):
                keys = inside(member, "keys")
                if isinstance(keys, Mapping):
                    people |= {key: words_at(member, "name") for key in keys.values() if isinstance(key, str)}
    return Names(lang, regions, cohorts, people, papers)


def _papers(bundles: tuple[Bundle, ...]) -> Iterator[Paper]:
    for bundle in bundles:
        yield from bundle.papers.values()
