"""`rondgang coordinator calendar`: past, now and next on a day, without a service; iCalendar by RFC 5545; bad input."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rondgang.roles import Role
from rondgang.signed import sign
from typer.testing import CliRunner, Result

from compose.consortium.cli import app as consortium
from coordinator.cli import app
from coordinator.home import CoordinatorConfig, Home
from coordinator.icalendar import escaped, folded, icalendar
from policies.documents import parse_yaml, to_canonical
from policies.study.calendar import Calendar
from tests.applicants import signing_key
from tests.bad_calendars import BAD
from tests.rotating_study import ROTATION, calendar

BARE = {"RONDGANG_HOME": "", "RONDGANG_COORDINATOR_HOME": ""}


def rondgang(*words: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(app, ["calendar", *map(str, words)], env=BARE)
    assert done.exit_code == code, done.output
    return done


def facts(*words: str | Path, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rondgang(*words, "--json", code=code).stdout)
    return found


@pytest.fixture
def rotation(tmp_path: Path) -> Path:
    path = tmp_path / "rotation.yaml"
    path.write_text(ROTATION, encoding="utf-8")
    return path


def test_without_a_folder_it_shows_the_shipped_example_and_says_so() -> None:
    assert facts("--at", "2026-11-22")["source"] == "shipped"
    told = rondgang("--at", "2026-11-22").stdout
    assert "the example that Rondgang ships" in told
    assert "now   c3: Third cohort (2021-2023), group B, historical, release" in told
    assert "2029-01-01 East Brabant (OB) comes of North-East Brabant (BNO)" in told


@pytest.mark.parametrize(
    ("day", "turns", "phases"),
    [
        ("2015-06-01", "next later later later later", "planned planned planned planned planned"),
        ("2026-11-22", "past now next later later", "closed release planned planned planned"),
        ("2028-06-01", "past now now next later", "closed release T1 planned planned"),
        ("2029-03-01", "past past now now next", "closed closed release T0 planned"),
        ("2033-01-01", "past past past past now", "closed closed closed closed release"),
        ("2035-01-01", "past past past past past", "closed closed closed closed closed"),
    ],
)
def test_past_now_and_next_on_a_day(rotation: Path, day: str, turns: str, phases: str) -> None:
    cohorts = facts("--file", rotation, "--at", day)["cohorts"]
    assert [one["cohort"] for one in cohorts] == ["c2", "c3", "c4", "c5", "c6"]
    assert " ".join(one["turn"] for one in cohorts) == turns
    assert " ".join(one["phase"] for one in cohorts) == phases


def test_who_is_asked_follows_mergers_and_splits(rotation: Path) -> None:
    before, after = (facts("--file", rotation, "--at", day) for day in ("2028-12-31", "2029-01-01"))
    asked = [{one["cohort"]: one["asked"] for one in found["cohorts"]} for found in (before, after)]
    # The third cohort closed with the year: who was asked last stands there for good.
    assert [found["c3"] for found in asked] == [["CC", "DD"], ["CC", "DD"]]
    assert [found["c4"] for found in asked] == [["AA", "BB", "FF"], ["AA", "FF", "MM"]]
    assert after["cohorts"][2]["regions"] == ["AA", "BB", "FF"]
    assert "asks 3 regions: AA, FF, MM (for BB)" in rondgang("--file", rotation, "--at", "2029-01-01").stdout
    regions = {one["region"]: one for one in after["regions"]}
    assert (regions["BB"]["exists"], regions["BB"]["became"], regions["BB"]["until"]) == (False, ["MM"], "2028-12-31")
    merged = regions["MM"]
    assert (merged["exists"], merged["group"], merged["formed_of"]) == (True, "B", ["BB", "DD"])
    assert merged["spent_known"] is False
    assert [(one["day"], one["region"]) for one in after["changes"]] == [
        ("2029-01-01", "MM"), ("2031-01-01", "GG"), ("2031-01-01", "HH"),
    ]  # fmt: skip


def test_it_says_what_changes_since_an_older_calendar(rotation: Path, tmp_path: Path) -> None:
    older = tmp_path / "older.yaml"
    older.write_text(ROTATION.replace("2023-12-31", "2023-11-30").replace("2031-06-30", "2031-05-31"), "utf-8")
    found = facts("--file", rotation, "--diff", older, "--at", "2026-11-22")["diff"]
    assert [(one["subject"], one["rewrites"]) for one in found] == [("c3", True), ("c6", False)]
    assert "ALTERS HISTORY" in rondgang("--file", rotation, "--diff", older, "--at", "2026-11-22").stdout
    assert "Nothing changes" in rondgang("--file", rotation, "--diff", rotation).stdout


def test_the_coordinators_folder_shows_its_adopted_calendar_without_a_service(tmp_path: Path) -> None:
    key, stranger = signing_key("consortium"), signing_key("stranger")
    config = CoordinatorConfig(role="coordinator", name="Desk", listen="127.0.0.1:0")
    home = Home.create(tmp_path / "desk", config, key.public, bytes(32))
    assert home.role() is Role.COORDINATOR
    assert "adopted/calendar.json cannot be read" in facts("--home", home.folder, code=2)["sentences"][0]
    path = home.adopted / "calendar.json"
    path.write_bytes(sign("calendar", to_canonical(calendar()), key).to_bytes())
    assert facts("--home", home.folder)["source"] == "adopted"
    assert facts("--home", home.folder)["calendar"] == "turning"
    path.write_bytes(sign("calendar", to_canonical(calendar()), stranger).to_bytes())
    assert "not signed by the consortium key" in facts("--home", home.folder, code=2)["sentences"][0]
    assert facts("--home", tmp_path, code=2)["error"] == "bad_input"


@pytest.mark.parametrize("day", ["", "soon", "2029-13-01", "2029-01-01T10:00"])
def test_a_day_that_is_none_is_bad_input(day: str) -> None:
    assert facts("--at", day, code=2)["error"] == "bad_input"


LINE = re.compile(r"([A-Z-]+)((?:;[A-Z-]+=[^;:,\"]+)*):(.*)", re.DOTALL)
TEXT = re.compile(r"(?:[^\\;,\x00-\x1f\x7f]|\\[\\;,nN])*")
STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")


def events(data: bytes) -> Iterator[dict[str, str]]:
    """The events of an iCalendar stream, read as strictly as RFC 5545 writes it. Fails for anything else."""
    assert data.endswith(b"\r\n")
    physical = data[:-2].split(b"\r\n")
    assert all(len(line) <= 75 and b"\r" not in line and b"\n" not in line for line in physical)
    for line in physical:
        line.decode("utf-8")  # no character is cut in two by folding
    lines = [LINE.fullmatch(line) for line in data[:-2].decode("utf-8").replace("\r\n ", "").split("\r\n")]
    parts = [(found[1], found[2], found[3]) for found in lines if found]
    assert len(parts) == len(lines)
    assert parts[0] == ("BEGIN", "", "VCALENDAR")
    assert parts[-1] == ("END", "", "VCALENDAR")
    assert {("VERSION", "", "2.0"), ("PRODID", "", "-//Rondgang//rotation//EN")} <= set(parts)
    event: dict[str, str] | None = None
    for name, parameters, value in parts[1:-1]:
        if name in ("BEGIN", "END"):
            assert value == "VEVENT"
            assert (event is None) == (name == "BEGIN")
            if event is not None:
                yield event
            event = {} if name == "BEGIN" else None
        elif event is not None:
            assert name not in event
            event[name] = value
            event[f"{name};"] = parameters


def unescaped(text: str) -> str:
    assert TEXT.fullmatch(text)
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)


def test_the_icalendar_file_holds_every_phase_and_change_and_follows_the_standard(
    rotation: Path, tmp_path: Path
) -> None:
    target = tmp_path / "rotation.ics"
    assert facts("--file", rotation, "--ics", target)["ics"] == str(target)
    found = list(events(target.read_bytes()))
    assert target.read_bytes() == icalendar(calendar())
    phases = sum(len(cohort.windows) for cohort in calendar().cohorts.values())
    assert len(found) == phases + 3
    assert len({event["UID"] for event in found}) == len(found)
    for event in found:
        assert STAMP.fullmatch(event["DTSTAMP"])
        assert (event["SEQUENCE"], event["DTSTAMP"]) == ("1", "20160101T000000Z")
        assert event["DTSTART;"] == event["DTEND;"] == ";VALUE=DATE"
        assert event["DTSTART"] < event["DTEND"]
        assert re.fullmatch(r"[0-9]{8}", event["DTEND"])
        unescaped(event["SUMMARY"])
    by_name = {event["UID"]: event for event in found}
    first = by_name["turning-c4-T0@rondgang"]
    assert (first["DTSTART"], first["DTEND"]) == ("20270201", "20280101")
    assert unescaped(first["DESCRIPTION"]) == "Group A. Regions: Aa (AA), Bee (BB), Eff (FF)"
    merged = by_name["turning-MM-formed@rondgang"]
    assert (merged["DTSTART"], merged["DTEND"]) == ("20290101", "20290102")


def test_texts_in_the_icalendar_file_are_escaped_and_folded_between_characters() -> None:
    awkward = "Fryslân; één, twee\\drie" + "é" * 60
    text = ROTATION.replace("en: fourth", f"en: '{awkward}'").replace(
        "[2029-01-01, 2030-12-31]\n    expected", "['2029-01-01T10:00:00Z', '2030-12-31T09:59:59Z']\n    expected"
    )
    found = {event["UID"]: event for event in events(icalendar(parse_yaml(Calendar, text, "awkward.yaml")))}
    release = found["turning-c4-release@rondgang"]
    assert unescaped(release["SUMMARY"]) == f"c4 release: {awkward}"
    assert (release["DTSTART"], release["DTEND"]) == ("20290101T100000Z", "20301231T100000Z")
    assert unescaped(escaped("a\r\nb\nc\x07d")) == "a\nb\nc d"
    parts = list(folded("x" * 75 + "é" * 40))
    assert [len(part) for part in parts] == [75, 75, 7]
    assert list(folded("short")) == [b"short"]


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_calendar_that_cannot_be_is_refused_with_its_file_and_line(name: str, tmp_path: Path) -> None:
    bad, path = BAD[name], tmp_path / "bad.yaml"
    path.write_text(bad.text, encoding="utf-8")
    first = facts("--file", path, code=2)["sentences"][0]
    assert first.startswith(f"{path}:{bad.line}: ")
    assert bad.said in first
    words = ["calendar", str(path), "--out", str(tmp_path / "x.json"), "--home", str(tmp_path / "none")]
    told = CliRunner().invoke(consortium, words)
    assert told.exit_code == 2
    assert told.output.startswith(f"{path}:{bad.line}: ")
