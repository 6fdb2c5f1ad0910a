"""The signed documents of an attempt at national sums as the auditor reads them: who took part, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rondgang.canonical import Json

from audit.exact import whole
from audit.model import Body, Paper

FIXED = ("participants", "sharing", "survivors")
"""What the coordinator fixes, in order: each names the hash of the one before."""


@dataclass(frozen=True, slots=True)
class Round:
    """What the coordinator fixed. `after`: what it goes on from, the same for all documents that exclude each other:
    the hash of the document before it; of participants run, programme and attempt. `regions` in order.
    """

    kind: str
    after: tuple[str, ...]
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NationalSum:
    """The finished sums of one attempt. `taken_back`: parts of noise by region; `blocks`: id and cells."""

    run: str
    programme: str
    cohort: str
    attempt: int
    survivors: str
    regions: tuple[str, ...]
    taken_back: Mapping[str, int]
    blocks: tuple[tuple[str, int], ...]


def read_sum(body: Body) -> NationalSum | None:
    """The sums of a signed document; None where it is not one."""
    match body:
        case {
            "run": str(run), "programme": str(programme), "cohort": str(cohort), "attempt": attempt,
            "survivors": str(survivors), "regions": listed, "taken_back": dict(parts), "blocks": blocks, **rest
        } if not rest:  # fmt: skip
            number, regions, shapes = whole(attempt), _regions(listed), _blocks(blocks)
        case _:
            return None
    taken = {region: found for region, value in parts.items() if (found := whole(value)) is not None}
    if number is None or regions is None or shapes is None or len(taken) != len(parts):
        return None
    return NationalSum(run, programme, cohort, number, survivors, regions, taken, shapes)


def read_round(paper: Paper) -> Round | None:
    """A list that the coordinator fixed; None where it is not one."""
    match paper.kind, paper.body:
        case "participants", {"run": str(run), "programme": str(programme), "attempt": attempt, "keys": dict(keys)}:
            number = whole(attempt)
            return None if number is None else Round(paper.kind, (run, programme, str(number)), tuple(sorted(keys)))
        case "sharing", {"participants": str(after), "regions": listed}:
            regions = _regions(listed)
        case "survivors", {"sharing": str(after), "regions": listed}:
            regions = _regions(listed)
        case _:
            return None
    return None if regions is None else Round(paper.kind, (after,), regions)


def _regions(value: Json) -> tuple[str, ...] | None:
    """Codes in order, each once."""
    found = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    return tuple(found) if found and found == sorted(set(found)) and found == value else None


def _blocks(value: Json) -> tuple[tuple[str, int], ...] | None:
    if not isinstance(value, list):
        return None
    found = []
    for block in value:
        match block:
            case {"id": str(name), "values": str(values), **rest} if not rest and len(values) % 4 == 0:
                # Base64 writes three bytes in four characters.
                size = len(values) // 4 * 3 - (len(values) - len(values.rstrip("=")))
                if size % 8:
                    return None
                found.append((name, size // 8))
            case _:
                return None
    return tuple(found)
