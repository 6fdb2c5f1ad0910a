"""Malformed files, YAMLs and messages: a sentence that says where and what, exit 2, nothing half-written, no value.

What is wrong with a whole delivery or document ends the command. What is wrong with single rows must not: whether a
region can answer may not hang on one household. Those rows are handled by public rules, and counted in the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import typer
from rondgang.keys import SigningKey
from rondgang.signed import sign
from typer.testing import CliRunner, Result

import compose.consortium.cli
import coordinator.cli
import node.cli
from coordinator.client import Desk
from coordinator.transport import channel
from node.home import Config, CoordinatorAddress, Home, create_home
from node.operations import Done, adopt_document
from policies.documents import to_canonical
from tests import small_study
from tests.applicants import signing_key
from tests.desk import Country, DeskThread
from tests.importing import CODEBOOK as IMPORT_CODEBOOK
from tests.importing import csv_text, deliver

CONSORTIUM: SigningKey = signing_key("consortium")
SECRET = "874563219"
"""A value planted in every delivery, which no message may show."""


def invoke(app: typer.Typer, *words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def files(folder: Path) -> set[Path]:
    # Made at first need, also by an import that ends in a refusal: a key and an empty lock; they say nothing of anyone.
    made = {"pseudonyms.key", "import.lock"}
    return {path for path in folder.rglob("*") if path.is_file() and path.name not in made}


def check(refused: Result, said: str, before: set[Path], folder: Path) -> None:
    """Exit 2, a sentence with `said`, and not one file more than before."""
    assert refused.exit_code == 2, refused.output
    assert said in refused.output.replace("\n", " "), refused.output
    assert "Traceback" not in refused.output
    assert SECRET not in refused.output
    assert files(folder) == before


CODEBOOKS = [
    ("codebook: {id: small, version: 1}", "codebook: {id: Small, version: 1}", "codebook.id"),
    ("codebook: {id: small, version: 1}", "codebook: {id: small, version: 0}", "codebook.version"),
    ("codebook: {id: small, version: 1}", "codebook: {id: small}", "codebook.version"),
    ("caps: {adults: 2, children: 3}", "caps: {adults: 0, children: 3}", "caps.adults"),
    ("caps: {adults: 2, children: 3}", "caps: {adults: 2}", "caps.children"),
    ("bounds: [0, 4]", "bounds: [4, 0]", "incidents"),
    ("bounds: [0, 4]", "bounds: [0, 4.5]", "incidents"),
    ("bounds: [0, 4]", "bounds: [0, 1e400]", "incidents"),
    ("bounds: [0, 4]", "bounds: [0, NaN]", "incidents"),
    ("grid: 0.5, waves: [T1]", "grid: 0, waves: [T1]", "grade"),
    ("grid: 0.5, waves: [T1]", "grid: 0.7, waves: [T1]", "grade"),
    ("waves: [T0, T1]}\n  grade", "waves: [T0, T9]}\n  grade", "T9"),
    ("type: integer, bounds: [0, 4]", "type: category, bounds: [0, 4]", "incidents"),
    ("table: household, type: integer", "table: house, type: integer", "incidents"),
    ("age: {table", "age: {size: 3, table", "size"),
    ('when: "incidents == 0", is: none', 'when: "incidentz == 0", is: none', "state"),
    ('when: "incidents == 0", is: none', 'when: "incidents = 0", is: none', "state"),
    ("{else: many}", "{else: many}, {else: more}", "state"),
    ("derived:\n", 'derived:\n  incidents: {cases: [{when: "incidents == 0", is: a}, {else: b}]}\n', "incidents"),
    ("tables: {household: {}, adult: {}, child: {}}", "tables: {household: {}}", "tables"),
    ("caps: {adults: 2, children: 3}", "caps: &c {adults: 2, children: 3}\nmore: *c", "aliases"),
    ("caps:", "caps: {adults: 1, children: 1}\ncaps:", "caps"),
    ("waves: {T0", "waves: [T0", "YAML"),
]
CALENDARS = [
    ("households_per_region: 100000", "households_per_region: 0", "limits"),
    ("release: [2026-01-01, 2026-12-31]", "release: [2026-12-31, 2026-01-01]", "window"),
    ("release: [2026-01-01, 2026-12-31]", "release: [2026-13-01, 2026-12-31]", "release"),
    (", release: [2026-01-01, 2026-12-31]", "", "release"),
    ("AA: {household: 60", "ZZ: {household: 60", "expected"),
    ("group: B}", "group: C}", "group"),
    ("household: 10, adult", "household: 0, adult", "household"),
]
POLICIES = [
    ('c1: {rho: "0.5"}', 'c1: {rho: "-0.5"}', "c1"),
    ('c1: {rho: "0.5"}', 'c1: {rho: "NaN"}', "c1"),
    ('c1: {rho: "0.5"}', 'c1: {rho: "Infinity"}', "c1"),
    ('c1: {rho: "0.5"}', 'c1: {rho: "1e400"}', "c1"),
    ('c1: {rho: "0.5"}', 'c1: {epsilon: "1"}', "c1"),
    ('lifetime: {rho: "0.8"}\n', "", "lifetime"),
    ("policy: {version: 1}", "policy: {version: 1}\napproval: perhaps", "approval"),
    ("policy: {version: 1}", "policy: {version: 1}\nwitnesses: {need: 0}", "witnesses.need"),
    ("policy: {version: 1}", "policy: {version: 1}\nstatistics: [median]", "statistics"),
]
PROGRAMMES = [
    ('price: {rho: "0.2"}', 'price: {rho: "0"}', "price"),
    ('price: {rho: "0.2"}', 'price: {rho: "-1"}', "price"),
    ('price: {rho: "0.2"}', 'price: {rho: "NaN"}', "price"),
    ('price: {rho: "0.2"}', 'price: {rho: "1e400"}', "price"),
    ('price: {rho: "0.2"}', 'price: {rho: "0.2", epsilon: "1"}', "price"),
    ('price: {rho: "0.2"}', 'price: {epsilon: "1", delta: "1"}', "price"),
    ("unit: household, wave: T1}", "unit: household, wave: T1, by: [safe]}", "safe"),
    ("unit: household, wave: T1}", "unit: household, wave: T1, by: [incidents]}", "incidents"),
    ("unit: household, wave: T1}", "unit: household, wave: T7}", "T7"),
    ("unit: household, wave: T1}", "unit: family, wave: T1}", "unit"),
    ("unit: household, wave: T1}", "unit: household, wave: T1, mode: federal}", "national"),
    ('price: {rho: "0.2"}', 'price: {rho: "0.2"}\nsecure: {colluders: 0, dropouts: 1}', "colluders"),
    ('price: {rho: "0.2"}', 'price: {rho: "0.2"}\nsecure: {colluders: 1, dropouts: -1}', "dropouts"),
    ('price: {rho: "0.2"}', 'price: {rho: "0.2"}\nsecure: {colluders: 1, dropouts: 1}', "mode: national"),
    ("kind: count", "kind: quantile", "household"),
    ('of: "state == none"', 'of: "state == never"', "never"),
    ('of: "state == none"', 'of: "state = none"', "stopped"),
    ('of: "safe == yes"', 'of: "incidents @ == 1"', "adults_safe"),
    ("{id: helped", "{id: stopped", "stopped"),
    ("cohort: c1", "cohort: c7", "c7"),
    ("codebook: small@1", "codebook: other@1", "other@1"),
    ("deadline: 2026-06-30", "deadline: soon", "deadline"),
    ("  requester: Tests\n", "", "requester"),
    ('within: ["-0.5", "1"]', 'within: ["1", "-0.5"]', "within"),
]


@pytest.fixture
def consortium(tmp_path: Path) -> Path:
    made = invoke(compose.consortium.cli.app, "init", "--home", tmp_path / "consortium")
    assert made.exit_code == 0
    return tmp_path / "consortium"


def spoilt(tmp_path: Path, text: str, old: str, new: str) -> Path:
    assert old in text
    path = tmp_path / "spoilt.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(("old", "new", "said"), CODEBOOKS)
def test_malformed_codebook(consortium: Path, tmp_path: Path, old: str, new: str, said: str) -> None:
    path, before = spoilt(tmp_path, small_study.CODEBOOK, old, new), files(tmp_path)
    words = ("codebook", path, "--out", tmp_path / "out.json", "--home", consortium)
    refused = invoke(compose.consortium.cli.app, *words)
    check(refused, said, before | {path}, tmp_path)
    assert "spoilt.yaml:" in refused.output


@pytest.mark.parametrize(("old", "new", "said"), CALENDARS)
def test_malformed_calendar(consortium: Path, tmp_path: Path, old: str, new: str, said: str) -> None:
    path, before = spoilt(tmp_path, small_study.CALENDAR, old, new), files(tmp_path)
    words = ("calendar", path, "--out", tmp_path / "out.json", "--home", consortium)
    check(invoke(compose.consortium.cli.app, *words), said, before | {path}, tmp_path)


@pytest.mark.parametrize(("old", "new", "said"), PROGRAMMES)
def test_malformed_programme(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "codebook.yaml").write_text(small_study.CODEBOOK, encoding="utf-8")
    (tmp_path / "calendar.yaml").write_text(small_study.CALENDAR, encoding="utf-8")
    path = spoilt(tmp_path, small_study.DRAFT, old, new)
    before = files(tmp_path)
    papers = ("--codebook", tmp_path / "codebook.yaml", "--calendar", tmp_path / "calendar.yaml")
    refused = invoke(coordinator.cli.app, "rehearse", path, *papers, "--out", tmp_path / "out")
    check(refused, said, before, tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A node of region AA that adopted the small calendar and the codebook of the import tests."""
    config = Config(region="AA", coordinator=CoordinatorAddress(address="localhost:1"))
    keys = {name: signing_key(name).to_pem() for name in ("checkpoint", "steward")}
    made = create_home(tmp_path / "home", config, CONSORTIUM.public, {"tls": b"unused", **keys})
    for kind, document in (("calendar", small_study.calendar()), ("codebook", IMPORT_CODEBOOK)):
        assert isinstance(adopt_document(made, sign(kind, to_canonical(document), CONSORTIUM).to_bytes()), Done)
    return made


