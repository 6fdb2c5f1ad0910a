"""The documents of the made-up study, written out by hand: what is signed must not lean on the code that is audited.

The prices are worked out here from the blocks as they stand, in fractions: rho = sum of bound^2 / (2 sigma^2).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from fractions import Fraction

from rondgang import canonical
from rondgang.canonical import Json
from rondgang.keys import SigningKey
from rondgang.signed import Signed, sign

from audit.practise.people import DAY_S, START, Entropy, People, Person

Values = dict[str, Json]

COHORT, OTHER_COHORT = "c1", "c2"
CODEBOOK, CALENDAR = "madeup@1", "madeup_rotation@1"
DEADLINE = START + 120 * DAY_S
NANO = 10**9
_OPENS, _CLOSES = START - DAY_S, START + 180 * DAY_S


def paper(kind: str, body: Values, *keys: SigningKey) -> Signed:
    """A signed document."""
    return sign(kind, canonical.encode(body), *keys)


def body_of(signed: Signed) -> Values:
    """What a signed document says."""
    match canonical.decode(signed.document):
        case dict(body):
            return body
        case _:
            raise ValueError("not a document")


def labels(nl: str, en: str) -> Json:
    return {"nl": nl, "en": en}


def codebook(version: int = 1) -> Values:
    """Three variables of households, one of adults."""
    yes_no: Json = [{"code": "no", "label": labels("nee", "no")}, {"code": "yes", "label": labels("ja", "yes")}]
    profile: Json = [{"code": code, "label": labels(code, code)} for code in ("a", "b", "c")]
    return {
        "codebook": {"id": "madeup", "version": version, "labels": labels("verzonnen", "made up")},
        "units": {"household": "hh", "person": "person", "wave": "wave"},
        "caps": {"adults": 2, "children": 3},
        "waves": {"T0": labels("eerst", "first"), "T1": labels("later", "later")},
        "tables": {"household": {}, "adult": {}, "child": {}},
        "variables": {
            "help": {"table": "household", "type": "category", "categories": yes_no, "waves": ["T0", "T1"]},
            "profile": {"table": "household", "type": "category", "categories": profile},
            "safe": {"table": "adult", "type": "category", "categories": yes_no, "waves": ["T0", "T1"]},
        },
    }


def calendar() -> Values:
    """FR and GR are asked in cohort c1, DR in c2."""
    expected: Json = {"household": 60, "adult": 70, "child": 80}
    return {
        "calendar": {"id": "madeup_rotation", "version": 1, "labels": labels("verzonnen", "made up")},
        "limits": {"households_per_region": 100_000},
        "regions": {
            code: {"name": labels(code, code), "group": group}
            for code, group in (("FR", "A"), ("GR", "A"), ("DR", "B"))
        },
        "cohorts": {
            COHORT: {
                "group": "A",
                "labels": labels("eerste", "first"),
                "windows": {"release": [_OPENS, _CLOSES]},
                "expected": {"FR": expected, "GR": expected},
            },
            OTHER_COHORT: {
                "group": "B",
                "labels": labels("tweede", "second"),
                "windows": {"release": [_OPENS, _CLOSES]},
                "expected": {"DR": expected},
            },
        },
    }


def roster(people: People, serial: int, issued: int, *more: Person) -> Values:
    """All parties; from the second roster on, one researcher is revoked."""
    members: list[Json] = [one.member() for one in (people.desk, people.auditor, people.researcher)]
    members += [people.leaver.member(revoked=serial > 1)]
    members += [one.member() for one in (*people.regions.values(), *more)]
    return {"serial": serial, "issued": issued, "members": members}


def policy(region: str, version: int, cohort: str, lifetime: str, **more: Json) -> Values:
    """What a region allows, in rho: of cohort c1, over the lifetime, 0.2 a programme; and national sums."""
    return {
        "policy": {"version": version},
        "region": region,
        "cohorts": {COHORT: {"rho": cohort}},
        "lifetime": {"rho": lifetime},
        "programme": {"rho": "0.2"},
        "secure": {"own_noise": {"rho": "0.2"}},
        **more,
    }


def block(name: str, cells: int, bound: int, sigma: int) -> Values:
    """A block at four times its grid; `sigma` in 2^-20 of the finer grid."""
    return {"id": name, "cells": cells, "multiplier": 4, "bound_squared": str((4 * bound) ** 2), "sigma": [sigma, 20]}


def price(blocks: Sequence[Mapping[str, Json]]) -> int:
    """What these blocks cost, in nano-rho.

    Privacy: zCDP of discrete Gaussian noise, bound^2 / (2 sigma^2) a block (Canonne et al. 2020, Thm 4), added up
    exactly and rounded up; for made-up programmes only.
    """
    total = sum((_rho(one) for one in blocks), Fraction(0))
    return -(-total.numerator * NANO // total.denominator)


def _rho(one: Mapping[str, Json]) -> Fraction:
    match one:
        case {"bound_squared": str(squared), "sigma": [int(numerator), int(shift)]}:
            return Fraction(int(squared)) / (2 * Fraction(numerator, 2**shift) ** 2)
        case _:
            raise ValueError("not a block")


def programme(name: str, people_codebook: str, people_calendar: str, sigma: int = 20_000_003) -> Values:
    """Households by profile, how many had help, and how many adults feel safe."""
    blocks = [block("n1", 3, 1, sigma), block("helped", 1, 1, sigma), block("n2", 1, 1, sigma)]
    blocks += [block("safe", 1, 2, 2 * sigma + 1), block("n3", 1, 2, 2 * sigma + 1)]
    return {
        "programme": {
            "id": name,
            "title": labels(f"Verzonnen: {name}", f"Made up: {name}"),
            "purpose": "To have something to practise on",
            "requester": "Made-up researcher",
            "cohort": COHORT,
            "codebook": CODEBOOK,
            "deadline": DEADLINE,
            "data": "synthetic",
        },
        "codebook_hash": people_codebook,
        "calendar_hash": people_calendar,
        "charge": {"rho": str(price(blocks))},
        "weights": {"FR": 1000, "GR": 1000},
        "statistics": [
            {"id": "households", "kind": "count", "unit": "household", "wave": "T1", "by": ["profile"]},
            {"id": "helped", "kind": "proportion", "of": "help@T1 in {yes}", "unit": "household", "wave": "T1"},
            {"id": "safe", "kind": "proportion", "of": "safe@T1 in {yes}", "unit": "adult", "wave": "T1"},
        ],
        "blocks": list[Json](blocks),
    }


def nationally(body: Values, colluders: int = 1, dropouts: int = 0, attempts: int = 2) -> Values:
    """The programme with its question to adults asked as a national sum, of both regions."""
    match body["statistics"], body["blocks"]:
        case [*first, dict(last)], list(blocks):
            marked = [_national(one) if at >= 3 else one for at, one in enumerate(blocks) if isinstance(one, dict)]
        case _:
            raise ValueError("not a programme")
    secure: Values = {"colluders": colluders, "dropouts": dropouts}
    return body | {
        "charge": charges(marked),
        "secure": secure if attempts == 1 else secure | {"attempts": attempts},
        "statistics": [*first, _national(last)],
        "blocks": list[Json](marked),
    }


def _national(one: Mapping[str, Json]) -> Values:
    return {**one, "mode": "national"}


def is_national(block: Json) -> bool:
    return isinstance(block, dict) and block.get("mode") == "national"


def charges(blocks: Sequence[Mapping[str, Json]]) -> Values:
    """What a programme of both kinds costs: a region's own answer and an attempt, each by itself."""
    regional = price([one for one in blocks if not is_national(dict(one))])
    national = price([one for one in blocks if is_national(dict(one))])
    return {"rho": str(regional + national), "national": str(national)}


