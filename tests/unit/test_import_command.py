"""`rondgang node import` end to end in one process: exit codes, languages, the ledger, and no value anywhere."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from rondgang.keys import SigningKey
from rondgang.signed import sign
from typer.testing import CliRunner, Result

from node.cli import app, import_data
from node.cli.terminal import Terminal
from node.home import Config, CoordinatorAddress, Home, create_home
from node.importing.request import ImportRequest
from node.ledger.ledger import Ledger
from node.operations import Done, adopt_document
from node.snapshots import open_snapshot
from policies.documents import to_canonical
from tests import small_study
from tests.applicants import signing_key
from tests.deliveries import COLUMNS, Rows, long_excel, long_parquet, long_sav, wide_sav
from tests.importing import CODEBOOK, csv_text, deliver

CONSORTIUM = signing_key("consortium")
DATA = csv_text([["hh_id", "wave", "incidents"], ["h1", "T0", "5"], ["h2", "T1", "9999"]])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A node of region AA that adopted the small calendar and codebook."""
    config = Config(region="AA", coordinator=CoordinatorAddress(address="localhost:1"))
    keys = {name: signing_key(name).to_pem() for name in ("checkpoint", "steward")}
    made = create_home(tmp_path / "home", config, CONSORTIUM.public, {"tls": b"unused", **keys})
    for kind, document in (("calendar", small_study.calendar()), ("codebook", CODEBOOK)):
        signed = sign(kind, to_canonical(document), CONSORTIUM)
        assert isinstance(adopt_document(made, signed.to_bytes()), Done)
    return made


def _run(home: Home, *words: str | Path) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words), "--home", str(home.root)])


def _current(home: Home) -> dict[str, Any]:
    ledger = Ledger(home.ledger_file, "AA", lambda: 0)
    try:
        return dict(ledger.book.snapshots)
    finally:
        ledger.close()


def test_import_command_puts_a_snapshot_into_force(home: Home, tmp_path: Path) -> None:
    done = _run(home, deliver(tmp_path / "in", household=DATA), "--cohort", "c1")
    assert done.exit_code == 0, done.output
    assert "Klaar. Momentopname" in done.stdout
    assert "waarden buiten de grenzen, op de grens gezet:\n            1  household.incidents" in done.stdout
    current = _current(home)["c1"]
    snapshot = open_snapshot(home.root, current.snapshot)
    assert snapshot.codebook_hash == current.codebook == sign("codebook", to_canonical(CODEBOOK)).digest
    again = _run(home, tmp_path / "in", "--cohort", "c1", "--codebook", "small@1", "--lang", "en")
    assert again.exit_code == 0
    assert "Done. Snapshot" in again.stdout
    assert _current(home)["c1"].snapshot != current.snapshot


