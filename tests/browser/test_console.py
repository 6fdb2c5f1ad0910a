"""The steward's screen in a real browser: every act by mouse and by keyboard, at two widths, open to everyone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from node.operations import one_programme
from node.pausing import paused
from node.policy_file import policy_in_force
from tests.console_world import PIN, Screen, served
from tests.small_study import POLICY

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDTHS = (1280, 360)
GRAVE = ("serious", "critical")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    with served(tmp_path / "home", questions=2) as made:
        yield made


@dataclass
class Seen:
    """A page, and what it asked of anybody or complained about."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def seen(chromium: Browser, screen: Screen) -> Iterator[Seen]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield watched(context)
    context.close()


def watched(context: BrowserContext) -> Seen:
    found = Seen(context.new_page())
    found.page.on("request", lambda request: found.asked.append(request.url))
    found.page.on(
        "console", lambda said: found.complaints.append(said.text) if said.type in ("error", "warning") else None
    )
    return found


def log_in(page: Page, screen: Screen) -> None:
    page.goto(screen.url)
    page.fill("#pin", PIN)
    page.keyboard.press("Enter")
    expect(page.locator("nav")).to_be_visible()


def addresses(screen: Screen) -> list[str]:
    one = screen.waiting[0]
    listed = ["/", "/programmes", f"/programmes/{one}", "/history", "/history/1", "/decisions", "/data", "/policy"]
    return [*listed, "/doctor", "/help", "/nowhere"]


def test_a_question_is_approved(seen: Seen, screen: Screen) -> None:
    page, wanted = seen.page, screen.waiting[0]
    log_in(page, screen)
    page.get_by_role("link", name=re.compile("questions wait")).click()
    page.locator(f'a[href="/programmes/{wanted}"]').click()
    page.locator("#note-yes").fill("past bij de afspraken")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("You approved")
    found: Any = one_programme(screen.home, wanted)
    assert found.state == "approved"
    expect(page.locator("body")).to_contain_text("past bij de afspraken")


def test_a_question_is_refused_for_a_reason(seen: Seen, screen: Screen) -> None:
    page, wanted = seen.page, screen.waiting[1]
    log_in(page, screen)
    page.goto(f"{screen.url}/programmes/{wanted}")
    page.get_by_label("it asks in too fine a detail").check()
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("status")).to_contain_text("You refused")
    found: Any = one_programme(screen.home, wanted)
    assert (found.state, found.reason) == ("declined", "detail")
    page.goto(f"{screen.url}/programmes")
    expect(page.locator("main li.card")).to_have_count(1)


def test_an_example_is_shown_and_says_that_it_is_invented(seen: Seen, screen: Screen) -> None:
    page = seen.page
    log_in(page, screen)
    page.goto(f"{screen.url}/programmes/{screen.waiting[0]}")
    expect(page.locator("main")).to_contain_text("give or take")
    page.get_by_role("button", name="Make an example").click()
    expect(page.get_by_role("status")).to_contain_text("INVENTED: 60 households")
    expect(page.get_by_role("region", name="stopped", exact=True)).to_contain_text("%")
    expect(page.locator("#decide")).to_be_visible()


def test_a_decision_is_downloaded_as_a_page_to_file(seen: Seen, screen: Screen, tmp_path: Path) -> None:
    page, wanted = seen.page, screen.waiting[0]
    log_in(page, screen)
    page.goto(f"{screen.url}/programmes/{wanted}")
    page.locator("#note-yes").fill("for the file")
    page.locator("#with-yes").check()
    page.get_by_role("button", name="Approve").click()
    with page.expect_download() as coming:
        page.get_by_role("link", name=re.compile("Download the page of")).click()
    saved = tmp_path / coming.value.suggested_filename
    coming.value.save_as(saved)
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d-{wanted[:8]}-approve\.html", saved.name)
    page.goto(saved.as_uri())
    expect(page.locator("h1")).to_have_text("Decision of the steward")
    expect(page.locator("body")).to_contain_text("for the file")
    assert [said for said in seen.complaints if "favicon" not in said] == []


