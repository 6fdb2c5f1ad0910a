"""A programme as the auditor reads it, from the signed document itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd

from rondgang.canonical import Json

from audit.exact import digits, fraction, whole
from audit.model import Body
from audit.reprice.group import Group

MODES = ("regional", "national")


class CannotDerive(ValueError):
    """Why a programme, or its price, cannot be derived; a sentence without any secret."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """What is asked. `waves`: one; the two of a change; or, with `pooled`, those that count together."""

    id: str
    kind: str
    of: tuple[str, ...]
    unit: str
    waves: tuple[str, ...]
    pooled: bool
    where: str
    within: tuple[Fraction, Fraction] | None
    bins: tuple[Fraction, ...]
    by: tuple[str, ...]
    mode: str
    compare: str = ""
    strata: tuple[str, ...] = ()
    at: tuple[Fraction, ...] = ()
    leaves: int = 64
    ranges: Mapping[str, tuple[Fraction, Fraction]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignedBlock:
    """What the programme says of one block: squared bound and sigma are in grid units times the multiplier.

    Of a national one `sigma` is that of the finished sum.
    """

    id: str
    cells: int
    multiplier: int
    bound_squared: int
    sigma: Fraction
    mode: str

    @property
    def rho(self) -> Fraction:
        """The price of its noise as the programme states it.

        Privacy: zCDP of discrete Gaussian noise, D^2 / (2 sigma^2) (Canonne et al. 2020, Thm 4); exact.
        """
        return Fraction(self.bound_squared) / (2 * self.sigma**2)


@dataclass(frozen=True, slots=True)
class Secure:
    """What is assumed of the regions behind national sums, and how often a run may try for them."""

    colluders: int
    dropouts: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A programme. `charge` is what it says a region is charged, in nano-rho, with one attempt at its national sums,
    and `national` what each attempt costs of that; `weights` names the regions asked.
    """

    id: str
    title: Mapping[str, str]
    purpose: str
    requester: str
    cohort: str
    codebook: str
    deadline: int
    test_only: bool
    codebook_hash: str
    calendar_hash: str
    charge: int
    national: int
    secure: Secure | None
    weights: Mapping[str, int]
    statistics: tuple[Statistic, ...]
    blocks: tuple[SignedBlock, ...]

    def of(self, mode: str) -> tuple[SignedBlock, ...]:
        """The blocks that are answered so, in order."""
        return tuple(block for block in self.blocks if block.mode == mode)

    @property
    def group(self) -> Group | None:
        """Who stands behind its national sums, as it says."""
        secure = self.secure
        return None if secure is None else Group(len(self.weights), secure.colluders, secure.dropouts)

    @property
    def heaviest(self) -> int:
        """The heaviest weight of a region, in the smallest whole numbers of the same proportions."""
        return max(self.weights.values()) // gcd(*self.weights.values())

    @property
    def most(self) -> int:
        """The charge if every attempt is needed, in nano-rho."""
        return self.charge + (0 if self.secure is None else (self.secure.attempts - 1) * self.national)


_TOP = frozenset(("programme", "codebook_hash", "calendar_hash", "charge", "secure", "weights", "statistics", "blocks"))
_HEADING = frozenset(
    ("id", "title", "purpose", "requester", "cohort", "codebook", "deadline", "data", "test_only")
)  # fmt: skip
_STATISTIC = frozenset(
    ("id", "kind", "of", "unit", "wave", "where", "within", "bins", "by", "mode", "weight", "label",
     "compare", "strata", "at", "leaves", "ranges", "ridge", "sd")
)  # fmt: skip
_UNITS = ("household", "adult", "child")
_WAVE = re.compile(r"T[0-9]")
_MOST_ATTEMPTS = 5


def read_asked(body: Body) -> Asked:
    """The programme of a signed document. Raises CannotDerive, and nothing else, where it is not one."""
    if set(body) | {"secure"} != _TOP:
        raise CannotDerive("it does not have exactly the parts of a programme")
    heading, weights = body["programme"], body["weights"]
    if not isinstance(heading, dict) or set(heading) - _HEADING or not isinstance(weights, dict):
        raise CannotDerive("its heading or its weights are not those of a programme")
    title, test_only = heading.get("title"), heading.get("test_only", False)
    charge, national = _charge(body["charge"])
    if not isinstance(title, dict) or not isinstance(test_only, bool) or not weights:
        raise CannotDerive("its title, its mark for tests or its weights cannot be read")
    return Asked(
        id=_text(heading, "id"),
        title={lang: _text(title, lang) for lang in ("nl", "en")},
        purpose=_text(heading, "purpose"),
        requester=_text(heading, "requester"),
        cohort=_text(heading, "cohort"),
        codebook=_text(heading, "codebook"),
        deadline=_number(heading, "deadline"),
        test_only=test_only,
        codebook_hash=_text(body, "codebook_hash"),
        calendar_hash=_text(body, "calendar_hash"),
        charge=charge,
        national=national,
        secure=_secure(body["secure"]) if "secure" in body else None,
        weights={region: _weight(weights, region) for region in weights},
        statistics=tuple(_statistic(one) for one in _list(body["statistics"])),
        blocks=tuple(_block(one) for one in _list(body["blocks"])),
    )


def _text(values: Mapping[str, Json], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str):
        raise CannotDerive(f"`{key}` is not a text")
    return value


