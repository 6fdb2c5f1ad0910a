"""Consent withdrawn: left out from the next import on, and older data gone; nobody can read who it was."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.cli import app
from node.errors import BadHome, HomeBusy
from node.forgetting import FILE, forget, forgotten, listed, take_back
from node.home import Home
from node.importing import purge as purging
from node.importing.lock import importing
from node.importing.purge import purge
from node.importing.request import ImportRequest
from node.importing.run import import_files
from node.pseudonyms import FILE as KEY
from node.pseudonyms import pseudonyms
from node.region import Region
from node.rows import SnapshotRows
from node.terms import Terms
from tests.importing import CODEBOOK, HASH, counts, csv_text, deliver, rows, take
from tests.node_world import COHORT, SNAPSHOT, Clock, World, import_rows, make_home, ordered
from tests.small_study import planned

HOUSEHOLDS = csv_text([["hh_id", "wave", "incidents"], *([f"h{i}", "T0", str(i)] for i in range(5))])
CHILDREN = csv_text([["hh_id", "person_id", "wave", "age"], ["h1", "1", "T0", "5"], ["h2", "1", "T0", "6"]])


def _run(home: Path, *words: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--home", str(home)])


def test_a_forgotten_household_is_in_no_later_import_with_all_its_persons(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "in", household=HOUSEHOLDS, child=CHILDREN)
    forget(tmp_path, "c3", ["h1", "never there"], now=7)
    result = take(tmp_path, folder)
    assert rows(result.snapshot, "household", ["incidents__T0"]) == [(0,), (2,), (3,), (4,)]
    assert rows(result.snapshot, "child", ["hh", "age"]) == [(1, 3)]
    assert counts(result)[("forgotten", "household", "")] == 1


def test_a_forgotten_household_is_gone_from_earlier_waves_too_when_a_wave_is_added(tmp_path: Path) -> None:
    held = take(tmp_path, deliver(tmp_path / "t0", household=HOUSEHOLDS, child=CHILDREN)).snapshot
    forget(tmp_path, "c3", ["h1"], now=7)
    later = deliver(tmp_path / "t1", household=HOUSEHOLDS.replace(";T0;", ";T1;"))
    terms = Terms(snapshot=held.id, codebook=HASH)
    added = import_files(ImportRequest(tmp_path, (later,), "c3", CODEBOOK, HASH, 1000, terms=terms, manner="add"))
    found = rows(added.snapshot, "household", ["incidents__T0", "incidents__T1"])
    assert found == [(0, 0), (2, 2), (3, 3), (4, 4)]
    assert rows(added.snapshot, "child", ["hh", "age"]) == [(1, 3)]
    assert counts(added)[("forgotten", "household", "")] == 1


def test_only_the_cohort_that_was_named_forgets(tmp_path: Path) -> None:
    forget(tmp_path, "c4", ["h1"], now=7)
    assert len(rows(take(tmp_path, deliver(tmp_path / "in", household=HOUSEHOLDS)).snapshot, "household", ["hh"])) == 5


def test_an_id_is_known_however_a_program_writes_it(tmp_path: Path) -> None:
    text = csv_text([["hh_id", "wave", "incidents"], ["12.0", "T0", "1"], [" 13 ", "T0", "2"], ["14", "T0", "3"]])
    forget(tmp_path, "c3", ["12", "13"], now=7)
    assert len(rows(take(tmp_path, deliver(tmp_path / "in", household=text)).snapshot, "household", ["hh"])) == 1


def test_the_list_is_private_and_names_nobody(tmp_path: Path) -> None:
    first = forget(tmp_path, "c3", ["kanarie7531", "h2", "h2"], now=7)
    again = forget(tmp_path, "c3", ["h2", "h3"], now=9)
    assert (first.new, first.known, again.new, again.known) == (2, 0, 1, 1)
    path = tmp_path / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "kanarie7531" not in path.read_text("ascii")
    assert [(one.cohort, one.households, one.first, one.last) for one in listed(tmp_path)] == [("c3", 3, 7, 9)]


def test_a_household_listed_by_mistake_is_taken_back_and_counts_once_it_is_delivered_again(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "in", household=HOUSEHOLDS, child=CHILDREN)
    forget(tmp_path, "c3", ["h1", "h2"], now=7)
    forget(tmp_path, "c4", ["h1"], now=8)
    without = take(tmp_path, folder).snapshot
    done = take_back(tmp_path, "c3", ["h1", "h9"])
    assert (done.taken, done.unknown) == (1, 1)
    assert rows(without, "household", ["incidents__T0"]) == [(0,), (3,), (4,)]
    assert rows(take(tmp_path, folder).snapshot, "household", ["incidents__T0"]) == [(0,), (1,), (3,), (4,)]
    assert [(one.cohort, one.households) for one in listed(tmp_path)] == [("c3", 1), ("c4", 1)]


def test_taking_back_by_the_verb_says_how_many_and_never_which(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home").root
    assert _run(home, "forget", "kanarie7531", "h2", "--cohort", "c1").exit_code == 0
    back = _run(home, "forget", "kanarie7531", "h3", "--cohort", "c1", "--take-back", "--lang", "en")
    assert back.exit_code == 0, back.output
    assert "Taken off the list of cohort c1: 1. Not listed: 1." in back.output
    assert "count again once you import" in back.output
    assert "kanarie7531" not in back.output
    none = _run(home, "forget", "h3", "--cohort", "c1", "--take-back", "--lang", "en")
    assert "count again" not in none.output


@pytest.mark.parametrize("spoil", ["key", "list"])
def test_nothing_is_imported_where_nobody_can_tell_who_is_meant(tmp_path: Path, spoil: str) -> None:
    forget(tmp_path, "c3", ["h1"], now=7)
    if spoil == "key":
        (tmp_path / KEY).write_bytes(bytes(32))
    else:
        (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:-9])
    with pytest.raises(BadHome):
        take(tmp_path, deliver(tmp_path / "in", household=HOUSEHOLDS))
    assert not (tmp_path / "snapshots").exists()


def test_the_list_waits_for_an_import_that_is_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.importing.lock._PATIENCE_S", 0.0)
    with importing(tmp_path), pytest.raises(HomeBusy):
        forget(tmp_path, "c3", ["h1"], now=7)


def test_a_purge_removes_all_but_what_is_in_force_and_nothing_that_is_not_ours(tmp_path: Path) -> None:
    folder = deliver(tmp_path / "in", household=HOUSEHOLDS)
    old, now = (take(tmp_path, folder).snapshot for _ in range(2))
    (tmp_path / "snapshots" / f".{'a' * 32}.part").mkdir()
    (tmp_path / "snapshots" / "notes.txt").touch()
    (tmp_path / "snapshots" / ("b" * 32)).symlink_to(tmp_path / "in")
    assert purge(tmp_path, {now.id}) == 3
    assert {path.name for path in (tmp_path / "snapshots").iterdir()} == {now.id, "notes.txt"}
    assert not old.folder.exists()
    assert (tmp_path / "in" / "household.csv").exists()
    assert purge(tmp_path, {now.id}) == 0


def test_a_purge_that_broke_off_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = deliver(tmp_path / "in", household=HOUSEHOLDS)
    old, now = (take(tmp_path, folder).snapshot for _ in range(2))
    child = os.fork()
    if not child:
        monkeypatch.setattr(purging, "_remove", lambda _folder: os.kill(os.getpid(), signal.SIGKILL))
        purge(tmp_path, {now.id})
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert {path.name for path in (tmp_path / "snapshots").iterdir()} == {now.id, f".{old.id}.gone"}
    assert purge(tmp_path, {now.id}) == 1
    assert {path.name for path in (tmp_path / "snapshots").iterdir()} == {now.id}


# ---- with a node


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


def _delivery(home: Home) -> Path:
    """What `import_rows` delivers."""
    import_rows(home)
    return home.root / "delivery"


def test_forget_then_import_leaves_the_household_out_and_the_older_data_are_gone(home: Home) -> None:
    folder = _delivery(home)
    before = {path.name for path in home.snapshots.iterdir()}
    done = _run(home.root, "forget", "h1", "--cohort", COHORT, "--lang", "nl")
    assert done.exit_code == 0, done.output
    assert f"Op de lijst van cohort {COHORT} gezet: 1. Stonden er al op: 0." in done.stdout
    assert {path.name for path in home.snapshots.iterdir()} == before, "it takes effect with the next import"
    imported = _run(home.root, "import", folder, "--cohort", COHORT, "--lang", "nl")
    assert imported.exit_code == 0, imported.output
    assert "huishoudens die vergeten moeten worden, geheel weggelaten" in imported.stdout
    assert "Oudere gegevens zijn gewist: 1." in imported.stdout
    (left,) = home.snapshots.iterdir()
    assert left.name not in before
    report = json.loads((left / "report.json").read_text("utf-8"))
    assert report["tables"][0]["kept"] == 4


def test_forget_tells_how_many_and_never_which(home: Home, tmp_path: Path) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("\ufeffkanarie7531\r\n\r\n h9 \r\n", encoding="utf-8")
    done = _run(home.root, "forget", "--file", ids, "--cohort", COHORT, "--json")
    assert json.loads(done.stdout) == {"cohort": COHORT, "new": 2, "known": 0}
    told = _run(home.root, "forget", "--list", "--lang", "nl")
    assert f"Cohort {COHORT}: 2 op de lijst" in told.stdout
    assert json.loads(_run(home.root, "forget", "--list", "--json").stdout)["cohorts"][0]["households"] == 2
    for path in home.root.rglob("*"):
        assert not path.is_file() or b"kanarie7531" not in path.read_bytes(), path
    assert "kanarie7531" not in done.output + told.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("h1",), "Geef huishoudnummers"),
        (("--cohort", COHORT), "Geef huishoudnummers"),
        (("h1", "--cohort", "c9"), "Cohort c9 staat niet in de kalender"),
        ((" ", "--cohort", COHORT), "geen huishoudnummer"),
        (("--file", "absent.txt", "--cohort", COHORT), "niet te lezen als tekst"),
    ],
)
def test_forget_refuses_what_would_do_nothing(home: Home, words: tuple[str, ...], sentence: str) -> None:
    refused = _run(home.root, "forget", *words, "--lang", "nl")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert sentence in refused.stderr
    assert not (home.root / FILE).exists()


def test_a_stored_answer_is_repeated_when_its_rows_are_gone(home: Home) -> None:
    """The answer is bound to its snapshot: from newer data it is another question, charged anew."""
    folder = import_rows(home)
    world, order, read = World(home), ordered(planned()), SnapshotRows(home)
    first = world.asked(order, read)
    assert isinstance(first, bytes)
    spent = world.spent
    assert purge(home.root, frozenset()) == 1
    assert not folder.exists()
    assert (world.asked(order, read), world.spent) == (first, spent)
    world.region.close()
    import_rows(home, "6" * 32)
    world._open()
    second = world.asked(ordered(planned(), "run-" + "1" * 16), read)
    assert isinstance(second, bytes)
    assert second != first
    assert world.spent == 2 * spent
    assert world.region.ledger.answer(order.asked.digest, SNAPSHOT) == first
    read.close()


_KILLED = """
import os, signal, sys
from pathlib import Path
import node.importing.purge as purging
from node.cli import app
if sys.argv[1] == "recorded":
    purging.purge = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
