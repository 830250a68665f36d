"""Diagrams of runs: the position of each mark, and escaped client data."""

from __future__ import annotations

from xml.etree import ElementTree

from sim.engine.events import MS, SECOND
from sim.report.diagram import (
    COLOURS,
    DRAWN_MAX,
    LANE,
    ROW,
    STEP_MAX,
    STEP_MIN,
    Arrow,
    Band,
    Drawing,
    Mark,
    Picture,
)

SVG = "{http://www.w3.org/2000/svg}"
REGIONS = ("eu", "us")


def elements(picture: Picture, tag: str) -> list[ElementTree.Element]:
    """Return the elements of one kind of a picture's page, which must be well-formed."""
    return list(ElementTree.fromstring(picture.svg()).iter(f"{SVG}{tag}"))


def test_text_lists_records_in_order() -> None:
    picture = Picture(
        REGIONS,
        (Mark(2 * SECOND, "us", "write", "SADD s a"),),
        (
            Arrow(2 * SECOND, 2040 * MS, "us", "eu", "Ops"),
            Arrow(SECOND, 3 * SECOND, "eu", "us", "Ops", is_lost=True),
        ),
        (Band(SECOND, 4 * SECOND, "eu", "us"),),
    )
    assert picture.text().splitlines() == [
        "    1.000      eu > us closed",
        "    2.000  us  SADD s a",
        "    2.040  eu  Ops from us (40 ms)",
        "    3.000  us  Ops from eu (lost)",
        "    4.000      eu > us open",
    ]


def test_empty_picture_is_page_with_lanes() -> None:
    picture = Picture(REGIONS, ())
    assert picture.text() == ""
    assert [text.text for text in elements(picture, "text")] == ["not to scale", "eu", "us"]
    assert picture._repr_svg_() == picture.svg()  # pyright: ignore[reportPrivateUsage]


def test_text_of_clients_is_escaped() -> None:
    output = 'SET <k> "&"'
    picture = Picture(("<a>", "b"), (Mark(0, "<a>", "write", output),))
    assert [text.text for text in elements(picture, "text")][-1] == output


def test_marks_of_one_moment_and_lane_stand_below_each_other() -> None:
    marks = [Mark(0, name, style, "x") for name, style in (("eu", "write"), ("eu", "fault"))]
    circles = elements(Picture(REGIONS, (*marks, Mark(0, "us", "life", "y"))), "circle")
    first, second, other = [(int(c.attrib["cx"]), int(c.attrib["cy"])) for c in circles]
    assert second == (first[0], first[1] + ROW)
    assert other == (first[0] + LANE, first[1])
    assert [c.attrib["fill"] for c in circles] == [COLOURS[s] for s in ("write", "fault", "life")]


def test_later_label_of_lane_stays_clear_of_those_before() -> None:
    marks = (Mark(0, "eu", "write", "a"), Mark(0, "eu", "write", "b"), Mark(1, "eu", "write", "c"))
    drawing = Drawing(Picture(REGIONS, marks))
    assert drawing.y_of_time(1) == drawing.y_of_time(0) + 2 * ROW


def test_time_axis_keeps_its_limits() -> None:
    times = (0, 1, 1 + 40 * MS, SECOND)
    arrows = tuple(Arrow(time, time, "eu", "us", "Ops") for time in times)
    drawing = Drawing(Picture(REGIONS, (), arrows))
    steps = [b - a for a, b in zip(drawing.heights, drawing.heights[1:], strict=False)]
    assert steps == [STEP_MIN, 20, STEP_MAX]


def test_lost_message_ends_half_way() -> None:
    arrows = (
        Arrow(0, 80 * MS, "eu", "us", "there"),
        Arrow(0, 80 * MS, "us", "eu", "back"),
        Arrow(0, 80 * MS, "eu", "us", "never", is_lost=True),
    )
    picture = Picture(REGIONS, (), arrows)
    drawing = Drawing(picture)
    eu, us = drawing.x_of_region("eu"), drawing.x_of_region("us")
    lines = [line for line in elements(picture, "line") if list(line)]
    ways = [(int(line.attrib["x1"]), int(line.attrib["x2"])) for line in lines]
    assert ways == [(eu, us), (us, eu), (eu, (eu + us) // 2)]
    heads = [path.attrib["d"].split() for path in elements(picture, "path")]
    assert [head[2] for head in heads] == ["l-7", "l7"]
    assert [title.text for title in elements(picture, "title")] == [
        "there: eu to us",
        "back: us to eu",
        "never: eu to us",
    ]
    assert "×" in [text.text for text in elements(picture, "text")]


def test_one_way_cut_fills_half_of_lane() -> None:
    bands = (Band(0, 80 * MS, "eu", "us"), Band(0, 80 * MS, "us", "eu"), Band(0, 9, "eu", "xx"))
    picture = Picture(REGIONS, (), (), bands)
    drawing = Drawing(picture)
    shaded = [rect for rect in elements(picture, "rect") if list(rect)]
    places = [(int(r.attrib["x"]), int(r.attrib["width"])) for r in shaded]
    eu = drawing.x_of_region("eu")
    assert places == [(eu, LANE // 2), (eu + LANE // 2, LANE // 2)]


def test_region_without_lane_has_no_marks() -> None:
    marks = (Mark(0, "eu>us", "fault", "x"), Mark(0, "fault", "fault", "x"))
    assert elements(Picture(REGIONS, marks), "circle") == []


def test_of_long_run_end_is_drawn() -> None:
    marks = tuple(Mark(i, "eu", "write", str(i)) for i in range(DRAWN_MAX + 10))
    arrows = (Arrow(3, 99, "eu", "us", "early"),)
    bands = (Band(0, 5, "eu", "us"), Band(0, 50, "us", "eu"))
    latest = Picture(REGIONS, marks, arrows, bands).last_time()
    assert latest.marks == marks[-DRAWN_MAX:]
    assert latest.arrows == ()
    assert latest.bands == bands[1:]
    short = Picture(REGIONS, marks[:DRAWN_MAX])
    assert short.last_time() is short