@pytest.mark.parametrize(("old", "new", "said"), POLICIES)
def test_malformed_policy(home: Home, tmp_path: Path, old: str, new: str, said: str) -> None:
    path, before = spoilt(tmp_path, small_study.POLICY, old, new), files(home.root)
    refused = invoke(node.cli.app, "policy", "adopt", path, "--home", home.root, "--lang", "en")
    check(refused, said, before, home.root)


HEAD = ["hh_id", "wave", "incidents"]
GOOD = csv_text([HEAD, ["h1", "T0", SECRET]])
DELIVERIES: list[tuple[str, dict[str, str | bytes]]] = [
    ("empty file", {"household": ""}),
    ("only blank lines", {"household": "\n\n"}),
    ("no household file", {"adult": csv_text([["hh_id", "person_id", "wave"], [SECRET, "p", "T0"]])}),
    ("no id column", {"household": csv_text([["id", "wave"], [SECRET, "T0"]])}),
    ("no wave column", {"household": csv_text([["hh_id", "incidents"], ["h1", SECRET]])}),
    ("a column twice", {"household": csv_text([[*HEAD, "incidents"], ["h1", "T0", SECRET, "1"]])}),
    ("wrong encoding", {"household": GOOD.encode() + "h2;T0;ë\n".encode("latin-1")}),
    ("utf-16 untold", {"household": GOOD.encode("utf-16")}),
    ("binary rubbish", {"household": bytes(range(256)) * 8}),
    ("open quotation mark", {"household": f'hh_id;wave;incidents\n"h1;T0;{SECRET}\n'}),
    ("no person id", {"household": GOOD, "adult": csv_text([["hh_id", "wave"], [SECRET, "T0"]])}),
    ("wave by another name", {"household": csv_text([HEAD, ["h1", "eerste", SECRET]])}),
    ("every row short", {"household": f"hh_id;wave;incidents\n{SECRET}\n"}),
    ("zip named csv", {"household": b"PK\x03\x04" + b"\x00" * 64}),
]


