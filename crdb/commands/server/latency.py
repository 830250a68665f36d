"""LATENCY: events that took longer than `latency-monitor-threshold` milliseconds, and how long the
calls of each command took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdb.engine.client import Client
from crdb.engine.command import Command, CommandTable, Handler
from crdb.engine.errors import CommandError, one_line, printable
from crdb.engine.help import send_help
from crdb.resp import reply

GRAPH_COLUMNS: Final = 80
GRAPH_ROWS: Final = 4
GRAPH_MARKS: Final = "_-`"
"""The characters that fill a row of the graph to a third, to two thirds, and to the top."""
DISABLED: Final = (
    "The latency monitor is off. Switch it on with CONFIG SET latency-monitor-threshold"
    " <milliseconds>.\n"
)
QUIET: Final = "No event took {threshold} ms or longer.\n"
HELP: Final = (
    "DOCTOR",
    "    Describe what the latency monitor has seen.",
    "GRAPH <event>",
    "    Draw the samples of an event.",
    "HISTOGRAM [COMMAND ...]",
    "    Return how many calls took up to 1, 2, 4 ... microseconds, of some commands or all.",
    "HISTORY <event>",
    "    Return the samples of an event: time and milliseconds.",
    "LATEST",
    "    Return the latest sample of every event.",
    "RESET [<event> ...]",
    "    Forget the samples of some events, or of all.",
)


def latency_latest(client: Client, _args: list[bytes]) -> None:
    """LATENCY LATEST: name, time, latest and longest of each event."""
    events = client.instance.timing.latency.events
    reply.array(client.out, len(events))
    for name, event in events.items():
        at, milliseconds = event.samples[-1]
        reply.array(client.out, 4)
        reply.bulk(client.out, name.encode())
        for number in (at, milliseconds, event.longest_ms):
            reply.integer(client.out, number)


def latency_history(client: Client, args: list[bytes]) -> None:
    """LATENCY HISTORY event."""
    event = client.instance.timing.latency.events.get(args[2].decode("latin-1"))
    samples = [] if event is None else list(event.samples)
    reply.array(client.out, len(samples))
    for at, milliseconds in samples:
        reply.array(client.out, 2)
        reply.integer(client.out, at)
        reply.integer(client.out, milliseconds)


def latency_reset(client: Client, args: list[bytes]) -> None:
    """LATENCY RESET [event ...]: how many were forgotten."""
    names = [name.decode("latin-1") for name in args[2:]]
    reply.integer(client.out, client.instance.timing.latency.reset(names))


def latency_graph(client: Client, args: list[bytes]) -> None:
    """LATENCY GRAPH event."""
    event = client.instance.timing.latency.events.get(args[2].decode("latin-1"))
    if event is None:
        name = one_line(printable(args[2], len(args[2])))
        raise CommandError(b"ERR No samples available for event '%b'" % name)
    text = graph(args[2].decode("latin-1"), list(event.samples), client.instance.wall // 1000)
    reply.verbatim(client.out, client.protocol, text.encode("latin-1"))


def graph(name: str, samples: Sequence[tuple[int, int]], now: int) -> str:
    """Return the latest samples as a picture, with their ages below."""
    shown = samples[-GRAPH_COLUMNS:]
    low, high = min(ms for _, ms in shown), max(ms for _, ms in shown)
    longest = max(ms for _, ms in samples)
    head = f"{name} - high {high} ms, low {low} ms (all time high {longest} ms)"
    lines = [head, "-" * GRAPH_COLUMNS]
    steps = GRAPH_ROWS * len(GRAPH_MARKS)
    heights = [(ms - low) * (steps - 1) // max(high - low, 1) for _, ms in shown]
    lines += [
        "".join(mark(height, row) for height in heights).rstrip()
        for row in reversed(range(GRAPH_ROWS))
    ]
    lines.append("")
    ages = [age(now - at) for at, _ in shown]
    lines += [
        "".join(text[place : place + 1] or " " for text in ages).rstrip()
        for place in range(max(map(len, ages)))
    ]
    return "\n".join(lines) + "\n"


def mark(height: int, row: int) -> str:
    """Return what stands in `row` of a column that is so high."""
    own_row, third = divmod(height, len(GRAPH_MARKS))
    if own_row == row:
        return GRAPH_MARKS[third]
    return "|" if own_row > row else " "


def age(seconds: int) -> str:
    """Return how long ago something was: `45s`, `12m`, `3h`, `2d`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


def latency_doctor(client: Client, _args: list[bytes]) -> None:
    """LATENCY DOCTOR: a report in words."""
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


def latency_histogram(client: Client, args: list[bytes]) -> None:
    """LATENCY HISTOGRAM [command ...]: of those that have run."""
    histograms = client.instance.statistics.histograms
    chosen = [
        each for each in wanted(client.instance.commands, args[2:]) if each.number in histograms
    ]
    out, protocol = client.out, client.protocol
    reply.map_header(out, protocol, len(chosen))
    for command in chosen:
        histogram = histograms[command.number]
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


def wanted(commands: CommandTable, names: Sequence[bytes]) -> list[Command]:
    """Return the commands that are named, with all subcommands of a container; all if none is."""
    if not names:
        return commands.everything()
    chosen: dict[bytes, Command] = {}
    for name in names:
        command = commands.find(name.lower().split(b"|", 1)) if name else None
        if command is not None:
            for each in (command, *command.subcommands.values()):
                chosen.setdefault(each.full_name, each)
    return list(chosen.values())


def latency_help(client: Client, _args: list[bytes]) -> None:
    """LATENCY HELP."""
    send_help(client, b"LATENCY", HELP)


def row(name: str, handler: Handler, arity: int, summary: str, since: str = "2.8.13") -> Command:
    """Return a subcommand of LATENCY."""
    flags = "loading stale" if name == "help" else "admin noscript loading stale"
    return Command(name, handler, arity, flags, since=since, summary=summary, complexity="O(1)")


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "latency", None, -2, since="2.8.13",
        summary="A container for latency diagnostics.",
        subcommands=(
            row("doctor", latency_doctor, 2, "Returns a report about latency in words."),
            row("graph", latency_graph, 3, "Returns a picture of an event's samples."),
            row("help", latency_help, 2, "Returns helpful text about subcommands."),
            row(
                "histogram", latency_histogram, -2,
                "Returns how long the calls of commands took.", "7.0.0",
            ),
            row("history", latency_history, 3, "Returns the samples of an event."),
            row("latest", latency_latest, 2, "Returns the latest sample of each event."),
            row("reset", latency_reset, -2, "Forgets the samples of some events, or of all."),
        ),
    ),
)  # fmt: skip
