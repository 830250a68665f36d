"""LATENCY: events that took longer than `latency-monitor-threshold` milliseconds, and how long the
calls of each command took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdb.commands.family import CommandFamily
from crdb.engine.client import Client
from crdb.engine.command import Command, CommandTable
from crdb.engine.errors import CommandError, one_line, printable
from crdb.resp import reply

COMMANDS: Final[CommandFamily] = CommandFamily("server")
LATENCY: Final = COMMANDS.container(
    "latency", since="2.8.13", summary="A container for latency diagnostics."
)
LATENCY.declare_help()


GRAPH_COLUMNS: Final = 80
GRAPH_ROWS: Final = 4
GRAPH_MARKS: Final = "_-`"
"""The characters that fill a row of the graph to a third, to two thirds, and to the top."""
DISABLED: Final = (
    "The latency monitor is off. Switch it on with CONFIG SET latency-monitor-threshold"
    " <milliseconds>.\n"
)
QUIET: Final = "No event took {threshold} ms or longer.\n"


@LATENCY.declare(
    "latest",
    "",
    "admin noscript loading stale",
    summary="Returns the latest sample of each event.",
    tips="nondeterministic_output request_policy:all_nodes response_policy:special",
)
def latency_latest(client: Client, _args: list[bytes]) -> None:
    """Reply with name, time, latest and longest sample of each event."""
    events = client.instance.timing.latency.events
    reply.array(client.out, len(events))
    for name, event in events.items():
        at, milliseconds = event.samples[-1]
        reply.array(client.out, 4)
        reply.bulk(client.out, name.encode())
        for number in (at, milliseconds, event.longest_ms):
            reply.integer(client.out, number)


@LATENCY.declare(
    "history",
    "event",
    "admin noscript loading stale",
    summary="Returns the samples of an event.",
    tips="nondeterministic_output request_policy:all_nodes response_policy:special",
)
def latency_history(client: Client, args: list[bytes]) -> None:
    event = client.instance.timing.latency.events.get(args[2].decode("latin-1"))
    samples = [] if event is None else list(event.samples)
    reply.array(client.out, len(samples))
    for at, milliseconds in samples:
        reply.array(client.out, 2)
        reply.integer(client.out, at)
        reply.integer(client.out, milliseconds)


@LATENCY.declare(
    "reset",
    "[event]...",
    "admin noscript loading stale",
    summary="Deletes the samples of some events, or of all.",
    tips="request_policy:all_nodes response_policy:agg_sum",
)
def latency_reset(client: Client, args: list[bytes]) -> None:
    """Reply with the number of events that were deleted."""
    names = [name.decode("latin-1") for name in args[2:]]
    reply.integer(client.out, client.instance.timing.latency.reset(names))


@LATENCY.declare(
    "graph",
    "event",
    "admin noscript loading stale",
    summary="Returns a graph of an event's samples.",
    tips="nondeterministic_output request_policy:all_nodes response_policy:special",
)
def latency_graph(client: Client, args: list[bytes]) -> None:
    event = client.instance.timing.latency.events.get(args[2].decode("latin-1"))
    if event is None:
        name = one_line(printable(args[2], len(args[2])))
        raise CommandError(b"ERR No samples available for event '%b'" % name)
    text = draw_graph(args[2].decode("latin-1"), list(event.samples), client.instance.wall // 1000)
    reply.verbatim(client.out, client.protocol, text.encode("latin-1"))


def draw_graph(name: str, samples: Sequence[tuple[int, int]], now: int) -> str:
    """Return the latest samples as a picture, with their ages below."""
    shown = samples[-GRAPH_COLUMNS:]
    low, high = min(ms for _, ms in shown), max(ms for _, ms in shown)
    longest = max(ms for _, ms in samples)
    head = f"{name} - high {high} ms, low {low} ms (all time high {longest} ms)"
    lines = [head, "-" * GRAPH_COLUMNS]
    steps = GRAPH_ROWS * len(GRAPH_MARKS)
    heights = [(ms - low) * (steps - 1) // max(high - low, 1) for _, ms in shown]
    lines += [
        "".join(graph_mark(height, row) for height in heights).rstrip()
        for row in reversed(range(GRAPH_ROWS))
    ]
    lines.append("")
    ages = [format_age(now - at) for at, _ in shown]
    lines += [
        "".join(text[place : place + 1] or " " for text in ages).rstrip()
        for place in range(max(map(len, ages)))
    ]
    return "\n".join(lines) + "\n"


def graph_mark(height: int, row: int) -> str:
    """Return the character in `row` of a column of this height."""
    own_row, third = divmod(height, len(GRAPH_MARKS))
    if own_row == row:
        return GRAPH_MARKS[third]
    return "|" if own_row > row else " "


def format_age(seconds: int) -> str:
    """Format an age: `45s`, `12m`, `3h`, `2d`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


@LATENCY.declare(
    "doctor",
    "",
    "admin noscript loading stale",
    summary="Returns a report about latency.",
    tips="nondeterministic_output request_policy:all_nodes response_policy:special",
)
def latency_doctor(client: Client, _args: list[bytes]) -> None:
    monitor = client.instance.timing.latency
    if not monitor.threshold_ms:
        text = DISABLED
    elif not monitor.events:
        text = QUIET.format(threshold=monitor.threshold_ms)
    else:
        lines: list[str] = []
        for name, event in sorted(monitor.events.items()):
            times = [milliseconds for _, milliseconds in event.samples]
            lines.append(
                f"{name}: {len(times)} samples, mean {sum(times) / len(times):.0f} ms, "
                f"longest {event.longest_ms} ms, latest {times[-1]} ms."
            )
        lines.append("SLOWLOG GET shows the commands, and INFO commandstats the time of each kind.")
        text = "\n".join(lines) + "\n"
    reply.verbatim(client.out, client.protocol, text.encode())


@LATENCY.declare(
    "histogram",
    '["COMMAND"]...',
    "admin noscript loading stale",
    since="7.0.0",
    summary="Returns the distribution of the latencies of commands.",
    tips="nondeterministic_output request_policy:all_nodes response_policy:special",
)
def latency_histogram(client: Client, args: list[bytes]) -> None:
    """Reply with histograms of the commands that have run."""
    histograms = client.instance.statistics.histograms
    found = [
        (each, histogram)
        for each in commands_named(client.instance.commands, args[2:])
        if (histogram := histograms[each.number]) is not None
    ]
    out, protocol = client.out, client.protocol
    reply.map_header(out, protocol, len(found))
    for command, histogram in found:
        octaves = histogram.octaves()
        reply.bulk(out, command.full_name)
        reply.map_header(out, protocol, 2)
        reply.bulk(out, b"calls")
        reply.integer(out, histogram.total)
        reply.bulk(out, b"histogram_usec")
        reply.map_header(out, protocol, len(octaves))
        for microseconds, count in octaves:
            reply.integer(out, microseconds)
            reply.integer(out, count)


def commands_named(commands: CommandTable, names: Sequence[bytes]) -> list[Command]:
    """Return the named commands, with all subcommands of a container.

    No names mean all commands.
    """
    if not names:
        return commands.everything()
    chosen: dict[bytes, Command] = {}
    for name in names:
        command = commands.find(name.lower().split(b"|", 1)) if name else None
        if command is not None:
            for each in (command, *command.subcommands.values()):
                chosen.setdefault(each.full_name, each)
    return list(chosen.values())