def order(run: str, programme_hash: str, issued: int, attempt: int = 0) -> Values:
    """For the region's own answer; or for an attempt at the national sums."""
    body: Values = {"run": run, "programme": programme_hash, "issued": issued, "deadline": issued + 7 * DAY_S}
    return body | {"attempt": attempt} if attempt else body


def approval(region: str, programme_hash: str, decided: int, reason: str | None = None) -> Values:
    """The steward's yes, or the no with its reason."""
    said: Values = {"decision": "approve"} if reason is None else {"decision": "decline", "reason": reason}
    return {"region": region, "programme": programme_hash, "decided": decided, **said}


def answer(region: str, asked: Signed, snapshot: str, entropy: Entropy) -> Values:
    """An answer of the programme's shape whose numbers are drawn: nothing was counted."""
    match canonical.decode(asked.document):
        case {"programme": {"cohort": str(cohort)}, "blocks": list(blocks)}:
            found = [values(one, entropy) for one in blocks if not is_national(one)]
        case _:
            raise ValueError("not a programme")
    return {"region": region, "programme": asked.digest, "cohort": cohort, "snapshot": snapshot, "blocks": found}


def values(one: Json, entropy: Entropy) -> Json:
    """A block of drawn numbers."""
    match one:
        case {"id": str(name), "cells": int(cells)}:
            drawn = b"".join((int.from_bytes(entropy()[:2], "big") % 400).to_bytes(8, "big") for _ in range(cells))
            return {"id": name, "values": base64.b64encode(drawn).decode("ascii")}
        case _:
            raise ValueError("not a block")
