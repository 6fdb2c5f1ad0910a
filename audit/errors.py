"""Faults of the auditor's room.

    AuditError
    ├── BadHome       the folder is not a witness's, or not a whole one
    └── BrokenStore   the witness's database is of a newer version, or no database of ours

What a witness does not cosign and what an auditor finds are values, not faults.
"""

from __future__ import annotations


class AuditError(Exception):
    """Root of every fault raised by this room."""


class BadHome(AuditError):
    """The folder cannot be used; the message says what to do."""


class BrokenStore(AuditError):
    """What the witness remembers cannot be read by this version; the message says what to do."""
