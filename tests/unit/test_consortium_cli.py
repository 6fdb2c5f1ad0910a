"""`rondgang consortium` from an empty folder to a roster, and everything it refuses, with its exit codes."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from rondgang.keys import PublicKey
from rondgang.roles import Role
from rondgang.tls import request_certificate, role_of_certificate
from typer.testing import CliRunner

from compose.consortium.cli import app
from compose.consortium.home import BadHome, Home
from policies.documents import to_canonical
from policies.study.adoption import Adopted, adopt
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Roster
from tests.applicants import NOW, ROTATION, Applicant, authority

FRIESLAND = Applicant.new(Role.REGION, "FR", "Veilig Thuis Fryslân")
DESK = Applicant.new(Role.COORDINATOR)
CODEBOOK = ROTATION.with_name("cohort3.codebook.yaml")


class Desk:
    """A person at the consortium's machine, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "consortium"

    def run(self, *words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, list(words), env={"RONDGANG_HOME": str(self.home)})
        assert done.exit_code == code, done.output
        return done.output

    def facts(self, *words: str, code: int = 0) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.run(*words, "--json", code=code))
        return facts

    def request(self, applicant: Applicant) -> str:
        path = self.folder / f"{applicant.name}.request.json"
        path.write_bytes(to_canonical(applicant.request))
        return str(path)

    def out(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def pinned(self) -> PublicKey:
        return PublicKey.from_hex((self.home / "consortium.pub").read_text().strip())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.run("init")
    made.run("calendar", str(ROTATION), "--out", made.out("calendar.json"))
    return made


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_from_an_empty_folder_to_a_roster(desk: Desk) -> None:
    told = desk.run("sign", desk.request(FRIESLAND), "--out", desk.out("fr.pem"))
    assert FRIESLAND.keys["steward"].public.fingerprint in told
    facts = desk.facts("sign", desk.request(DESK), "--out", desk.out("desk.pem"), "--host", "desk.example.org")
    assert facts["role"] == "coordinator"
    certified = role_of_certificate(Path(desk.out("fr.pem")).read_bytes())
    assert certified.party == FRIESLAND.party
    assert desk.facts("roster", "--out", desk.out("roster1.json"))["serial"] == 1
    desk.run("revoke", "FR")
    assert desk.facts("roster", "--out", desk.out("roster2.json"))["serial"] == 2
    adopted = adopt(Roster, "roster", Path(desk.out("roster2.json")).read_bytes(), desk.pinned)
    assert isinstance(adopted, Adopted)
    member = adopted.document.member_by_tls(certified.tls)
    assert member is not None
    assert member.revoked
    assert [one.revoked for one in adopted.document.members] == [True, False]
    assert "revoked" in desk.run("members")
    assert desk.facts("members")["serial"] == 2


def test_the_calendar_and_the_codebook_are_signed_for_all(desk: Desk) -> None:
    desk.run("codebook", str(CODEBOOK), "--out", desk.out("codebook.json"))
    calendar = adopt(Calendar, "calendar", Path(desk.out("calendar.json")).read_bytes(), desk.pinned)
    codebook = adopt(Codebook, "codebook", Path(desk.out("codebook.json")).read_bytes(), desk.pinned)
    assert isinstance(calendar, Adopted)
    assert isinstance(codebook, Adopted)
    assert len(calendar.document.regions) == 27
    again = desk.facts("codebook", str(CODEBOOK), "--out", desk.out("again.json"))
    assert again["hash"] == codebook.digest
    assert Path(desk.out("again.json")).read_bytes() == codebook.data


def test_a_version_that_was_signed_never_changes(desk: Desk, tmp_path: Path) -> None:
    changed = tmp_path / "changed.yaml"
    changed.write_text(ROTATION.read_text(encoding="utf-8").replace("20000000", "20000001"), encoding="utf-8")
    refused = desk.facts("calendar", str(changed), "--out", desk.out("new.json"), code=1)
    assert refused["refused"] == "version_taken"
    assert not Path(desk.out("new.json")).exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_private_files_are_the_owners_alone(desk: Desk) -> None:
    assert stat.S_IMODE(desk.home.stat().st_mode) == 0o700
    for name in ("keys/root.pem", "keys/signing.pem", "register.json"):
        assert stat.S_IMODE((desk.home / name).stat().st_mode) == 0o600


def test_keys_are_never_overwritten(desk: Desk) -> None:
    before = _contents(desk.home)
    assert desk.facts("init", code=1)["refused"] == "exists"
    with pytest.raises(BadHome):
        Home.create(desk.home, authority())
    assert _contents(desk.home) == before
    assert sorted(path.name for path in desk.folder.iterdir()) == ["calendar.json", "consortium"]


def test_an_empty_folder_may_be_there_already(tmp_path: Path) -> None:
    empty = Desk(tmp_path)
    empty.home.mkdir()
    assert empty.facts("init")["home"] == str(empty.home)


def test_a_refusal_says_why_and_changes_nothing(desk: Desk) -> None:
    desk.run("sign", desk.request(FRIESLAND), "--out", desk.out("fr.pem"))
    before = _contents(desk.home)
    second = Applicant.new(Role.REGION, "FR", "Another")
    elsewhere = Applicant.new(Role.REGION, "XX")
    csr = request_certificate(FRIESLAND.tls_key, DESK.party, "x").decode()
    forged = Path(desk.out("forged.json"))
    forged.write_bytes(to_canonical(FRIESLAND.request.model_copy(update={"csr": csr})))
    for words, reason in (
        (("sign", desk.request(second), "--out", desk.out("x.pem")), "live_certificate"),
        (("sign", desk.request(second), "--out", desk.out("x.pem"), "--renew"), "new_keys"),
        (("sign", desk.request(elsewhere), "--out", desk.out("x.pem")), "unknown_region"),
        (("sign", str(forged), "--out", desk.out("x.pem")), "wrong_role"),
        (("sign", desk.request(DESK), "--out", desk.out("x.pem"), "--host", "a b"), "hosts"),
        (("revoke", "ZZ"), "unknown_member"),
    ):
        told = desk.run(*words, code=1)
        assert told.strip()
        assert desk.facts(*words, code=1)["refused"] == reason
    assert _contents(desk.home) == before
    assert not Path(desk.out("x.pem")).exists()


def test_bad_input_is_told_with_its_place(desk: Desk, tmp_path: Path) -> None:
    yaml = tmp_path / "bad.yaml"
    yaml.write_text("calendar: {id: rotation, version: one}\n")
    text = tmp_path / "text.json"
    text.write_text("hello")
    assert "bad.yaml:1" in desk.run("calendar", str(yaml), "--out", desk.out("x"), code=2)
    assert desk.facts("sign", str(text), "--out", desk.out("x"), code=2)["error"] == "bad_document"
    before = _contents(desk.home)
    for words in (
        ("roster", "--out", desk.out("nowhere/roster.json")),
        ("sign", desk.request(FRIESLAND), "--out", desk.out("nowhere/x.pem")),
        ("sign", desk.request(FRIESLAND), "--out", desk.out("x"), "--days", "0"),
        ("sign", desk.out("absent.json"), "--out", desk.out("x")),
        ("roster",),
        ("nonsense",),
    ):
        desk.run(*words, code=2)
    assert _contents(desk.home) == before


@pytest.mark.parametrize("verb", ["members", "roster", "revoke", "sign", "calendar"])
def test_a_folder_that_is_no_consortiums_is_told(verb: str, tmp_path: Path) -> None:
    nowhere = Desk(tmp_path)
    words = {
        "sign": ("sign", nowhere.request(DESK), "--out", nowhere.out("x")),
        "roster": ("roster", "--out", nowhere.out("x")),
        "revoke": ("revoke", "FR"),
        "calendar": ("calendar", str(ROTATION), "--out", nowhere.out("x")),
    }.get(verb, (verb,))
    assert "consortium init" in nowhere.run(*words, code=2)
    nowhere.home.mkdir()
    assert "consortium init" in nowhere.run(*words, code=2)


def test_a_register_or_calendar_changed_by_hand_is_not_believed(desk: Desk) -> None:
    register = desk.home / "register.json"
    register.write_bytes(register.read_bytes() + b"\n")
    assert desk.facts("members", code=2)["error"] == "bad_document"
    register.write_bytes(b"{}")
    calendar = desk.home / "signed" / "calendar.json"
    calendar.write_bytes(calendar.read_bytes().replace(b"Friesland", b"Frieslend"))
    refused = desk.facts("sign", desk.request(FRIESLAND), "--out", desk.out("x"), code=2)
    assert "not signed by the consortium" in refused["sentences"][0]


def test_keys_that_do_not_belong_together_are_not_used(desk: Desk, tmp_path: Path) -> None:
    other = Desk(tmp_path / "other")
    other.run("init")
    (desk.home / "keys" / "root.pem").write_bytes((other.home / "keys" / "root.pem").read_bytes())
    assert desk.facts("roster", "--out", desk.out("x"), code=2)["error"] == "bad_input"


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "home", authority())
    before = _contents(home.folder)
    with pytest.raises(TypeError):
        # What is no bytes breaks the write in the middle.
        home.keep_certificate("text", "name")  # type: ignore[arg-type]
    assert _contents(home.folder) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such lock here")
def test_commands_at_the_same_time_lose_no_member_and_no_serial(desk: Desk) -> None:
    home = Home(desk.home)
    serials: list[int] = []

    def take() -> None:
        for _ in range(10):
            with home.locked():
                register, roster = home.register().roster(NOW)
                home.keep(register)
                serials.append(roster.serial)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(serials) == list(range(1, 41))


def test_every_verb_has_an_example_in_its_help() -> None:
    for verb in ("init", "sign", "revoke", "members", "roster", "calendar", "codebook"):
        page = CliRunner().invoke(app, [verb, "--help"]).output
        assert "Example: rondgang consortium" in page
        assert "--json" in page