def _number(values: Mapping[str, Json], key: str) -> int:
    value = whole(values.get(key))
    if value is None:
        raise CannotDerive(f"`{key[:40]}` is not a whole number")
    return value


def _list(value: Json) -> Sequence[Mapping[str, Json]]:
    if not isinstance(value, list) or not value:
        raise CannotDerive("its statistics or its blocks are not a list")
    found = [one for one in value if isinstance(one, dict)]
    if len(found) != len(value):
        raise CannotDerive("a statistic or a block has no parts")
    return found


def _weight(values: Mapping[str, Json], region: str) -> int:
    weight = _number(values, region)
    if weight < 1:
        raise CannotDerive("a region weighs nothing, or less")
    return weight


def _charge(value: Json) -> tuple[int, int]:
    """The whole charge, and the part of it that each attempt costs."""
    match value:
        case {"rho": rho, **rest} if not set(rest) - {"delta", "national"}:
            found, national = digits(rho), digits(rest.get("national", "0"))
        case _:
            found = national = None
    if not found or national is None or national > found:
        raise CannotDerive("its charge is not a whole number of nano-rho, one or more, with its national part in it")
    return found, national


def _secure(value: Json) -> Secure:
    match value:
        case {"colluders": colluders, "dropouts": dropouts, **rest} if not set(rest) - {"attempts"}:
            found = [whole(one) for one in (colluders, dropouts, rest.get("attempts", 1))]
        case _:
            found = [None]
    read = [one for one in found if one is not None and one >= 0]
    if len(read) != 3 or not 1 <= read[2] <= _MOST_ATTEMPTS:
        raise CannotDerive("what it assumes for its national sums cannot be read")
    return Secure(*read)


def _mode(value: Mapping[str, Json]) -> str:
    mode = value.get("mode", "regional")
    if not isinstance(mode, str) or mode not in MODES:
        raise CannotDerive("a statistic or a block has a mode that this version does not know")
    return mode


def _statistic(value: Mapping[str, Json]) -> Statistic:
    if set(value) - _STATISTIC:
        raise CannotDerive("a statistic has a part that this version does not know")
    of, unit, wave = value.get("of"), _text(value, "unit"), _text(value, "wave")
    waves, pooled = tuple(wave.split("+" if "+" in wave else "->")), "+" in wave
    if unit not in _UNITS or len(waves) > 10 or not all(_WAVE.fullmatch(one) for one in waves):
        raise CannotDerive("a statistic's unit or wave is not one of a study")
    if (pooled and len(set(waves)) < len(waves)) or (not pooled and len(waves) > 2):
        raise CannotDerive("a statistic's waves are not one, two of a change, or different ones together")
    within = _numbers(value.get("within", []))
    if len(within) not in (0, 2):
        raise CannotDerive("`within` is not two numbers")
    return Statistic(
        id=_text(value, "id"),
        kind=_text(value, "kind"),
        of=() if of is None else (of,) if isinstance(of, str) else _texts(of),
        unit=unit,
        waves=waves,
        pooled=pooled,
        where=_text(value, "where") if "where" in value else "",
        within=(within[0], within[1]) if within else None,
        bins=_numbers(value.get("bins", [])),
        by=_texts(value.get("by", [])),
        mode=_mode(value),
        ranges=_ranges(value.get("ranges", {})),
        compare=_text(value, "compare") if "compare" in value else "",
        strata=_texts(value.get("strata", [])),
        at=_numbers(value.get("at", [])),
        leaves=_number(value, "leaves") if "leaves" in value else 64,
    )


def _texts(value: Json) -> tuple[str, ...]:
    found = tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
    if not isinstance(value, list) or len(found) != len(value):
        raise CannotDerive("a statistic's variables are not a list of names")
    return found


def _numbers(value: Json) -> tuple[Fraction, ...]:
    read = [fraction(one) for one in value] if isinstance(value, list) else [None]
    found = tuple(one for one in read if one is not None)
    if len(found) != len(read):
        raise CannotDerive("a statistic's numbers are not decimals")
    return found


def _ranges(value: Json) -> dict[str, tuple[Fraction, Fraction]]:
    if not isinstance(value, dict):
        raise CannotDerive("`ranges` is not a range for each of some numbers")
    found = {}
    for name, written in value.items():
        numbers = _numbers(written)
        if len(numbers) != 2:
            raise CannotDerive(f"the range of `{name[:40]}` is not two numbers")
        found[name] = (numbers[0], numbers[1])
    return found


def _block(value: Mapping[str, Json]) -> SignedBlock:
    match value:
        case {"sigma": [numerator, shift], "bound_squared": squared, **rest} if set(rest) - {"mode"} == {
            "id",
            "cells",
            "multiplier",
        }:
            over, under, bound = whole(numerator), whole(shift), digits(squared)
        case _:
            raise CannotDerive("a block does not have exactly its parts")
    # The noise is drawn at a scale that is exactly a float64: anything else cannot have been drawn.
    if over is None or under is None or not 0 < over < 2**53 or not 0 <= under <= 60 or bound is None:
        raise CannotDerive("a block states a sigma or a bound that cannot be used")
    cells, multiplier = _number(value, "cells"), _number(value, "multiplier")
    if cells < 1 or multiplier < 1:
        raise CannotDerive("a block has no cells, or no multiplier")
    return SignedBlock(_text(value, "id"), cells, multiplier, bound, Fraction(over, 2**under), _mode(value))
