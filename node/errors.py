"""Faults of a node.

    NodeError
    ├── BadHome        no home, or one that cannot be used
    ├── HomeBusy       another process is the writer of this home
    ├── BrokenLedger   the ledger is not the one this node wrote
    │   └── NewerLedger   a newer version wrote it
    ├── DiskFault      the ledger cannot be read or written: the disk is to blame
    ├── BadDelivery    an adopted file is not the one that was logged
    ├── BadRegistry    the registry of households cannot be used (node/registry.py)
    └── Unreachable    a serving node that does not answer on its control socket

An ordinary "no" is a value. No message holds anything computed from rows.
"""


class NodeError(Exception):
    """Root of the node's own faults."""


class BadHome(NodeError):
    """No home was named, or the folder is not a node's home, or something in it cannot be used.

    `key` and `fields` are a sentence of the catalogue, for what stewards meet; where there is none, `str` is a detail.
    """

    def __init__(self, detail: str, key: str | None = None, **fields: str) -> None:
        self.key = key
        self.fields = fields
        super().__init__(detail)


class HomeBusy(NodeError):
    """Another process holds the lock of this home."""


class BrokenLedger(NodeError):
    """The ledger fails a check. `seq` is the entry where that shows, or None when it is not about one entry."""

    def __init__(self, reason: str, seq: int | None = None) -> None:
        self.reason = reason
        self.seq = seq
        super().__init__(reason if seq is None else f"entry {seq}: {reason}")


class NewerLedger(BrokenLedger):
    """The ledger's file was written by a newer version. Nothing is wrong with it."""


class DiskFault(NodeError):
    """The ledger's file could not be read or written: a full disk, one that may only be read, a broken one."""


class BadDelivery(NodeError):
    """An adopted document on disk is not the one that the ledger names."""


class BadRegistry(NodeError):
    """The registry of households is there, and is none that this version can use."""


class Unreachable(NodeError):
    """The process that holds the home does not answer; it may be starting, stopping or importing."""
