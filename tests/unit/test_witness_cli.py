"""`rondgang audit init`, `enrol`, `adopt`, `forks`, `export`: from a new folder to evidence, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rondgang.bundles import records, seal_of
from rondgang.keys import PublicKey
from rondgang.notes import Note
from rondgang.roles import Role
from typer.testing import CliRunner

from audit.bundles import read
from audit.cli import app
from audit.home import Home, WitnessConfig
from audit.study import LiveStudy, Study, adopt_file
from audit.witness.store import open_store
from compose.consortium.authority import found
from policies.documents import to_canonical
from policies.rules.witness import Ask
from policies.study.adoption import NotAdopted
from policies.study.enrolment import EnrolmentRequest
from tests.applicants import Applicant
from tests.desk import DAY_S, Consortium, now, open_calendar
from tests.region_log import Log
from tests.witness_world import Watched

DONE, REFUSED, BAD_INPUT = 0, 1, 2


class Institution:
    """Somebody who runs a witness, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "the witness")
        self.consortium = Consortium(found(bytes(range(32)), "Tests", now() - DAY_S))

    def run(self, *words: str | Path, code: int = DONE) -> str:
        given = [str(word) for word in words]
        done = CliRunner().invoke(app, [*given, "--home", str(self.home.folder)])
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    def facts(self, *words: str | Path, code: int = DONE) -> dict[str, Any]:
        (line,) = self.run(*words, "--json", code=code).splitlines()
        facts: dict[str, Any] = json.loads(line)
        return facts

    def init(self, *, code: int = DONE) -> dict[str, Any]:
        key = self.consortium.public.hex
        return self.facts(
            "init", "--name", "Court of Audit", "--listen", "127.0.0.1:0", "--consortium-key", key, code=code
        )

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    def enrol(self, *more: str | Path, certificate: bytes | None = None, code: int = DONE) -> dict[str, Any]:
        own = certificate or self.consortium.enrol(EnrolmentRequest.read(self.home.request.read_bytes()))
        ca = self.file("ca.pem", self.consortium.root)
        return self.facts("enrol", self.file("own.pem", own), "--ca", ca, *more, code=code)


@pytest.fixture
def institution(tmp_path: Path) -> Institution:
    return Institution(tmp_path)


def test_from_an_empty_folder_to_a_witness_that_is_enrolled(institution: Institution) -> None:
    made = institution.init()
    home = institution.home
    assert home.config() == WitnessConfig(role="witness", name="Court of Audit", listen="127.0.0.1:0")
    assert made["signing_fingerprint"] == home.signing_key().public.fingerprint
    assert made["consortium_fingerprint"] == institution.consortium.public.fingerprint
    request = EnrolmentRequest.read(home.request.read_bytes())
    assert (request.role, request.keys) == (Role.WITNESS, {"signing": home.signing_key().public.hex})
    assert {path.stat().st_mode & 0o077 for path in (home.folder / "keys").iterdir()} == {0}
    before = home.key("signing").read_bytes()
    institution.init(code=BAD_INPUT)
    assert home.key("signing").read_bytes() == before
    own = institution.consortium.enrol(request)
    roster = institution.file("roster.json", institution.consortium.roster())
    kept = institution.enrol("--roster", roster, certificate=own)
    assert [one["kind"] for one in kept["adopted"]] == ["roster"]
    assert home.tls()[1] == own


def test_a_certificate_of_somebody_else_is_refused(institution: Institution) -> None:
    institution.init()
    other = institution.consortium.enrol(Applicant.new(Role.WITNESS, name="Court of Audit").request)
    assert institution.enrol(certificate=other, code=REFUSED)["refused"] == "unknown_signer"
    assert not (institution.home.folder / "certs" / "own.pem").exists()


def test_a_witness_that_the_roster_does_not_name_is_told_so(institution: Institution) -> None:
    institution.init()
    roster = institution.file("roster.json", Consortium(institution.consortium.authority).roster())
    ca, own = institution.file("ca.pem", institution.consortium.root), institution.folder / "own.pem"
    own.write_bytes(institution.consortium.enrol(EnrolmentRequest.read(institution.home.request.read_bytes())))
    assert "does not bear our certificate out" in institution.run("enrol", own, "--ca", ca, "--roster", roster)


def test_rosters_go_forward_only_and_other_documents_are_not_adopted(institution: Institution) -> None:
    institution.init()
    consortium, calendar = institution.consortium, to_canonical(open_calendar())
    older, newer = consortium.roster(), consortium.roster()
    institution.facts("adopt", institution.file("newer.json", newer))
    institution.facts("adopt", institution.file("calendar.json", consortium.signed("calendar", calendar)))
    for name, data in {
        "older": older,
        "of others": Consortium(found(b"\x09" * 32, "Others", now() - 60)).roster(),
        "another kind": consortium.signed("codebook", calendar),
        "no document": b"{}",
    }.items():
        told = institution.facts("adopt", institution.file("given.json", data), code=REFUSED)
        assert told["refused"] == "not_adopted", name
    assert (institution.home.adopted / "roster.json").read_bytes() == newer
    institution.run("adopt", institution.folder / "absent.json", code=BAD_INPUT)