def test_another_policy_is_looked_at_confirmed_and_adopted(seen: Seen, screen: Screen, tmp_path: Path) -> None:
    page, written = seen.page, tmp_path / "policy.yaml"
    log_in(page, screen)
    page.get_by_role("link", name="Policy").click()
    expect(page.locator("main")).to_contain_text("Policy version 1 for region AA.")
    written.write_text("policy: {version: 2}\nnonsense: 1\n")
    upload(page, written)
    expect(page.get_by_role("alert")).to_contain_text("2: nonsense: this key is not known here")
    written.write_text(POLICY.replace("version: 1", "version: 2"))
    upload(page, written)
    expect(page.locator("tr.loosens")).to_contain_text("LOOSENS")
    adopt = page.get_by_role("button", name="Adopt this policy")
    adopt.click()
    # The browser itself asks for the tick.
    expect(page.locator("#read:invalid")).to_be_visible()
    page.get_by_label("I have read what changes").check()
    adopt.click()
    expect(page.get_by_role("status")).to_contain_text("Adopted: policy version 2 is in force now.")
    held = policy_in_force(screen.home)
    assert held is not None
    assert held.policy.version == 2


def upload(page: Page, path: Path) -> None:
    page.get_by_label("File with the policy").set_input_files(path)
    page.get_by_role("button", name="Look at this policy").click()


@pytest.mark.parametrize("width", WIDTHS)
def test_what_only_comes_after_an_act_fits_and_shuts_nobody_out(
    chromium: Browser, screen: Screen, tmp_path: Path, width: int
) -> None:
    """An example, a policy that was looked at, and a decided question with its page."""
    context = chromium.new_context(bypass_csp=True, viewport={"width": width, "height": 900})
    page, written, wrong = context.new_page(), tmp_path / "policy.yaml", {}
    written.write_text(POLICY.replace("version: 1", "version: 2"))
    log_in(page, screen)
    page.goto(f"{screen.url}/programmes/{screen.waiting[0]}")
    page.get_by_role("button", name="Make an example").click()
    wrong["example"] = misfits(page, width)
    page.get_by_role("button", name="Refuse").scroll_into_view_if_needed()
    page.get_by_label("it asks in too fine a detail").check()
    page.get_by_role("button", name="Refuse").click()
    expect(page.locator("#filed")).to_be_visible()
    wrong["decided"] = misfits(page, width)
    page.goto(f"{screen.url}/decisions")
    wrong["decisions"] = misfits(page, width)
    page.goto(f"{screen.url}/policy")
    upload(page, written)
    expect(page.locator("#read")).to_be_visible()
    wrong["policy"] = misfits(page, width)
    assert {name: found for name, found in wrong.items() if found} == {}
    context.close()


def misfits(page: Page, width: int) -> list[str]:
    """What is wrong with the page as it is now, its style included."""
    page.wait_for_load_state("load")
    wide = int(page.evaluate("document.documentElement.scrollWidth"))
    return grave(page) + ([f"{wide} wide"] if wide > width else [])


def test_the_node_is_paused_and_woken(seen: Seen, screen: Screen) -> None:
    page = seen.page
    log_in(page, screen)
    page.get_by_label("How long?").select_option("1w")
    page.get_by_role("button", name="Have it rest").click()
    expect(page.locator("main")).to_contain_text("This node rests until")
    held = paused(screen.home, 0)
    assert held is not None
    assert held.until is not None
    assert held.until - held.since == 7 * 86_400
    page.get_by_role("button", name="Wake it").click()
    expect(page.get_by_role("button", name="Have it rest")).to_be_visible()
    assert paused(screen.home, 0) is None


_WIDTHS = "bar => ['frame', 'left'].map(part => bar.querySelector('.' + part).getBoundingClientRect().width)"


def test_the_budget_is_a_picture_that_says_in_words_what_it_shows(seen: Seen, screen: Screen) -> None:
    page = seen.page
    log_in(page, screen)
    expect(page.get_by_role("img", name="c1: 100 per cent of the budget left")).to_be_visible()
    expect(page.get_by_role("img", name="all together: 100 per cent of the budget left")).to_be_visible()
    # Both at one moment: between two questions the page may be laid out anew.
    frame, left = page.locator("svg.bar").first.evaluate(_WIDTHS)
    assert frame > 100
    assert abs(left - frame) < 4


