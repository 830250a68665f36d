"""Measure how the cost of a command grows with the size of its value.

The cost is the server's CPU time for a command, in µs, in pipelines of 16. It is measured for
values of 10 thousand, 100 thousand and a million bytes or elements, in a region with a peer and in
a redis-server. The cost at the peer is measured too.

Two more cases run in one process, without servers: two replicas insert in turn at one place of a
list. Their figures are the bytes of an operation, and of the whole state.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import attrs

from crdt import Replica
from driver import request
from machine import DRIVER_CORE, console, pinned_to
from places import QUICK, VALUE, Place, Sizes, additions, redis_alone, region_and_peer
from results import guarded, parsed, parser_for, write_figures

SIZES = (10_000, 100_000, 1_000_000)
QUICK_SIZES = (100, 200)
PIPELINE = 16
COUNT, QUICK_COUNT = 3_200, 16
SLOW_COUNT = 64  # of commands that walk over half of a list
EMBEDDED = {"in-turn"}  # the cases without servers
TURNS, QUICK_TURNS = (10, 100, 1_000), (2, 4)

Words = Callable[[int, int], list[str]]  # the size, the number of the command -> its words


@attrs.frozen
class Command:
    """A measured command, and the kind of its value."""

    kind: str
    words: Words
    is_slow: bool = False
    lines: int = 1
    """The lines of a reply."""


def middle(size: int) -> str:
    """Return the index in the middle, near which each command acts."""
    return str(size // 2)


COMMANDS: dict[str, Command] = {
    "append": Command("string", lambda _, n: ["APPEND", "large:string", VALUE * 6]),
    "setrange": Command("string", lambda s, n: ["SETRANGE", "large:string", str(n * 31 % s), "y"]),
    "setbit": Command("string", lambda s, n: ["SETBIT", "large:string", str(n * 97 % s), "1"]),
    "bitfield": Command(
        "string",
        lambda s, n: ["BITFIELD", "large:string", "INCRBY", "u8", str(n * 97 % s), "1"],
        lines=2,
    ),
    "getrange": Command(
        "string", lambda s, n: ["GETRANGE", "large:string", middle(s), middle(s)], lines=2
    ),
    "linsert-head": Command(
        "list", lambda _, n: ["LINSERT", "large:list", "BEFORE", f"e{10:08d}", f"i{n}"]
    ),
    "linsert-mid": Command(
        "list", lambda s, n: ["LINSERT", "large:list", "BEFORE", f"e{s // 2:08d}", f"i{n}"], True
    ),
    "lpos": Command("list", lambda s, n: ["LPOS", "large:list", f"e{s // 2 + n + 1:08d}"], True),
    "lrem": Command(
        "list", lambda s, n: ["LREM", "large:list", "1", f"e{s // 2 + n + 1:08d}"], True
    ),
    "lindex": Command("list", lambda s, n: ["LINDEX", "large:list", middle(s)], lines=2),
    "lset": Command("list", lambda s, n: ["LSET", "large:list", middle(s), f"s{n}"]),
    "lrange": Command(
        "list", lambda s, n: ["LRANGE", "large:list", middle(s), str(s // 2 + 9)], lines=21
    ),
    "zadd": Command("zset", lambda _, n: ["ZADD", "large:zset", str(n), f"new{n}"]),
    "zrank": Command("zset", lambda _, n: ["ZRANK", "large:zset", f"m{n:08d}"]),
    "sadd": Command("set", lambda _, n: ["SADD", "large:set", f"new{n}"]),
    "hset": Command("hash", lambda _, n: ["HSET", "large:hash", f"new{n}", VALUE]),
}
DELETED = ("string", "list", "zset", "set", "hash")
DELETING = [f"{word}-{kind}" for word in ("del", "unlink") for kind in DELETED]


def make(place: Place, kind: str, size: int) -> None:
    """Replace the value of this kind by a new one of this size."""
    place.driver.ask("UNLINK", f"large:{kind}")
    if kind == "string":
        place.driver.ask("SET", "large:string", "x" * size)
    else:
        place.driver.load(additions(kind, f"large:{kind}", 0, size), 20)
    place.settle()


def spent_us(place: Place, action: Callable[[], object]) -> list[float]:
    """Return the CPU time in µs of each server for an action, until the peer has it."""
    before = [server.cpu_seconds() for server in place.servers]
    action()
    place.settle()
    pairs = zip(place.servers, before, strict=True)
    return [(server.cpu_seconds() - start) * 1e6 for server, start in pairs]


def cost(place: Place, name: str, size: int, *, is_quick: bool) -> list[float]:
    """Return the µs of a command at the server, and at its peer."""
    if name in DELETING:
        word, kind = name.split("-")
        make(place, kind, size)
        return spent_us(place, lambda: place.driver.ask(word.upper(), f"large:{kind}"))
    command = COMMANDS[name]
    count = QUICK_COUNT if is_quick else SLOW_COUNT if command.is_slow else COUNT
    make(place, command.kind, size)
    requests = [request(*command.words(size, number)) for number in range(count)]
    if name == "zrank":
        place.driver.ask_raw(requests[0])  # the first one makes the order
    spent = spent_us(place, lambda: place.driver.load(requests, PIPELINE, command.lines))
    return [total / count for total in spent]


def run(
    where: Callable[[Sizes], AbstractContextManager[Place]], arguments: argparse.Namespace
) -> dict[str, float]:
    """Return the figures of all chosen commands at one place."""
    figures: dict[str, float] = {}
    with where(QUICK) as place:
        who = "redis" if place.there is None else "here"
        for name in [name for name in arguments.case if name not in EMBEDDED]:
            console.print(f"[dim]{place.here.name}: {name}")
            for size in arguments.sizes:
                spent = cost(place, name, size, is_quick=arguments.quick)
                figures[f"{name}/{size}/{who}"] = spent[0]
                if place.there is not None:
                    figures[f"{name}/{size}/peer"] = spent[1]
    return figures


def in_turn(turns: Sequence[int]) -> dict[str, float]:
    """Return the bytes of an operation, and of the state, after two replicas inserted in turn."""
    here, there = Replica(1), Replica(2)
    here.list("list").extend(["first", "last"])
    there.apply(here.changes_for(there.vector))
    figures: dict[str, float] = {}
    for turn in range(1, turns[-1] + 1):
        before = there.vector
        here.list("list").insert(1, "x")
        changes = here.changes_for(before)
        there.apply(changes)
        if turn in turns:
            figures[f"in-turn/{turn}/op"] = len(changes.to_bytes())
            figures[f"in-turn/{turn}/state"] = sum(map(len, here.snapshot()))
        here, there = there, here
    return figures


def report(arguments: argparse.Namespace, figures: dict[str, float]) -> None:
    """Print a line for each command, with a group of columns for each size."""
    console.print("µs of CPU for a command: here, at the peer, at a redis-server", style="bold")
    console.print(f"{'':14}" + "".join(f"{size:>28,}" for size in arguments.sizes))
    for name in [name for name in arguments.case if name not in EMBEDDED]:
        line = ""
        for size in arguments.sizes:
            cells = [figures[f"{name}/{size}/{who}"] for who in ("here", "peer", "redis")]
            line += (
                "  "
                + "".join(f"{cell:9,.1f}" if cell < 1e5 else f"{cell:9,.0f}" for cell in cells)[1:]
            )
        console.print(f"{name:14}{line}")
    for name, figure in figures.items():
        if name.startswith("in-turn/"):
            _, turn, what = name.split("/")
            console.print(f"two replicas insert in turn, {what} {turn}: {figure:,.0f} bytes")


def main() -> None:
    names = [*COMMANDS, *DELETING, *EMBEDDED]
    parser = parser_for(__doc__, names)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    arguments = parsed(parser)
    if arguments.quick:
        arguments.sizes = list(QUICK_SIZES)
    figures: dict[str, float] = {}
    with pinned_to(DRIVER_CORE):
        if set(arguments.case) - EMBEDDED:
            figures |= run(region_and_peer, arguments)
            figures |= run(redis_alone, arguments)
    if "in-turn" in arguments.case:
        figures |= in_turn(QUICK_TURNS if arguments.quick else TURNS)
    report(arguments, figures)
    write_figures(arguments, figures)


if __name__ == "__main__":
    guarded(main)