def test_a_running_witness_keeps_a_new_roster_before_it_works_by_it(tmp_path: Path) -> None:
    watched, complaints, kept = Watched.found(tmp_path), list[str](), list[Study]()
    study = LiveStudy(watched.home, kept.append, lambda error: complaints.append(str(error)))
    assert study.current() is study.current()
    watched.adopt()
    assert study.current().roster.document.serial == 2
    (watched.home.adopted / "roster.json").write_bytes(b"{}")
    assert study.current().roster.document.serial == 2
    assert [one.roster.document.serial for one in kept] == [1, 2]
    assert len(complaints) == 1
    assert isinstance(adopt_file(watched.home, b"{}"), NotAdopted)


def test_a_roster_that_cannot_be_kept_is_not_in_force(tmp_path: Path) -> None:
    watched, faults = Watched.found(tmp_path), [False]

    def keep(_: Study) -> None:
        if faults[0]:
            raise OSError("disk full")

    study = LiveStudy(watched.home, keep, lambda _: None)
    watched.adopt()
    faults[0] = True
    for _ in range(2):
        with pytest.raises(OSError, match="disk full"):
            study.current()
    faults[0] = False
    assert study.current().roster.document.serial == 2


def _remembering(tmp_path: Path) -> tuple[Watched, Log]:
    """A witness that cosigned two checkpoints, was shown one fork, and has worked by two rosters."""
    watched = Watched.found(tmp_path)
    log = watched.log("AA").grown(7)
    with open_store(watched.home.store) as store:
        study = LiveStudy(watched.home, lambda study: store.keep_documents(study.papers, now()), lambda _: None)
        watched.adopt()
        roster = study.current().roster.document
        brought = (log.brings(4), log.brings(7, 4), log.branched(2, "another").brings(7, 7))
        store.add([Ask(roster, "AA", given) for given in brought], watched.home.signing_key(), now())
    return watched, log


def test_evidence_of_forks_is_listed_and_ends_with_1(tmp_path: Path) -> None:
    watched, log = _remembering(tmp_path)
    done = CliRunner().invoke(app, ["forks", "--home", str(watched.home.folder), "--json"])
    assert done.exit_code == REFUSED
    (fork,) = json.loads(done.stdout)["forks"]
    assert (fork["region"], fork["why"]) == ("AA", "forked")
    assert Note.parse(fork["held"]).checkpoint == log.note(7).checkpoint
    told = CliRunner().invoke(app, ["forks", "--home", str(watched.home.folder)]).stdout
    assert "two different logs of one size" in told
    assert fork["offered"] in told


def test_its_bundle_holds_what_it_worked_by_cosigned_and_was_shown(tmp_path: Path) -> None:
    watched, log = _remembering(tmp_path)
    home, out = watched.home, tmp_path / "witness.bundle"
    out.write_text("of last time")
    done = CliRunner().invoke(app, ["export", "--out", str(out), "--home", str(home.folder), "--json"])
    assert done.exit_code == DONE, done.output
    facts = json.loads(done.stdout)
    assert (facts["documents"], facts["checkpoints"], facts["forks"]) == (2, 2, 1)
    data = out.read_bytes()
    seal = seal_of(list(records(data)), data)
    assert seal is not None
    assert (seal.whole, seal.key) == (True, watched.key.hex)
    assert PublicKey.from_hex(seal.key).fingerprint == facts["sealed_by"]
    found = read("witness.bundle", data)
    assert found.findings == ()
    bundle = found.bundle
    assert bundle is not None
    assert (bundle.maker, bundle.name, bundle.consortium) == ("witness", "Auditor", watched.consortium.public.hex)
    assert set(bundle.certificates) == {"own", "root"}
    assert [paper.body["serial"] for paper in bundle.papers.values()] == [1, 2]
    assert [note.checkpoint for note in bundle.checkpoints] == [log.note(4).checkpoint, log.note(7).checkpoint]
    assert [fork.why for fork in bundle.forks] == ["forked"]


def test_where_no_witness_has_run_there_is_nothing_to_show(institution: Institution) -> None:
    institution.init()
    assert institution.facts("forks", code=BAD_INPUT)["error"] == "bad_input"
    institution.facts("export", "--out", institution.folder / "x.bundle", code=BAD_INPUT)
    assert not institution.home.store.exists()
    institution.home.store.touch()
    assert institution.facts("forks") == {"forks": []}
    institution.facts("export", "--out", institution.folder / "x.bundle", code=BAD_INPUT)
    assert not (institution.folder / "x.bundle").exists()


@pytest.mark.parametrize("verb", ["init", "enrol", "adopt", "witness", "forks", "export"])
def test_every_verb_shows_an_example(verb: str) -> None:
    told = CliRunner().invoke(app, [verb, "--help"])
    assert f"Example: rondgang audit {verb}" in " ".join(told.stdout.split())
    assert "--json" in told.stdout
