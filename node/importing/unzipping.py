"""Whether a workbook may be unpacked: a small file can unpack to more than there is room for.

A workbook is a zip archive of XML. What its entries really unpack to is counted, not what they say; and a sheet's cells
are looked at before the reader makes room for all that lie between the first and the last of them.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from node.importing.problems import BadImport

_MOST_BYTES = 256 << 20
_MOST_CELLS = 20_000_000
_STEP = 1 << 20
_TAIL = 64
"""A cell's name may stand across two steps."""
_CELL = re.compile(rb' r="([A-Z]{1,3})([0-9]{1,7})"')
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_FAULTS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError)
"""What a damaged or encrypted archive raises."""


def check_room(file: str, data: bytes) -> None:
    """Raises BadImport for a workbook that unpacks to too much, or whose sheet spans too many cells."""
    if not data.startswith(b"PK"):
        return  # .xls is no archive
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            left = _MOST_BYTES
            if sum(entry.file_size for entry in archive.infolist()) > left:
                raise BadImport("too_large", file=file)
            for entry in archive.infolist():
                left -= _unpacked(file, archive, entry, left)
    except _FAULTS:
        raise BadImport("unreadable", file=file, format="Excel") from None


def _unpacked(file: str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> int:
    """How many bytes an entry unpacks to."""
    seen, rows, columns, tail = 0, 0, 0, b""
    is_sheet = _SHEET.fullmatch(entry.filename) is not None
    with archive.open(entry) as content:
        while step := content.read(_STEP):
            seen += len(step)
            if seen > left:
                raise BadImport("too_large", file=file)
            if is_sheet:
                for letters, digits in set(_CELL.findall(tail + step)):
                    rows, columns = max(rows, int(digits)), max(columns, _column(letters))
                if rows * columns > _MOST_CELLS:
                    raise BadImport("too_large", file=file)
                tail = step[-_TAIL:]
    return seen


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
