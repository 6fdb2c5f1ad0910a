"""Disks that fail: no room, no right to write, errors where data should reach the disk.

Three ways, each for what it can do: a limit on the size of files needs no right at all; a disk in memory of our own is
really full and really read-only, and needs root; strace gives errors, or death, at one chosen system call of a process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_ROOMY = "64m"


@dataclass(frozen=True, slots=True)
class Inject:
    """What happens at a system call: `calls` by name, `how` as strace says it, at the `when`-th (`7`, or `7+`)."""

    calls: str
    how: str
    when: str

    def options(self) -> list[str]:
        inject = f"inject={self.calls}:{self.how}:when={self.when}"
        return ["-o", "/dev/null", "-e", f"trace={self.calls}", "-e", inject]


class Traced(Protocol):
    """What strace does to a process."""

    def options(self) -> list[str]: ...


def can_trace() -> bool:
    """Whether strace is there and may trace."""
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], check=False, capture_output=True)
    return tried.returncode == 0


def can_mount() -> bool:
    """Whether we may make disks: root may, but not in every container."""
    if os.geteuid() != 0 or shutil.which("mount") is None or shutil.which("umount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=False, capture_output=True)
        if tried.returncode == 0:
            subprocess.run(["umount", folder], check=True, capture_output=True)
    return tried.returncode == 0


@contextmanager
def traced(process: int, how: Traced) -> Iterator[None]:
    """strace upon a process that has stopped, and can go on when the block begins. The block ends after the process."""
    command = ["strace", "-f", "-p", str(process), *how.options()]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        attached = tracer.stderr.readline()
        if "attached" not in attached:
            tracer.kill()
            raise OSError(f"strace did not attach: {attached.strip()}")
        yield
        # It ends with what it traces, and has written everything by then.
        tracer.communicate()


@contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """A disk in memory in the place of a folder, with all that was in it; the folder has all of it again afterwards."""
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    folder.mkdir(mode=0o700)
    made = Disk(folder)
    made.mount("-t", "tmpfs", "-o", f"size={_ROOMY},mode=700", "tmpfs")
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True, ignore=_no_sockets)
        yield made
        made.roomy()
        shutil.rmtree(aside)
        shutil.copytree(folder, aside, ignore=_no_sockets)
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)
        folder.rmdir()
        aside.rename(folder)


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted disk in memory."""

    folder: Path

    def mount(self, *options: str) -> None:
        subprocess.run(["mount", *options, str(self.folder)], check=True, capture_output=True)

    def roomy(self) -> None:
        """Room for everything, and the right to write."""
        self.mount("-o", f"remount,rw,size={_ROOMY}")

    def full_after(self, more_bytes: int) -> None:
        """Room for a few bytes more (whole pages), and no others."""
        state = os.statvfs(self.folder)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        self.mount("-o", f"remount,size={used + more_bytes}")

    def read_only(self) -> None:
        self.mount("-o", "remount,ro")


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_socket()]
