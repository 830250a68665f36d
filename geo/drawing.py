"""A topology as text and as a self-contained SVG drawing.

The map is equirectangular: degrees of longitude and latitude have the same size. Links are great
circles, which appear as curves. They are split where they cross the western or eastern edge of the
map, and run along the northern edge where they pass beyond it. If the
catalogue does not contain all regions, the regions are placed on a circle instead.

The drawing contains no script, no style sheet and no external reference. Its colours are readable
on a white and on a black background.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, partial
from html import escape
from itertools import pairwise, starmap
from math import acos, asin, atan2, cos, degrees, pi, radians, sin
from typing import Final

import attrs

from geo.catalog import Catalog
from geo.latency import NS_PER_MS
from geo.path import Link, Weight
from geo.region import Region
from geo.tables import outlines

Point = tuple[float, float]

_WIDTH: Final = 960
_NORTH: Final = 80  # the northern edge of the map, in degrees;
_SOUTH: Final = -57  # the southern edge. There are no regions beyond these.
_SCALE: Final = _WIDTH / 360
_HEIGHT: Final = round((_NORTH - _SOUTH) * _SCALE)
_ARC_STEPS: Final = 32
_MARGIN: Final = 4  # the least distance of a link from the northern and the southern edge

_LAND: Final = 'fill="#8a94a0" fill-opacity="0.2"'
_UP: Final = "#2f7ed8"
_DOWN: Final = "#d8432f"
_INK: Final = "#7d8590"
_FONT: Final = 'font-family="sans-serif" font-size="11"'
_LETTER: Final = 6.2  # mean width of a letter at that size
_LINE: Final = 13
_CLEAR: Final = 8  # with more links, a region's name is placed without regard to them


def matrix_text(
    regions: Sequence[str],
    links: Collection[Link],
    *,
    cut: Collection[Link],
    weight: Weight | None,
) -> str:
    """Return a topology as a table; see `Topology.text`."""
    margin = max(map(len, regions))
    width = max(margin, 7) if weight else margin
    lines = [" " * margin + "".join(f"  {name:>{width}}" for name in regions)]
    for source in regions:
        marks = (_matrix_entry((source, sink), links, cut, weight) for sink in regions)
        lines.append(f"{source:<{margin}}" + "".join(f"  {mark:>{width}}" for mark in marks))
    return "\n".join(line.rstrip() for line in lines)


def _matrix_entry(
    link: Link, links: Collection[Link], cut: Collection[Link], weight: Weight | None
) -> str:
    """Return the table's entry for one ordered pair."""
    if link[0] == link[1]:
        return "."
    if link not in links:
        return "-"
    if link in cut:
        return "/"
    return "x" if weight is None else _milliseconds(weight(*link))


def _milliseconds(delay_ns: int) -> str:
    return f"{delay_ns / NS_PER_MS:.1f}"


def topology_svg(
    regions: Sequence[str],
    links: Collection[Link],
    *,
    cut: Collection[Link],
    weight: Weight | None,
) -> str:
    """Return a topology as an SVG drawing; see `Topology.svg`."""
    catalog = Catalog.shipped()
    if all(name in catalog for name in regions):
        canvas = _map_canvas([catalog.find(name) for name in regions], regions)
    else:
        canvas = _circle_canvas(regions)
    labels = _Labels([])
    shown = list(_one_way_each(links, cut))
    dots = [_draw_region(canvas, name, labels, shown) for name in regions]
    drawn = [
        _draw_link(canvas, link, _delay_text(link, weight), labels, down=link in cut)
        for link in shown
    ]
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {_FONT}>'
    title = _tooltip(", ".join(regions))
    return "\n".join((head, title, *canvas.backdrop, *drawn, *dots, "</svg>"))


@attrs.frozen
class _Canvas:
    """The positions of the regions, the course of the links, and the background."""

    points: dict[str, Point]
    places: dict[str, Region]
    backdrop: tuple[str, ...]

    def lines(self, source: str, sink: str) -> list[list[Point]]:
        """Return the course of a link as lines of points.

        There are two lines if the link crosses the edge of the map.
        """
        if not self.places:
            return [[self.points[source], self.points[sink]]]
        arc = _great_circle(self.places[source], self.places[sink])
        return _split_at_edge(_inside_map(*_project_point(*point)) for point in arc)


