"""Disks that are full, read-only or broken: no answer without its debit, a sentence, and a clean start afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from compose.chaos.chance import Chance
from compose.chaos.faults import can_mount, can_trace, traced
from compose.chaos.mill import Tally
from compose.chaos.powercut import Done, Platter, Recording, read
from compose.chaos.run import Chaos, Scale
from compose.chaos.servers import serving
from compose.chaos.world import federation
from node.errors import DiskFault
from node.lock import exclusive


@pytest.fixture(scope="module")
def tallies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tally]:
    """What each kind of trouble came to, once each; after every one of them an undisturbed node must answer."""
    folder = tmp_path_factory.mktemp("disks")
    made = federation(folder, ("AA",), lambda _line: None)
    scale = replace(Scale.of(0), disks=1, regions=1)
    with serving(made, *made.witnesses):
        found = Chaos(folder, 2026, lambda _line: None).work(made, scale, None)
    return {tally.kind: tally for tally in found}


def _fine(tallies: dict[str, Tally], *kinds: str) -> None:
    for kind in kinds:
        assert tallies[kind].violations == []
        assert tallies[kind].count > 0


def test_a_file_that_cannot_grow(tallies: dict[str, Tally]) -> None:
    _fine(tallies, "no file can grow")
    assert "not felt" not in tallies["no file can grow"].outcomes


@pytest.mark.strace
@pytest.mark.skipif(not can_trace(), reason="needs strace and the right to trace")
def test_writes_and_syncs_that_fail(tallies: dict[str, Tally]) -> None:
    _fine(tallies, "fsync gives EIO, once", "fsync gives EIO, from then on")
    _fine(tallies, "a write gives ENOSPC, once", "a write gives ENOSPC, from then on", "a write gives EIO, once")


@pytest.mark.strace
@pytest.mark.skipif(not can_trace(), reason="needs strace and the right to trace")
def test_a_power_cut(tallies: dict[str, Tally]) -> None:
    _fine(tallies, "the power is cut")


def test_after_a_power_cut_what_was_synced_is_there_and_the_rest_may_be() -> None:
    platter = Platter(b"old")
    for done in (Done("write", "f", b"synced", 3), Done("sync", "f"), Done("write", "f", b"not", 9), Done("cut", "f")):
        platter.take(done)
    assert platter.sure == b"oldsynced"
    found = {platter.found(Chance(seed, "a power cut")) for seed in range(100)}
    assert {b"oldsynced", b"oldsyncednot", b""} <= found
    assert all(one is not None and b"oldsynced".startswith(one[:9]) for one in found)


_WRITES = """
import os, signal, sys
os.kill(os.getpid(), signal.SIGSTOP)
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.pwrite(handle, b"\\0\\xff", 7)
os.fdatasync(handle)
os.ftruncate(handle, 8)
os.write(2, b"")
os.write(handle, b'{"at": "told"}')
os.unlink(sys.argv[1])
"""


@pytest.mark.strace
@pytest.mark.skipif(not can_trace(), reason="needs strace and the right to trace")
def test_a_recording_has_every_write_and_sync_and_word(tmp_path: Path) -> None:
    file, recording = tmp_path / "a file", Recording(tmp_path / "recording")
    with subprocess.Popen([sys.executable, "-c", _WRITES, str(file)]) as process:
        os.waitpid(process.pid, os.WUNTRACED)
        with traced(process.pid, recording):
            process.send_signal(signal.SIGCONT)
            assert process.wait(20) == 0
    assert read(recording.file, (file,)) == [
        Done("write", "a file", b"\x00\xff", 7),
        Done("sync", "a file"),
        Done("cut", "a file", offset=8),
        Done("told", data=b'{"at": "told"}'),
        Done("unlink", "a file"),
    ]


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount")
def test_a_full_disk_and_one_that_may_only_be_read(tallies: dict[str, Tally]) -> None:
    _fine(tallies, "the disk is full", "the disk is read-only")
    assert tallies["the disk is read-only"].outcomes["closed with a sentence (DiskFault)"] == 1


def test_a_lock_that_cannot_be_written_is_the_disks_fault(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(DiskFault, match="mounted"), exclusive(tmp_path / "lock"):
        pass
