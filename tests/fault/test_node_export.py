"""Evidence is exported while the node serves: what it holds in memory only is in the bundle, and it goes on serving."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rondgang.bundles import Record, records, seal_of
from rondgang.notes import Note

from node.home import Home
from node.operations import status
from tests.node_world import CHECKPOINT, REGION
from tests.watched_home import two_witnesses, watched_home

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0


def wait(for_what: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not for_what():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def export(home: Home, out: Path) -> list[Record]:
    words = ["node", "export-ledger", "--out", str(out), "--home", str(home.root), "--json"]
    done = subprocess.run([sys.executable, "-m", "rondgang", *words], capture_output=True, check=True, cwd=CHECKOUT)
    data = out.read_bytes()
    assert json.loads(done.stdout)["bytes"] == len(data)
    found = list(records(data))
    seal = seal_of(found, data)
    assert seal is not None
    assert (seal.whole, seal.key) == (True, CHECKPOINT.public.hex)
    return found


def test_a_serving_node_is_exported_with_its_newest_checkpoint_and_serves_on(tmp_path: Path) -> None:
    watching = two_witnesses()
    with watched_home(tmp_path / "home", watching) as home:
        words = ["node", "serve", "--home", str(home.root)]
        with subprocess.Popen(
            [sys.executable, "-m", "rondgang", *words], cwd=CHECKOUT, stdout=subprocess.DEVNULL, start_new_session=True
        ) as process:
            try:
                wait(lambda: all(witness.size(REGION) for witness in watching))
                wait(lambda: home.socket_file.exists() and status(home).cosigned > 0)
                found = export(home, tmp_path / "AA.bundle")
                shown = status(home)
                assert shown.serving
                entries = [record for record in found if record.type == "entry"]
                notes = [Note.parse(str(record.value["note"])) for record in found if record.type == "checkpoint"]
                assert len(entries) == shown.entries
                assert notes[-1].checkpoint.size == shown.cosigned == shown.entries
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE_S) == 0
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        again = export(home, tmp_path / "AA.bundle")
        assert [one.data for one in again[:-1] if one.type != "header"] == [
            one.data for one in found[:-1] if one.type != "header"
        ]
