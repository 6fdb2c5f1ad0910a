"""Which households may be in this import: those with a stable id that are not in as many other cohorts as may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from node.importing.cells import TextColumn
from node.importing.report import Finding
from node.importing.units import Kept
from node.importing.values import name_of

Stable = bytes | None
"""The pseudonym of a household's stable id; None where it has none, or several."""
Register = Callable[[Sequence[bytes]], frozenset[bytes]]
"""Enters households by the pseudonyms of their stable ids, durably, and gives those that may not be in the import."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """`gone` marks households that are left out, whole."""

    gone: NDArray[np.bool_]
    findings: tuple[Finding, ...]


def stable_ids(
    column: TextColumn, kept: Kept, unit: NDArray[np.int64], named: Callable[[str], bytes], before: Sequence[Stable]
) -> list[Stable]:
    """Of each household the pseudonym of its stable id: the one that all its rows agree on, those from before too.

    `unit` is the household's number of each used row; `before` what is known of households already, by number.
    """
    found: list[set[bytes]] = [set() if one is None else {one} for one in before]
    texts = [name_of(text) for text in column.texts]
    names = {text: named(text) for text in set(texts) if text}
    for pair in np.unique(np.stack([unit, column.codes[kept.rows].astype(np.int64)]), axis=1).T.tolist():
        if text := texts[pair[1]]:
            found[pair[0]].add(names[text])
    return [next(iter(one)) if len(one) == 1 else None for one in found]


def admitted(stable: Sequence[Stable], most: int | None, register: Register) -> Admitted:
    """Who is left out where a household may be in `most` cohorts; None: nobody.

    Without a limit households are entered where all have a stable id, so that a later limit knows who was here.

    Privacy: a household without one stable id is left out whole, for nobody can say where else it was; one in `most`
    other cohorts too (node/registry.py). Each is judged by its own rows and its own entries in the registry, so adding
    or removing one household changes no other. What is left out is counted in the steward's own report alone.
    """
    nameless = np.array([one is None for one in stable], np.bool_)
    if most is None and nameless.any():
        return Admitted(np.zeros(len(stable), np.bool_), ())
    refused = register([one for one in stable if one is not None])
    over = np.array([one in refused for one in stable], np.bool_)
    findings = (
        Finding("no_stable_id", "household", count=int(nameless.sum())),
        Finding("over_cohorts", "household", count=int(over.sum())),
    )
    return Admitted(nameless | over, findings)
