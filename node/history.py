"""The ledger as a steward reads it: its entries, newest first, and one of them with all that proves it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from rondgang.leaves import leaf_hash

from node.region import Region
from node.status import Decision, decision_of
from policies.documents import to_canonical

PAGE = 50


class Told(BaseModel):
    """Part of what is told; JSON field names are fixed."""

    model_config = ConfigDict(frozen=True)


class History(Told):
    """One page of entries, newest first. `older` is where the next page begins, None at the ledger's first entry."""

    epoch: int
    entries: tuple[Decision, ...]
    older: int | None


class OneEntry(Told):
    """One entry as it is hashed (canonical text), its leaf's hash, and whether witnesses have cosigned it."""

    shown: Decision
    text: str
    leaf: str
    cosigned: bool


class NoEntry(Told):
    """There is no entry with this number."""

    seq: int


def history(region: Region, before: int | None = None) -> History:
    """PAGE entries that come before one with this number; the newest without it."""
    size = region.ledger.book.size
    end = size if before is None else max(0, min(before, size))
    entries = region.ledger.entries(max(0, end - PAGE), end)
    found = tuple(decision_of(entry) for entry in reversed(entries))
    return History(epoch=region.ledger.epoch, entries=found, older=end - PAGE if end > PAGE else None)


def one_entry(region: Region, seq: int) -> OneEntry | NoEntry:
    """The entry with this number in the epoch that is open."""
    found = region.ledger.entries(seq, seq + 1) if 0 <= seq < region.ledger.book.size else ()
    if not found:
        return NoEntry(seq=seq)
    data = to_canonical(found[0])
    cosigned = seq < region.ledger.cosigned
    return OneEntry(shown=decision_of(found[0]), text=data.decode("utf-8"), leaf=leaf_hash(data), cosigned=cosigned)
