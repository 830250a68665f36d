"""Format the events of a running CRDB for people and for programs.

With `--json` each event is one line. The first is `listening`, with the name, id, host and port of
every region. `ready` follows when clients get correct answers.
"""

from __future__ import annotations

import json

from crdb.deployment.config import Config
from crdb.engine.events.event_bases import OperatorEvent
from crdb.engine.events.operator_events import Address


def region_addresses(config: Config, names: tuple[str, ...]) -> list[Address]:
    """Return the address of each region here, for `listening` and `ready`."""
    regions = [config.region(name) for name in names]
    return [
        {"name": region.name, "id": region.id, "host": region.host, "port": region.port}
        for region in regions
    ]


def json_line(seconds: float, event: OperatorEvent) -> str:
    """Return an event as a line of JSON. `time` is in seconds since 1970."""
    return json.dumps({"event": event.name, "time": round(seconds, 6), **event.details()})


def text_lines(event: OperatorEvent) -> list[str]:
    """Return an event as lines for people: a line, and the lines that belong below it.

    Events that concern only programs give no line. Characters that a terminal cannot show are
    escaped.
    """
    lines = event.lines()
    if lines and event.times is not None:
        lines[0] += f" (again, {event.times} times)"
    return [escape_controls(line) for line in lines]


def escape_controls(line: str) -> str:
    """Return a line with its control characters escaped."""
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
