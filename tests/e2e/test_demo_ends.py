"""How `rondgang demo` ends when it is told to, or when one of its programs dies: no process is left."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.demos import command, needs_proc, processes
from tests.e2e.world import PATIENCE_S, until


def all_there(out: Path, of: bytes = b"") -> list[int]:
    """Those with `of` on their command line, once the demo, its coordinator, witness and two nodes are all there."""
    until(lambda: len(processes(out)) == 5, "for five processes")
    return [number for number in processes(out) if of in Path(f"/proc/{number}/cmdline").read_bytes()]


@contextmanager
def started(out: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A demo on its way, at the moment that its processes are there."""
    process = subprocess.Popen(
        command(out, "--regions", "2", *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
        for number in processes(out):
            os.kill(number, signal.SIGKILL)


def told(process: subprocess.Popen[str], what: str) -> None:
    """Reads what the demo says until it says this."""
    assert process.stderr is not None
    for line in process.stderr:
        if what in line:
            return
    raise AssertionError(f"the demo ended before it said {what!r}")


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=PATIENCE_S)
    return process.returncode, said


@needs_proc
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, id="SIGTERM"),
        # The same path through another name.
        pytest.param(signal.SIGHUP, id="SIGHUP", marks=pytest.mark.slow),
    ],
)
def test_told_to_stop_while_nodes_start_it_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    with started(tmp_path / "out") as process:
        told(process, "0 of 2 nodes attend")
        all_there(tmp_path / "out")
        process.send_signal(number)
        code, said = ended(process)
        assert code == 130, said
        assert "Stopped; no process is left." in said
        assert processes(tmp_path / "out") == []


@needs_proc
def test_ctrl_c_pressed_twice_leaves_no_process_of_a_federation_that_was_kept(tmp_path: Path) -> None:
    with started(tmp_path / "out", "--keep") as process:
        told(process, "The federation runs until Ctrl-C")
        all_there(tmp_path / "out")
        process.send_signal(signal.SIGINT)
        until(lambda: process.poll() is not None or len(processes(tmp_path / "out")) < 5)
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 130
        assert processes(tmp_path / "out") == []


@needs_proc
def test_a_node_that_dies_ends_the_demo_with_its_name(tmp_path: Path) -> None:
    with started(tmp_path / "out") as process:
        told(process, "0 of 2 nodes attend")
        (victim,) = all_there(tmp_path / "out", b"node-FR")
        os.kill(victim, signal.SIGKILL)
        code, said = ended(process)
        assert code == 1
        assert "FR ended with exit code -9" in said
        assert processes(tmp_path / "out") == []
