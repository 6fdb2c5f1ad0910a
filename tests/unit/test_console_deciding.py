"""The screen without a browser: what it says of a question, its example, its filed decision, and policies."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx2
import pytest
from rondgang.keys import SigningKey
from rondgang.signed import sign
from starlette.testclient import TestClient
from typer.testing import CliRunner

from node.cli import app
from node.console.app import console
from node.console.pin import Pin
from node.console.security import FILE_POLICY, HEADERS
from node.entropy import seed32
from node.filing import filed
from node.operations import one_programme
from node.policy_file import MOST_BYTES, policy_in_force
from policies.documents import to_canonical
from policies.rules.policy_check import for_region
from tests.asking import ask, asked_for
from tests.console_client import BASE, PIN, PORT, Browser, Time
from tests.node_world import RESEARCHER, STEWARD, make_home, put_snapshot
from tests.small_study import POLICY, region_policy

NEXT = POLICY.replace("version: 1", "version: 2") + "approval: steward\n"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Logged in, in Dutch, on the clock of this machine: the steward's word is of now."""
    home = make_home(tmp_path / "home", always=True, approval="steward")
    config = home.config_file.read_text(encoding="utf-8")
    home.config_file.write_text(config.replace("lang: en", "lang: nl"), encoding="utf-8")
    put_snapshot(home)
    Pin(home).set(PIN)
    clock = Time(int(time.time()))
    screen = console(home, PORT, now=clock, wall=clock)
    with TestClient(screen, base_url=BASE, follow_redirects=False, raise_server_exceptions=False) as client:
        made = Browser(client, clock, home)
        assert made.log_in() == 303
        yield made


def send(
    browser: Browser, path: str, files: dict[str, tuple[str, bytes]] | None = None, **form: str
) -> httpx2.Response:
    form["csrf"] = browser.csrf()
    return browser.client.post(path, data=form, files=files, headers=browser.headers)


