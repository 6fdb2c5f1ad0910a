"""`rondgang demo` as a process: what it leaves behind, and under which conditions it works."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.bundles import read
from policies.documents import load_yaml
from policies.statistics.programme import Draft
from tests.e2e.demos import command, needs_proc, processes

COLUMNS = (
    "run", "revision", "programme", "cohort", "statistic", "measure", "estimator", "mode", "unit", "wave", "cell",
    "scope", "estimate", "std_error", "ci_low", "ci_high", "ci_level", "noise_sd", "sampling_sd", "numerator_noisy",
    "denominator_noisy", "households_noisy", "regions_included", "regions_expected", "rho", "epsilon", "delta",
    "status", "note",
)  # fmt: skip
"""The contract's, written out once more: nobody changes them by the way."""
PRICE_KEYS = ("programme", "hash", "rho", "epsilon", "delta", "statistics", "regions")
PRICE_STATISTIC = ("statistic", "mode", "rho", "margin_regional", "margin_national", "by_region")
REGIONS = ("DR", "FR", "GM", "GZ")
"""As many as a national sum takes at least."""
PRICE_REGION = ("region", "rho", "epsilon", "left_cohort", "left_lifetime", "decision", "reason")
HOSTILE = {
    "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9",
    "grpc_proxy": "http://127.0.0.1:9", "LANG": "C", "LC_ALL": "C", "HOME": "/nonexistent", "TERM": "dumb",
}  # fmt: skip
"""A proxy that nobody answers at, no UTF-8, and no home."""


