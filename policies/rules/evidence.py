"""The records of a bundle of evidence, as a node, the coordinator and a witness write them. rondgang/bundles.py frames.

    header       whose bundle it is, when it was made, and the consortium key that its maker pinned; always the first
    certificate  the maker's own certificate and the consortium's root, as DER in base64
    document     a signed document that was ever in force or cited: roster, calendar, codebook, policy, programme,
                 order, approval, result; in the order in which it came
    entry        one ledger entry, epochs ascending and entries in their order (of a node's bundle)
    checkpoint   a checkpoint note with the cosignatures that its maker holds; sizes ascending within an origin
    seen         the newest checkpoint of another region that a node was shown by a witness (gossip)
    answer       a signed answer as it came, and the run (of the coordinator's bundle)
    fork         two notes of one region that contradict each other, kept by a witness

No record holds anything computed from rows but signed answers, whose noise is in them.
"""

from __future__ import annotations

import base64
from typing import Literal

from rondgang import canonical
from rondgang.canonical import Json
from rondgang.signed import Signed

VERSION = 1
Maker = Literal["region", "coordinator", "witness"]
Values = dict[str, Json]


def header(maker: Maker, name: str, made: int, consortium: str) -> Values:
    """`name`: the region's code, or what the roster calls the maker; `made`: unix seconds; `consortium`: hex key."""
    return {"record": "header", "version": VERSION, "of": maker, "name": name, "made": made, "consortium": consortium}


def certificate(what: Literal["own", "root"], der: bytes) -> Values:
    return {"record": "certificate", "what": what, "der": base64.b64encode(der).decode("ascii")}


def document(signed: Signed) -> Values:
    return {"record": "document", "hash": signed.digest, "signed": canonical.decode(signed.to_bytes())}


def entry(epoch: int, data: bytes) -> Values:
    """`data` is the entry's canonical bytes; they come back by encoding the record's `entry` again."""
    return {"record": "entry", "epoch": epoch, "entry": canonical.decode(data)}


def checkpoint(note: str) -> Values:
    return {"record": "checkpoint", "note": note}


def seen(note: str) -> Values:
    return {"record": "seen", "note": note}


def answer(region: str, run: str, received: int, data: bytes) -> Values:
    """`data` is the signed answer as it came; `received` is in unix seconds."""
    return {"record": "answer", "region": region, "run": run, "received": received, "signed": canonical.decode(data)}


def fork(region: str, why: str, at: int, held: str, offered: str) -> Values:
    """What was remembered and what was offered, at a unix second."""
    return {"record": "fork", "region": region, "why": why, "at": at, "held": held, "offered": offered}
