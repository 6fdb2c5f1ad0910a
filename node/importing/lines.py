"""The lines of a CSV file as an editor or a spreadsheet numbers them, for the steward who looks a row up."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np

from node.importing.cells import Numbering
from node.importing.report import MOST_ROWS

FIRST = 2
"""The names of the columns are in line 1."""


def numbered(body: bytes, sign: str, fields: int, rows: int) -> Numbering:
    """How the rows below the names are numbered; `rows` of them were kept, each with this number of fields.

    Where every line is a row there is nothing to count. Else empty lines, rows with too many or too few fields and
    line breaks within quotes shift the numbers; where our own count differs from `rows`, nobody can say.
    """
    if body.count(b"\n") + (not body.endswith(b"\n")) == rows:
        return Numbering(FIRST)
    kept: list[int] = []
    ragged: list[int] = []
    try:
        for number, found in enumerate(_fields(body, sign), FIRST):
            if found == fields:
                kept.append(number)
            elif found and len(ragged) < MOST_ROWS:
                ragged.append(number)
    except csv.Error:
        return Numbering(known=False)
    if len(kept) != rows:
        return Numbering(known=False)
    return Numbering(FIRST, np.array(kept, np.int32), tuple(ragged))


def _fields(body: bytes, sign: str) -> Iterator[int]:
    """How many fields each line has; none for an empty one."""
    if b'"' in body:
        yield from (len(row) for row in csv.reader(io.StringIO(body.decode("utf-8"), newline=""), delimiter=sign))
        return
    mark = sign.encode("ascii")
    for line in body.splitlines():
        yield line.count(mark) + 1 if line else 0
