"""Every planted fraud is found, with the right entry named; the same story without it has nothing to find."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from rondgang import canonical
from typer.testing import CliRunner

import audit.bundles
import audit.checks
import audit.verify
from audit.cli import app
from audit.findings import Finding, Rule, Severity
from audit.practise.catalogue import CATALOGUE
from audit.practise.folder import counted, folder_name, write
from audit.practise.fraud import Forger, Fraud, Planted
from audit.practise.story import FR, tell
from audit.verify import verify
from policies.documents import Document, from_canonical
from policies.rules.approval import Approval
from policies.rules.entries import Entry
from policies.rules.order import Order
from policies.rules.refusals import Refused
from policies.rules.region_policy import RegionPolicy
from policies.secure.rounds import NationalSum, Participants, SecureKeys, Seen, Sharing, Survivors
from policies.statistics import blocks
from policies.statistics.answer import Answer
from policies.statistics.programme import Programme
from policies.statistics.verify import verify_plan
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Roster
from tests.made_up import honest, honest_files, people, study

MODELS: dict[str, type[Document]] = {
    "roster": Roster,
    "calendar": Calendar,
    "codebook": Codebook,
    "policy": RegionPolicy,
    "programme": Programme,
    "order": Order,
    "approval": Approval,
    "answer": Answer,
    "secure_keys": SecureKeys,
    "participants": Participants,
    "sharing": Sharing,
    "survivors": Survivors,
    "seen": Seen,
    "national_sum": NationalSum,
}


def found(planted: Planted) -> tuple[Finding, ...]:
    return verify(list(planted.files.items()), people().consortium.public).findings


def told(findings: Iterable[Finding]) -> str:
    return "\n".join(f"{one.severity} {one.code} {one.bundle} {one.entry}: {one.what}" for one in findings)


def test_the_honest_story_has_nothing_to_find() -> None:
    verdict = verify(list(honest_files().items()), people().consortium.public)
    worth_asking = [one for one in verdict.findings if one.severity is not Severity.NOTE]
    assert worth_asking == [], told(worth_asking)
    assert verdict.sound


@pytest.mark.parametrize("fraud", CATALOGUE, ids=lambda fraud: fraud.name)
def test_a_planted_fraud_is_found_with_its_entry(fraud: Fraud) -> None:
    planted = fraud.plant(study(fraud.name))
    findings = found(planted)
    errors = [one for one in findings if one.severity is Severity.ERROR]
    named = {one.code for one in errors if _right(one.entry, planted.places)}
    assert fraud.codes <= named, f"{fraud.what} Expected {sorted(fraud.codes)} at {planted.places}:\n{told(findings)}"


def _right(entry: str, places: Iterable[str]) -> bool:
    return any(entry == place or entry.startswith(f"{place}, ") for place in places)


def test_there_are_frauds_of_every_kind_of_forger() -> None:
    assert len(CATALOGUE) >= 40
    assert len({fraud.name for fraud in CATALOGUE}) == len(CATALOGUE)
    assert {fraud.forger for fraud in CATALOGUE} == set(Forger)


def test_every_error_that_verify_knows_is_planted() -> None:
    """Whoever adds a check plants the fraud that it is for."""
    rooms = [audit.bundles, audit.verify]
    rooms += [
        importlib.import_module(f"audit.checks.{one.name}") for one in pkgutil.iter_modules(audit.checks.__path__)
    ]
    rules = [rule for room in rooms for rule in vars(room).values() if isinstance(rule, Rule)]
    known = {rule.code for rule in rules if rule.severity is Severity.ERROR}
    assert len(known) > 50
    # A file of a later version is no fraud.
    assert known - {"file.version"} == {code for fraud in CATALOGUE for code in fraud.codes}


def test_each_finding_says_what_it_means_and_what_to_ask() -> None:
    planted = next(fraud for fraud in CATALOGUE if fraud.name == "two-answers-to-one-debit").plant(study())
    for finding in found(planted):
        assert finding.what
        assert finding.meaning
        assert finding.ask or finding.severity is Severity.NOTE


def test_the_made_up_study_is_what_the_models_read() -> None:
    """Whoever changes a document's form must change the practise material too."""
    for sheaf in honest().sheaves.values():
        for paper in sheaf.papers:
            from_canonical(MODELS[paper.kind], paper.document)
        for _region, reply in sheaf.replies:
            from_canonical(Answer, reply.signed.document)
        for entries in sheaf.entries.values():
            for entry in entries:
                from_canonical(Entry, canonical.encode(entry))


