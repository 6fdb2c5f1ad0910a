"""Backups: whole, private, and worth no budget."""

import json
import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.authenticate import Ordered
from node.backup import BadBackup, Manifest, back_up, restore
from node.cli import app
from node.home import Home
from policies.rules.refusals import Reason, Refused
from tests.node_world import REGION, SNAPSHOT, CountedRows, World, import_rows, make_home, ordered
from tests.small_study import OPEN, heading, planned

SECRET = "drie katten op het dak"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = make_home(tmp_path / "home")
    import_rows(made)
    return made


def order(name: str) -> Ordered:
    """A programme that this node was never asked."""
    return ordered(planned().model_copy(update={"programme": heading(id=name)}), "run-00000000000000aa")


def kept(home: Home, file: Path, **parts: bool) -> Manifest:
    return back_up(home, file, SECRET, OPEN, **parts)


def files(root: Path) -> dict[str, bytes]:
    """What is in a home, but for what a running process leaves."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name not in ("lock", "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm")
    }


def test_what_is_restored_is_what_was_there(home: Home, tmp_path: Path) -> None:
    world = World(home)
    assert isinstance(world.ask(), bytes)
    entries = world.region.ledger.book.size
    world.region.close()
    made = kept(home, tmp_path / "copy")
    assert made == Manifest(REGION, OPEN, entries, keys=True, data=True)
    assert restore(tmp_path / "copy", tmp_path / "again", SECRET) == made
    assert files(tmp_path / "again") == files(home.root)


def test_the_newest_copy_repeats_and_works_on(home: Home, tmp_path: Path) -> None:
    world = World(home)
    answer = world.ask()
    world.region.close()
    kept(home, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "again", SECRET)
    again = World(Home(tmp_path / "again"), world.clock, CountedRows(), watching=world.watching)
    assert again.ask() == answer
    before = again.spent
    assert isinstance(again.asked(order("another")), bytes)
    assert again.spent > before


def test_an_older_copy_regains_no_budget(home: Home, tmp_path: Path) -> None:
    world = World(home)
    kept(home, tmp_path / "copy")
    assert isinstance(world.ask(), bytes)
    world.region.close()
    restore(tmp_path / "copy", tmp_path / "again", SECRET)
    again = World(Home(tmp_path / "again"), world.clock, CountedRows(), watching=world.watching)
    refused = again.asked(order("another"))
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.BEHIND_WITNESSES
    assert (again.spent, again.rows.reads) == (0, [])


def test_nobody_reads_it_without_the_passphrase(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    kept(home, copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    sealed = copy.read_bytes()
    for secret in (b"BEGIN PRIVATE KEY", b"PAR1", b"SQLite", SNAPSHOT.encode()):
        assert secret not in sealed
    with pytest.raises(BadBackup) as told:
        restore(copy, tmp_path / "again", "vier katten op het dak")
    assert told.value.reason == "wrong_passphrase"
    assert not (tmp_path / "again").exists()


def test_two_backups_of_one_home_differ_throughout(home: Home, tmp_path: Path) -> None:
    kept(home, tmp_path / "one")
    kept(home, tmp_path / "two")
    one, two = ((tmp_path / name).read_bytes() for name in ("one", "two"))
    assert len(one) == len(two)
    assert sum(a == b for a, b in zip(one[50:], two[50:], strict=True)) < len(one) / 64


@pytest.mark.parametrize("place", [0, 20, 60, -1])
def test_one_changed_byte_is_noticed(home: Home, tmp_path: Path, place: int) -> None:
    copy = tmp_path / "copy"
    kept(home, copy)
    broken = bytearray(copy.read_bytes())
    broken[place] ^= 1
    copy.write_bytes(bytes(broken))
    with pytest.raises(BadBackup):
        restore(copy, tmp_path / "again", SECRET)
    assert not (tmp_path / "again").exists()


def test_keys_and_rows_stay_out_when_asked(home: Home, tmp_path: Path) -> None:
    kept(home, tmp_path / "copy", keys=False, data=False)
    restore(tmp_path / "copy", tmp_path / "again", SECRET)
    found = {name.partition("/")[0] for name in files(tmp_path / "again")}
    assert "adopted" in found
    assert found.isdisjoint({"keys", "snapshots", "openings", "logs"})


def test_a_folder_that_is_in_use_is_left_alone(home: Home, tmp_path: Path) -> None:
    kept(home, tmp_path / "copy")
    before = files(home.root)
    with pytest.raises(BadBackup) as told:
        restore(tmp_path / "copy", home.root, SECRET)
    assert told.value.reason == "folder_in_use"
    assert files(home.root) == before


def verb(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"RONDGANG_HOME": ""})


def test_the_verbs_say_what_it_is_worth(home: Home, tmp_path: Path) -> None:
    secret, copy = tmp_path / "secret", str(tmp_path / "copy")
    secret.write_text(SECRET + "\n", encoding="utf-8")
    told = verb("backup", "--out", copy, "--home", str(home.root), "--passphrase-file", str(secret), "--lang", "nl")
    assert (told.exit_code, "versleuteld" in told.output) == (0, True)
    told = verb("restore", copy, "--home", str(tmp_path / "again"), "--passphrase-file", str(secret))
    assert told.exit_code == 0
    assert "Terugzetten geeft geen budget terug" in told.output
    told = verb("restore", copy, "--home", str(tmp_path / "b"), "--passphrase-file", str(secret), "--json")
    assert json.loads(told.output)["region"] == REGION


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [(b"", 2, "not_a_backup"), (os.urandom(5000), 2, "not_a_backup"), (b"rondgang backup 1\n" + bytes(60), 1, "wrong")],
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, code: int, reason: str) -> None:
    (tmp_path / "file").write_bytes(content)
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    words = ("--home", str(tmp_path / "again"), "--passphrase-file", str(tmp_path / "secret"), "--json")
    told = verb("restore", str(tmp_path / "file"), *words)
    assert told.exit_code == code
    assert json.loads(told.stdout)["refused"].startswith(reason)
    assert not (tmp_path / "again").exists()


def test_a_short_passphrase_is_refused(home: Home, tmp_path: Path) -> None:
    with pytest.raises(BadBackup) as told:
        back_up(home, tmp_path / "copy", "kort", OPEN)
    assert (told.value.reason, (tmp_path / "copy").exists()) == ("short_passphrase", False)