def demo(out: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | HOSTILE
    return subprocess.run(
        command(out, *words), capture_output=True, text=True, env=environment, timeout=120, check=False
    )


@dataclass(frozen=True)
class Made:
    out: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One run in a folder with spaces and other letters in its name, under hostile conditions."""
    out = tmp_path_factory.mktemp("de map") / "uit komst é"
    return Made(out, demo(out, "--regions", "4", "--seed", "7"))


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_ends_with_0_and_leaves_the_files_of_the_contract(made: Made) -> None:
    assert made.done.returncode == 0, made.done.stderr
    assert "4 of 4 regions answered, 4 are in the national sums" in made.done.stdout
    with (made.out / "estimates.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    rows = json.loads((made.out / "estimates.json").read_bytes())
    assert tuple(lines[0]) == COLUMNS
    assert all(tuple(row) == COLUMNS for row in rows)
    assert len(lines) == len(rows) + 1 > 80
    assert {row["scope"] for row in rows if row["mode"] == "regional"} == {"national", *REGIONS}
    assert {row["scope"] for row in rows if row["mode"] == "national"} == {"national"}
    assert {(row["regions_included"], row["regions_expected"]) for row in rows} == {(1, 1), (4, 4)}
    assert not {row["status"] for row in rows} - {"ok", "withheld"}
    price = json.loads((made.out / "price.json").read_bytes())
    assert tuple(price)[: len(PRICE_KEYS)] == PRICE_KEYS
    assert all(tuple(one)[: len(PRICE_STATISTIC)] == PRICE_STATISTIC for one in price["statistics"])
    assert all(one["margin_regional"] / one["margin_national"] >= 2 for one in price["statistics"]), "of 4 regions"
    assert all(tuple(one) == PRICE_REGION for one in price["regions"])
    assert [one["region"] for one in price["regions"]] == list(REGIONS)
    assert {one["statistic"] for one in price["statistics"]} == {row["statistic"] for row in rows}
    asked = load_yaml(Draft, made.out / "programme.yaml")
    assert (asked.programme.cohort, asked.programme.data) == ("c3", "synthetic")


def test_it_leaves_what_each_party_would_hand_an_auditor(made: Made) -> None:
    names = {path.name for path in (made.out / "evidence").iterdir()}
    assert names == {*(f"{region}.bundle" for region in REGIONS), "coordinator.bundle", "witness.bundle"}
    found = {name: read(name, (made.out / "evidence" / name).read_bytes()) for name in names}
    assert [finding for one in found.values() for finding in one.findings] == []
    bundles = {name: one.bundle for name, one in found.items() if one.bundle is not None}
    assert set(bundles) == names
    cosigned = {note.text for note in bundles["witness.bundle"].checkpoints}
    assert {note.checkpoint.region for note in bundles["witness.bundle"].checkpoints} == set(REGIONS)
    for region in REGIONS:
        assert {note.text for note in bundles[f"{region}.bundle"].checkpoints} <= cosigned
        answered = [entry for entry in bundles[f"{region}.bundle"].entries[1] if entry.event == "answered"]
        given = [one.hash for one in bundles["coordinator.bundle"].answers if one.region == region]
        assert [entry.body["answer"] for entry in answered] == given


def test_files_and_page_say_that_the_data_are_synthetic(made: Made) -> None:
    assert made.done.stdout.startswith("SYNTHETIC")
    assert made.done.stdout.count("SYNTHETIC") >= 2
    assert (made.out / "SYNTHETIC.txt").read_text(encoding="utf-8").startswith("SYNTHETIC")
    assert (made.out / "programme.yaml").read_text(encoding="utf-8").startswith("# SYNTHETIC")
    assert b'"data":"synthetic"' in (made.out / "programme.signed.json").read_bytes()
    rows = json.loads((made.out / "estimates.json").read_bytes())
    assert [row for row in rows if "synthetic" not in row["note"].lower()] == []
    for region in REGIONS:
        assert (made.out / "data" / f"synthetic-{region}" / "SYNTHETIC.txt").is_file()


@needs_proc
def test_it_leaves_no_process(made: Made) -> None:
    assert processes(made.out) == []


def test_its_programs_told_no_fault(made: Made) -> None:
    said = [path.read_text(encoding="utf-8") for path in made.out.rglob("serve.out")]
    assert len(said) == 2 + len(REGIONS)
    assert [line for text in said for line in text.splitlines() if "Traceback" in line or '"fault"' in line] == []


def test_a_second_run_replaces_its_own_folder_and_a_seed_fixes_the_data_but_not_the_noise(made: Made) -> None:
    before, values = digests(made.out), (made.out / "estimates.csv").read_bytes()
    (made.out / "of last time.txt").write_text("gone after the next run", encoding="utf-8")
    (made.out.parent / "not ours.txt").write_text("stays", encoding="utf-8")
    again = demo(made.out, "--regions", "4", "--seed", "7", "--json")
    assert again.returncode == 0, again.stderr
    facts = json.loads(again.stdout)
    assert (facts["answered"], facts["summed"], facts["regions"], facts["synthetic"]) == (4, 4, 4, True)
    after = digests(made.out)
    assert "of last time.txt" not in after
    assert (made.out.parent / "not ours.txt").read_text(encoding="utf-8") == "stays"
    data = {name: digest for name, digest in before.items() if name.startswith("data")}
    assert len(data) == 4 * len(REGIONS)
    assert {name: digest for name, digest in after.items() if name.startswith("data")} == data
    assert (made.out / "estimates.csv").read_bytes() != values


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work", encoding="utf-8")
    done = demo(tmp_path, "--regions", "1")
    assert done.returncode == 2
    assert "no demo made it" in done.stderr
    assert [(path.name, path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()] == [
        ("thesis.txt", "ten years of work")
    ]


@pytest.mark.slow
def test_more_than_thirteen_regions_run_under_the_load_test_calendar(tmp_path: Path) -> None:
    done = demo(tmp_path / "out", "--regions", "14", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert (facts["answered"], facts["summed"]) == (14, 14)
    calendar = (tmp_path / "out" / "federation" / "calendar.signed.json").read_bytes()
    assert b'"purpose":"load-test"' in calendar
