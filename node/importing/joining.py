"""A new wave beside those that a snapshot has: same units, and every value of an earlier wave as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from node.importing.report import Finding
from node.importing.tables import Wide
from node.importing.values import MISSING
from policies.study.codebook import Codebook, Table


def overlaid(
    table: Table, fresh: Wide, held: Wide, places: NDArray[np.int64], codebook: Codebook
) -> tuple[Wide, list[Finding]]:
    """The delivered waves of a table with those that were held; `places` says which unit each held row is now.

    A wave is in one of the two, never in both. Of a variable without waves both may know something: where they
    contradict each other it is missing from then on, as it is where they are delivered together.

    Privacy: each unit's row depends on its own rows alone, delivered now and before, and on the codebook.
    """
    present = {wave: flags.copy() for wave, flags in fresh.present.items()}
    for wave, flags in held.present.items():
        present[wave][places] |= flags
    values, torn, findings = {}, {}, []
    for stored, column in fresh.values.items():
        before = np.full(len(column), MISSING, np.int32)
        before[places] = held.values[stored]
        values[stored] = np.where(before == MISSING, column, before).astype(np.int32)
        if stored in fresh.torn:
            differs = (before != MISSING) & (column != MISSING) & (before != column)
            torn[stored] = fresh.torn[stored] | differs
            torn[stored][places] |= held.torn[stored]
            values[stored][torn[stored]] = MISSING
            findings.append(Finding("conflict", table, codebook.columns[stored].name, int(differs.sum())))
    return replace(fresh, present=present, values=values, torn=torn), findings
