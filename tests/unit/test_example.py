"""An example of a release: on invented households alone, by the parts of a real answer, and gone afterwards."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import pvariance
from typing import Any

import pytest
from rondgang.canonical import digest
from typer.testing import CliRunner, Result

from coordinator.rehearsal.sums import exact_sums
from coordinator.rehearsal.units import Unit
from node.cli import app
from node.example.households import invented
from node.example.release import Example, example
from node.home import Home
from node.importing.tables import Wide
from node.importing.values import MISSING
from node.pages.examples import tell
from node.snapshots import FOLDER
from node.understanding import Understood
from policies.documents import load_yaml
from policies.statistics.compile import compile_blocks
from policies.statistics.programme import Programme
from policies.study.codebook import Codebook, Table
from policies.study.columns import Ref
from tests import national_study, small_study
from tests.asking import ask, asked_for
from tests.node_world import make_home, put_snapshot

SHIPPED = Path(__file__).parents[2] / "policies" / "shipped"
OPENED: list[str] = []
WATCHING: list[bool] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if WATCHING and event == "open":
        OPENED.append(str(arguments[0]))


sys.addaudithook(_watch)


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Every file that Python opens during a test. DuckDB opens its own: of those tests that take the data away."""
    OPENED.clear()
    WATCHING.append(True)
    yield OPENED
    WATCHING.clear()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = make_home(tmp_path / "home", always=True, approval="steward")
    put_snapshot(made)
    return made


def understood(programme: Programme, region: str = "AA") -> Understood:
    compilation = compile_blocks(programme.statistics, small_study.codebook())
    calendar = small_study.calendar() if programme.secure is None else national_study.calendar()
    return Understood(region, programme, small_study.codebook(), calendar, compilation)


def run(home: Home, *words: str, code: int = 0) -> Result:
    found = CliRunner().invoke(app, [*words, "--home", str(home.root), "--lang", "nl"], env={"COLUMNS": "100"})
    assert found.exit_code == code, found.output
    return found


def within(opened: list[str]) -> list[str]:
    """Those of the files that lie below a home's snapshots."""
    return [path for path in opened if FOLDER in Path(path).parts]


def test_the_homes_data_need_not_be_there_and_nothing_is_left_behind(home: Home, opened: list[str]) -> None:
    """Without the snapshots folder, and with rubbish in its place: nobody looks. No file is opened below it."""
    hashed = ask(home, asked_for("voorbeeld"))
    shutil.rmtree(home.root / FOLDER)
    before = sorted(path.name for path in home.root.iterdir())
    opened.clear()
    first = example(home, understood(small_study.planned()))
    assert within(opened) == []
    (home.root / FOLDER).mkdir()
    for rubbish in ("household.parquet", "adult.parquet", "manifest.json"):
        (home.root / FOLDER / rubbish).write_bytes(b"no data")
    ledger = home.ledger_file.read_bytes()
    opened.clear()
    told = json.loads(run(home, "pending", hashed, "--example", "--json").stdout)["example"]
    assert [one["statistic"] for one in told] == [one.statistic.id for one in first.statistics]
    assert home.ledger_file.read_bytes() == ledger
    assert within(opened) == []
    assert opened
    assert {path.name for path in home.root.iterdir()} == {*before, FOLDER, "lock"}


def test_the_sums_are_those_that_another_hand_makes_of_the_same_rows(home: Home) -> None:
    """Row by row, by the desk's rehearsal, which shares no code with the node's engine."""
    asked = understood(small_study.planned())
    expected = small_study.calendar().expected_of("c1")["AA"]
    tables = invented(asked.codebook, expected, "AA")
    rows = {table: _units(wide, asked.codebook) for table, wide in tables.items()}
    assert [len(rows[table]) for table in ("household", "adult", "child")] == [60, 70, 80]
    sums = exact_sums(rows, asked.compilation.blocks)
    made = example(home, asked)
    planned = {block.id: block for block in asked.programme.blocks}
    for shown in made.statistics:
        for vector in shown.vectors:
            off = [
                (number - vector.multiplier * exact) / planned[vector.block].scale.value
                for number, exact in zip(vector.numbers, sums[vector.block], strict=True)
            ]
            # Fresh noise: beyond seven deviations with probability below 3e-12 each.
            assert max(map(abs, off)) < 7, vector.block


