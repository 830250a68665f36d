"""Write the pages of `docs/` that are generated from tables of the code.

    python -m tools.reference

    docs/commands.md            from the command table
    docs/config-parameters.md   from the tables of parameters and of their effects
    docs/events.md              from the classes of the events
    docs/info.md                from the table of metrics
    docs/states.md, *.svg       from the transition tables of the two ends of a link
    docs/faults.md              from the simulator's table of faults
    docs/places.md              from the catalogue of cloud regions

`tests/test_reference.py` fails if a page differs from the output of this program.
"""

from __future__ import annotations

import enum
import sys
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import attrs

from crdb.commands.shared.help import usage_lines
from crdb.commands.table import COMMANDS
from crdb.engine.command import Command
from crdb.engine.events.event_bases import EVENTS, OperatorEvent
from crdb.engine.metrics.metric_table import METRICS, Metric
from crdb.engine.parameters.parameter_effects import EFFECTIVE, REFUSED, UNOBSERVABLE
from crdb.engine.parameters.table import PARAMETERS
from geo import AmbiguousRegion, Catalog, Region
from replication.machines.receiving import sink_states
from replication.machines.sending import source_states
from sim.faults.kinds import FAULTS, Fault
from sim.scenarios import script
from tools.info_left_out import LEFT_OUT

DOCS: Final = Path(__file__).parents[1] / "docs"
NOTE: Final = "<!-- Written by tools/reference.py from the tables of the code; do not edit. -->\n"

GROUPS: Final = {
    "string": "Strings and counters",
    "bitmap": "Bitmaps",
    "hash": "Hashes",
    "list": "Lists",
    "set": "Sets",
    "sorted-set": "Sorted sets",
    "geo": "Positions",
    "hyperloglog": "HyperLogLogs",
    "generic": "Keys",
    "transactions": "Transactions",
    "pubsub": "Publish/subscribe",
    "scripting": "Scripts and functions",
    "connection": "Connections",
    "cluster": "Cluster",
    "server": "Server and administration",
}
COLUMNS: Final = 118
KINDS: Final = ("write", "readonly", "admin", "blocking")  # the flags that the page shows

Transitions = Mapping[tuple[enum.Enum, type[Any]], enum.Enum]
Moves = Collection[tuple[enum.Enum, enum.Enum]]


