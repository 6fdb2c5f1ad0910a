"""Cheating about the past: a history that is written anew with the node's key, after the witnesses cosigned another."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

from rondgang.bundles import records

from audit.practise.fraud import Change, Forger, Fraud, Planted, rewritten
from audit.practise.log import Log
from audit.practise.papers import Values
from audit.practise.sheaf import Sheaf
from audit.practise.story import FR, World, after, tell
from audit.practise.study import Study
from policies.rules import evidence

Entries = list[Values]


def _around(log: Log, seq: int, epoch: int = 1) -> tuple[str, ...]:
    """The entries between the two checkpoints around `seq`: closer than that no root tells."""
    sizes = sorted({note.checkpoint.size for note in log.notes if note.checkpoint.epoch == epoch} | {0})
    low = max(size for size in sizes if size <= seq)
    high = min((size for size in sizes if size > seq), default=len(log.entries[epoch]))
    return tuple(f"{log.region}/{epoch}#{at}" for at in range(low, high))


def _anew(change: Callable[[Entries], int], region: str = "FR", epoch: int = 1) -> Change:
    """Entries are changed, linked and signed again by the node. `change` says where."""

    def done(world: World) -> tuple[str, Iterable[str]]:
        sheaf = world.sheaves[f"{region}.bundle"]
        entries = copy.deepcopy(sheaf.entries[epoch])
        seq = change(entries)
        sheaf.rewrite(epoch, entries)
        sheaf.resign(world.people.regions[region], epoch)
        return f"{region}.bundle", _around(world.logs[region], seq, epoch)

    return done


def _drop(seq: int) -> Callable[[Entries], int]:
    def change(entries: Entries) -> int:
        del entries[seq]
        return seq

    return change


def _where(entries: Entries, event: str) -> int:
    """The last entry of this event."""
    return max(at for at, one in enumerate(entries) if _body(one)["event"] == event)


def _body(one: Values) -> Values:
    match one["body"]:
        case dict(body):
            return body
        case _:
            raise ValueError("not an entry")


def dropped_event(event: str) -> Callable[[Entries], int]:
    def change(entries: Entries) -> int:
        return _drop(_where(entries, event))(entries)

    return change


def edited(event: str, field: str, value: str) -> Callable[[Entries], int]:
    """The last entry of this event says something else in one field."""

    def change(entries: Entries) -> int:
        seq = _where(entries, event)
        entries[seq]["body"] = _body(entries[seq]) | {field: value}
        return seq

    return change


def swapped(entries: Entries) -> int:
    """Two entries that came one after the other change places; each keeps its time."""
    seq = _where(entries, "declined")
    first, second = entries[seq - 1], entries[seq]
    entries[seq - 1], entries[seq] = second | {"time": first["time"]}, first | {"time": second["time"]}
    return seq - 1


def torn(world: World) -> tuple[str, Iterable[str]]:
    """One entry is gone, and nothing was linked again."""
    sheaf = world.sheaves["FR.bundle"]
    seq = _where(sheaf.entries[1], "refused")
    del sheaf.entries[1][seq]
    return "FR.bundle", (f"FR/1#{seq}", f"FR/1#{seq + 1}")


def exchanged(world: World) -> tuple[str, Iterable[str]]:
    """Two entries have changed places as they are."""
    entries = world.sheaves["FR.bundle"].entries[1]
    seq = _where(entries, "declined")
    entries[seq - 1], entries[seq] = entries[seq], entries[seq - 1]
    return "FR.bundle", (f"FR/1#{seq - 1}", f"FR/1#{seq}")


def written_over(world: World) -> tuple[str, Iterable[str]]:
    """One charge is another; nothing else was touched."""
    entries = world.sheaves["FR.bundle"].entries[1]
    seq = _where(entries, "debited")
    entries[seq] = entries[seq] | {"body": _body(entries[seq]) | {"charge": "1"}}
    return "FR.bundle", (f"FR/1#{seq}", f"FR/1#{seq + 1}")


def back(sheaf: Sheaf, entries: int) -> tuple[str, Iterable[str]]:
    """Yesterday's folder: the newest entries are gone, with the checkpoints over them."""
    size = len(sheaf.entries[1]) - entries
    del sheaf.entries[1][size:]
    sheaf.notes = [note for note in sheaf.notes if note.checkpoint.size <= size]
    return "FR.bundle", tuple(f"FR/1#{at}" for at in range(size - 1, size + entries))


def _back(entries: int) -> Change:
    return lambda world: back(world.sheaves["FR.bundle"], entries)


def many(log: Log) -> None:
    """A thousand refusals and more."""
    asked = log.study.programme("too_dear")
    for at in range(1005):
        log.write("refused", programme=asked.digest, run=f"run-{at:016x}", reason="over_programme_cap")
    log.look()


def far_back(study: Study) -> Planted:
    told = after(FR, "crashed", many)
    world = tell(study, told)
    file, places = back(world.sheaves["FR.bundle"], 1000)
    return Planted(world.sealed(), file, tuple(places))


def _two_logs(log: Log) -> Log:
    """A second copy of the node, which the coordinator cosigns too."""
    twin, desk = copy.deepcopy(log), log.study.people.desk
    asked = twin.study.programme("twin_only")
    twin.ask(asked)
    debit = twin.debit(asked)
    twin.look(desk)
    twin.answer(asked, debit)
    twin.look(desk)
    return twin


