"""National sums: of which question, in which attempt, of which regions, and who keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from audit.model import Bundle
from audit.report.naming import SHORT, Names, list_at, whole_at, words_at
from audit.verdict import RegionHistory


@dataclass(frozen=True, slots=True)
class Sum:
    """One sum as printed; `regions` in it, where the evidence holds it, and those that `kept` it, by code."""

    programme: str
    run: str
    attempt: str
    regions: str
    kept: str
    hash: str


def sums(bundles: Iterable[Bundle], histories: Iterable[RegionHistory], names: Names) -> tuple[Sum, ...]:
    """Every national sum that a coordinator shows or a region stored, by run."""
    found: dict[str, Sum] = {}
    for bundle in bundles:
        for paper in bundle.papers.values():
            if paper.kind == "national_sum":
                programme, run = (words_at(paper.body, key) for key in ("programme", "run"))
                regions = ", ".join(one for one in list_at(paper.body, "regions") if isinstance(one, str))
                attempt = str(whole_at(paper.body, "attempt") or "")
                found[paper.hash] = Sum(names.programme(programme), run, attempt, regions, "", paper.hash[:SHORT])
    kept: dict[str, list[str]] = {}
    for history in histories:
        for entry in history.entries:
            if entry.event == "summed":
                hashed, programme, run = (words_at(entry.body, key) for key in ("hash", "programme", "run"))
                kept.setdefault(hashed, []).append(history.code)
                attempt = str(whole_at(entry.body, "attempt") or "")
                found.setdefault(hashed, Sum(names.programme(programme), run, attempt, "", "", hashed[:SHORT]))
    printed = (
        Sum(one.programme, one.run, one.attempt, one.regions, ", ".join(sorted(set(kept.get(hashed, ())))), one.hash)
        for hashed, one in found.items()
    )
    return tuple(sorted(printed, key=lambda one: (one.run, one.attempt, one.hash)))
