"""The steward's screen lets nobody in who should not be, and nothing through that a page of its own did not send."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from node.console.app import console
from node.console.pin import FREE, Pin, Wait
from node.console.security import HEADERS, MOST_BYTES
from node.console.sessions import COOKIE, IDLE_S
from tests.console_client import BASE, PIN, PORT, Browser, Time
from tests.node_world import CHECKPOINT, STEWARD, make_home

PAGES = (
    "/data",
    "/doctor",
    "/policy",
    "/decisions",
    "/decisions/2026-11-22-1a2b3c4d-approve.html",
    "/",
    "/programmes",
    "/programmes/" + "a" * 64,
    "/history",
    "/history/0",
    "/help",
)
ACTS = (
    "/programmes/" + "a" * 64 + "/approve",
    "/programmes/" + "a" * 64 + "/refuse",
    "/programmes/" + "a" * 64 + "/example",
    "/policy/check",
    "/policy/adopt",
    "/pause",
    "/resume",
    "/lang",
    "/logout",
)


@contextmanager
def screen(folder: Path) -> Iterator[Browser]:
    """A new home with a PIN, and a client that has not logged in."""
    home, clock = make_home(folder / "home", always=True), Time()
    Pin(home).set(PIN)
    app = console(home, PORT, now=clock, wall=clock)
    with TestClient(app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False) as client:
        yield Browser(client, clock, home)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with screen(tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One that never logs in, for tests that change nothing: a PIN is slow to set and to try."""
    with screen(tmp_path_factory.mktemp("outside")) as found:
        yield found


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One that has logged in, for tests that change nothing."""
    with screen(tmp_path_factory.mktemp("inside")) as found:
        assert found.log_in() == 303
        yield found


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_shown_without_login(outside: Browser, page: str) -> None:
    reply = outside.client.get(page)
    assert (reply.status_code, reply.headers["location"]) == (303, "/login")
    assert reply.content == b""


@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_done_without_login(outside: Browser, act: str) -> None:
    reply = outside.client.post(act, headers=outside.headers)
    assert (reply.status_code, reply.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_once_logged_in(inside: Browser, page: str) -> None:
    assert inside.client.get(page).status_code in (200, 404)


@pytest.mark.parametrize("page", ["/login", "/nowhere", "/static/console.css", *PAGES])
def test_every_reply_forbids_what_the_screen_does_not_need(inside: Browser, page: str) -> None:
    reply = inside.client.get(page)
    assert {name: reply.headers[name] for name in HEADERS} == dict(HEADERS)
    assert "unsafe" not in reply.headers["content-security-policy"]


@pytest.mark.parametrize("page", ["/login", *PAGES])
def test_no_page_loads_anything_from_elsewhere_or_has_script_or_style_in_it(inside: Browser, page: str) -> None:
    text = inside.client.get(page).text
    assert re.findall(r"""(?:src|href|action)=["'](?:https?:)?//""", text) == []
    assert re.findall(r"<style|style=|<script>|\son[a-z]+=", text) == []


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser) -> None:
    reply = browser.client.post("/login", data={"pin": PIN}, headers=browser.headers)
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie


def test_a_cookie_of_before_login_is_never_the_one_of_after(browser: Browser) -> None:
    planted = {**browser.headers, "cookie": f"{COOKIE}={'f' * 64}"}
    reply = browser.client.post("/login", data={"pin": PIN}, headers=planted)
    assert "f" * 64 not in reply.headers["set-cookie"]
    assert browser.client.get("/help", headers={"cookie": f"{COOKIE}={'f' * 64}"}).status_code == 303


@pytest.mark.parametrize("act", ACTS)
def test_a_form_without_the_pages_token_changes_nothing(inside: Browser, act: str) -> None:
    for token in ("", "0" * 64):
        assert inside.client.post(act, data={"csrf": token}, headers=inside.headers).status_code == 403


def test_the_token_of_another_session_is_not_taken(browser: Browser) -> None:
    browser.log_in()
    other = browser.csrf()
    browser.client.cookies.clear()
    browser.log_in()
    assert browser.client.post("/logout", data={"csrf": other}, headers=browser.headers).status_code == 403
    assert browser.client.post("/logout", data={"csrf": browser.csrf()}, headers=browser.headers).status_code == 303


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8710", "127.0.0.1", "127.0.0.1:80", "localhost:8710.evil.example", ""]
)
def test_another_host_name_is_refused(outside: Browser, host: str) -> None:
    assert outside.client.get("/login", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1:8710", "http://127.0.0.1:8711", "http://localhost:8710"],
)
def test_a_form_from_another_origin_is_refused(inside: Browser, origin: str) -> None:
    token = inside.csrf()
    assert inside.client.post("/logout", data={"csrf": token}, headers={"origin": origin}).status_code == 403
    assert inside.client.post("/login", data={"pin": PIN}, headers={"origin": origin}).status_code == 403