else:
    import node.importing.write as writing
    writing.sync_folder = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
app(sys.argv[2:])
"""


@pytest.mark.parametrize(("moment", "kept"), [("recorded", 1), ("written", 1)])
def test_an_import_killed_half_way_leaves_what_is_in_force_and_the_next_one_clears_up(
    home: Home, moment: str, kept: int
) -> None:
    """Killed after it was recorded and before the purge; and after it was written and before it was recorded."""
    folder = _delivery(home)
    forget(home.root, COHORT, ["h1"], now=7)
    words = ["import", str(folder), "--cohort", COHORT, "--home", str(home.root)]
    killed = subprocess.run([sys.executable, "-c", _KILLED, moment, *words], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(list(home.snapshots.iterdir())) == 2
    region = Region(home, Clock())
    in_force = region.ledger.book.snapshots[COHORT].snapshot
    region.close()
    assert (home.snapshots / in_force / "manifest.json").exists(), "what is in force is there, whole"
    assert _run(home.root, *words[:-2]).exit_code == 0
    assert len(list(home.snapshots.iterdir())) == kept


def test_the_pseudonyms_of_the_list_are_those_of_the_snapshots(tmp_path: Path) -> None:
    forget(tmp_path, "c3", ["h1"], now=7)
    names = pseudonyms(tmp_path)
    assert forgotten(tmp_path, "c3", names) == {names.of("household", "c3", "h1")}
    assert forgotten(tmp_path, "c4", names) == frozenset()