def _map_canvas(places: Sequence[Region], names: Sequence[str]) -> _Canvas:
    points = {
        name: _project_point(place.lon, place.lat)
        for name, place in zip(names, places, strict=True)
    }
    return _Canvas(points, dict(zip(names, places, strict=True)), _draw_land())


def _circle_canvas(names: Sequence[str]) -> _Canvas:
    """Return a canvas with the regions on a circle, clockwise from the top."""
    radius = _HEIGHT * 0.4
    turns = {name: 2 * pi * index / len(names) for index, name in enumerate(names)}
    points = {
        name: (_WIDTH / 2 + radius * sin(turn), _HEIGHT / 2 - radius * cos(turn))
        for name, turn in turns.items()
    }
    return _Canvas(points, {}, ())


def _project_point(lon: float, lat: float) -> Point:
    return (lon + 180) * _SCALE, (_NORTH - lat) * _SCALE


def _inside_map(x: float, y: float) -> Point:
    """Return a point of a link. A link over the Arctic runs along the edge of the map."""
    return x, min(max(y, _MARGIN), _HEIGHT - _MARGIN)


@cache
def _draw_land() -> tuple[str, ...]:
    rings = (" ".join(_point_text(_project_point(*point)) for point in ring) for ring in outlines())
    shapes = "".join(f'<polygon points="{ring}"/>' for ring in rings)
    return (f"<g {_LAND}>{shapes}</g>",)


def _great_circle(here: Region, there: Region) -> Iterator[Point]:
    """Yield points (degrees east, north) of a great circle.

    The points are interpolated between unit vectors.
    """
    start, end = _unit_vector(here), _unit_vector(there)
    angle = acos(max(-1.0, min(1.0, sum(a * b for a, b in zip(start, end, strict=True)))))
    if sin(angle) < 1e-9:  # the same place, or antipodes, for which every direction is shortest
        yield from ((here.lon, here.lat), (there.lon, there.lat))
        return
    for step in range(_ARC_STEPS + 1):
        part = step / _ARC_STEPS
        near, far = sin((1 - part) * angle) / sin(angle), sin(part * angle) / sin(angle)
        x, y, z = (near * a + far * b for a, b in zip(start, end, strict=True))
        yield degrees(atan2(y, x)), degrees(asin(max(-1.0, min(1.0, z))))


def _unit_vector(region: Region) -> tuple[float, float, float]:
    lat, lon = radians(region.lat), radians(region.lon)
    return cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)


def _split_at_edge(points: Iterable[Point]) -> list[list[Point]]:
    """Split a line where it crosses the western or eastern edge of the map."""
    lines: list[list[Point]] = [[]]
    for x, y in points:
        if lines[-1] and abs(x - lines[-1][-1][0]) > _WIDTH / 2:
            before_x, before_y = lines[-1][-1]
            here, there = (0.0, float(_WIDTH)) if x > before_x else (float(_WIDTH), 0.0)
            to_edge, from_edge = abs(before_x - here), abs(x - there)
            edge_y = before_y + (y - before_y) * to_edge / ((to_edge + from_edge) or 1.0)
            lines[-1].append((here, edge_y))
            lines.append([(there, edge_y)])
        lines[-1].append((x, y))
    return lines


def _one_way_each(links: Collection[Link], cut: Collection[Link]) -> Iterator[Link]:
    """Yield one direction of each linked pair: a direction that is down, if there is one."""

    def rank(link: Link) -> tuple[bool, Link]:
        return link not in cut, link

    for source, sink in links:
        if (sink, source) not in links or rank((source, sink)) < rank((sink, source)):
            yield source, sink


def _delay_text(link: Link, weight: Weight | None) -> str:
    return _milliseconds(weight(*link)) if weight else ""