def main() -> int:
    """Write all pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(f"docs/{name}")
    return 0


def pages() -> dict[str, str]:
    """Return the text of every page by its name in `docs/`."""
    machines = {
        "Source": (source_states.TRANSITIONS, source_states.MOVES, source_states.SourceState),
        "Sink": (sink_states.TRANSITIONS, sink_states.MOVES, sink_states.SinkState),
    }
    drawn = {
        f"states-{name.lower()}.svg": Drawing(tuple(states), edges(table, moves)).svg()
        for name, (table, moves, states) in machines.items()
    }
    sections = [
        section(name, table, tuple(states)) for name, (table, _, states) in machines.items()
    ]
    return {
        "commands.md": commands_page(),
        "config-parameters.md": parameters_page(),
        "events.md": events_page(),
        "info.md": info_page(),
        "states.md": states_page(sections),
        "faults.md": faults_page(),
        "places.md": places_page(),
        **drawn,
    }


# -- commands --------------------------------------------------------------------------------


def commands_page() -> str:
    """Return the page of all commands, by group."""
    opening = (
        f"{len(COMMANDS)} commands, with the replies and errors of Redis 7.2 where Redis has them. "
        "`[...]` is optional, `<... | ...>` is one of several, and `...` may be repeated. "
        "`COMMAND DOCS` and `COMMAND INFO` report the same to programs."
    )
    listed = ["# Commands\n", NOTE, textwrap.fill(opening, COLUMNS, break_on_hyphens=False)]
    for group, title in titled_groups().items():
        members = sorted(
            (each for each in COMMANDS if each.declaration.group == group), key=lambda it: it.name
        )
        rows = [row for command in members for row in command_rows(command)]
        listed += [f"\n## {title}\n", "| command | kind | |", "| --- | --- | --- |"]
        listed += rows
    return "\n".join(listed) + "\n"


def titled_groups() -> dict[str, str]:
    """Return the titles of all groups of commands. A group that `GROUPS` does not list comes last,
    under its own name."""
    others = sorted({command.declaration.group for command in COMMANDS} - GROUPS.keys())
    return GROUPS | {group: group.replace("-", " ").capitalize() for group in others}


def command_rows(command: Command) -> Iterator[str]:
    """Yield the row of a command, or a row for each of its subcommands."""
    if command.subcommands:
        for child in sorted(command.subcommands.values(), key=lambda each: each.name):
            if child.name != b"help":
                yield command_row(child)
    if command.handler.__name__ != "no_handler":
        yield command_row(command)


def command_row(command: Command) -> str:
    """Return a row with the usage and the summary of a command."""
    usage, summary = usage_lines(command, command.full_name.decode().replace("|", " "))
    kinds = ", ".join(kind for kind in KINDS if kind in command.flags)
    cells = [cell.replace("|", "\\|") for cell in (f"`{usage}`", kinds, summary.strip())]
    return f"| {' | '.join(cells)} |"


# -- parameters ------------------------------------------------------------------------------


def parameters_page() -> str:
    """Return the page of all parameters of CONFIG, by the effect of setting them."""
    opening = (
        "`CONFIG SET` accepts a parameter of Redis if it has an effect here, or if clients cannot "
        "see whether it has an effect. It refuses to change any other parameter, and reports the "
        "reason. Setting a refused parameter to its present value is not an error. One "
        "`CONFIG SET` with several parameters sets all of them or none. Values last until the "
        "region stops. `CONFIG REWRITE` is refused, because permanent settings belong in the "
        "regions' file. Unlike in Redis, `proto-max-bulk-len` is at most 512 MB and "
        "`client-query-buffer-limit` at most 1 GB, because links carry no larger operations."
    )
    lines = ["# Parameters\n", NOTE, textwrap.fill(opening, COLUMNS, break_on_hyphens=False)]
    lines += ["\n## With an effect\n", "| parameter | default |", "| --- | --- |"]
    lines += [f"| `{name}` | `{PARAMETERS[name].default}` |" for name in sorted(EFFECTIVE)]
    for title, table in (
        ("Accepted, without an effect that clients can see", UNOBSERVABLE),
        ("Refused", REFUSED),
    ):
        lines += [f"\n## {title}\n", "| parameter | value | why |", "| --- | --- | --- |"]
        for name in sorted(table):
            value = PARAMETERS[name].default
            shown = f"`{value}`" if value else "(empty)"
            lines.append(f"| `{name}` | {shown} | {table[name]} |")
    fixed = [name for name, each in PARAMETERS.items() if each.immutable or each.protected]
    listed = ", ".join(f"`{name}`" for name in fixed)
    lines += ["\n## Fixed while a server runs, as in Redis\n"]
    lines.append(textwrap.fill(listed, COLUMNS, break_on_hyphens=False))
    return "\n".join(lines) + "\n"


# -- INFO ------------------------------------------------------------------------------------


def info_page() -> str:
    """Return the page of all fields of INFO, by section."""
    opening = (
        "`INFO` has the sections of Redis 7.2 and a section `crdt`. A field of Redis of which no "
        "value would be true is left out; the end of this page lists these fields with the "
        "reasons. "
        "A *counter* only grows while the process runs, and a *gauge* is any other number. A "
        "*record* holds several values. A name with a star stands for several fields."
    )
    lines = ["# INFO\n", NOTE, textwrap.fill(opening, COLUMNS, break_on_hyphens=False)]
    for section_name, metrics in METRICS.items():
        lines += [f"\n## {section_name}\n", "| field | kind | meaning |", "| --- | --- | --- |"]
        for alike in groupby(metrics, lambda metric: (metric.kind, metric.value, metric.help)):
            lines.append(info_row(list(alike[1])))
    lines += ["\n## Fields of Redis that are left out\n", "| field | why |", "| --- | --- |"]
    for reason, names in groupby(LEFT_OUT, lambda name: LEFT_OUT[name]):
        lines.append(f"| {', '.join(f'`{name}`' for name in names)} | {reason} |")
    return "\n".join(lines) + "\n"


def info_row(metrics: Sequence[Metric]) -> str:
    """Return the row of metrics with the same meaning."""
    first = metrics[0]
    kind = f"{first.kind}, {first.unit}" if first.unit else first.kind
    meaning = f"always `{first.value}`: {first.help}" if first.kind == "constant" else first.help
    if first.value == "":
        meaning = f"always empty: {first.help}"
    return f"| {', '.join(f'`{metric.name}`' for metric in metrics)} | {kind} | {meaning} |"


# -- events ----------------------------------------------------------------------------------

EVENTS_OPENING: Final = """\
`crdb up` and `crdb serve` report events while they run. With `--json` each event is one line:
an object with `event` (its name), `time` (in seconds since 1970) and the details that the table
lists. Details in brackets may be missing. Later versions may add events and details. Without
`--json` an event is one sentence, without details that only programs need.