def test_a_form_without_an_origin_is_refused(outside: Browser) -> None:
    assert outside.client.post("/login", data={"pin": PIN}).status_code == 403


def test_a_request_that_another_site_made_the_browser_send_is_refused(inside: Browser) -> None:
    assert inside.client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(inside: Browser, method: str) -> None:
    assert inside.client.request(method, "/", headers=inside.headers).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/....//app.py", "/..%5c..%5cx",
        "/static/%2e%2e%2f%2e%2e%2fkeys%2fsteward.pem", "/static/%00", "/%2e%2e/keys/steward.pem", "/" + "a" * 600,
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_screens_own_files(inside: Browser, path: str) -> None:
    reply = inside.client.get(path)
    assert reply.status_code in (400, 404)
    assert b"PRIVATE KEY" not in reply.content
    assert b"import" not in reply.content


def test_too_large_an_upload_is_refused_before_it_is_read(outside: Browser) -> None:
    reply = outside.client.post(
        "/login", files={"key": ("steward.pem", b"x" * (MOST_BYTES + 1))}, headers=outside.headers
    )
    assert reply.status_code == 413


def test_too_large_an_upload_that_lies_about_its_length_is_cut_off(outside: Browser) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(MOST_BYTES // 1000 + 10):
            yield b"a" * 1000

    headers = {**outside.headers, "content-length": "10", "content-type": "application/x-www-form-urlencoded"}
    assert outside.client.post("/login", content=endless(), headers=headers).status_code in (400, 413)


def test_a_form_that_does_not_say_its_length_is_refused(outside: Browser) -> None:
    reply = outside.client.post("/login", content=iter([b"pin=x"]), headers=outside.headers)
    assert reply.status_code == 411


def test_a_wrong_pin_is_tried_ever_more_slowly(browser: Browser) -> None:
    assert [browser.log_in("raden maar") for _ in range(FREE)] == [403] * FREE
    assert browser.log_in() == 429
    browser.clock.at += 30
    assert browser.log_in("raden maar") == 403
    browser.clock.at += 59
    assert browser.log_in() == 429
    browser.clock.at += 1
    assert browser.log_in() == 303


def test_throttling_outlives_a_restart_and_a_clock_that_is_set_back(browser: Browser) -> None:
    for _ in range(FREE):
        browser.log_in("raden maar")
    again = Pin(browser.home)
    assert isinstance(again.attempt(PIN, browser.clock.at), Wait)
    assert isinstance(again.attempt(PIN, browser.clock.at - 10**6), Wait)
    assert again.attempt(PIN, browser.clock.at + 30) == "right"


def test_a_try_is_on_disk_before_it_is_compared(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_given: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("node.console.pin.hmac.compare_digest", killed)
    for _ in range(FREE):
        with pytest.raises(KeyboardInterrupt):
            Pin(browser.home).attempt("raden maar", browser.clock.at)
    assert isinstance(Pin(browser.home).attempt(PIN, browser.clock.at), Wait)


def test_the_pin_stands_nowhere_in_the_home(browser: Browser) -> None:
    path = browser.home.root / "console.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for file in browser.home.root.rglob("*"):
        assert not file.is_file() or PIN.encode() not in file.read_bytes()


def test_the_stewards_key_lets_in_and_is_kept_nowhere(browser: Browser) -> None:
    send = browser.client.post
    assert send("/login", files={"key": ("k.pem", CHECKPOINT.to_pem())}, headers=browser.headers).status_code == 403
    assert send("/login", files={"key": ("k.pem", b"nonsense")}, headers=browser.headers).status_code == 403
    (browser.home.keys / "steward.pem").unlink()
    assert send("/login", files={"key": ("k.pem", STEWARD.to_pem())}, headers=browser.headers).status_code == 303
    for file in browser.home.root.rglob("*"):
        assert not file.is_file() or STEWARD.to_pem() not in file.read_bytes()


def test_a_session_ends_by_itself_and_at_logout(browser: Browser) -> None:
    browser.log_in()
    browser.clock.at += IDLE_S
    assert browser.client.get("/help").status_code == 200
    browser.clock.at += IDLE_S + 1
    assert browser.client.get("/help").status_code == 303
    browser.log_in()
    cookie = browser.client.cookies[COOKIE]
    browser.client.post("/logout", data={"csrf": browser.csrf()}, headers=browser.headers)
    browser.client.cookies.set(COOKIE, cookie)
    assert browser.client.get("/help").status_code == 303


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_the_language_switch_leads_to_no_other_site(browser: Browser, back: str) -> None:
    browser.log_in()
    form = {"csrf": browser.csrf(), "lang": "en", "back": back}
    reply = browser.client.post("/lang", data=form, headers=browser.headers)
    assert reply.headers["location"] == "/"
