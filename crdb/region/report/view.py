"""The live view of a running CRDB: regions, their writes, and the lag of each link. Pure.

`draw` makes a layout from figures for a screen of a given size; the caller shows it on a terminal.
Every line fits. Wide cells are abbreviated, surplus lines are left out and counted, and the latest
events fill the remaining lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Final, Literal

import attrs
from rich.cells import cell_len
from rich.console import Group
from rich.layout import Layout
from rich.table import Table
from rich.text import Text

from crdb.engine.environment.link_control import LinkInfo, LinkState
from crdt.causality.dots import Vector

COLOURS: Final = {
    LinkState.STREAMING: "green",
    LinkState.CATCHING_UP: "yellow",
    LinkState.SNAPSHOT: "yellow",
    LinkState.CONNECTING: "yellow",
    LinkState.DOWN: "red",
    LinkState.CUT: "bold red",
}
SHORT: Final = {
    LinkState.CATCHING_UP: "late",
    LinkState.SNAPSHOT: "snap",
    LinkState.CONNECTING: "dial",
    LinkState.DOWN: "down",
    LinkState.CUT: "cut",
}
GAP: Final = "  "
FOOTER_LINES: Final = 2
"""An empty line and the footer."""

Justify = Literal["left", "right"]
FIRST: Final[tuple[Justify, Justify]] = ("right", "left")
"""A number and a name begin every line."""
JUSTIFY: Final[Mapping[str, Justify]] = {"address": "left", "role": "left"}


@attrs.frozen
class RegionMetrics:
    """A region at one moment. Rates are per second since the last moment."""

    name: str
    number: int
    host: str
    port: int
    clients: int
    keys: int
    commands_per_second: float
    effects_per_second: float
    role: str
    vector: Vector


@attrs.frozen
class ViewState:
    """The contents of the view. `names` are all regions of the CRDB, `regions` those of this
    process; the latest of `events` is the last."""

    names: Sequence[str]
    regions: Sequence[RegionMetrics]
    links: Sequence[LinkInfo]
    events: Sequence[str]
    seconds: float
    memory: str
    question: str = ""
    """A question to the operator. It is shown first, whatever the size of the terminal."""


@attrs.frozen
class Grid:
    """Rows of cells in aligned columns. Each row is one line."""

    rows: Sequence[Sequence[Text]]
    justify: Sequence[Justify]

    @property
    def width(self) -> int:
        """The number of columns of the screen that it takes."""
        columns = zip(*self.rows, strict=True)
        widths = [max(cell_len(text.plain) for text in column) for column in columns]
        return sum(widths) + len(GAP) * (len(widths) - 1)

    def table(self) -> Table:
        """Return the rows as a table."""
        table = Table.grid(padding=(0, len(GAP)), pad_edge=False)
        for side in self.justify:
            table.add_column(justify=side, no_wrap=True, overflow="ellipsis")
        for row in self.rows:
            table.add_row(*row)
        return table


@attrs.frozen
class Part:
    """A part of the screen that stands below the part before it."""

    content: Sequence[Grid | Text]
    """Grids, and texts of one line each."""

    @property
    def height(self) -> int:
        """The number of lines."""
        return sum(len(each.rows) if isinstance(each, Grid) else 1 for each in self.content)

    def layout(self) -> Layout:
        """Return the part as one of a layout."""
        for text in self.content:
            if isinstance(text, Text):
                text.no_wrap, text.overflow = True, "ellipsis"
        drawn = (each.table() if isinstance(each, Grid) else each for each in self.content)
        return Layout(Group(*drawn), size=self.height)


def draw(state: ViewState, width: int, height: int) -> Layout:
    """Return the whole screen. Parts for which there is no room are left out."""
    gap = Part([Text()])
    asked = wrap(state.question, max(width, 1))[:height]
    heading = Part([*(Text(line, style="bold reverse") for line in asked), draw_heading(state)])
    parts = [heading]
    rows_left = height - heading.height
    for make in (_regions, _links, _events, _footer):
        part = make(state, width, rows_left - gap.height)
        if part is not None and gap.height + part.height <= rows_left:
            parts += [gap, part]
            rows_left -= gap.height + part.height
    screen = Layout()
    screen.split_column(
        *(part.layout() for part in parts), Layout(Text(" "), visible=rows_left > 0)
    )
    return screen


def draw_heading(state: ViewState) -> Text:
    """Return the heading: the regions, whether they have converged, the uptime and the memory."""
    count = len(state.regions)
    who = state.regions[0].name if count == 1 else f"{count} regions"
    text = Text.assemble(("crdb", "bold"), GAP, who)
    apart = most_apart(state.regions)
    if count > 1:
        text.append(GAP)
        text.append(
            f"{apart:,} writes apart" if apart else "all hold the same",
            style="yellow" if apart else "green",
        )
    text.append(f"{GAP}up {format_duration(state.seconds)}{GAP}memory {state.memory}")
    return text


def format_duration(seconds: float) -> str:
    """Return a duration as a clock shows it.

    >>> format_duration(59.9), format_duration(3_600), format_duration(200_000)
    ('0:00:59', '1:00:00', '2 d 7:33:20')
    """
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{days} d " * bool(days) + f"{hour}:{minute:02}:{second:02}"


def count_lacking(sink: Vector, source: Vector) -> int:
    """Return the number of effects that `source` covers and `sink` does not."""
    return sum(max(0, seq - sink.get(origin, 0)) for origin, seq in source.items())


def most_apart(regions: Sequence[RegionMetrics]) -> int:
    """Return the largest number of effects that any one region is missing."""
    union: dict[int, int] = {}
    for region in regions:
        for origin, seq in region.vector.items():
            union[origin] = max(seq, union.get(origin, 0))
    return max((count_lacking(region.vector, union) for region in regions), default=0)


# --- regions -------------------------------------------------------------------------------------


def _regions(state: ViewState, width: int, rows_left: int) -> Part:
    """Return a line for each region. Regions for which there is no room are counted."""
    hidden = len(state.regions) + 1 - max(rows_left, 2)
    if hidden <= 0:
        return Part([region_grid(state.regions, width)])
    shown = state.regions[: len(state.regions) - hidden - 1]
    more = Text(f"and {hidden + 1} more", style="dim")
    return Part([region_grid(shown, width), more])


def region_grid(regions: Sequence[RegionMetrics], width: int) -> Grid:
    """Return a heading and a line for each region, with as many columns as fit."""
    ways = (
        ("address", "clients", "keys", "commands/s", "writes/s", "role"),
        ("port", "clients", "keys", "commands/s", "writes/s", "role"),
        ("port", "keys", "writes/s", "role"),
        ("address", "clients", "keys", "commands/s", "writes/s"),
        ("port", "clients", "keys", "commands/s", "writes/s"),
        ("port", "keys", "commands/s", "writes/s"),
        ("port", "keys", "writes/s"),
        ("port", "keys"),
        ("port",),
    )
    if all(region.role == "active" for region in regions):
        ways = ways[3:]
    cells = [region_cells(region) for region in regions]
    grids: list[Grid] = []
    for names in ways:
        head = {name: Text(name, style="bold") for name in ("#", "region", *names)}
        rows = [[row[name] for name in head] for row in (head, *cells)]
        grids.append(Grid(rows, [*FIRST, *(JUSTIFY.get(name, "right") for name in names)]))
    return next((grid for grid in grids if grid.width <= width), grids[-1])


def region_cells(region: RegionMetrics) -> dict[str, Text]:
    """Return the cells of a region, by the name of the column."""
    host = f"[{region.host}]" if ":" in region.host else region.host
    cells = {
        "#": str(region.number),
        "region": region.name,
        "address": f"{host}:{region.port}",
        "port": str(region.port),
        "clients": f"{region.clients:,}",
        "keys": f"{region.keys:,}",
        "commands/s": f"{region.commands_per_second:,.0f}",
        "writes/s": f"{region.effects_per_second:,.0f}",
        "role": region.role,
    }
    return {name: Text(text) for name, text in cells.items()}


# --- links ---------------------------------------------------------------------------------------


def _links(state: ViewState, width: int, rows_left: int) -> Part | None:
    """Return all links, in one line if there is no room for more than that and the footer."""
    if not state.links:
        return None
    part = link_part(state, width)
    return part if part.height <= rows_left - FOOTER_LINES else Part([link_summary(state.links)])


def link_part(state: ViewState, width: int) -> Part:
    """Return a line for each source with a column for each sink. Sinks are shown by number if
    their names do not fit. If the numbers do not fit either, return a summary in one line."""
    vectors = {region.name: region.vector for region in state.regions}
    by_ends = {(link.source, link.sink): link for link in state.links}
    sources = [name for name in state.names if any(source == name for source, _ in by_ends)]
    sinks = [name for name in state.names if any(sink == name for _, sink in by_ends)]
    number = {name: str(place) for place, name in enumerate(state.names, 1)}
    for is_named, is_short in ((True, False), (False, False), (False, True)):
        head = [Text("#"), Text("from \\ to"), *(Text(s if is_named else number[s]) for s in sinks)]
        for text in head:
            text.stylize("bold")
        rows = [head]
        for source in sources:
            ends = ((by_ends.get((source, sink)), vectors) for sink in sinks)
            cells = [link_cell(*end, is_short=is_short) for end in ends]
            rows.append([Text(number[source]), Text(source), *cells])
        sides: list[Justify] = ["right"] * len(sinks)
        grid = Grid(rows, [*FIRST, *sides])
        if grid.width <= width:
            title = "lag of links in ms" if is_short else "lag of links"
            return Part([Text(title, style="bold"), grid])
    return Part([link_summary(state.links)])


def link_cell(link: LinkInfo | None, vectors: Mapping[str, Vector], *, is_short: bool) -> Text:
    """Return the cell of a link: its lag or its state, and how many writes the sink lacks."""
    if link is None:
        return Text("·", style="dim")
    behind = link.lag_ops
    if link.state is LinkState.STREAMING:
        text = f"{link.lag_ms:.0f}" if is_short else f"{link.lag_ms:.0f} ms"
    else:
        text = SHORT[link.state] if is_short else str(link.state)
        if link.source in vectors and link.sink in vectors:
            behind = count_lacking(vectors[link.sink], vectors[link.source])
    if behind:
        text += f" -{abbreviate(behind)}" if is_short else f", {behind:,} behind"
    return Text(text, style=COLOURS[link.state])


def abbreviate(count: int) -> str:
    """Return a count in at most four characters.

    >>> abbreviate(999), abbreviate(12_345), abbreviate(7_000_000)
    ('999', '12k', '7M')
    """
    return (
        f"{count // 1_000_000}M"
        if count >= 1_000_000
        else (f"{count // 1_000}k" if count >= 1_000 else str(count))
    )


def link_summary(links: Sequence[LinkInfo]) -> Text:
    """Return the number of links in each state, and the links that do not stream."""
    text = Text.assemble((f"{len(links)} links", "bold"))
    for state in LinkState:
        count = sum(link.state is state for link in links)
        if count:
            text.append(f"{GAP}{count} {state}", style=COLOURS[state])
    still = [f"{it.source} -> {it.sink}" for it in links if it.state is not LinkState.STREAMING]
    if still:
        text.append(f"{GAP}({', '.join(still)})", style="dim")
    return text


# --- events and footer ---------------------------------------------------------------------------


def _events(state: ViewState, _: int, rows_left: int) -> Part | None:
    """Return as many of the latest events as fit above the footer."""
    count = rows_left - FOOTER_LINES - 1
    if count < 1 or not state.events:
        return None
    return Part([Text("events", style="bold"), *map(Text, state.events[-count:])])


def _footer(state: ViewState, _: int, __: int) -> Part:
    what = "this region" if len(state.regions) == 1 else "all regions"
    return Part([Text(f"Ctrl-C stops {what}", style="dim")])
