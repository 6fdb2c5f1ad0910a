"""The desk's folder, and what it takes over from the consortium."""

from __future__ import annotations

from pathlib import Path

import pytest
from rondgang.keys import SigningKey
from rondgang.roles import Role

from coordinator.errors import BadHome
from coordinator.home import CoordinatorConfig, Home, ResearcherConfig, pinned_key
from coordinator.study import LiveStudy, adopt_file
from policies.documents import BadDocument, to_canonical
from policies.study.adoption import NotAdopted
from policies.study.enrolment import EnrolmentRequest
from tests import small_study
from tests.desk import Country

PINNED = SigningKey.generate(b"\x07" * 32).public


def _made(folder: Path) -> Home:
    config = CoordinatorConfig(role="coordinator", name="Desk é", listen="[::1]:0")
    return Home.create(folder, config, PINNED, b"\x03" * 32)


def test_a_new_folder_holds_private_keys_and_a_request(tmp_path: Path) -> None:
    home = _made(tmp_path / "new" / "desk")
    assert home.config(CoordinatorConfig).name == "Desk é"
    assert home.config(CoordinatorConfig).database is None
    assert home.pinned() == PINNED
    request = EnrolmentRequest.read(home.request.read_bytes())
    assert (request.role, request.keys) == (Role.COORDINATOR, {"signing": home.signing_key().public.hex})
    assert {path.stat().st_mode & 0o077 for path in (home.folder / "keys").iterdir()} == {0}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    home = _made(tmp_path)
    before = home.key("signing").read_bytes()
    with pytest.raises(BadHome):
        _made(tmp_path)
    assert home.key("signing").read_bytes() == before


def test_the_folder_is_the_one_given_else_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RONDGANG_COORDINATOR_HOME", raising=False)
    monkeypatch.delenv("RONDGANG_HOME", raising=False)
    with pytest.raises(BadHome, match="--home"):
        Home.find(None, Role.COORDINATOR)
    monkeypatch.setenv("RONDGANG_HOME", str(tmp_path / "b"))
    assert Home.find(None, Role.COORDINATOR).folder == tmp_path / "b"
    monkeypatch.setenv("RONDGANG_COORDINATOR_HOME", str(tmp_path / "a"))
    assert Home.find(None, Role.COORDINATOR).folder == tmp_path / "a"
    assert Home.find(None, Role.RESEARCHER).folder == tmp_path / "b"
    assert Home.find(tmp_path / "c", Role.COORDINATOR).folder == tmp_path / "c"


def test_a_configuration_names_file_and_key_of_what_is_wrong(tmp_path: Path) -> None:
    home = _made(tmp_path)
    with pytest.raises(BadDocument, match=r"config\.yaml:1: role"):
        home.config(ResearcherConfig)
    (tmp_path / "config.yaml").write_text("role: coordinator\nname: Desk\nlisten: nowhere\ntimeout: 5\n")
    with pytest.raises(BadDocument) as bad:
        home.config(CoordinatorConfig)
    assert len(bad.value.places) == 2
    with pytest.raises(BadHome, match="init"):
        Home(tmp_path / "nothing").config(CoordinatorConfig)


@pytest.mark.parametrize("text", ["", "ab" * 31, "AB" * 32, f"{'ab' * 32} {'ab' * 32}", "00" * 32])
def test_a_pinned_key_is_64_digits_of_a_usable_key(text: str) -> None:
    with pytest.raises(BadHome):
        pinned_key(text)


def test_a_newly_adopted_roster_is_in_force_at_once_and_an_older_one_is_not_taken(tmp_path: Path) -> None:
    country, complaints = Country.found(tmp_path), list[BadHome]()
    kept = list[int]()
    study = LiveStudy(country.desk, lambda one: kept.append(one.roster.document.serial), complaints.append)
    assert study.current() is study.current()
    older = country.consortium.roster()
    newer = country.consortium.roster()
    country.adopt(newer)
    assert study.current().roster.document.serial == 3
    assert isinstance(adopt_file(country.desk, older), NotAdopted)
    assert study.current().roster.document.serial == 3
    assert kept == [1, 3]
    assert not complaints


def test_a_damaged_document_leaves_the_former_ones_in_force(tmp_path: Path) -> None:
    country, complaints = Country.found(tmp_path), list[BadHome]()
    study = LiveStudy(country.desk, lambda _: None, complaints.append)
    before = study.current()
    (country.desk.adopted / "roster.json").write_bytes(b"{}")
    assert study.current() is before
    assert study.current() is before
    assert len(complaints) == 1


def test_an_older_calendar_or_a_stray_document_is_not_taken(tmp_path: Path) -> None:
    country = Country.found(tmp_path)
    other = small_study.calendar()
    same_version = country.consortium.signed("calendar", to_canonical(other))
    assert isinstance(adopt_file(country.desk, same_version), NotAdopted)
    policy = country.consortium.signed("policy", to_canonical(small_study.region_policy()))
    assert isinstance(adopt_file(country.desk, policy), NotAdopted)
    assert isinstance(adopt_file(country.desk, b"no document"), NotAdopted)
