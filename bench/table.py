"""Print a table of the bars, with the figures that the other benchmarks wrote to files.

A line has the bar, the figure when the bar was set, the figure now, and whether the bar is met. `-`
means that the figure was not measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs
from rich.table import Table

from machine import console
from results import guarded, parsed, parser_for, read_figures
from server_cases import ROWS
from stall_cases import CASES

# The longest waits in ms, here and at a peer, when the bars were set.
STALLS = {
    "flushall": "7,242 / 11,134",
    "digest": "1,227 / -",
    "del-keys": "118 / 215",
    "multi": "98 / 165",
    "fill": "508 / 1,094",
    "set-large-value": "593 / 188",
    "zset-rank": "898 / -",
    "set-store": "- / 3,331",
    "del-zset": "668 / 1,017",
    "del-set": "32 / 492",
    "del-hash": "281 / 796",
    "del-list": "55 / 379",
    "list-insert": "910 / -",
    "heal": "222 / 922",
    "merge-both": "- / 3,000",
}
RATES = (
    {1: "0.85", 16: "0.73", 64: "0.68"},
    {1: "0.76", 16: "0.46", 64: "0.44"},
    {1: "0.69", 16: "0.41", 64: "0.34"},
    {1: "0.75", 16: "0.80", 64: "0.93"},
    {1: "0.64", 16: "0.38", 64: "-"},
    {1: "-", 16: "0.25", 64: "-"},
    {1: "-", 16: "0.17", 64: "-"},
    {1: "-", 16: "0.15", 64: "-"},
    {1: "-", 16: "0.16", 64: "-"},
    {1: "-", 16: "0.08", 64: "-"},
    {1: "-", 16: "0.56", 64: "-"},
)
STRINGS = ("append", "setrange", "setbit", "bitfield")
LISTS = ("linsert-head", "linsert-mid", "lpos", "lrem", "lindex", "lset", "lrange")
SIZE = 1_000_000


@attrs.frozen
class Line:
    """A bar. Its figure is the worst of those with these names, `file:name`.

    A name `a|b` stands for the quotient of two figures.
    """

    text: str
    names: tuple[str, ...]
    bar: float
    before: str
    is_most: bool = True
    """True if the bar is the greatest acceptable figure, false if it is the least."""


def stall_lines() -> Iterator[Line]:
    """Yield a line for each case of `bench/stalls.py`."""
    for name, case in CASES.items():
        if name == "nothing":
            continue  # it shows what the machine does
        names = (f"stalls:{name}/here", f"stalls:{name}/peer")
        text = f"1 longest wait, {name}, ms"
        yield Line(text, names, case.bar_ms, STALLS.get(name, "-"))


def growth_lines() -> Iterator[Line]:
    """Yield the lines about cost that follows the change, not the value."""

    def cost(name: str, who: str = "here", size: int = SIZE) -> str:
        return f"growth:{name}/{size}/{who}"

    for name in STRINGS:
        for where in ("here", "peer"):
            names = (f"{cost(name, where)}|{cost(name, where, 10_000)}",)
            yield Line(f"2 {name}, {where}: cost at 1 M bytes, of that at 10 k", names, 2.0, "-")
    before = {"linsert-head": "700", "linsert-mid": "2.3", "lpos": "2.0", "lrem": "2.1"}
    before |= {"lindex": "19", "lset": "15", "lrange": "9"}
    for name in LISTS:
        names = (f"{cost(name)}|{cost(name, 'redis')}",)
        yield Line(f"2 {name} in a list of 1 M: cost, of redis'", names, 2.0, before[name])
    for kind, was in {"list": "180", "zset": "3.6", "set": "0.2", "hash": "1.1"}.items():
        names = tuple(
            f"{cost(f'{word}-{kind}')}|{cost(f'del-{kind}', 'redis')}" for word in ("del", "unlink")
        )
        yield Line(f"2 DEL, UNLINK of a {kind} of 1 M: cost, of redis' DEL", names, 1.0, was)
    yield Line(
        "2 inserts in turn: bytes of op 1,000, of op 10",
        ("growth:in-turn/1000/op|growth:in-turn/10/op",),
        2.0,
        "83",
    )


def other_lines() -> Iterator[Line]:
    """Yield the lines about peers, the cost of a write, idle regions, memory and the simulator."""
    yield Line(
        "3 SET of 1 KB, pipeline 16: rate, of redis'",
        ("peers:kilobyte/ratio",),
        0.45,
        "0.16",
        False,
    )
    yield Line("3 the same: full resyncs", ("peers:kilobyte/resyncs",), 0, "20")
    yield Line("3 50 SETs of 1 MB: ms until settled", ("peers:large/settled",), 500, "3,000")
    for (row, bars), before in zip(ROWS.items(), RATES, strict=True):
        for pipeline, bar in bars.items():
            names = tuple(f"server:{command}/{pipeline}" for command in row)
            text = f"4 {', '.join(row)}, pipeline {pipeline}: rate, of redis'"
            yield Line(text, names, bar, before[pipeline], False)
    yield Line("5 idle region in a mesh of nine: % of a core", ("peers:idle/worst",), 0.5, "2 to 6")
    yield Line("5 lone write visible at a peer, ms", ("peers:lone-write/median",), 0.3, "1.2")
    yield Line("6 bytes a key", ("memory:key/ours",), 220, "296")
    yield Line("6 bytes a list element", ("memory:list/ours",), 150, "234")
    yield Line("6 bytes a counter", ("memory:counter/ours",), 160, "347")
    yield Line("6 bytes a sorted-set member", ("memory:zset/ours",), 170, "235")
    yield Line("6 bytes a hash field", ("memory:hash/ours",), 200, "-")
    yield Line(
        "6 memory after deleting all, of that at the start", ("memory:deleted/ours",), 1.3, "-"
    )
    yield Line("6 peak of a SET of 64 MB, in copies", ("memory:large-set/ours",), 2.0, "7.8")
    yield Line("7 virtual seconds a second, 3 regions", ("simulator:3/speed",), 1_000, "50", False)
    yield Line("7 virtual seconds a second, 5 regions", ("simulator:5/speed",), 300, "17", False)


def figure(line: Line, figures: dict[str, float]) -> float | None:
    """Return the worst figure of a line, or None if one of them was not measured."""
    found: list[float] = []
    for name in line.names:
        above, _, below = name.partition("|")
        if above not in figures or (below and not figures.get(below)):
            return None
        found.append(figures[above] / (figures[below] if below else 1))
    return max(found) if line.is_most else min(found)


def number(value: float | None) -> str:
    """Return a figure with as many digits as are of interest."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def table(lines: Iterable[Line], figures: dict[str, float]) -> Table:
    """Return the table of all lines."""
    shown = Table(title="Bars and figures", title_justify="left", title_style="bold")
    shown.add_column("point")
    for heading in ("bar", "before", "now", "met"):
        shown.add_column(heading, justify="right")
    for line in lines:
        now = figure(line, figures)
        bar = f"{'≤' if line.is_most else '≥'} {number(line.bar)}"
        is_met = now is not None and (now <= line.bar if line.is_most else now >= line.bar)
        met = "-" if now is None else "yes" if is_met else "no"
        shown.add_row(line.text, bar, line.before, number(now), met)
    return shown


def main() -> None:
    arguments = parsed(parser_for(__doc__))
    figures = {
        f"{file.stem}:{name}": value
        for file in sorted(arguments.results.glob("*.json"))
        for name, value in read_figures(file).items()
    }
    console.print(table([*stall_lines(), *growth_lines(), *other_lines()], figures))


if __name__ == "__main__":
    guarded(main)
