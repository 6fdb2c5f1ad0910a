"""Pictures of intervals: well-formed SVG, nothing beyond its frame, and no text that could become markup."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from policies.pages.charts import Axis, Line, Mark, axis_for, interval_chart

SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = st.floats(-1e9, 1e9)
MARKS = st.none() | st.lists(NUMBERS, min_size=3, max_size=3).map(lambda three: Mark(*sorted(three)))
LINES = st.lists(st.builds(Line, st.text(max_size=60), MARKS, MARKS), min_size=1, max_size=8)


def drawn(lines: list[Line], axis: Axis, title: str = "t") -> ElementTree.Element:
    text = interval_chart(lines, axis, title, lambda tick: f"{tick:g}")
    return ElementTree.fromstring(text)


@given(st.lists(st.builds(Line, st.just("a"), MARKS, MARKS), min_size=1, max_size=8))
def test_an_axis_of_its_own_holds_every_interval_and_has_few_round_ticks(lines: list[Line]) -> None:
    axis = axis_for(lines)
    marks = [mark for line in lines for mark in (line.first, line.second) if mark is not None]
    slack = 1e-6 * (axis.high - axis.low)
    assert axis.high > axis.low
    assert all(axis.low - slack <= mark.low and mark.high <= axis.high + slack for mark in marks)
    assert 2 <= len(axis.ticks) <= 8


@given(LINES)
def test_nothing_is_drawn_beyond_the_frame(lines: list[Line]) -> None:
    printable = [Line("".join(filter(str.isprintable, line.label)), line.first, line.second) for line in lines]
    picture = drawn(printable, axis_for(printable, least=0.0, most=100.0))
    width = float(picture.attrib["viewBox"].split()[2])
    for line in picture.iter(f"{SVG}line"):
        assert 0 <= float(line.attrib["x1"]) <= float(line.attrib["x2"]) <= width


def test_an_interval_that_goes_on_ends_in_an_arrow_and_a_point_outside_is_left_out() -> None:
    lines = [Line("a", Mark(-5, 10, 20), Mark(90, 110, 120))]
    picture = drawn(lines, axis_for(lines, least=0.0, most=100.0))
    assert len(list(picture.iter(f"{SVG}path"))) == 2
    assert len(list(picture.iter(f"{SVG}circle"))) == 1
    assert len(list(picture.iter(f"{SVG}rect"))) == 0


def test_series_differ_in_shape_and_the_picture_has_a_title() -> None:
    picture = drawn([Line("a", Mark(1, 2, 3), Mark(2, 3, 4))], Axis(0, 10, (0, 5, 10)), "Chart")
    assert picture.attrib["role"] == "img"
    assert picture.findtext(f"{SVG}title") == "Chart"
    assert len(list(picture.iter(f"{SVG}circle"))) == len(list(picture.iter(f"{SVG}rect"))) == 1


def test_text_is_escaped_and_long_labels_take_two_lines() -> None:
    evil = '<script>alert("x")</script> & so on'
    picture = drawn([Line(evil, None, None), Line("word " * 30, None, None)], Axis(0, 1, (0, 1)), evil)
    assert picture.findtext(f"{SVG}title") == evil
    labels = [one.text or "" for one in picture.iter(f"{SVG}text") if one.attrib["class"] == "label"]
    assert "".join(labels[:1]) == evil
    assert len(labels) == 3
    assert labels[-1].endswith("…")