def _units(wide: Wide, codebook: Codebook) -> list[Unit]:
    names = {Ref(name, wave).stored: Ref(name, wave) for name, one in codebook.columns.items()
             for wave in one.waves or ("",)}  # fmt: skip
    columns = {names[stored]: values.tolist() for stored, values in wide.values.items()}
    return [
        Unit(
            int(home),
            frozenset(codebook.waves),
            {ref: None if values[place] == MISSING else values[place] for ref, values in columns.items()},
        )
        for place, home in enumerate(wide.household.tolist())
    ]


def test_invented_households_are_public_even_and_within_the_caps() -> None:
    codebook = load_yaml(Codebook, SHIPPED / "cohort3.codebook.yaml")
    expected = small_study.calendar().expected_of("c1")["AA"].model_copy(update={"household": 2000, "child": 3000})
    tables = invented(codebook, expected, "FR")
    again = invented(codebook, expected, "FR")
    assert digest(_bytes(tables)) == digest(_bytes(again)) != digest(_bytes(invented(codebook, expected, "GM")))
    of_home: dict[int, int] = {}
    for home in tables["child"].household.tolist():
        of_home[home] = of_home.get(home, 0) + 1
    assert max(of_home.values()) <= codebook.caps.children
    for name, column in codebook.columns.items():
        if column.table != "household" or not column.categorical:
            continue
        values = tables["household"].values[Ref(name, (column.waves or ("",))[0]).stored].tolist()
        assert set(range(column.size)) <= set(values), f"every category of {name} occurs"
    missing = tables["household"].values["incidents__T0"].tolist().count(MISSING)
    assert 0.03 < missing / 2000 < 0.07


def _bytes(tables: dict[Table, Wide]) -> bytes:
    return b"".join(values.tobytes() for wide in tables.values() for values in wide.values.values())


def test_the_noise_is_fresh_and_as_large_as_a_real_answers(home: Home) -> None:
    """Sixty times the variance of one block's first number: within a factor of two of sigma^2 but once in 10^5."""
    asked = understood(small_study.planned(small_study.planned().statistics[:1]))
    block = asked.programme.blocks[0]
    found = [example(home, asked).statistics[0].vectors[0].numbers[0] for _ in range(60)]
    assert len(set(found)) > 10
    assert 0.45 < pvariance(found) / block.scale.value**2 < 1.9


def test_of_a_national_sum_it_shows_what_would_be_masked_with_the_regions_parts_of_the_noise(home: Home) -> None:
    made = example(home, understood(national_study.planned()))
    told = tell(made, small_study.codebook(), "nl")
    assert [line.id for line in told.lines if line.national] == list(national_study.NATIONAL)
    assert [one.statistic.mode for one in made.statistics].count("national") == len(national_study.NATIONAL)


def test_it_says_that_all_of_it_is_invented_and_what_the_numbers_read_as(home: Home) -> None:
    hashed = ask(home, asked_for("voorbeeld"))
    shown = run(home, "pending", hashed[:8], "--example").stdout
    flat = " ".join(shown.split())
    for said in (
        "VERZONNEN: 60 huishoudens, 70 volwassenen en 80 kinderen die niet bestaan",
        "Uw eigen gegevens zijn niet geopend",
        "deze getallen zouden vertrekken",
        "dat leest als",
        "profile: een; state (T0): none; state (T1): none",
        "plus of min 23,3 procentpunt",
    ):
        assert said in flat
    assert "Geef bij --example" in run(home, "pending", "--example", code=2).stderr


def test_without_the_codebook_there_is_no_example_and_that_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = ask(home, asked_for("voorbeeld"))
    monkeypatch.setattr("node.understanding.understand", lambda _home, _programme: None)
    assert "Een voorbeeld is niet te maken" in run(home, "pending", hashed, "--example", code=1).stderr


def test_long_vectors_are_cut_and_counted(home: Home) -> None:
    made: Example = example(home, understood(small_study.planned()))
    lines = {line.id: line for line in tell(made, small_study.codebook(), "en").lines}
    assert "and 15 more" in lines["change"].leaves[0]
    assert (len(lines["change"].rows), lines["change"].more) == (12, 15)
    assert lines["stopped"].rows[0].noisy.endswith("%")
