"""Pages in a real browser: nothing runs off the side of a telephone or a desk's screen, whatever is in them."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

from audit.report.page import page as report
from node.pages.guarantees import page as guarantees
from node.pages.paragraphs import read_proof
from policies.study.text import Language
from tests.report_world import national, programme, region, verdict
from tests.unit.test_guarantees import facts

WIDTHS = (380, 1280)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--allow-file-access-from-files",
)  # fmt: skip
MEASURE = """<script>
addEventListener("load", () => {
  const pages = [...document.querySelectorAll("iframe")].map(one => one.contentDocument.documentElement);
  document.body.textContent = pages.map(one => one.scrollWidth).join(" ");
});
</script>"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]


def widths_of(text: str, folder: Path) -> list[int]:
    """How wide the page wants to be in a window of each of WIDTHS, as Chromium lays it out."""
    frames = (f'<iframe width="{width}" height="900" srcdoc="{escape(text)}"></iframe>' for width in WIDTHS)
    wrapper = folder / "wrapper.html"
    wrapper.write_text(f'<!DOCTYPE html><meta charset="utf-8">{MEASURE}<body>{"".join(frames)}', encoding="utf-8")
    assert CHROMIUM is not None, "the tests are skipped without it"
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder / 'profile'}", "--dump-dom", wrapper.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found = re.search(r"<body>([0-9 ]+)</body>", done.stdout)
    assert found is not None, done.stdout[-400:]
    return [int(width) for width in found.group(1).split()]


def hostile(lang: Language) -> str:
    """A report whose every text is one long word."""
    word = "x" * 400
    made = region("FR", {"FR": word}, [programme("a", "0.05", title={"nl": word, "en": word}, purpose=word)])
    made.watch(word)
    return report(verdict(made), lang)


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_no_page_scrolls_sideways(lang: Language, tmp_path: Path) -> None:
    pages = {
        "report": report(national(), lang),
        "guarantees": guarantees(facts(), read_proof(), 0, "0.1", lang),
        "hostile": hostile(lang),
    }
    for name, text in pages.items():
        folder = tmp_path / name
        folder.mkdir()
        found = widths_of(text, folder)
        assert all(wide <= width for wide, width in zip(found, WIDTHS, strict=True)), (name, found)
