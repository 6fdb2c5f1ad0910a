"""A desk whose store was put back from a copy: what came since is fetched again from real nodes, for nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import audit.cli
import coordinator.cli
from compose.demo.federation import Federation
from coordinator.client import Desk
from coordinator.gather import State
from policies.rules.entries import Debited
from tests.desk import PATIENCE_S
from tests.e2e.world import draft, entries, finished, quiet, small_federation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    made = small_federation(tmp_path_factory.mktemp("restored"))
    try:
        made.start(quiet)
        yield made
    finally:
        made.stop()


def verb(*words: str | Path, app: typer.Typer = coordinator.cli.app) -> Result:
    """A verb, in this process: starting one takes longer than what it does."""
    return CliRunner().invoke(app, list(map(str, words)))


def asked(federation: Federation, name: str) -> tuple[str, tuple[bytes, ...]]:
    """The run of a programme by this name, and its answers."""
    with Desk.open(federation.researcher) as desk:
        run = desk.submit(desk.plan(draft(name, rho="0.05"))).run
        assert finished(desk, run).state is State.COMPLETE
        return run, desk.fetch(run).signed_answers


def stop_desk(federation: Federation) -> None:
    process = federation.processes.pop("coordinator")
    process.terminate()
    assert process.wait(PATIENCE_S) == 0


def debits(federation: Federation) -> dict[str, list[str]]:
    return {
        region: [one.body.programme for one in entries(federation, region) if isinstance(one.body, Debited)]
        for region in federation.regions
    }


def test_what_came_after_a_copy_is_fetched_again_and_charged_to_nobody(federation: Federation, tmp_path: Path) -> None:
    home, copy = federation.coordinator, tmp_path / "desk.sqlite"
    early, early_answers = asked(federation, "early")
    # While it serves.
    made = verb("backup", "--out", copy, "--home", home, "--json")
    assert (made.exit_code, json.loads(made.stdout)["runs"], json.loads(made.stdout)["answers"]) == (0, 1, 2)
    assert copy.stat().st_mode & 0o777 == 0o600
    late, late_answers = asked(federation, "late")
    charged = debits(federation)

    running = verb("restore", copy, "--replace", "--home", home)
    assert (running.exit_code, "Stop that one first" in running.stderr) == (2, True)
    stop_desk(federation)
    standing = verb("restore", copy, "--home", home)
    assert (standing.exit_code, "--replace" in standing.stderr) == (2, True)
    put_back = verb("restore", copy, "--replace", "--home", home, "--json")
    told = json.loads(put_back.stdout)
    assert (put_back.exit_code, told["runs"], Path(told["former"]).is_file()) == (0, 1, True)

    federation.start_one("coordinator", "coordinator", home)
    federation.wait_for(federation.regions, 2 * PATIENCE_S, quiet)
    with Desk.open(federation.researcher) as desk:
        assert desk.fetch(early).signed_answers == early_answers
    again, answers = asked(federation, "late")
    assert again != late
    assert answers == late_answers
    # A third one is a new question, and the desk cosigns for it as before.
    asked(federation, "third")
    after = debits(federation)
    assert {region: found[:-1] for region, found in after.items()} == charged

    federation.export(tmp_path / "evidence")
    key = (federation.consortium / "consortium.pub").read_text("ascii").strip()
    bundles = sorted((tmp_path / "evidence").glob("*.bundle"))
    verified = verb("verify", *bundles, "--consortium-key", key, app=audit.cli.app)
    assert verified.exit_code == 0, verified.stdout


def test_what_is_no_copy_is_not_put_back(federation: Federation, tmp_path: Path) -> None:
    broken, other = tmp_path / "broken.sqlite", tmp_path / "other.sqlite"
    broken.write_bytes(b"SQLite format 3\x00" + b"\x00" * 5_000)
    sqlite3.connect(other).execute("CREATE TABLE a (b)").connection.close()
    home = federation.researcher.parent / "a new desk"
    made = ("init", "--name", "New", "--listen", "127.0.0.1:0", "--home", home)
    assert verb(*made, "--consortium-key", federation.consortium / "consortium.pub").exit_code == 0
    for file in (broken, other, tmp_path / "nowhere"):
        ran = verb("restore", file, "--home", home)
        assert (ran.exit_code, ran.stdout) == (2, "")
        assert sorted(path.name for path in home.glob("*.sqlite*")) == []
    empty = verb("backup", "--out", tmp_path / "none", "--home", home)
    assert (empty.exit_code, "nothing to copy" in empty.stderr) == (2, True)


def test_a_store_in_a_server_is_copied_by_its_own_tools(federation: Federation, tmp_path: Path) -> None:
    home = federation.researcher.parent / "a desk with a server"
    words = ("init", "--name", "New", "--listen", "127.0.0.1:0", "--home", home, "--database")
    made = verb(
        *words, "postgresql+psycopg://desk@localhost/x", "--consortium-key", federation.consortium / "consortium.pub"
    )
    assert made.exit_code == 0, made.stderr
    ran = verb("backup", "--out", tmp_path / "none", "--home", home)
    assert (ran.exit_code, "pg_dump" in ran.stderr) == (2, True)