def text(reply: httpx2.Response) -> str:
    """What a reader sees of a page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", reply.text)))


def look(browser: Browser, written: str | bytes, name: str = "policy.yaml") -> httpx2.Response:
    data = written.encode("utf-8") if isinstance(written, str) else written
    return send(browser, "/policy/check", {"policy": (name, data)})


def test_a_question_says_in_words_what_it_asks_and_what_is_learned(browser: Browser) -> None:
    hashed = ask(browser.home, asked_for("uitkomst"))
    seen = text(browser.client.get(f"/programmes/{hashed}"))
    for said in (
        "aandeel huishoudens met ‘state: none’ (meting T1, later)",
        "plus of min 23,3 procentpunt",
        "uitgesplitst naar ‘profile’",
        "(een, twee, drie)",
    ):
        assert said in seen


def test_an_example_is_made_when_it_is_asked_for_and_says_that_it_is_invented(browser: Browser) -> None:
    hashed = ask(browser.home, asked_for("uitkomst"))
    assert "VERZONNEN" not in text(browser.client.get(f"/programmes/{hashed}"))
    reply = send(browser, f"/programmes/{hashed}/example")
    seen = text(reply)
    assert reply.status_code == 200
    assert "VERZONNEN: 60 huishoudens, 70 volwassenen en 80 kinderen die niet bestaan" in seen
    assert "deze getallen zouden vertrekken" in seen
    assert getattr(one_programme(browser.home, hashed), "state", "") == "pending"
    assert send(browser, "/programmes/" + "a" * 64 + "/example").status_code == 404


def test_a_decision_leaves_a_page_to_save_that_runs_nothing(browser: Browser) -> None:
    hashed = ask(browser.home, asked_for("uitkomst"))
    reply = send(browser, f"/programmes/{hashed}/approve", note="voor mij", with_note="yes")
    assert reply.headers["location"] == f"/programmes/{hashed}?done=approved"
    (page,) = filed(browser.home)
    for listed in (f"/programmes/{hashed}", "/decisions"):
        assert f'href="/decisions/{page.name}"' in browser.client.get(listed).text
    given = browser.client.get(f"/decisions/{page.name}")
    assert given.headers["content-disposition"] == f'attachment; filename="{page.name}"'
    assert given.headers["content-security-policy"] == FILE_POLICY
    assert {name for name in HEADERS if name not in given.headers} == set()
    assert "voor mij" in given.text
    assert "<script" not in given.text
    for name in ("..%2fconfig.yaml", "config.yaml", "2026-01-01-aaaaaaaa-approve.html"):
        assert browser.client.get(f"/decisions/{name}").status_code in (400, 404)


def test_another_key_an_old_clock_and_an_answered_question_change_nothing(browser: Browser) -> None:
    hashed = ask(browser.home, asked_for("uitkomst"))
    stranger = {"key": ("k.pem", SigningKey.generate(seed32()).to_pem())}
    reply = send(browser, f"/programmes/{hashed}/approve", stranger)
    assert (reply.status_code, "niet die van een gegevensbeheerder" in text(reply)) == (409, True)
    reply = send(browser, f"/programmes/{hashed}/approve", {"key": ("k.pem", b"nonsense")})
    assert reply.status_code == 400
    browser.clock.at -= 1000
    reply = send(browser, f"/programmes/{hashed}/approve")
    assert (reply.status_code, "schelen meer dan vijf minuten" in text(reply)) == (409, True)
    assert send(browser, "/programmes/" + "b" * 64 + "/approve").status_code == 404
    assert filed(browser.home) == ()


def test_the_policy_in_force_is_told_in_words_and_as_written(browser: Browser) -> None:
    reply = browser.client.get("/policy")
    seen = text(reply)
    assert "Beleid versie 1 voor regio AA." in seen
    assert "cohort c1 rho 0,5 (epsilon" in seen
    assert "Elke vraag die mag, wacht eerst op uw besluit" in seen
    assert "version: 1" in seen


def test_a_policy_is_looked_at_and_only_then_adopted(browser: Browser) -> None:
    looser = NEXT.replace('{rho: "0.5"}', '{rho: "0.6"}')
    reply = look(browser, looser)
    seen = text(reply)
    assert reply.status_code == 200
    for said in ("Beleid versie 2 voor regio AA.", "Nu in gebruik: versie 1.", "rho 0,6", "RUIMER"):
        assert said in seen
    held = policy_in_force(browser.home)
    assert held is not None
    assert held.policy.version == 1
    unread = send(browser, "/policy/adopt", written=looser)
    assert (unread.status_code, "Vink eerst aan" in text(unread)) == (400, True)
    done = send(browser, "/policy/adopt", written=looser.replace("\n", "\r\n"), read="yes")
    assert done.headers["location"] == "/policy?done=adopted"
    assert "beleid versie 2 geldt nu" in text(browser.client.get("/policy?done=adopted"))
    again = send(browser, "/policy/adopt", written=looser, read="yes")
    assert again.headers["location"] == "/policy?done=same"


def test_a_policy_needs_the_stewards_key_where_the_home_has_none(browser: Browser) -> None:
    (browser.home.keys / "steward.pem").unlink()
    assert 'type="file" accept=".pem" required' in look(browser, NEXT).text
    for wrong in (None, {"key": ("k.pem", b"nonsense")}):
        reply = send(browser, "/policy/adopt", wrong, written=NEXT, read="yes")
        assert (reply.status_code, "geen sleutel van een gegevensbeheerder" in text(reply)) == (400, True)
    other = {"key": ("k.pem", RESEARCHER.to_pem())}
    assert send(browser, "/policy/adopt", other, written=NEXT, read="yes").status_code == 409
    own = {"key": ("k.pem", STEWARD.to_pem())}
    assert send(browser, "/policy/adopt", own, written=NEXT, read="yes").status_code == 303
    for file in browser.home.root.rglob("*"):
        assert not file.is_file() or STEWARD.to_pem() not in file.read_bytes()


def test_a_policy_that_is_signed_already_needs_no_key(browser: Browser) -> None:
    (browser.home.keys / "steward.pem").unlink()
    policy = for_region(region_policy(policy={"version": 3}, approval="steward"), "AA")
    signed = sign("policy", to_canonical(policy), STEWARD).to_bytes()
    reply = look(browser, signed, "policy.signed.json")
    assert "al ondertekend" in text(reply)
    assert 'accept=".pem"' not in reply.text
    written = signed.decode("utf-8")
    assert send(browser, "/policy/adopt", written=written, read="yes").headers["location"] == "/policy?done=adopted"


@pytest.mark.parametrize(
    ("written", "status", "said"),
    [
        (b"", 400, "Kies eerst een bestand"),
        (b"policy: {version: 2}\ncohort: {}\n", 400, "2: cohort: this key is not known here"),
        (b"\xff\xfe\x00", 400, "geen bruikbaar beleid"),
        (b"a: &b [1]\nc: *b\n", 400, "aliases"),
        (b"#" * (MOST_BYTES + 1), 400, f"larger than {MOST_BYTES} bytes"),
        (b'{"document":"not base64"}', 400, "geen bruikbaar beleid"),
        (NEXT.replace("version: 2", "version: 1").encode() + b"tick_ms: 50\n", 200, "Geef dit beleid versie 2"),
        (NEXT.encode() + b"region: BB\n", 200, "beleid van regio BB"),
        (NEXT.encode() + b"variables: {deny: ['<script>']}\n", 400, "geen bruikbaar beleid"),
    ],
)
def test_a_file_that_will_not_do_says_why_in_dutch(browser: Browser, written: bytes, status: int, said: str) -> None:
    reply = look(browser, written)
    assert reply.status_code == status
    assert said in text(reply)
    assert "Neem dit beleid over" not in text(reply)
    assert "<script>'" not in reply.text
    held = policy_in_force(browser.home)
    assert held is not None
    assert held.policy.version == 1


def test_what_is_written_in_a_policy_is_not_taken_for_markup(browser: Browser) -> None:
    written = NEXT + '# <script>alert(1)</script> "><img src=x>\n'
    reply = look(browser, written)
    assert reply.status_code == 200
    assert "<script>alert" not in reply.text
    assert "<img" not in reply.text


def test_an_objection_stands_in_the_way_also_of_whoever_skips_the_page(browser: Browser) -> None:
    older = NEXT.replace("version: 2", "version: 1") + "tick_ms: 50\n"
    reply = send(browser, "/policy/adopt", written=older, read="yes")
    assert (reply.status_code, "Geef dit beleid versie 2" in text(reply)) == (409, True)
    assert send(browser, "/policy/adopt", written="nonsense: [", read="yes").status_code == 400


def test_the_overview_begins_with_the_same_sentence_as_status(browser: Browser) -> None:
    said = CliRunner().invoke(app, ["status", "--home", str(browser.home.root)]).stdout.splitlines()[0]
    assert said.startswith("Regio AA is nog niet aangemeld.")
    assert said in text(browser.client.get("/"))
