"""A snapshot on disk: private, whole or absent, found by its id, and silent about its rows."""

import json
import re
import stat
from pathlib import Path

import pytest

from node.importing.request import ImportRequest
from node.importing.run import import_files
from node.importing.write import discard
from node.snapshots import NoSnapshot, open_snapshot
from tests.importing import CODEBOOK, HASH, deliver, take

DATA = "hh_id;wave;incidents\na;T0;5\nb;T0;7\n"


def test_import_writes_private_files_under_a_random_name(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "in", household=DATA)
    first, second = (take(tmp_path, folder).snapshot for _ in range(2))
    assert first.id != second.id
    assert re.fullmatch(r"[0-9a-f]{32}", first.id)
    assert stat.S_IMODE(first.folder.stat().st_mode) == stat.S_IMODE(first.folder.parent.stat().st_mode) == 0o700
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in first.folder.iterdir()}
    wanted = ("household.parquet", "adult.parquet", "child.parquet", "ids.parquet", "manifest.json", "report.json")
    assert names == dict.fromkeys(wanted, 0o600)
    assert {path.name for path in (tmp_path / "snapshots").iterdir()} == {first.id, second.id}


def test_import_opens_what_it_wrote(tmp_path: Path) -> None:
    written = take(tmp_path, deliver(tmp_path / "in", household=DATA))
    opened = open_snapshot(tmp_path, written.snapshot.id)
    assert opened == written.snapshot
    assert (opened.cohort, opened.codebook_hash) == ("c3", HASH)
    assert opened.table_path("child").is_file()
    report = json.loads((opened.folder / "report.json").read_text("utf-8"))
    assert report == json.loads(written.report.to_json())
    assert report["tables"][0] == {"table": "household", "file": "household.csv", "rows": 2, "kept": 2}


def test_import_manifest_depends_on_public_facts_alone(tmp_path: Path) -> None:
    folders = [deliver(tmp_path / "1", household=DATA), deliver(tmp_path / "2", household=DATA + "c;T1;9\nd;T1;999\n")]
    manifests = []
    for folder in folders:
        snapshot = take(tmp_path, folder).snapshot
        manifests.append((snapshot.folder / "manifest.json").read_text("utf-8").replace(snapshot.id, "ID"))
    assert manifests[0] == manifests[1]
    assert json.loads(manifests[0])["codebook"] == {"hash": HASH, "id": "small", "version": 1}


@pytest.mark.parametrize("name", ["", "..", "a" * 31, "A" * 32, "../" + "a" * 32, "0" * 32])
def test_import_finds_no_snapshot_by_another_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoSnapshot):
        open_snapshot(tmp_path, name)


def test_import_refuses_a_manifest_that_was_touched(tmp_path: Path) -> None:
    snapshot = take(tmp_path, deliver(tmp_path / "in", household=DATA)).snapshot
    manifest = snapshot.folder / "manifest.json"
    whole = manifest.read_bytes()
    for touched in (b"", whole[:-1], whole + b"\n", whole.replace(snapshot.id.encode(), b"0" * 32)):
        manifest.write_bytes(touched)
        with pytest.raises(NoSnapshot) as refused:
            open_snapshot(tmp_path, snapshot.id)
        assert "5" not in refused.value.reason


def test_import_that_cannot_finish_leaves_nothing(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "in", household=DATA)
    taken = tmp_path / "snapshots" / ("a" * 32)
    taken.mkdir(parents=True)
    (taken / "something").touch()
    with pytest.raises(OSError, match="not empty"):
        import_files(ImportRequest(tmp_path, (folder,), "c3", CODEBOOK, HASH, 1000, snapshot_id=taken.name))
    assert list((tmp_path / "snapshots").iterdir()) == [taken]
    assert [path.name for path in taken.iterdir()] == ["something"]


def test_import_discards_a_snapshot_that_nobody_names(tmp_path: Path) -> None:
    snapshot = take(tmp_path, deliver(tmp_path / "in", household=DATA)).snapshot
    discard(snapshot)
    with pytest.raises(NoSnapshot):
        open_snapshot(tmp_path, snapshot.id)
