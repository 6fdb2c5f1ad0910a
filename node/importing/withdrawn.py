"""Households whose consent is withdrawn: they are taken out of an import before anything is counted or numbered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from node.importing.kept import Held
from node.importing.report import Finding
from node.importing.units import Kept, without
from policies.study.codebook import Table


def left(
    kept: Mapping[Table, Kept], held: Held | None, named: Callable[[str], bytes], forgotten: frozenset[bytes]
) -> tuple[dict[Table, Kept], Held | None, Finding]:
    """The rows and the snapshot to add to, without these households; and how many were in either.

    `named` gives a household's pseudonym, by which `forgotten` names those that are gone.

    Privacy: a household is left out whole, by its own pseudonym alone, so no other household's row changes. How many
    were left out stands in the steward's own report and nowhere else.
    """
    if not forgotten:
        return dict(kept), held, Finding("forgotten", "household", count=0)
    met: set[bytes] = set()
    stay: dict[Table, Kept] = {}
    for table, rows in kept.items():
        names = [named(text) if text else b"" for text in rows.households.texts]
        listed = np.array([name in forgotten for name in names], np.bool_)
        gone = listed[rows.households.codes]
        met |= {names[place] for place in np.unique(rows.households.codes[gone]).tolist()}
        stay[table] = without(rows, gone)
    if held is not None:
        own = held.ids.units["household"]
        met |= forgotten.intersection(own)
        held = held.without(np.array([name in forgotten for name in own], np.bool_))
    return stay, held, Finding("forgotten", "household", count=len(met))