def forked(study: Study) -> Planted:
    """FR shows one log; GR was shown a checkpoint of another."""
    twins: list[Log] = []
    world = tell(study, after(FR, "first", lambda log: twins.append(_two_logs(log))))
    (twin,) = twins
    world.sheaves["GR.bundle"].seen = [twin.notes[-1]]
    shared = twin.notes[1].checkpoint.size
    places = tuple(f"FR/1#{at}" for at in range(shared, twin.size))
    return Planted(world.sealed(), "GR.bundle", places)


def fork_kept(study: Study) -> Planted:
    """The independent witness was shown both logs, cosigned one and kept the evidence."""
    twins: list[Log] = []
    world = tell(study, after(FR, "first", lambda log: twins.append(_two_logs(log))))
    (twin,) = twins
    ours = next(note for note in world.logs["FR"].notes if note.checkpoint.size == twin.notes[-1].checkpoint.size)
    kept = evidence.fork("FR", "forked", twin.now, ours.to_text(), twin.notes[-1].to_text())
    world.sheaves["auditor.bundle"].forks.append(kept)
    files = world.sealed()
    last = list(records(files["auditor.bundle"]))[-2]
    size = twin.notes[-1].checkpoint.size
    return Planted(files, "auditor.bundle", (f"record {last.number}, byte {last.offset}", f"FR/1#{size - 1}"))


def stolen_key(study: Study) -> Planted:
    """A whole new history by the node's key; the other bundles are kept from the auditor."""
    world = tell(study)
    sheaf, log = world.sheaves["FR.bundle"], world.logs["FR"]
    entries = copy.deepcopy(sheaf.entries[1])
    seq = edited("imported", "snapshot", "7" * 32)(entries)
    for one in entries:
        if _body(one).get("snapshot") is not None:
            one["body"] = _body(one) | {"snapshot": "7" * 32}
    sheaf.rewrite(1, entries)
    sheaf.resign(log.who, 1)
    debits = tuple(f"FR/1#{at}" for at, one in enumerate(entries) if _body(one)["event"] in ("debited", "answered"))
    return Planted({"FR.bundle": sheaf.sealed()}, "FR.bundle", (f"FR/1#{seq}", *debits))


def _fraud(name: str, what: str, change: Change, codes: frozenset[str] = frozenset({"history.forked"})) -> Fraud:
    return Fraud(name, what, Forger.NODE, codes, rewritten(change))


_MOVED = frozenset({"entry.order", "history.rewritten"})
_SHORT = frozenset({"history.shorter"})
_EDITS = (
    ("opened", "region", "DR", "FR", 1),
    ("adopted", "hash", "e" * 64, "FR", 1),
    ("imported", "snapshot", "e" * 32, "FR", 1),
    ("asked", "researcher", "e" * 64, "FR", 1),
    ("refused", "reason", "late", "FR", 1),
    ("approved", "programme", "e" * 64, "FR", 1),
    ("declined", "reason", "other", "FR", 1),
    ("debited", "charge", "1", "FR", 1),
    ("answered", "answer", "e" * 64, "FR", 1),
    ("attempted", "participants", "e" * 64, "FR", 1),
    ("result", "hash", "e" * 64, "FR", 1),
    ("reset", "old_root", "e" * 64, "GR", 2),
)
_ALSO = {"opened": ("entry.region",), "reset": ("reset.root",), "debited": ("price.charge", "money.total")}
"""What an edit of such an entry breaks by itself, whatever witnesses saw."""

FRAUDS = (
    _fraud("first-entry-dropped", "The first entry is gone, and the rest linked and signed again.", _anew(_drop(0))),
    _fraud(
        "middle-entry-dropped",
        "A refusal is gone, and the rest linked and signed again.",
        _anew(dropped_event("refused")),
    ),
    _fraud("middle-entry-torn-out", "A refusal is gone; nothing was linked again.", torn, _MOVED),
    _fraud("rolled-back-by-1", "The newest entry is gone, with its checkpoint.", _back(1), _SHORT),
    _fraud("entries-swapped", "Two entries changed places, and the rest was linked and signed again.", _anew(swapped)),
    _fraud("entries-exchanged", "Two entries changed places as they were.", exchanged, _MOVED),
    _fraud(
        "charge-written-over",
        "One charge was written over; nothing was linked again.",
        written_over,
        frozenset({"entry.edited", "history.rewritten"}),
    ),
    *(
        _fraud(
            f"{event}-edited",
            f"The entry `{event}` says something else, and the rest was linked and signed again.",
            _anew(edited(event, field, value), region, epoch),
            frozenset({"history.forked", *_ALSO.get(event, ())}),
        )
        for event, field, value, region, epoch in _EDITS
    ),
    _fraud("rolled-back-by-10", "The last ten entries are gone: yesterday's folder was restored.", _back(10), _SHORT),
    Fraud(
        "rolled-back-by-1000",
        "The last thousand entries are gone: last year's folder was restored.",
        Forger.NODE,
        _SHORT,
        far_back,
    ),
    Fraud(
        "forked",
        "Two logs of one node: one for the auditor, one for another region.",
        Forger.NODE_AND_DESK,
        frozenset({"history.forked"}),
        forked,
    ),
    Fraud(
        "fork-kept",
        "A witness was shown two logs of one node, and kept both checkpoints.",
        Forger.NODE_AND_DESK,
        frozenset({"fork.proof", "witness.two_histories"}),
        fork_kept,
    ),
    Fraud(
        "stolen-key",
        "A new history signed with the node's key; no witness ever saw it.",
        Forger.NODE,
        frozenset({"witness.missing"}),
        stolen_key,
    ),
)