def test_import_command_prints_json_for_programs(home: Home, tmp_path: Path) -> None:
    done = _run(home, deliver(tmp_path / "in", household=DATA), "--cohort", "c1", "--json", "--delimiter", ";")
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert report["snapshot"] == _current(home)["c1"].snapshot
    places = [{"file": "household.csv", "rows": [3]}]
    found = {"rule": "clamped", "table": "household", "name": "incidents", "count": 1, "places": places}
    assert found in report["findings"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--cohort", "c9"), "Cohort c9 staat niet in de kalender. Wel: c1, c2."),
        (("--cohort", "c1", "--codebook", "other@1"), "Codeboek other@1 is niet overgenomen. Wel: small@1."),
        (("--cohort", "c1", "--delimiter", "pipe"), "Kies als scheidingsteken"),
        (("--cohort", "c1", "--delimiter", "comma"), "ontbreekt de kolom hh_id"),
        (("--cohort", "c9", "--lang", "en"), "is not in the calendar"),
    ],
)
def test_import_command_refuses_bad_input(home: Home, tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    refused = _run(home, deliver(tmp_path / "in", household=DATA), *words)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert sentence in refused.stderr
    assert _current(home) == {}
    assert not list(home.snapshots.iterdir())


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda adopted: (adopted / "calendar.json").unlink(), "nog geen kalender"),
        (lambda adopted: (adopted / "codebooks" / "small@1.json").unlink(), "nog geen codeboek"),
        (lambda adopted: (adopted / "calendar.json").write_bytes(b"{}"), "calendar.json draagt de handtekening"),
        (lambda adopted: _forge(adopted / "calendar.json"), "calendar.json draagt de handtekening"),
    ],
    ids=["no_calendar", "no_codebook", "damaged", "forged"],
)
def test_import_command_needs_what_the_consortium_signed(
    home: Home, tmp_path: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    spoil(home.adopted)
    refused = _run(home, deliver(tmp_path / "in", household=DATA), "--cohort", "c1")
    assert refused.exit_code == 2
    assert sentence in refused.stderr


def test_import_command_asks_which_codebook(home: Home, tmp_path: Path) -> None:
    second = CODEBOOK.model_copy(update={"codebook": CODEBOOK.codebook.model_copy(update={"version": 2})})
    assert isinstance(adopt_document(home, sign("codebook", to_canonical(second), CONSORTIUM).to_bytes()), Done)
    refused = _run(home, deliver(tmp_path / "in", household=DATA), "--cohort", "c1")
    assert refused.exit_code == 2
    assert "small@1, small@2" in refused.stderr
    assert _run(home, tmp_path / "in", "--cohort", "c1", "--codebook", "small@2").exit_code == 0


def test_import_command_says_where_the_home_is_missing(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["import", str(tmp_path), "--cohort", "c1", "--home", str(tmp_path / "none")])
    assert refused.exit_code == 2


CANARY = "kanarie7531"
"""Planted as a value of every kind, in every column, in files that can be used and files that cannot."""
HEAD = "hh_id;person_id;wave;incidents;profile;grade\n"


@pytest.mark.parametrize(
    "data",
    [
        HEAD + f"{CANARY};{CANARY};T0;{CANARY};{CANARY};{CANARY}\n",
        HEAD + f"h;p;{CANARY};5;1;7\n",
        HEAD + f"h;p;T0;5;1;7\n{CANARY};p\n",
        HEAD + f'h;p;T0;"{CANARY};1;7\n',
        f"{CANARY};p;T0;5;1;7\n" * 2,
        HEAD + f"h;p;T0;{CANARY}é;1;7\n",
    ],
    ids=["everywhere", "wave", "ragged", "open_quote", "no_header", "latin1"],
)
@pytest.mark.parametrize("words", [(), ("--json",)], ids=["people", "programs"])
def test_import_command_never_shows_a_value(home: Home, tmp_path: Path, data: str, words: tuple[str, ...]) -> None:
    code = "latin-1" if "é" in data else "utf-8"
    folder = deliver(tmp_path / "in", household=data.encode(code), adult=data.encode(code))
    done = _run(home, folder, "--cohort", "c1", *words)
    assert done.exit_code in (0, 2)
    assert CANARY not in done.output + done.stderr
    for path in home.root.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            assert CANARY.encode() not in path.read_bytes(), path.name
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or "ledger" in path.name


FORMATS = {"wide": wide_sav, "sav": long_sav, "xlsx": long_excel, "parquet": long_parquet}


@pytest.mark.parametrize("form", sorted(FORMATS))
@pytest.mark.parametrize("words", [(), ("--json",)], ids=["people", "programs"])
def test_import_command_never_shows_a_value_of_any_format(
    home: Home, tmp_path: Path, form: str, words: tuple[str, ...]
) -> None:
    """Whole, and broken off at some tenths."""
    found: Rows = {
        table: [tuple("T0" if name == "wave" else CANARY for name in names), ("h", *(["T0"] * (len(names) - 1)))]
        for table, names in COLUMNS.items()
    }
    folder = FORMATS[form](tmp_path / "in", found)
    whole = {path: path.read_bytes() for path in folder.iterdir() if path.suffix != ".yaml"}
    for tenth in (10, 9, 5, 1):
        for path, data in whole.items():
            path.write_bytes(data[: len(data) * tenth // 10])
        done = _run(home, folder, "--cohort", "c1", *words)
        assert done.exit_code == (0 if tenth == 10 else 2), done.output
        assert CANARY not in done.output + done.stderr
    for path in home.root.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            assert CANARY.encode() not in path.read_bytes(), path.name


def test_import_command_reads_by_the_mapping_in_the_folder(home: Home, tmp_path: Path) -> None:
    folder = wide_sav(tmp_path / "in", {"household": [("h1", "T0", "5", "no", "1", "none", "4")]})
    done = _run(home, folder, "--cohort", "c1")
    assert done.exit_code == 0, done.output
    assert "Gelezen volgens de vertaling in mapping.yaml." in done.stdout
    assert "household: gezin.sav, 1 regels, 1 huishoudens" in done.stdout
    (folder / "other.yaml").write_text("mapping: {codebook: large@1}\nparts: []\n", encoding="utf-8")
    refused = _run(home, folder, "--cohort", "c1", "--mapping", folder / "other.yaml", "--lang", "en")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "other.yaml:2: parts: " in refused.stderr.replace("\n", "")


@pytest.mark.parametrize(("name", "code"), [("ISO-8859-1", 0), ("cp1252", 0), ("utf16", 2), ("ebcdic", 2)])
def test_import_command_takes_an_encoding_by_its_usual_names(home: Home, tmp_path: Path, name: str, code: int) -> None:
    folder = deliver(tmp_path / "in", household=DATA.replace("h1", "é").encode("latin-1"))
    done = _run(home, folder, "--cohort", "c1", "--encoding", name)
    assert done.exit_code == code, done.output


def test_import_command_hides_the_message_of_an_unforeseen_fault(capsys: pytest.CaptureFixture[str]) -> None:
    def choke() -> ImportRequest:
        raise KeyError(CANARY)

    with pytest.raises(typer.Exit) as ended:
        import_data._imported(Terminal("nl", as_json=False), choke)
    assert ended.value.exit_code == 1
    told = capsys.readouterr()
    assert CANARY not in told.out + told.err
    assert "KeyError at test_import_command.py" in told.err


def _forge(path: Path) -> None:
    stranger = SigningKey.generate(bytes(32))
    path.write_bytes(sign("calendar", to_canonical(small_study.calendar()), stranger).to_bytes())