def test_the_language_is_switched_and_stays_on_the_page(seen: Seen, screen: Screen) -> None:
    page = seen.page
    log_in(page, screen)
    page.get_by_role("link", name="Help").click()
    page.get_by_role("button", name="Nederlands").click()
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    expect(page.locator("h1")).to_have_text("Hulp")
    assert page.url == f"{screen.url}/help"
    page.get_by_role("link", name="Overzicht").click()
    expect(page.locator("h1")).to_contain_text("Het knooppunt van AA")


def test_everything_is_done_with_the_keyboard_alone(seen: Seen, screen: Screen) -> None:
    page, keys = seen.page, seen.page.keyboard
    page.goto(screen.url)
    expect(page.locator("#pin")).to_be_focused()
    keys.type(PIN)
    keys.press("Enter")
    expect(page.locator("nav")).to_be_visible()
    keys.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    expect(page.locator("a.skip")).to_be_in_viewport()
    keys.press("Enter")
    tab_to(page, "questions wait")
    keys.press("Enter")
    expect(page.locator("h1")).to_contain_text("Questions")
    tab_to(page, "Outcomes")
    keys.press("Enter")
    expect(page.locator("#decide")).to_be_visible()
    tab_to(page, "Approve")
    keys.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You approved")
    tab_to(page, "Log out")
    keys.press("Enter")
    expect(page.locator("#pin")).to_be_visible()


def tab_to(page: Page, text: str) -> None:
    """Goes on with Tab until the focus is on something with this text, which must be seen to have it."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.locator(":focus")
        if focus.count() and text in focus.inner_text():
            assert focus.evaluate("one => getComputedStyle(one).outlineStyle") != "none"
            return
    raise AssertionError(f"{text} cannot be reached with Tab")


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_its_window_loads_from_elsewhere_or_complains(
    chromium: Browser, screen: Screen, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900})
    found = watched(context)
    log_in(found.page, screen)
    for address in addresses(screen):
        found.page.goto(screen.url + address)
        assert found.page.evaluate("document.documentElement.scrollWidth") <= width, address
        small = found.page.evaluate(
            "[...document.querySelectorAll('button, nav a, select')].filter(one => one.offsetHeight < 24)"
            ".map(one => one.outerHTML)"
        )
        assert small == [], address
    assert {url for url in found.asked if not url.startswith((screen.url, "data:"))} == set()
    assert [said for said in found.complaints if "404" not in said] == []
    context.close()


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_no_page_shuts_anyone_out(chromium: Browser, screen: Screen, lang: str) -> None:
    # The rules are run by a script, which the screen itself would not let in.
    context = chromium.new_context(bypass_csp=True, viewport={"width": 360, "height": 900})
    page = context.new_page()
    page.goto(f"{screen.url}/login?lang={lang}")
    wrong = {"/login": grave(page)}
    page.fill("#pin", PIN)
    page.keyboard.press("Enter")
    expect(page.locator("nav")).to_be_visible()
    for address in addresses(screen):
        page.goto(screen.url + address)
        assert page.locator("html").get_attribute("lang") == lang
        wrong[address] = grave(page)
    assert {address: found for address, found in wrong.items() if found} == {}
    context.close()


def grave(page: Page) -> list[str]:
    """What axe-core finds serious or critical."""
    violations = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in violations if one["impact"] in GRAVE]


def test_without_scripts_everything_still_works(chromium: Browser, screen: Screen) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, screen)
    page.goto(f"{screen.url}/programmes/{screen.waiting[0]}")
    page.get_by_role("button", name="Make an example").click()
    expect(page.get_by_role("status")).to_contain_text("INVENTED")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("You approved")
    context.close()


def test_the_state_is_refreshed_while_the_page_is_open(seen: Seen, screen: Screen) -> None:
    page = seen.page
    log_in(page, screen)
    page.wait_for_function("() => window.htmx")
    with page.expect_response(lambda reply: reply.url == f"{screen.url}/" and reply.status == 200):
        page.evaluate("htmx.ajax('GET', '/', '#state')")
    expect(page.locator("#state h2").first).to_be_visible()
    assert page.locator("header.top").count() == 1
