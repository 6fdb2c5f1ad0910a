"""The auditor's verbs as a person or a program meets them: output, JSON, exit codes, bad input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from audit.cli import app
from audit.practise.story import tell
from tests.made_up import honest_files, people, study


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The honest bundles, the consortium's key, and FR's bundle with one charge changed in the file."""
    for file, data in honest_files().items():
        (tmp_path / file).write_bytes(data)
    (tmp_path / "consortium.pub").write_text(f"{people().consortium.public.hex}\n", encoding="ascii")
    data = honest_files()["FR.bundle"]
    at = data.index(b'"charge":"1') + 10
    (tmp_path / "changed.bundle").write_bytes(data[:at] + b"3" + data[at + 1 :])
    return tmp_path


def run(*words: str | Path, code: int) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result


def told(result: Result) -> dict[str, object]:
    (line,) = result.stdout.splitlines()
    value = json.loads(line)
    assert isinstance(value, dict)
    return value


def bundles(folder: Path) -> Iterator[Path]:
    yield from (folder / file for file in honest_files())


def test_honest_evidence_ends_with_a_sentence_the_key_and_a_fingerprint(folder: Path) -> None:
    result = run("verify", *bundles(folder), "--consortium-key", folder / "consortium.pub", code=0)
    *_, sentence, key, quote = result.stdout.splitlines()
    assert sentence.startswith("The evidence of 2 regions holds: ")
    assert people().consortium.public.fingerprint in key
    assert quote.startswith("Quote this evidence as ")
    assert "ERROR" not in result.stdout


def test_a_program_gets_one_object(folder: Path) -> None:
    facts = told(run("verify", *bundles(folder), "--consortium-key", people().consortium.public.hex, "--json", code=0))
    assert (facts["sound"], facts["findings"], facts["no_bundles"]) == (True, [], [])
    assert facts["consortium_fingerprint"] == people().consortium.public.fingerprint
    regions = facts["regions"]
    assert isinstance(regions, list)
    assert [one["region"] for one in regions] == ["FR", "GR"]
    assert all(set(one["charged"]) == {"c1"} for one in regions)


def test_an_error_ends_with_1_and_says_where_what_it_means_and_what_to_ask(folder: Path) -> None:
    result = run("verify", folder / "changed.bundle", code=1)
    assert "1. ERROR seal.broken: record " in result.stdout
    assert "   It means: The file is not the one that its maker signed" in result.stdout
    assert "   Ask its maker for the file again" in result.stdout
    facts = told(run("verify", folder / "changed.bundle", "--json", code=1))
    findings = facts["findings"]
    assert isinstance(findings, list)
    assert set(findings[0]) == {"code", "severity", "bundle", "region", "entry", "what", "meaning", "ask"}
    assert {"price.charge", "entry.edited"} <= {one["code"] for one in findings}


def test_a_file_that_is_no_evidence_ends_with_2(folder: Path) -> None:
    facts = told(run("verify", folder / "FR.bundle", folder / "consortium.pub", "--json", code=2))
    assert facts["no_bundles"] == ["consortium.pub"]


def test_the_wrong_key_makes_everything_worthless(folder: Path) -> None:
    facts = told(run("verify", *bundles(folder), "--consortium-key", people().other.public.hex, "--json", code=1))
    findings = facts["findings"]
    assert isinstance(findings, list)
    assert [one["code"] for one in findings] == ["consortium.other"] * 4


def test_files_of_one_name_are_told_apart(folder: Path) -> None:
    (folder / "then").mkdir()
    (folder / "then" / "FR.bundle").write_bytes(tell(study("then")).sheaves["FR.bundle"].sealed())
    facts = told(run("verify", folder / "FR.bundle", folder / "then" / "FR.bundle", "--json", code=1))
    findings = facts["findings"]
    assert isinstance(findings, list)
    assert "history.two_files" in {one["code"] for one in findings}
    assert {str(folder / "FR.bundle"), str(folder / "then" / "FR.bundle")} >= {one["bundle"] for one in findings} - {""}


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "nowhere.bundle"),
        ("verify", "FR.bundle", "--consortium-key", "abc"),
        ("verify",),
        ("explain", "FR/1#7"),
        ("explain", "FR", "FR.bundle"),
        ("explain", "DR/1#7", "FR.bundle"),
        ("diff", "FR.bundle", "GR.bundle"),
        ("diff", "FR.bundle", "nowhere.bundle"),
        ("diff", "FR.bundle", "consortium.pub"),
    ],
    ids=" ".join,
)
def test_bad_input_ends_with_2_and_a_sentence(
    words: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    result = run(*words, code=2)
    assert result.output.strip()
    assert "Traceback" not in result.output


def test_an_entry_is_explained_to_people_and_programs(folder: Path) -> None:
    text = run("explain", "FR/1#7", *bundles(folder), code=0).stdout
    assert "Price, block by block" in text
    assert text.endswith("No check fails at this entry.\n")
    facts = told(run("explain", "FR/1#7", *bundles(folder), "--json", code=0))
    assert (facts["entry"], facts["event"], facts["charge"]) == ("FR/1#7", "debited", facts["price"])
    run("explain", "FR/1#7", folder / "changed.bundle", code=1)


def test_two_visits_are_compared_for_people_and_programs(folder: Path) -> None:
    same = run("diff", folder / "FR.bundle", folder / "FR.bundle", code=0)
    assert same.stdout.endswith("The newer log begins with the older one.\n")
    facts = told(run("diff", folder / "FR.bundle", folder / "changed.bundle", "--json", code=1))
    findings = facts["findings"]
    assert isinstance(findings, list)
    assert ("diff.changed", "FR/1#7") in {(one["code"], one["entry"]) for one in findings}


def test_many_findings_are_told_to_people_in_part_and_to_programs_in_full(folder: Path) -> None:
    sheaf = tell(study()).sheaves["FR.bundle"]
    sheaf.entries[1] += [{"seq": 0}] * 150
    (folder / "many.bundle").write_bytes(sheaf.sealed())
    text = run("verify", folder / "many.bundle", code=1).stdout
    findings = told(run("verify", folder / "many.bundle", "--json", code=1))["findings"]
    assert isinstance(findings, list)
    assert f"... and {len(findings) - 100:,} more; --json tells all." in text


@pytest.mark.parametrize("verb", ["verify", "explain", "diff"])
def test_help_has_an_example(verb: str) -> None:
    assert "Example: rondgang audit" in " ".join(run(verb, "--help", code=0).stdout.split())
