"""The region's bundle: all that an auditor needs, whole and in order, and nothing else."""

import base64
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from rondgang import canonical
from rondgang.bundles import Record, records, seal_of
from rondgang.canonical import digest
from rondgang.notes import Checkpoint, sign_checkpoint
from rondgang.signed import Signed, sign
from typer.testing import CliRunner, Result

from audit.bundles import read
from node.cli import app
from node.errors import BrokenLedger, DiskFault
from node.evidence import bundle, export
from node.home import Home
from node.recovering import Plan, reset
from node.region import Region
from policies.documents import to_canonical
from tests.applicants import signing_key
from tests.node_desk import Address
from tests.node_world import (
    CHECKPOINT,
    COHORT,
    CONSORTIUM,
    RESEARCHER,
    SNAPSHOT,
    World,
    make_home,
    put_snapshot,
    signed_order,
    signed_programme,
)
from tests.small_study import OPEN, heading, planned

MADE = OPEN + 9


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A node with its certificates that answered once and saw another region."""
    home = make_home(tmp_path / "home", cohorts={COHORT: {"rho": "0.7"}})
    put_snapshot(home)
    Address.new(1).enrol(home)
    made = World(home)
    assert isinstance(made.ask(), bytes)
    made.region.ledger.hold_seen([sign_checkpoint(Checkpoint("BB/1", 4, b"\1" * 32), CHECKPOINT)])
    yield made
    made.region.close()


def bundled(home: Home) -> list[Record]:
    """The records but the seal, which holds."""
    data = b"".join(bundle(home, MADE))
    found = list(records(data))
    seal = seal_of(found, data)
    assert seal is not None
    assert (seal.whole, seal.key) == (True, CHECKPOINT.public.hex)
    reading = read("AA.bundle", data)
    assert (reading.findings, reading.bundle is None) == ((), False)
    return found[:-1]


def of(found: list[Record], kind: str) -> list[dict[str, canonical.Json]]:
    return [record.value for record in found if record.type == kind]


def documents(found: list[Record]) -> list[Signed]:
    return [Signed.from_bytes(canonical.encode(one["signed"])) for one in of(found, "document")]


def test_it_holds_whose_it_is_and_everything_that_was_decided(world: World) -> None:
    world.region.ledger.flush()
    found = bundled(world.home)
    facts = {"version": 1, "of": "region", "name": "AA", "made": MADE, "consortium": CONSORTIUM.public.hex}
    assert found[0].value == {"record": "header"} | facts
    with closing(sqlite3.connect(world.home.ledger_file)) as connection:
        bodies = [bytes(body) for (body,) in connection.execute("SELECT body FROM entries ORDER BY seq")]
    assert [canonical.encode(one["entry"]) for one in of(found, "entry")] == bodies
    assert {one["epoch"] for one in of(found, "entry")} == {1}
    assert [one["note"] for one in of(found, "checkpoint")] == [
        note.to_text() for note in world.region.ledger.checkpoints()
    ]
    assert [one["note"] for one in of(found, "seen")] == [note.to_text() for note in world.region.ledger.seen()]


def test_every_document_that_an_entry_cites_is_there_once_in_the_order_in_which_it_came(world: World) -> None:
    found = documents(bundled(world.home))
    kinds = ["roster", "calendar", "codebook", "policy", "programme", "order"]
    assert [one.kind for one in found] == kinds
    programme = signed_programme(planned())
    assert found[4:] == [programme, signed_order(programme)]


def test_certificates_are_there_and_no_private_key_and_no_answer(world: World) -> None:
    found = bundled(world.home)
    own, root = (base64.b64decode(str(one["der"])) for one in of(found, "certificate"))
    for der, name in ((own, "own"), (root, "ca")):
        kept = x509.load_pem_x509_certificate((world.home.certs / f"{name}.pem").read_bytes())
        assert x509.load_der_x509_certificate(der) == kept
    data = b"".join(record.data for record in found)
    assert b"PRIVATE" not in data
    answer = world.region.ledger.answer(digest(to_canonical(planned())), SNAPSHOT)
    assert answer is not None
    assert answer[20:60] not in data
    (world.home.certs / "own.pem").unlink()
    assert of(bundled(world.home), "certificate") == []


def test_one_document_with_several_signatures_over_time_comes_once_with_those_that_hold(world: World) -> None:
    programme = planned().model_copy(update={"programme": heading(id="twice")})
    other = signing_key("another researcher")
    both = signed_programme(programme, RESEARCHER, other)
    forged = both.signatures[0].__class__(other.public.hex, "0" * 128)
    names = [one for one in both.signatures if one.key != other.public.hex]
    spoilt = Signed("programme", both.document, tuple(sorted((*names, forged), key=lambda one: one.key)))
    world.region.ledger.keep_documents([spoilt])
    world.region.close()
    with closing(sqlite3.connect(world.home.ledger_file)) as connection, connection:
        later = sign("programme", both.document, other).to_bytes()
        row = ("programme", both.digest, digest(later), later)
        connection.execute("INSERT INTO documents (kind, hash, envelope, signed) VALUES (?, ?, ?, ?)", row)
    assert [one for one in documents(bundled(world.home)) if one.digest == both.digest] == [both]


def test_epochs_come_one_after_another_and_of_two_files_of_one_the_longer(world: World, tmp_path: Path) -> None:
    world.restart()
    yesterday = Home(shutil.copytree(world.home.root, tmp_path / "yesterday"))
    world.region.record_import("6" * 32, COHORT, next(iter(world.region.documents.codebooks)))
    head = world.region.ledger.head()
    world.region.close()
    assert isinstance(reset(yesterday, world.clock, head), Plan)
    size = len(of(bundled(yesterday), "entry"))
    assert [one["epoch"] for one in of(bundled(yesterday), "entry")] == [1] * (head.size - 1) + [2] * (
        size - head.size + 1
    )
    shutil.copy(world.home.ledger_file, yesterday.closed / "ledger-1-2.sqlite")
    entries = of(bundled(yesterday), "entry")
    assert [one["epoch"] for one in entries].count(1) == head.size
    assert len(entries) == size + 1
    kinds = [one.kind for one in documents(bundled(yesterday))]
    assert kinds == ["roster", "calendar", "codebook", "policy", "programme", "order"], "each once, over all epochs"
    assert sorted(path.name for path in yesterday.closed.iterdir()) == ["ledger-1-2.sqlite", "ledger-1.sqlite"]


def test_a_ledger_that_this_node_would_not_open_is_exported_as_it_is(world: World) -> None:
    world.region.close()
    with closing(sqlite3.connect(world.home.ledger_file)) as connection, connection:
        connection.execute("DROP TRIGGER entries_never_change")
        connection.execute("UPDATE entries SET hash = 'x' WHERE seq = 3")
    with pytest.raises(BrokenLedger):
        Region(world.home, world.clock)
    assert of(bundled(world.home), "entry")


def test_a_ledger_of_the_first_version_is_exported(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    with closing(sqlite3.connect(home.ledger_file)) as connection:
        for table in ("documents", "checkpoints", "seen", "carried"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 1")
    assert of(bundled(home), "document") == []
    assert len(of(bundled(home), "entry")) == 5
    # Opened by this version, the node keeps what is in force from then on.
    Region(home, lambda: OPEN).close()
    assert [one.kind for one in documents(bundled(home))] == ["roster", "calendar", "codebook", "policy"]


def test_nothing_is_exported_where_no_ledger_is(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    home.ledger_file.unlink()
    with pytest.raises(BrokenLedger, match="no ledger"):
        list(bundle(home, MADE))


def test_the_file_is_whole_or_not_there_and_for_its_owner_alone(world: World, tmp_path: Path) -> None:
    world.region.close()
    out = tmp_path / "AA.bundle"
    out.write_bytes(b"an older one")
    done = export(world.home, out, MADE)
    assert out.read_bytes() == b"".join(bundle(world.home, MADE))
    assert (done.bytes, done.fingerprint) == (out.stat().st_size, digest(out.read_bytes()))
    assert out.stat().st_mode & 0o777 == 0o600
    with pytest.raises(DiskFault, match="cannot be written"):
        export(world.home, tmp_path / "nowhere" / "AA.bundle", MADE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["AA.bundle", "home"]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [*(str(word) for word in words)], env={"RONDGANG_HOME": ""})


def test_the_verb_writes_and_tells_the_fingerprint(world: World, tmp_path: Path) -> None:
    world.region.close()
    out = tmp_path / "AA.bundle"
    told = run("export-ledger", "--out", out, "--home", world.home.root)
    assert told.exit_code == 0, told.output
    assert digest(out.read_bytes()) in told.output
    shown = json.loads(run("export-ledger", "--out", out, "--home", world.home.root, "--json").output)
    assert shown["fingerprint"] == digest(out.read_bytes())
    assert shown["epochs"] == [{"epoch": 1, "entries": 9}]
