"""`rondgang node recover`: it asks real witnesses, shows what it will do, and burns no budget by mistake."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from rondgang.roles import Party, Role
from rondgang.tls import request_certificate
from typer.testing import CliRunner, Result

from compose.consortium.authority import Authority, issue, pem
from node.cli import app
from node.home import Home, WitnessAddress, write_config
from node.journal import silent
from node.lock import exclusive
from node.region import Region
from node.witnessing.witnesses import Witnesses
from policies.rules.entries import RefusedEntry
from tests.applicants import authority
from tests.node_desk import Address
from tests.node_world import CHECKPOINT, REGION, always_roster, make_home, put_snapshot
from tests.witnesses import MemoryLine, Witness, WitnessServer


def now() -> int:
    return int(time.time())


def certificate(root: Authority, tls_key: bytes, party: Party) -> bytes:
    csr = request_certificate(tls_key, party, "one")
    return pem(issue(root, csr, party, "one", ("localhost",), now(), 1)[0])


def lived(home: Home, watching: tuple[Witness, ...], number: int) -> None:
    """A day in the life of a node: one entry more, cosigned by all."""
    with closing(Region(home, now)) as region:
        run = f"run-{number:016x}"
        region.ledger.log_refusal(RefusedEntry(event="refused", programme="e" * 64, run=run, reason="late"))
        lines = [MemoryLine(witness, REGION) for witness in watching]
        assert Witnesses(region, CHECKPOINT, lines, silent).watch() is None


@pytest.fixture
def watching() -> tuple[Witness, ...]:
    return tuple(Witness(label, always_roster, now) for label in ("desk", "witness"))


@pytest.fixture
def home(tmp_path: Path, watching: tuple[Witness, ...]) -> Iterator[Home]:
    """A home in which yesterday's copy was put back, with its two witnesses listening."""
    root = authority(now=now())
    with ExitStack() as open_:
        ports = [
            open_.enter_context(WitnessServer(witness, root).listening(certificate, role)).port
            for witness, role in zip(watching, (Role.COORDINATOR, Role.WITNESS), strict=True)
        ]
        made = make_home(tmp_path / "home", f"localhost:{ports[0]}", always=True)
        write_config(
            made, made.config().model_copy(update={"witnesses": (WitnessAddress(address=f"localhost:{ports[1]}"),)})
        )
        Address(root, b"", 0).enrol(made)
        put_snapshot(made)
        lived(made, watching, 1)
        yesterday = shutil.copytree(made.root, tmp_path / "yesterday")
        lived(made, watching, 2)
        shutil.rmtree(made.root)
        yesterday.rename(made.root)
        yield made


def recover(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["recover", "--home", str(home.root), *words], env={"RONDGANG_HOME": ""})


def test_without_a_yes_it_shows_what_it_would_do_and_changes_nothing(home: Home) -> None:
    before = home.ledger_file.read_bytes()
    told = recover(home, "--lang", "en")
    assert told.exit_code == 2
    assert "AA/1 has 7 entries here; a witness saw AA/1 with 8" in told.output
    assert "The last that the 2 witnesses saw: AA/1 with 8 entries" in told.output
    assert "Cohort c1: 0 rho known to be spent, 0.5 rho from now on" in told.output
    assert "Nothing was changed. This cannot be undone; give --yes to do it." in told.output
    assert json.loads(recover(home, "--json").output)["refused"] == "not_confirmed"
    assert home.ledger_file.read_bytes() == before


def test_with_a_yes_it_starts_anew_once(home: Home, watching: tuple[Witness, ...]) -> None:
    told = json.loads(recover(home, "--yes", "--json").output)
    assert (told["region"], told["epoch"], told["why"], told["own"]["size"], told["last"]["size"]) == (
        "AA", 2, "behind", 7, 8,
    )  # fmt: skip
    assert (told["cohorts"], told["lifetime"]) == (
        {"c1": {"spent": "0", "charged": "0.5"}},
        {"spent": "0", "charged": "0.8"},
    )
    again = recover(home, "--yes", "--lang", "en")
    assert (again.exit_code, "There is nothing to recover" in again.output) == (1, True)
    lived(home, watching, 3)
    assert {note.checkpoint.origin for one in watching if (note := one.memory.last(REGION))} == {"AA/2"}


def test_where_too_few_witnesses_answer_nothing_is_changed(home: Home) -> None:
    write_config(home, home.config().model_copy(update={"witnesses": ()}))
    before = home.ledger_file.read_bytes()
    told = recover(home, "--yes", "--lang", "en")
    assert (told.exit_code, "Too few witnesses answered" in told.output) == (75, True)
    assert home.ledger_file.read_bytes() == before


def test_a_serving_node_must_be_stopped_first(home: Home) -> None:
    with exclusive(home.lock_file):
        told = recover(home, "--yes", "--lang", "en")
    assert (told.exit_code, "Stop the node first" in told.output) == (75, True)