@pytest.mark.parametrize(("what", "delivered"), DELIVERIES, ids=[what for what, _ in DELIVERIES])
def test_malformed_delivery(home: Home, tmp_path: Path, what: str, delivered: dict[str, str | bytes]) -> None:
    del what
    folder = deliver(tmp_path / "in", **delivered)
    before = files(home.root)
    refused = invoke(node.cli.app, "import", folder, "--cohort", "c1", "--home", home.root, "--lang", "en")
    check(refused, "", before, home.root)
    assert len(refused.stderr.strip()) > 20, "a sentence"


def test_wrong_delimiter_missing_folder_and_unknown_file(home: Home, tmp_path: Path) -> None:
    folder, before = deliver(tmp_path / "in", household=GOOD), files(home.root)
    for words in ((folder, "--delimiter", "comma"), (tmp_path / "nowhere",), (tmp_path / "in" / "other.txt",)):
        refused = invoke(node.cli.app, "import", *words, "--cohort", "c1", "--home", home.root, "--lang", "en")
        check(refused, "", before, home.root)


ROWS = [
    ("duplicate person-wave", ["h1", "T0", "5"], ["h1", "T0", "5"]),
    ("one household twice in a wave, in conflict", ["h1", "T0", "5"], ["h1", "T0", "7"]),
    ("out of range", ["h1", "T0", "5"], ["h2", "T0", SECRET]),
    ("text in numbers", ["h1", "T0", "5"], ["h2", "T0", f"x{SECRET}"]),
    ("1e400", ["h1", "T0", "5"], ["h2", "T0", "1e400"]),
    ("not a number", ["h1", "T0", "5"], ["h2", "T0", "NaN"]),
    ("no household id", ["h1", "T0", "5"], ["", "T0", SECRET]),
    ("unknown wave in one row", ["h1", "T0", "5"], ["h2", SECRET, "3"]),
]