def _draw_link(canvas: _Canvas, link: Link, delay: str, labels: _Labels, *, down: bool) -> str:
    """Draw one link: its line, a tooltip, and its delay at the middle if there is room."""
    lines = canvas.lines(*link)
    runs = " ".join("M" + " L".join(map(_point_text, line)) for line in lines)
    look = f'stroke="{_DOWN}" stroke-dasharray="4 4"' if down else f'stroke="{_UP}"'
    tip = f"{link[0]} → {link[1]}{delay and f': {delay} ms'}{' (down)' if down else ''}"
    path = f'<path d="{runs}" fill="none" stroke-width="1.2" {look}>{_tooltip(tip)}</path>'
    x, y = _middle_point(max(lines, key=len))
    sides = (x - _text_width(delay) / 2, x + 3, x - 3 - _text_width(delay))
    return path + (labels.at(delay, [(left, y - _LINE) for left in sides], lines) if delay else "")


def _middle_point(line: Sequence[Point]) -> Point:
    """Return the point halfway along a straight line or an arc."""
    if len(line) > 2:
        return line[len(line) // 2]
    return (line[0][0] + line[-1][0]) / 2, (line[0][1] + line[-1][1]) / 2


def _draw_region(canvas: _Canvas, name: str, labels: _Labels, links: Collection[Link]) -> str:
    """Draw one region: its dot, a tooltip, and its name nearby."""
    x, y = canvas.points[name]
    place = canvas.places.get(name)
    tip = _tooltip(f"{name} ({place.place})" if place else name)
    beside = [
        (left, y - _LINE / 2 + shift * _LINE)
        for shift in sorted(range(-6, 7), key=abs)
        for left in (x + 7, x - 7 - _text_width(name))
    ]
    own = [link for link in links if name in link]
    lines = [line for link in own for line in canvas.lines(*link)] if len(own) <= _CLEAR else []
    dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_UP}">{tip}</circle>'
    return dot + labels.at(name, beside, lines)


# Left, top, right, bottom.
_Box = tuple[float, float, float, float]


@attrs.frozen
class _Labels:
    """The areas covered by labels. Labels must not overlap, and should cross few lines."""

    taken: list[_Box]

    def at(self, text: str, corners: Iterable[Point], lines: Sequence[Sequence[Point]]) -> str:
        """Place a text at one of several upper left corners. Return "" if it fits nowhere.

        Of the corners with enough room, the first with the fewest crossing lines is chosen.
        """
        boxes = [(left, top, left + _text_width(text), top + _LINE) for left, top in corners]
        free = [box for box in boxes if self.has_room(box)]
        if not free:
            return ""
        box = min(free, key=lambda box: sum(_line_crosses_box(line, box) for line in lines))
        self.taken.append(box)
        at = f'x="{box[0]:.1f}" y="{box[3] - 3:.1f}"'
        return f'<text {at} fill="{_INK}">{escape(text)}</text>'

    def has_room(self, box: _Box) -> bool:
        """Return whether a box is inside the picture and overlaps no other label."""
        within = min(box) >= 0 and box[2] <= _WIDTH and box[3] <= _HEIGHT
        return within and not any(_boxes_overlap(box, other) for other in self.taken)


def _text_width(text: str) -> float:
    return len(text) * _LETTER


def _boxes_overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _line_crosses_box(line: Sequence[Point], box: _Box) -> bool:
    """Return whether some part of a line of points is inside a box."""
    return any(starmap(partial(_segment_cuts_box, box), pairwise(line)))


def _segment_cuts_box(box: _Box, start: Point, end: Point) -> bool:
    """Return whether some part of a straight segment is inside a box (Liang and Barsky)."""
    first, last = 0.0, 1.0
    for axis in (0, 1):
        step = end[axis] - start[axis]
        near, far = box[axis] - start[axis], box[axis + 2] - start[axis]
        if step:
            entry, leave = sorted((near / step, far / step))
            first, last = max(first, entry), min(last, leave)
        elif not near < 0 < far:
            return False
    return first < last


def _tooltip(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _point_text(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
