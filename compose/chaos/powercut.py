"""A power cut: what was written and not synced is gone, or there in part, in any order, torn between two sectors.

A process that is killed loses nothing that it wrote: the operating system still has it. So a node runs under strace,
which notes every write and sync of the ledger's files and every line that the node told; and the disk is then made as
it may have been at any moment of that, from what had been synced by then and a chance part of the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from compose.chaos.chance import Chance
from compose.chaos.judge import Judge
from node.errors import NodeError
from node.ledger.ledger import Ledger

_SECTOR = 512
_CALLS = "pwrite64,write,ftruncate,fdatasync,fsync,unlink"
_LINE = re.compile(r"^(?P<process>\d+) +(?P<rest>.*)$")
_CALL = re.compile(r"^(?P<name>\w+)\((?:\d+<(?P<on>[^>]*)>|\"(?P<path>[^\"]*)\")(?P<rest>.*)\) += (?P<result>\d+)$")
_DATA = re.compile(r'^, "(?P<data>[^"]*)", \d+(?:, (?P<offset>\d+))?$')


@dataclass(frozen=True, slots=True)
class Recording:
    """All writes and syncs of a process go into a file."""

    file: Path

    def options(self) -> list[str]:
        return ["-o", str(self.file), "-y", "-xx", "-s", "10000000", "-e", f"trace={_CALLS}"]


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that the process did: `write`, `cut` (to a length), `sync`, `unlink` of a file, or `told` a line."""

    what: str
    file: str = ""
    data: bytes = b""
    offset: int = 0


def read(recording: Path, files: tuple[Path, ...]) -> list[Done]:
    """What a process did to these files, and what it told, in the order in which it was done."""
    names = {str(path.resolve()): path.name for path in files}
    begun: dict[str, str] = {}
    found: list[Done] = []
    for line in recording.read_text(encoding="ascii", errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        process, rest = match["process"], match["rest"]
        if rest.endswith("<unfinished ...>"):
            begun[process] = rest.removesuffix("<unfinished ...>").rstrip()
            continue
        if rest.startswith("<... "):
            rest = begun.pop(process, "") + rest.partition("resumed>")[2]
        found += _done(rest, names)
    return found


def _done(call: str, names: dict[str, str]) -> Iterator[Done]:
    match = _CALL.match(call)
    if match is None:
        return
    path = _plain(match["on"] if match["on"] is not None else match["path"]).decode("utf-8", "replace")
    data = _DATA.match(match["rest"])
    if match["name"] == "write" and data is not None and _plain(data["data"]).startswith(b'{"at"'):
        yield Done("told", data=_plain(data["data"]))
    if (file := names.get(path)) is None:
        return
    match match["name"]:
        case "pwrite64" if data is not None:
            yield Done("write", file, _plain(data["data"])[: int(match["result"])], int(data["offset"]))
        case "ftruncate":
            yield Done("cut", file, offset=int(match["rest"].removeprefix(", ")))
        case "fsync" | "fdatasync":
            yield Done("sync", file)
        case "unlink":
            yield Done("unlink", file)
        case _:
            pass


def _plain(text: str) -> bytes:
    """The bytes of a string as strace writes it: all of it in hexadecimal, or none."""
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode("utf-8")


@dataclass(slots=True)
class Platter:
    """One file as it surely is on disk, None where it is not there, and what may have come to it since."""

    sure: bytes | None
    since: list[Done] = field(default_factory=list)

    def take(self, done: Done) -> None:
        self.since.append(done)
        if done.what == "sync":
            for one in self.since:
                self.sure = _after(self.sure, one)
            self.since.clear()

    def found(self, chance: Chance) -> bytes | None:
        """The file after a power cut at this moment."""
        way, now = chance.below(3), self.sure
        for one in self.since:
            # Nothing of it, all of it in order up to a moment, or this and that.
            if way == 0 or (way == 1 and chance.happens(0.2)):
                break
            if way == 1 or chance.happens(0.5):
                now = _after(now, _torn(one, chance))
        return now


def _torn(done: Done, chance: Chance) -> Done:
    if done.what != "write" or not chance.happens(0.2):
        return done
    kept = _SECTOR * chance.below(len(done.data) // _SECTOR + 1)
    return Done("write", done.file, done.data[:kept], done.offset)


def _after(content: bytes | None, done: Done) -> bytes | None:
    now = content or b""
    match done.what:
        case "write":
            return now[: done.offset].ljust(done.offset, b"\0") + done.data + now[done.offset + len(done.data) :]
        case "cut":
            return now[: done.offset].ljust(done.offset, b"\0")
        case "unlink":
            return None
        case _:
            return content


def files_of(ledger: Path) -> tuple[Path, ...]:
    """The files that a ledger consists of. Its index in shared memory is made anew from them."""
    return ledger, ledger.with_name(f"{ledger.name}-wal")


def contents(files: tuple[Path, ...]) -> dict[str, bytes | None]:
    return {path.name: path.read_bytes() if path.exists() else None for path in files}


def cut(
    before: dict[str, bytes | None], done: list[Done], judge: Judge, chance: Chance, folder: Path
) -> tuple[bool, list[str]]:
    """Cuts the power at some moment: whether anything was lost by it, and what is wrong then.

    `before` is what the files held when the recording began, and `judge` what was known by then.
    """
    platters = {name: Platter(content) for name, content in before.items()}
    judge = deepcopy(judge)
    for one in done[: chance.below(len(done) + 1)]:
        if one.what == "told":
            judge.told(json.loads(one.data))
        else:
            platters[one.file].take(one)
    judge.ledger = folder / judge.ledger.name
    lost = False
    for name, platter in platters.items():
        found = platter.found(chance)
        whole = platter.sure
        for one in platter.since:
            whole = _after(whole, one)
        lost = lost or found != whole
        if found is not None:
            (folder / name).write_bytes(found)
    wrong = judge.look()
    if not wrong:
        wrong = _opened(judge)
    return lost, wrong


def _opened(judge: Judge) -> list[str]:
    """The node's own opening, which checks all that it has."""
    try:
        with closing(Ledger(judge.ledger, judge.region, lambda: 0)) as ledger:
            spent = ledger.book.lifetime.nano
    except NodeError as error:
        return [f"{judge.region}: after a power cut the ledger does not open: {error}"]
    return [] if spent == judge.lifetime else [f"{judge.region}: after a power cut {spent} nano-rho were spent"]