def test_the_made_up_programmes_are_priced_as_the_rules_price_them() -> None:
    codebook = from_canonical(Codebook, honest().study.codebook.document)
    calendar = from_canonical(Calendar, honest().study.calendar.document)
    programmes = [one for one in honest().sheaves["coordinator.bundle"].papers if one.kind == "programme"]
    assert len(programmes) >= 7
    for signed in programmes:
        programme = from_canonical(Programme, signed.document)
        assert not isinstance(verify_plan(programme, codebook, calendar), Refused)


def test_a_bound_broken_in_the_rules_too_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutation: `policies` counts one adult a household, so all who price by it agree; the auditor does not."""
    fraud = next(fraud for fraud in CATALOGUE if fraud.name == "bound-understated")
    planted = fraud.plant(study())
    world = tell(study(), {**FR})
    codebook = from_canonical(Codebook, world.study.codebook.document)
    calendar = from_canonical(Calendar, world.study.calendar.document)
    programme = _programme(planted)
    assert isinstance(verify_plan(programme, codebook, calendar), Refused)

    whole = blocks.block_bound
    monkeypatch.setattr(blocks, "block_bound", lambda cap, summand, waves=1: whole(min(cap, 1), summand, waves))
    assert not isinstance(verify_plan(programme, codebook, calendar), Refused)
    assert any(one.code in fraud.codes and one.entry in planted.places for one in found(planted))


def _programme(planted: Planted) -> Programme:
    """The programme with the broken bound, out of the evidence."""
    from rondgang.bundles import records

    for record in records(planted.files["FR.bundle"]):
        match record.value:
            case {"record": "document", "signed": {"kind": "programme", "document": dict(body)}}:
                programme = from_canonical(Programme, canonical.encode(body))
                if programme.programme.id == "bound_understated":
                    return programme
    raise AssertionError("not in the evidence")


@pytest.mark.slow
def test_practise_writes_the_whole_catalogue(tmp_path: Path) -> None:
    out = tmp_path / "practise"
    done = CliRunner().invoke(app, ["practise", "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["folders"] == len(CATALOGUE) + 1
    answers = json.loads((out / "answers.json").read_text(encoding="utf-8"))["answers"]
    assert [one["folder"] for one in answers] == [folder_name(at, one) for at, one in enumerate(CATALOGUE, start=1)]


def test_practise_writes_what_verify_then_finds(tmp_path: Path) -> None:
    out, again = tmp_path / "practise", tmp_path / "again"
    assert write(out, counted("class of 2027"), lambda _number: None, CATALOGUE[:8]) == 9
    assert write(again, counted("class of 2027"), lambda _number: None, CATALOGUE[:8]) == 9
    files = [path.relative_to(out) for path in sorted(out.rglob("*")) if path.is_file()]
    assert [(again / file).read_bytes() for file in files] == [(out / file).read_bytes() for file in files]
    answers = json.loads((out / "answers.json").read_text(encoding="utf-8"))["answers"]
    told_of = re.findall(r"[0-9]{3}-[a-z-]+", (out / "README.txt").read_text(encoding="utf-8"))
    assert {*told_of} <= {one["folder"] for one in answers}
    for folder in [out, *(path for path in out.iterdir() if path.is_dir())]:
        assert "MADE UP" in (folder / "README.txt").read_text(encoding="utf-8")
    key = str(out / "consortium.pub")
    honest_ones = [str(path) for path in sorted((out / "honest").glob("*.bundle"))]
    assert CliRunner().invoke(app, ["verify", *honest_ones, "--consortium-key", key]).exit_code == 0
    forged = [str(path) for path in sorted((out / answers[6]["folder"]).glob("*.bundle"))]
    assert CliRunner().invoke(app, ["verify", *forged, "--consortium-key", key]).exit_code == 1


def test_practise_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    done = CliRunner().invoke(app, ["practise", "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_practise_lists_its_catalogue() -> None:
    done = CliRunner().invoke(app, ["practise", "--list", "--json"])
    assert done.exit_code == 0
    assert [one["fraud"] for one in json.loads(done.stdout)["frauds"]] == [fraud.what for fraud in CATALOGUE]
    assert CliRunner().invoke(app, ["practise"]).exit_code == 2
