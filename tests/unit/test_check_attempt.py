"""An auditor who visits: what went into a national sum is what the data give, and no number is shown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli import app
from node.home import Home
from node.mechanism import DiscreteGaussian
from node.rows import SnapshotRows
from node.secure.checking import check_attempts
from node.secure.openings import opening_file, read_opening
from policies.documents import to_canonical
from policies.secure.messages import SharesSaid
from policies.secure.opening import Opening
from policies.statistics.answer import block_values
from tests.national_study import codes
from tests.node_world import RUN, SNAPSHOT, World, import_rows
from tests.secure_node import PROGRAMME, Attempt, make_secure_home, others_of

OTHER_RUN = "run-" + "9" * 16


@dataclass(frozen=True)
class Visited:
    """A home whose node took part in two attempts of a run, and what one of them summed to."""

    home: Home
    finished: tuple[int, ...]


@pytest.fixture(scope="module")
def took_part(tmp_path_factory: pytest.TempPathFactory) -> Visited:
    home = make_secure_home(tmp_path_factory.mktemp("visited") / "aa")
    import_rows(home, households=40)
    with closing(SnapshotRows(home)) as rows:
        world = World(home)
        attempts = world.attempts(rows=rows, noise=DiscreteGaussian())
        for number in (1, 2):
            attempt = Attempt(attempts, number=number)
            assert isinstance(attempt.through(), SharesSaid)
        world.region.close()
    return Visited(home, attempt.finish())


@pytest.fixture
def home(took_part: Visited, tmp_path: Path) -> Home:
    shutil.copytree(took_part.home.root, tmp_path / "aa")
    return Home(tmp_path / "aa")


def outcomes(home: Home, attempt: int | None = None) -> list[tuple[int, str]]:
    return [(one.attempt, one.outcome) for one in check_attempts(home, RUN, attempt)]


def test_what_was_summed_is_what_the_data_give(home: Home, took_part: Visited) -> None:
    assert outcomes(home) == [(1, "holds"), (2, "holds")]
    assert outcomes(home, 2) == [(2, "holds")]
    assert outcomes(home, 3) == []
    assert check_attempts(home, OTHER_RUN) == ()
    opening = read_opening(home, RUN, 2)
    assert opening is not None
    mine = [value for block in opening.sums for value in block.numbers()]
    assert any(mine), "the data are not all zero"
    kept = [value for block in opening.parts[0] for value in block.numbers()]
    others = [[value for values in others_of(region).values() for value in values] for region in codes(4)[1:]]
    assert took_part.finished == tuple(map(sum, zip(mine, kept, *others, strict=True))), "part 0 stays, the rest went"
    for block, noise in zip(PROGRAMME.of_mode("national"), opening.parts[0], strict=True):
        assert all(abs(value) < 20 * block.scale.value for value in noise.numbers())


def rewrite(home: Home, change: Callable[[Opening], Opening]) -> None:
    opening = read_opening(home, RUN, 1)
    assert opening is not None
    opening_file(home, RUN, 1).write_bytes(to_canonical(change(opening)))


def _other_sums(opening: Opening) -> Opening:
    first, *rest = opening.sums
    changed = block_values(first.id, [value + 1 for value in first.numbers()])
    return opening.model_copy(update={"sums": (changed, *rest)})


@pytest.mark.parametrize(
    "change",
    [
        lambda opening: opening.model_copy(update={"salt": "0" * 64}),
        lambda opening: opening.model_copy(update={"parts": opening.parts[::-1]}),
        lambda opening: opening.model_copy(update={"snapshot": "6" * 32}),
        lambda opening: opening.model_copy(update={"attempt": 2}),
        _other_sums,
    ],
    ids=["salt", "noise", "snapshot", "attempt", "sums"],
)
def test_another_opening_than_the_log_is_committed_to_does_not_hold(
    home: Home, change: Callable[[Opening], Opening]
) -> None:
    rewrite(home, change)
    assert outcomes(home) == [(1, "other_opening"), (2, "holds")]


def test_an_opening_that_was_exchanged_for_that_of_another_attempt_does_not_hold(home: Home) -> None:
    shutil.copyfile(opening_file(home, RUN, 2), opening_file(home, RUN, 1))
    assert outcomes(home, 1) == [(1, "other_opening")]


def test_data_that_were_changed_since_do_not_hold(home: Home, took_part: Visited) -> None:
    folder = home.snapshots / SNAPSHOT
    other = make_secure_home(home.root.parent / "other")
    changed = import_rows(other, households=44)
    for name in ("household.parquet", "adult.parquet", "child.parquet"):
        target = folder / name
        target.chmod(0o600)
        shutil.copyfile(changed / name, target)
    assert outcomes(home) == [(1, "other_sums"), (2, "other_sums")]
    shutil.rmtree(folder)
    assert outcomes(home) == [(1, "no_data"), (2, "no_data")]


def verb(home: Home, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check-attempt", RUN, "--home", str(home.root), *words])
    return result.exit_code, result.stdout + result.stderr


def test_the_verb_says_whether_it_holds_and_shows_no_number(home: Home) -> None:
    code, told = verb(home, "--lang", "nl")
    assert code == 0
    assert told.count("klopt.") == 2
    code, told = verb(home, "--attempt", "2", "--json")
    (one,) = json.loads(told)["attempts"]
    assert (code, one["attempt"], one["holds"]) == (0, 2, True)
    opening_file(home, RUN, 1).unlink()
    code, told = verb(home, "--lang", "en")
    assert code == 1
    assert "not in this home" in told
    assert "Attempt 2 of" in told
    opening = read_opening(home, RUN, 2)
    assert opening is not None
    assert not any(f" {value} " in told for block in opening.sums for value in block.numbers())


def test_the_status_shows_the_newest_attempt_of_a_run(home: Home) -> None:
    told = CliRunner().invoke(app, ["status", "--home", str(home.root), "--lang", "nl"]).stdout
    assert "Landelijke sommen" in told
    assert RUN in told
    shown = json.loads(CliRunner().invoke(app, ["status", "--home", str(home.root), "--json"]).stdout)
    assert [(one["run"], one["attempt"], one["state"]) for one in shown["attempts"]] == [(RUN, 2, "sent")]


def test_the_verb_says_where_there_is_nothing_to_check(home: Home) -> None:
    code, told = verb(home, "--attempt", "5", "--lang", "nl")
    assert code == 1
    assert "staat zo'n poging niet" in told


def test_an_opening_that_cannot_be_read_is_said_without_what_is_in_it(home: Home) -> None:
    opening_file(home, RUN, 1).write_bytes(b'{"sums": 4711}')
    code, told = verb(home, "--lang", "en")
    assert code == 1
    assert "4711" not in told
