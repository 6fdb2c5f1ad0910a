"""Real nodes, a real desk and a researcher, as the commands set them up: what is charged, refused and repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

import coordinator.cli
import node.cli
from compose.demo.federation import Federation
from compose.demo.generator.calibration import load_calibration
from compose.demo.generator.generate import generate
from compose.demo.generator.write import write_all
from compose.demo.programme import demo_programme
from compose.demo.verbs import run as run_verb

REGIONS = ("DR", "FR", "GM")


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("a federation")
    calibration = load_calibration()
    data = write_all(folder / "data", generate(7, calibration.sizes(REGIONS), calibration))
    made = Federation(folder / "homes", data)
    made.set_up(lambda step: None)
    try:
        made.start(lambda step: None)
        yield made
    finally:
        made.stop()


def programme(federation: Federation, name: str, **changes: object) -> Path:
    """The demo's programme with other fields."""
    written: dict[str, Any] = {**yaml.safe_load(demo_programme(REGIONS)), **changes}
    written["programme"] |= {"id": name, "deadline": "2028-06-30"}
    path = federation.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
    return path


def rondgang(federation: Federation, *words: str | Path) -> Result:
    given = [*map(str, words), "--home", str(federation.researcher)]
    return CliRunner().invoke(coordinator.cli.app, given)


def spent(federation: Federation) -> dict[str, Any]:
    """What every region's ledger says is left."""
    found = {}
    for region in REGIONS:
        told = run_verb(node.cli.app, "node", "status", "--json", "--home", federation.node(region))
        found[region] = json.loads(told)["budgets"]
    return found


def test_a_repeat_is_the_same_bytes_at_no_cost_also_after_both_were_killed(
    federation: Federation, tmp_path: Path
) -> None:
    path = programme(federation, "repeat", price={"rho": "0.05"})
    before = spent(federation)
    first = rondgang(federation, "submit", path, "--wait", "--out", tmp_path / "one")
    assert first.exit_code == 0, first.output
    charged = spent(federation)
    assert all(charged[region] != before[region] for region in REGIONS)
    federation.kill("coordinator")
    federation.kill("FR")
    federation.start_one("coordinator", "coordinator", federation.coordinator)
    federation.start_node("FR")
    federation.wait_for(REGIONS, 60, lambda step: None)
    second = rondgang(federation, "submit", path, "--wait", "--again", "--json", "--out", tmp_path / "two")
    assert second.exit_code == 0, second.output
    told = json.loads(second.stdout)
    assert told["existed"]
    assert [(one["repeats"], one["conflicts"]) for one in told["progress"]] == [(1, 0)] * 3
    for region in REGIONS:
        name = Path("answers") / f"{region}.signed.json"
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert spent(federation) == charged


@pytest.mark.parametrize(
    ("name", "changes", "reason", "code"),
    [
        ("over_programme_cap", {"price": {"rho": "100"}}, "over_programme_cap", 1),
        ("no_privacy", {"price": {"rho": "1e9"}}, "bad_plan", 1),
        ("crossing", {"statistics": [{"id": "a", "kind": "proportion", "of": "sexual_violence == yes",
                                      "unit": "household", "wave": "T1", "by": ["profile"]}]}, "forbidden_crossing", 1),
        ("unknown", {"statistics": [{"id": "a", "kind": "count", "unit": "household", "wave": "T1",
                                     "where": "nobody == 1"}]}, "unknown_variable", 2),
    ],
)  # fmt: skip
def test_what_is_refused_ends_with_1_and_what_is_badly_written_with_2_and_costs_nothing(
    federation: Federation, name: str, changes: dict[str, object], reason: str, code: int
) -> None:
    before = spent(federation)
    result = rondgang(federation, "submit", programme(federation, name, **changes), "--wait", "--json")
    assert result.exit_code == code, result.output
    assert json.loads(result.stdout)["refused" if code == 1 else "error"] == reason
    assert spent(federation) == before
