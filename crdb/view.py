"""The live view of a running CRDB: regions, their writes, and how far each link is behind.

Pure: a drawing is made of figures, and the runtime refreshes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from crdb.link_control import LinkInfo, LinkState

COLOURS: Final = {
    LinkState.STREAMING: "green",
    LinkState.CATCHING_UP: "yellow",
    LinkState.SNAPSHOT: "yellow",
    LinkState.CONNECTING: "yellow",
    LinkState.DOWN: "red",
    LinkState.CUT: "bold red",
}


@attrs.frozen
class RegionFigures:
    """One region at one moment. Rates are per second since the last moment."""

    name: str
    number: int
    address: str
    clients: int
    keys: int
    commands_per_second: float
    effects_per_second: float
    role: str


def draw(
    regions: Sequence[RegionFigures], links: Sequence[LinkInfo], events: Sequence[str]
) -> RenderableType:
    """The whole screen."""
    parts: list[RenderableType] = [region_table(regions)]
    if links:
        parts.append(link_table([region.name for region in regions], links))
    if events:
        parts.append(Panel("\n".join(events), title="events", border_style="dim"))
    parts.append(Text("Ctrl-C stops all regions", style="dim"))
    return Group(*parts)


def region_table(regions: Sequence[RegionFigures]) -> Table:
    """A row for each region."""
    table = Table(title="regions", title_justify="left", expand=False)
    for column in ("", "region", "address", "role"):
        table.add_column(column)
    for column in ("clients", "keys", "commands/s", "writes/s"):
        table.add_column(column, justify="right")
    for region in regions:
        table.add_row(
            str(region.number),
            region.name,
            region.address,
            region.role,
            f"{region.clients:,}",
            f"{region.keys:,}",
            f"{region.commands_per_second:,.0f}",
            f"{region.effects_per_second:,.0f}",
        )
    return table


def link_table(names: Sequence[str], links: Sequence[LinkInfo]) -> Table:
    """A row for each source, a column for each sink: state, lag and delay of the link."""
    table = Table(title="links, from row to column", title_justify="left", expand=False)
    table.add_column("")
    for name in names:
        table.add_column(name)
    by_ends = {(link.source, link.sink): link for link in links}
    sources = [name for name in names if any(link.source == name for link in links)]
    others = sorted({link.source for link in links} - set(names))
    for source in [*sources, *others]:
        cells = [cell(by_ends.get((source, sink)), source == sink) for sink in names]
        table.add_row(source, *cells)
    return table


def cell(link: LinkInfo | None, itself: bool) -> Text:
    """One link."""
    if link is None:
        return Text("" if itself else "-", style="dim")
    if link.state is LinkState.STREAMING:
        text = f"{link.lag_ms:.0f} ms" + (f", {link.lag_ops:,} behind" if link.lag_ops else "")
    else:
        text = str(link.state)
    if link.delay_ms:
        text += f"  ({link.delay_ms:.0f} ms away)"
    return Text(text, style=COLOURS[link.state])
