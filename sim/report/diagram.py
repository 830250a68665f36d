"""Space-time diagrams (Lamport, "Time, Clocks, and the Ordering of Events", 1978).

Time runs downwards. Each region has a lane. An arrow from lane to lane is a message. A stub with
a cross at its end is a lost message. A shaded band between lanes is a time when nothing passed.
Time is not to scale: busy moments get more room, and long pauses less. The axis shows the times.

The text form has one line for each event.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from html import escape
from typing import Final

import attrs

from sim.engine.events import MS, SECOND

DRAWN_MAX: Final = 1_000  # moments drawn: the last ones, if there are more
LANE: Final = 300
LEFT: Final = 80
TOP: Final = 40
ROW: Final = 15  # height of a label
STEP_MIN: Final = 4
STEP_MAX: Final = 44
MS_PER_PIXEL: Final = 2

INK: Final = "#23262b"
PALE: Final = "#9aa1ab"
COLOURS: Final = {
    "write": "#1f6feb",
    "life": "#2f8f4e",
    "fault": "#b35c00",
    "sync": "#7a4fc4",
    "link": "#7d8590",
    "broken": "#d1242f",
}


@attrs.frozen
class Mark:
    """An event in one region. `style` is a key of COLOURS."""

    at: int
    region: str
    style: str
    text: str


@attrs.frozen
class Arrow:
    """A message. The arrow of a lost message ends halfway."""

    sent: int
    arrived: int
    source: str
    sink: str
    text: str
    is_lost: bool = False


@attrs.frozen
class Band:
    """A time in which nothing passed from one region to another."""

    begin: int
    end: int
    source: str
    sink: str


@attrs.frozen
class Picture:
    """The events and messages of a run, or of a part of it."""

    regions: tuple[str, ...]
    marks: tuple[Mark, ...]
    arrows: tuple[Arrow, ...] = ()
    bands: tuple[Band, ...] = ()

    def last_time(self) -> Picture:
        """Return the last DRAWN_MAX moments of a long run."""
        times = sorted([mark.at for mark in self.marks] + [arrow.sent for arrow in self.arrows])
        if len(times) <= DRAWN_MAX:
            return self
        begin = times[-DRAWN_MAX]
        return attrs.evolve(
            self,
            marks=tuple(mark for mark in self.marks if mark.at >= begin),
            arrows=tuple(arrow for arrow in self.arrows if arrow.sent >= begin),
            bands=tuple(band for band in self.bands if band.end >= begin),
        )

    def lines(self) -> Iterator[str]:
        """Yield the text form, one line for each event: time, region and description."""
        width = max([len(name) for name in self.regions], default=0)
        entries: list[tuple[int, str]] = []
        for band in self.bands:
            entries.append((band.begin, f"{'':<{width}}  {band.source} > {band.sink} closed"))
            entries.append((band.end, f"{'':<{width}}  {band.source} > {band.sink} open"))
        for arrow in self.arrows:
            fate = "lost" if arrow.is_lost else f"{(arrow.arrived - arrow.sent) / MS:.0f} ms"
            text = f"{arrow.sink:<{width}}  {arrow.text} from {arrow.source} ({fate})"
            entries.append((arrow.arrived, text))
        entries += [(mark.at, f"{mark.region:<{width}}  {mark.text}") for mark in self.marks]
        for at, text in sorted(entries, key=lambda each: each[0]):
            yield f"{at / SECOND:9.3f}  {text}"

    def text(self) -> str:
        """Return the text form."""
        return "\n".join(self.lines())

    def svg(self) -> str:
        """Return a self-contained SVG drawing."""
        return Drawing(self.last_time()).draw_svg()

    def _repr_svg_(self) -> str:
        """Return the drawing that a notebook displays."""
        return self.svg()


HALO: Final = 'fill="#ffffff" stroke="#ffffff" stroke-width="3" aria-hidden="true"'


class Drawing:
    """The layout of a picture on the page."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.column = {name: i for i, name in enumerate(picture.regions)}
        self.times: list[int] = []
        self.heights: list[float] = []
        self.lay_out()

    def lay_out(self) -> None:
        """Assign a height to every moment, so that the labels of a lane do not overlap."""
        picture = self.picture
        ends = [time for band in picture.bands for time in (band.begin, band.end)]
        ways = [time for arrow in picture.arrows for time in (arrow.sent, arrow.arrived)]
        labels: dict[int, list[str]] = {}
        for mark in picture.marks:
            labels.setdefault(mark.at, []).append(mark.region)
        free: dict[str, float] = {}
        y, before = float(TOP), None
        for time in sorted({*ends, *ways, *labels}):
            if before is not None:
                step = (time - before) / MS / MS_PER_PIXEL
                y += min(max(step, STEP_MIN), STEP_MAX)
            for region in labels.get(time, ()):
                y = max(y, free.get(region, 0.0))
            for region in set(labels.get(time, ())):
                free[region] = y + ROW * labels[time].count(region)
            self.times.append(time)
            self.heights.append(y)
            before = time

    def x_of_region(self, region: str) -> int:
        """Return the horizontal position of a lane's line."""
        return LEFT + self.column[region] * LANE + 12

    def y_of_time(self, time: int) -> float:
        """Return the vertical position of a time."""
        return self.heights[max(0, bisect_right(self.times, time) - 1)]

    def draw_svg(self) -> str:
        """Return the page as SVG."""
        width = LEFT + LANE * len(self.column) + 10
        bottom = (self.heights[-1] if self.heights else TOP) + 3 * ROW
        opening = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom:.0f}" '
            f'viewBox="0 0 {width} {bottom:.0f}" font-family="sans-serif" font-size="11">'
        )
        parts = [
            opening,
            f'<rect width="{width}" height="{bottom:.0f}" fill="#ffffff"/>',
            *self.draw_bands(),
            *self.draw_lanes(bottom - ROW),
            *self.draw_arrows(),
            *self.draw_marks(),
            "</svg>",
        ]
        return "\n".join(parts)

    def draw_lanes(self, bottom: float) -> Iterator[str]:
        """Yield a line for each region, and the time axis at the left."""
        yield (f'<text x="{LEFT - 12}" y="22" fill="{PALE}" text-anchor="end">not to scale</text>')
        for name in self.column:
            x = self.x_of_region(name)
            yield f'<text x="{x}" y="22" fill="{INK}" font-weight="bold">{escape(name)}</text>'
            yield f'<line x1="{x}" y1="30" x2="{x}" y2="{bottom:.0f}" stroke="{PALE}"/>'
        last = 0.0
        for time, y in zip(self.times, self.heights, strict=True):
            if y - last >= 2 * ROW:
                last = y
                yield (
                    f'<text x="{LEFT - 12}" y="{y + 4:.0f}" fill="{PALE}" '
                    f'text-anchor="end">{time / SECOND:.3f} s</text>'
                )

    def draw_bands(self) -> Iterator[str]:
        """Yield the bands in which nothing passed, beginning at the lane of the sender."""
        for band in self.picture.bands:
            if band.source in self.column and band.sink in self.column:
                a, b = self.x_of_region(band.source), self.x_of_region(band.sink)
                middle = (a + b) / 2
                left, right = (a, middle) if a < b else (middle, a)
                top, bottom = self.y_of_time(band.begin), self.y_of_time(band.end)
                label = f"nothing passes from {band.source} to {band.sink}"
                yield (
                    f'<rect x="{left:.0f}" y="{top:.0f}" width="{right - left:.0f}" '
                    f'height="{max(2.0, bottom - top):.0f}" fill="#d1242f" fill-opacity="0.08">'
                    f"<title>{escape(label)}</title></rect>"
                )

    def draw_arrows(self) -> Iterator[str]:
        """Yield the arrows of the messages."""
        for arrow in self.picture.arrows:
            x1, y1 = self.x_of_region(arrow.source), self.y_of_time(arrow.sent)
            x2, y2 = self.x_of_region(arrow.sink), self.y_of_time(arrow.arrived)
            if arrow.is_lost:
                x2, y2 = (x1 + x2) // 2, (y1 + y2) / 2
            colour = COLOURS["broken"] if arrow.is_lost else PALE
            hint = escape(f"{arrow.text}: {arrow.source} to {arrow.sink}")
            yield (
                f'<line x1="{x1}" y1="{y1:.0f}" x2="{x2}" y2="{y2:.0f}" stroke="{colour}" '
                f'stroke-width="1.2"><title>{hint}</title></line>'
            )
            if arrow.is_lost:
                yield f'<text x="{x2 - 4}" y="{y2 + 4:.0f}" fill="{colour}">×</text>'
            else:
                side = -1 if x2 > x1 else 1
                yield (f'<path d="M{x2} {y2:.0f} l{side * 7} -3 l0 6 z" fill="{colour}"/>')

    def draw_marks(self) -> Iterator[str]:
        """Yield the marks of the events in the regions, with their labels."""
        below: dict[tuple[int, str], int] = {}
        for mark in self.picture.marks:
            if mark.region not in self.column:
                continue
            row = below.get((mark.at, mark.region), 0)
            below[mark.at, mark.region] = row + 1
            x, y = self.x_of_region(mark.region), self.y_of_time(mark.at) + row * ROW
            colour = COLOURS[mark.style]
            yield f'<circle cx="{x}" cy="{y:.0f}" r="3.5" fill="{colour}"/>'
            place, text = f'x="{x + 9}" y="{y - 4:.0f}"', escape(mark.text)
            # A halo of its own, since not every viewer draws a stroke behind the filled text.
            yield f"<text {place} {HALO}>{text}</text>"
            yield f'<text {place} fill="{colour}">{text}</text>'