`region` is the region of this process where something happened, and `peer` the region at the
other end of a link. `direction` is `in` for the link that brings the peer's writes and `out`
for the link that takes writes to it. So a link between two regions of one process is reported
at both ends.

An event that only repeats the previous one is reported once and then counted. An example is each
attempt to connect to a region that refuses. The event is reported again at most once a minute,
with one more detail: `times`, the number of repetitions since the last report.
"""


def events_page() -> str:
    """Return the page of all events."""
    opening = [
        textwrap.fill(text, COLUMNS, break_on_hyphens=False) + "\n"
        for text in EVENTS_OPENING.split("\n\n")
    ]
    lines = ["# Events\n", NOTE, *opening]
    lines += ["| event | meaning | details |", "| --- | --- | --- |"]
    for name, kind in EVENTS.items():
        meaning = " ".join((kind.__doc__ or "").split())
        lines.append(f"| {name} | {meaning} | {event_details(kind)} |")
    return "\n".join(lines) + "\n"


def event_details(kind: type[OperatorEvent]) -> str:
    """Return the details of an event. Details that the page explains above have no meaning here."""
    found: list[str] = []
    for field in attrs.fields(kind):
        text = f"`{field.name}`"
        if field.name not in {"region", "peer", "direction"} or field.default is None:
            text += f": {field.metadata['meaning']}"
        if field.name != "times":
            found.append(f"[{text}]" if field.default is None else text)
    return "; ".join(found)


# -- faults ----------------------------------------------------------------------------------


def faults_page() -> str:
    """Return the page of all kinds of faults."""
    opening = (
        "The simulator injects these faults into regions and into the network between them. A seed "
        "enables some of them for a whole run; `python -m sim SEED --faults cut,crash` selects "
        "them. Two faults of a kind never follow each other without a pause. At the end of a run "
        "everything is healed."
    )
    lines = ["# Faults\n", NOTE, textwrap.fill(opening, COLUMNS, break_on_hyphens=False) + "\n"]
    lines += ["| fault | what it does | strength |", "| --- | --- | --- |"]
    lines += [fault_row(fault) for fault in FAULTS.values()]
    lines += ["\n## Runs as text\n", indented(script.__doc__)]
    return "\n".join(lines) + "\n"


def fault_row(fault: Fault) -> str:
    """Return the row of a kind of fault, with the range of its strength."""
    low, high = fault.values
    return f"| {fault.name} | {fault.does} | {f'{low} to {high}' if high > low else ''} |"


def indented(documentation: str | None) -> str:
    """Return a docstring of a module. Its indented parts are code in Markdown too."""
    assert documentation is not None
    return documentation.strip()


# -- places ----------------------------------------------------------------------------------


def places_page() -> str:
    """Return the page of all cloud regions in the catalogue."""
    catalog = Catalog.shipped()
    opening = (
        f"{len(catalog.regions)} cloud regions, with their names in `crdb up --regions`, in `name` "
        "and `place` of a file, and in `geo.Catalog`. All delays between regions of one provider "
        "are measured. Other delays are computed from the distance. `geo/data/README.md` gives the "
        "source of the numbers, the date of the measurement and their accuracy."
    )
    lines = ["# Places\n", NOTE, textwrap.fill(opening, COLUMNS, break_on_hyphens=False)]
    for provider in sorted({region.provider for region in catalog.regions}):
        lines += [f"\n## {provider}\n", "| name | place | country |", "| --- | --- | --- |"]
        lines += [
            f"| `{place_name(catalog, region)}` | {region.place} | {region.country} |"
            for region in catalog.of(provider)
        ]
    return "\n".join(lines) + "\n"


def place_name(catalog: Catalog, region: Region) -> str:
    """Return the shortest unambiguous name of a region."""
    try:
        return catalog.find(region.name).name
    except AmbiguousRegion:
        return region.full_name


# -- states ----------------------------------------------------------------------------------


def states_page(sections: Iterable[str]) -> str:
    """Return the page of both machines."""
    opening = (
        (
            "A link has two ends. Each is a machine without I/O. The *source* sends ops. The "
            "*sink* connects and receives them. A frame that a table does not allow in a state "
            "ends the link. The frames are described in `replication/protocol/frames.py`. The "
            "states are explained in `replication/machines/sending/source_states.py` and "
            "`replication/machines/receiving/sink_states.py`."
        ),
        (
            "In the pictures a solid arrow is a frame that arrives. A dashed arrow is a transition "
            "that the machine makes by itself. Frames that change no state are in the tables only. "
            "The pictures do not show CLOSED, which Refuse and the end of the stream lead to from "
            "every state."
        ),
    )
    paragraphs = [textwrap.fill(each, COLUMNS, break_on_hyphens=False) + "\n" for each in opening]
    return "\n".join(("# States of a link\n", NOTE, *paragraphs, *sections))


def section(name: str, table: Transitions, states: tuple[enum.Enum, ...]) -> str:
    """Return the section of a machine: its picture, and a row for each frame."""
    open_states = [state for state in states if state.name != "CLOSED"]
    frames = sorted({frame.__name__ for _, frame in table} - {"Refuse", "Eof"})
    by_name = {(state, frame.__name__): following for (state, frame), following in table.items()}
    lines = [
        f"## {name}\n",
        f"![States of the {name.lower()}](states-{name.lower()}.svg)\n",
        (
            "Rows are frames that arrive. Columns are the states in which they arrive. An empty "
            "cell is an error of the peer.\n"
        ),
        "| | " + " | ".join(state.name for state in open_states) + " |",
        "| --- |" + " --- |" * len(open_states),
    ]
    for frame in frames:
        reached = (by_name.get((state, frame)) for state in open_states)
        cells = ("" if state is None else state.name for state in reached)
        lines.append(f"| {frame} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


Edges = dict[tuple[enum.Enum, enum.Enum], str]


def edges(table: Transitions, moves: Moves) -> Edges:
    """Return the edges between states with the names of their frames. A move has no frame."""
    found: dict[tuple[enum.Enum, enum.Enum], list[str]] = {move: [] for move in moves}
    for (state, frame), following in table.items():
        if state is not following and following.name != "CLOSED":
            found.setdefault((state, following), []).append(frame.__name__)
    ordered = sorted(found.items(), key=lambda item: (item[0][0].name, item[0][1].name))
    return {edge: ", ".join(sorted(names)) for edge, names in ordered}


BOX: Final = (110, 26)  # width and height of a state
ROW: Final = 74
MIDDLE: Final = 300
BEND: Final = 78  # the width of an arrow over one row; an arrow over two rows is twice as wide
INK: Final = "#23262b"
FRAME: Final = "#1f6feb"
MOVE: Final = "#7d8590"


@attrs.frozen
class Drawing:
    """A picture of states in a column. Arrows go down on the right and up on the left."""

    states: tuple[enum.Enum, ...]
    edges: Edges

    def svg(self) -> str:
        """Return the picture as SVG."""
        states = [state for state in self.states if state.name != "CLOSED"]
        width, height = 2 * MIDDLE, ROW * len(states)
        opening = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">'
        )
        parts = [opening, f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
        longest_first = sorted(self.edges, key=lambda edge: -self.span(*edge))
        parts += [self.arrow(*edge) for edge in longest_first]
        parts += [self.label(*edge) for edge in longest_first]
        parts += [self.box(state) for state in states]
        return "\n".join([*parts, "</svg>"]) + "\n"

    def span(self, start: enum.Enum, end: enum.Enum) -> int:
        """Return the number of rows that an arrow spans."""
        return abs(self.states.index(end) - self.states.index(start))

    def y(self, state: enum.Enum) -> int:
        """Return the vertical position of the middle of a state."""
        return self.states.index(state) * ROW + ROW // 2

    def box(self, state: enum.Enum) -> str:
        """Return the box of a state."""
        x, y = MIDDLE - BOX[0] // 2, self.y(state) - BOX[1] // 2
        return (
            f'<rect x="{x}" y="{y}" width="{BOX[0]}" height="{BOX[1]}" rx="6" fill="#ffffff" '
            f'stroke="{INK}"/><text x="{MIDDLE}" y="{y + 17}" text-anchor="middle" fill="{INK}">'
            f"{escape(state.name)}</text>"
        )

    def arrow(self, start: enum.Enum, end: enum.Enum) -> str:
        """Return an arrow. Its ends keep a distance from other arrows at the same box."""
        is_down = self.y(end) > self.y(start)
        side = 1 if is_down else -1
        x = MIDDLE + side * BOX[0] // 2
        y1, y2 = self.y(start) + side * 7, self.y(end) - side * 7
        bend = x + side * BEND * self.span(start, end)
        is_move = not self.edges[start, end]
        colour, dashes = (MOVE, ' stroke-dasharray="4 3"') if is_move else (FRAME, "")
        return (
            f'<path d="M{x} {y1} C{bend} {y1} {bend} {y2} {x + side * 6} {y2}" fill="none" '
            f'stroke="{colour}" stroke-width="1.3"{dashes}/>'
            f'<path d="M{x} {y2} l{side * 8} -4 l0 8 z" fill="{colour}"/>'
        )

    def label(self, start: enum.Enum, end: enum.Enum) -> str:
        """Return the names of the frames, at the widest point of the arrow."""
        side = 1 if self.y(end) > self.y(start) else -1
        x = MIDDLE + side * (BOX[0] // 2 + BEND * self.span(start, end) * 3 // 4 + 4)
        anchor = "start" if side > 0 else "end"
        y = (self.y(start) + self.y(end)) // 2 + 4
        place, text = f'x="{x}" y="{y}" text-anchor="{anchor}"', escape(self.edges[start, end])
        if not text:
            return ""
        # A halo of its own, since not every viewer draws a stroke behind the filled text.
        return (
            f'<text {place} fill="#ffffff" stroke="#ffffff" stroke-width="4" aria-hidden="true">'
            f'{text}</text><text {place} fill="{FRAME}">{text}</text>'
        )


if __name__ == "__main__":
    sys.exit(main())
