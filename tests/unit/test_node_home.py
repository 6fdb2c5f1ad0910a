"""A node's home: private files, one writer, and a clear word when something is not there."""

from pathlib import Path

import pytest
from rondgang.signed import sign

from node.adopted import file_of
from node.errors import BadDelivery, BadHome, HomeBusy
from node.files import write_private
from node.home import create_home, find_home, parse_config
from node.lock import exclusive
from node.operations import Declined, Done, adopt_document, adopt_policy, record_import, status
from node.region import Region
from policies.documents import to_canonical
from policies.rules.entries import Adopted
from tests.node_world import CONSORTIUM, DESK, Clock, make_home, put_snapshot, roster
from tests.small_study import calendar, hashes, region_policy


def test_everything_in_a_home_is_its_owners_alone(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    modes = {path.relative_to(home.root): path.stat().st_mode & 0o777 for path in home.root.rglob("*")}
    assert {path: mode for path, mode in modes.items() if mode & 0o077} == {}
    assert home.root.stat().st_mode & 0o777 == 0o700


def test_a_home_is_named_or_nothing_happens(tmp_path: Path) -> None:
    with pytest.raises(BadHome, match="no --home, and no RONDGANG_HOME"):
        find_home(None, {})
    with pytest.raises(BadHome, match="not the home of a node") as none:
        find_home(tmp_path, {})
    assert (none.value.key, none.value.fields) == ("node.home.none", {"home": str(tmp_path)})
    home = make_home(tmp_path / "home")
    assert find_home(None, {"RONDGANG_HOME": str(home.root)}) == home
    assert find_home(home.root, {"RONDGANG_HOME": "elsewhere"}) == home


def test_a_home_is_never_made_over_another(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    before = (home.keys / "checkpoint.pem").read_bytes()
    with pytest.raises(BadHome, match="already"):
        create_home(home.root, home.config(), CONSORTIUM.public, {"checkpoint": b"other"})
    assert (home.keys / "checkpoint.pem").read_bytes() == before


@pytest.mark.parametrize(
    "address", ["localhost", "localhost:0", "localhost:port", ":443", "localhost:99999", "host:-1"]
)
def test_an_address_has_a_host_and_a_port(address: str) -> None:
    with pytest.raises(BadHome, match="host:port"):
        parse_config("FR", address, None, "nl")


def test_settings_that_are_unknown_or_wrong_are_refused_with_their_line(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    with home.config_file.open("a", encoding="utf-8") as file:
        file.write("colour: blue\n")
    with pytest.raises(BadHome, match=r"config\.yaml:\d+: colour"):
        home.config()


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"first", b"second"):
        write_private(path, content)
        assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_one_writer_holds_a_home(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock"), pytest.raises(HomeBusy), exclusive(tmp_path / "lock"):
        pytest.fail("two hold the lock")
    with exclusive(tmp_path / "lock"):
        assert (tmp_path / "lock").exists()


def test_documents_come_into_force_once_and_are_logged(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    newer = sign("roster", to_canonical(roster(serial=2)), CONSORTIUM).to_bytes()
    assert adopt_document(home, newer) == Done(
        kind="roster", name="2", hash=sign("roster", to_canonical(roster(serial=2)), CONSORTIUM).digest, new=True
    )
    again = adopt_document(home, newer)
    assert isinstance(again, Done)
    assert not again.new
    assert [entry.event for entry in status(home).last].count("adopted") == 5


def test_what_the_consortium_did_not_sign_or_has_replaced_is_declined(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    older = calendar().model_copy(update={"limits": calendar().limits.model_copy(update={"households_per_region": 9})})
    for document in (
        b"no document",
        sign("roster", to_canonical(roster(serial=2)), DESK).to_bytes(),
        sign("roster", to_canonical(roster(serial=1).model_copy(update={"issued": 1})), CONSORTIUM).to_bytes(),
        sign("calendar", to_canonical(older), CONSORTIUM).to_bytes(),
        sign("policy", to_canonical(region_policy()), CONSORTIUM).to_bytes(),
    ):
        assert isinstance(adopt_document(home, document), Declined)
    assert len(status(home).documents) == 4


def test_a_policy_is_for_this_region_and_for_cohorts_of_the_calendar(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", always=True)
    assert isinstance(adopt_policy(home, region_policy(region="BB")), Declined)
    assert isinstance(adopt_policy(home, region_policy(cohorts={"c7": {"rho": "1"}})), Declined)
    adopted = adopt_policy(home, region_policy(region="AA", policy={"version": 2}, lifetime={"rho": "0.7"}))
    assert isinstance(adopted, Done)
    assert [one.cap.rho for one in status(home).budgets if one.cohort == ""] == ["0.7"]


def test_an_import_needs_its_codebook_and_is_recorded_once(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    assert isinstance(record_import(home, "5" * 32, "c1", "0" * 64), Declined)
    for _ in range(2):
        assert isinstance(record_import(home, "5" * 32, "c1", hashes()[0]), Done)
    assert [entry.event for entry in status(home).last].count("imported") == 1


def test_a_document_that_was_changed_on_disk_stops_the_node(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    (home.adopted / "policy.json").write_bytes((home.adopted / "roster.json").read_bytes())
    with pytest.raises(BadDelivery, match=r"policy\.json"):
        Region(home, Clock())


@pytest.mark.parametrize("logged", [True, False])
def test_an_adoption_that_was_cut_off_is_finished_or_dropped_by_what_the_ledger_says(
    tmp_path: Path, logged: bool
) -> None:
    home = make_home(tmp_path / "home")
    signed = sign("roster", to_canonical(roster(serial=2)), CONSORTIUM)
    event = Adopted(event="adopted", kind="roster", name="2", hash=signed.digest)
    region = Region(home, Clock())
    path = file_of(home, event)
    write_private(path.with_name(path.name + ".next"), signed.to_bytes())
    if logged:
        region.ledger.log_adopted(event, signed)
    region.close()
    again = Region(home, Clock())
    assert again.roster.serial == (2 if logged else 1)
    again.close()
    assert list(home.adopted.glob("*.next")) == []


def test_status_shows_both_currencies(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    put_snapshot(home)
    shown = status(home)
    (cohort, together) = shown.budgets
    assert (cohort.cohort, cohort.cap.rho, cohort.left.rho, cohort.spent.epsilon) == ("c1", "0.5", "0.5", "0")
    assert float(cohort.cap.epsilon) == pytest.approx(5.22, abs=0.01)
    assert (together.cohort, together.cap.rho) == ("", "0.8")
    assert (shown.serving, shown.connected, shown.missing, cohort.snapshot) == (False, False, (), True)
