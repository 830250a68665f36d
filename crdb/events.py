"""What happens in a running CRDB, for people and for programs.

An event is a name and details that JSON can hold. With `--json` each is one line, and the first is
`ready`, with name, id, host and port of every region.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import cast

from crdb.config import Config

Emit = Callable[[str, Mapping[str, object]], None]
"""Takes the name of an event and its details."""


def ready_details(config: Config, names: tuple[str, ...]) -> dict[str, object]:
    """What `ready` says: where clients find each region that runs here."""
    regions = [config.region(name) for name in names]
    return {
        "regions": [
            {"name": region.name, "id": region.id, "host": region.host, "port": region.port}
            for region in regions
        ]
    }


def json_line(seconds: float, event: str, details: Mapping[str, object]) -> str:
    """One event as a line of JSON. `time` is seconds since 1970."""
    return json.dumps({"event": event, "time": round(seconds, 6), **details}, default=str)


def text_line(event: str, details: Mapping[str, object]) -> str:
    """One event as a line for people."""
    if event == "ready":
        return "\n".join(["ready", *greetings(details)])
    told = " ".join(f"{name}={value}" for name, value in details.items() if name != "traceback")
    trace = details.get("traceback")
    return f"{event} {told}".rstrip() + (f"\n{trace}" if trace else "")


def greetings(details: Mapping[str, object]) -> list[str]:
    """Where each region of a `ready` listens, a line for each."""
    regions = cast("list[dict[str, object]]", details.get("regions", []))
    return ["  {id} {name}: redis-cli -h {host} -p {port}".format(**each) for each in regions]