@pytest.mark.parametrize(("what", "first", "second"), ROWS, ids=[what for what, *_ in ROWS])
def test_malformed_rows_are_counted_and_refuse_nothing(
    home: Home, tmp_path: Path, what: str, first: list[str], second: list[str]
) -> None:
    del what
    folder = deliver(tmp_path / "in", household=csv_text([HEAD, first, second]))
    done = invoke(node.cli.app, "import", folder, "--cohort", "c1", "--home", home.root, "--lang", "en")
    assert done.exit_code == 0, done.output
    assert SECRET not in done.output


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    return Country.found(tmp_path_factory.mktemp("country"))


@pytest.fixture(scope="module")
def server(country: Country) -> Iterator[DeskThread]:
    with DeskThread(country) as running:
        yield running


MESSAGES = {
    "truncated": b"\x0a\xff\x01ab",
    "a wrong wire type": b"\x0f\x00",
    "rubbish": bytes(range(255, 0, -1)),
    "100 MB": b"\x0a\x80\x80\x80\x32" + b"a" * 100 * 2**20,
}


@pytest.mark.parametrize("method", ["DeskService/Submit", "DeskService/Price", "DeskService/Watch"])
@pytest.mark.parametrize("what", MESSAGES)
def test_malformed_message(country: Country, server: DeskThread, method: str, what: str) -> None:
    """The caller gets a status, and the desk goes on."""
    with channel(country.address(server.port), country.researcher.tls()) as line:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = line.unary_unary(f"/rondgang.v1.{method}")
        with pytest.raises(grpc.RpcError) as refused:
            call(MESSAGES[what], timeout=20)
        code = refused.value.code()
        assert code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
    with Desk.open(country.researcher.folder) as desk:
        assert desk.regions()


def test_there_are_sixty_of_them() -> None:
    yamls = len(CODEBOOKS) + len(CALENDARS) + len(POLICIES) + len(PROGRAMMES)
    assert yamls + len(DELIVERIES) + len(ROWS) + len(MESSAGES) >= 60
