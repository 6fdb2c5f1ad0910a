"""`rondgang node recover`: it asks real witnesses, shows what it will do, and burns no budget by mistake."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.cli import app
from node.home import Home, write_config
from node.journal import silent
from node.lock import exclusive
from node.region import Region
from node.witnessing.witnesses import Witnesses
from policies.rules.entries import RefusedEntry
from tests.node_world import CHECKPOINT, REGION
from tests.watched_home import now, two_witnesses, watched_home
from tests.witnesses import MemoryLine, Witness


def lived(home: Home, watching: tuple[Witness, ...], number: int) -> None:
    """A day in the life of a node: one entry more, cosigned by all."""
    with closing(Region(home, now)) as region:
        run = f"run-{number:016x}"
        region.ledger.log_refusal(RefusedEntry(event="refused", programme="e" * 64, run=run, reason="late"))
        lines = [MemoryLine(witness, REGION) for witness in watching]
        assert Witnesses(region, CHECKPOINT, lines, silent).watch() is None


@pytest.fixture
def watching() -> tuple[Witness, ...]:
    return two_witnesses()


@pytest.fixture
def home(tmp_path: Path, watching: tuple[Witness, ...]) -> Iterator[Home]:
    """A home in which yesterday's copy was put back, with its two witnesses listening."""
    with watched_home(tmp_path / "home", watching) as made:
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
