"""Pictures of what was spent over time: well-formed SVG, inside its frame, with few and readable dates."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.pages.timeline import Said, Stairs, Step, span_text, step_chart, time_ticks
from policies.study.calendar import DAY_S, instant

SVG = "{http://www.w3.org/2000/svg}"
BEGIN = instant("2026-03-01")
TIMES = st.integers(BEGIN, BEGIN + 3000 * DAY_S)
LEVELS = st.floats(0, 1e9, allow_nan=False)
STEPS = st.lists(st.builds(Step, TIMES, LEVELS), max_size=8).map(lambda steps: sorted(steps, key=lambda s: s.at))
SAID = Said("title", "description", "spent", "cap", "rho", "epsilon")


def drawn(stairs: Stairs, said: Said = SAID) -> ElementTree.Element:
    return ElementTree.fromstring(step_chart(stairs, said, "nl", lambda level: f"{level:g}", lambda level: f"{level}"))


@given(STEPS, STEPS, TIMES, TIMES)
def test_nothing_is_drawn_beyond_the_frame(spent: list[Step], cap: list[Step], one: int, other: int) -> None:
    picture = drawn(Stairs(min(one, other), max(one, other), spent, cap))
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    for circle in picture.iter(f"{SVG}circle"):
        assert 0 <= float(circle.attrib["cx"]) <= width
        assert 0 <= float(circle.attrib["cy"]) <= height
    for path in picture.iter(f"{SVG}path"):
        numbers = [float(part.lstrip("MHV")) for part in path.attrib["d"].split()]
        assert all(0 <= number <= width for number in numbers)


def test_a_stair_goes_sideways_and_then_up_and_each_rise_has_a_point() -> None:
    spent = [Step(BEGIN + DAY_S, 0.1), Step(BEGIN + 2 * DAY_S, 0.3), Step(BEGIN + 3 * DAY_S, 0.3)]
    picture = drawn(Stairs(BEGIN, BEGIN + 4 * DAY_S, spent, [Step(BEGIN, 0.4)]))
    paths = {path.attrib["class"]: path.attrib["d"] for path in picture.iter(f"{SVG}path")}
    assert [part[0] for part in paths["spent"].split()] == ["M", "1", "H", "V", "H", "V", "H"]
    assert len(list(picture.iter(f"{SVG}circle"))) == 2, "the third step is no rise"
    assert set(paths) == {"spent", "cap"}


@given(TIMES, st.integers(0, 60 * 365 * DAY_S), st.sampled_from(["nl", "en"]))
def test_a_time_axis_has_one_to_five_ticks_in_order_inside_it(begin: int, span: int, lang: str) -> None:
    ticks = time_ticks(begin, begin + max(span, 1), "nl" if lang == "nl" else "en")
    assert 1 <= len(ticks) <= 5
    assert all(begin <= at <= begin + max(span, 1) for at, _ in ticks)
    assert all(before < after for (before, _), (after, _) in pairwise(ticks))
    assert len({text for _, text in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("span", "texts"),
    [
        (40, ["00:00:00", "00:00:15", "00:00:30"]),
        (DAY_S, ["1 mrt 00:00", "1 mrt 12:00", "2 mrt 00:00"]),
        (2 * DAY_S, ["1 mrt", "2 mrt", "3 mrt"]),
        (57 * DAY_S, ["8 mrt", "28 mrt", "17 apr"]),
        (200 * DAY_S, ["mrt 2026", "mei 2026", "jul 2026", "sep 2026"]),
        (1200 * DAY_S, ["2027", "2028", "2029"]),
    ],
)
def test_dates_are_written_as_coarsely_as_the_axis_is_cut(span: int, texts: list[str]) -> None:
    assert [text for _, text in time_ticks(BEGIN, BEGIN + span, "nl")] == texts


def test_the_span_is_said_in_full_beside_it() -> None:
    assert span_text(BEGIN, BEGIN + 60, "nl") == "1 maart 2026"
    assert span_text(BEGIN, BEGIN + DAY_S, "en") == "1 March 2026 – 2 March 2026"


def test_text_is_escaped_and_the_picture_has_a_title_and_a_description() -> None:
    evil = '</title><script>alert("x")</script>'
    picture = drawn(Stairs(BEGIN, BEGIN + 1, [], []), Said(evil, evil, evil, evil, evil, evil))
    assert picture.attrib["role"] == "img"
    assert picture.findtext(f"{SVG}title") == picture.findtext(f"{SVG}desc") == evil
    assert list(picture.iter(f"{SVG}script")) == []
