"""Format the events of a running CRDB for people and for programs.

An event is a name with details that JSON can represent. With `--json` each is one line. The first
is `listening`, with the name, id, host and port of every region. `ready` follows when clients get
correct answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from crdb.deployment.config import Config


def ready_details(config: Config, names: tuple[str, ...]) -> dict[str, object]:
    """Return the details of `listening` and `ready`: the address of each region here."""
    regions = [config.region(name) for name in names]
    return {
        "regions": [
            {"name": region.name, "id": region.id, "host": region.host, "port": region.port}
            for region in regions
        ]
    }


def json_line(seconds: float, event: str, details: Mapping[str, object]) -> str:
    """Return an event as a line of JSON. `time` is in seconds since 1970."""
    return json.dumps({"event": event, "time": round(seconds, 6), **details}, default=str)


def text_lines(event: str, details: Mapping[str, object]) -> list[str]:
    """Return an event as lines for people: a line, and the lines that belong below it.

    Events that concern only programs give no line. Characters that a terminal cannot show are
    escaped.
    """
    times = details.get("times")
    if times is not None:
        first = {key: value for key, value in details.items() if key != "times"}
        lines = text_lines(event, first)
        return [f"{line} (again, {times} times)" for line in lines[:1]] + lines[1:]
    match event:
        case "listening":
            lines = ["listening", *format_addresses(details)]
        case "ready" if "region" not in details:
            lines = ["ready"]
        case "loading":
            lines = ["{region}: loading: {reason}".format_map(details)]
        case "waiting":
            lines = [format_waiting(details)]
        case "data lost":
            lines = [format_loss(details)]
        case "data at risk":
            lines = [format_risk(details)]
        case "confirm":
            lines = ["stop all the same? {how}".format_map(details)]
        case "kept":
            lines = ["{region}: what was put aside is back".format_map(details)]
        case "not listed":
            lines = [
                "{region}: the file of {peer} does not list this region: {peer} takes no writes "
                "from here until it is restarted with a file that does".format_map(details)
            ]
        case "caught up":
            lines = ["{peer} -> {region}: up, all that {peer} has is here".format_map(details)]
        case "resynced" if details.get("full") and "peer" in details:
            lines = ["{peer} -> {region}: merged a snapshot".format_map(details)]
        case "no link secret":
            lines = ["links stay on this machine: no secret is set"]
        case "link cut" | "link healed":
            lines = [f"{{source}} -> {{sink}}: {event[5:]} by command".format_map(details)]
        case "link down" if details["direction"] == "in":
            lines = ["{peer} -> {region}: down: {reason}".format_map(details)]
        case "link down":
            lines = ["{region} -> {peer}: down: {reason}".format_map(details)]
        case "link up" | "resynced" if "peer" in details:
            lines = []
        case _:
            lines = [format_other(event, details), *str(details.get("traceback", "")).splitlines()]
    return [escape_controls(line) for line in lines]


def format_other(event: str, details: Mapping[str, object]) -> str:
    """Return the line of an event that has no special format."""
    place = f"{details['region']}: " if "region" in details else ""
    rest = {key: value for key, value in details.items() if key not in {"region", "traceback"}}
    return " ".join(
        [place + event, *(f"{key}={format_value(value)}" for key, value in rest.items())]
    )


def format_waiting(details: Mapping[str, object]) -> str:
    """Return the line for a restarted region that waits for its peers."""
    peers = cast("Mapping[str, str]", details["peers"])
    reasons = "; ".join(f"{peer}: {reason}" for peer, reason in peers.items())
    line = f"{details['region']}: waiting for its peers ({reasons})"
    if "reason" in details:
        line += ". {reason}: {remedy}".format_map(details)
    return line


def format_risk(details: Mapping[str, object]) -> str:
    """Return the lines for data that would be lost if a region stopped now."""
    if details["is_last"]:
        held = f"{details['keys']} keys, and no other region that is connected holds them"
        return f"{details['region']}: stopping loses {held}"
    return f"{details['region']}: {details['writes']} writes have not reached another region yet"


def format_loss(details: Mapping[str, object]) -> str:
    """Return the line for data that a region has lost for good."""
    place = details["region"]
    if "keys" in details:
        return f"{place}: {details['keys']} keys could not be kept when its origin was changed"
    writes = f" ({details['writes']} writes)" if "writes" in details else ""
    if details["everything"]:
        return f"{place}: what earlier incarnations held is lost: no peer has it{writes}"
    return f"{place}: some of what earlier incarnations held is lost: no peer has it{writes}"


def format_value(value: object) -> str:
    """A detail without the marks of a programming language."""
    if isinstance(value, list):
        return ",".join(map(str, cast("list[object]", value)))
    return str(value).lower() if isinstance(value, bool) else str(value)


def escape_controls(line: str) -> str:
    """Return a line with its control characters escaped."""
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)


def format_addresses(details: Mapping[str, object]) -> list[str]:
    """Return a line for each region of `listening`, with its address."""
    regions = cast("list[dict[str, object]]", details.get("regions", []))
    return ["  {id} {name}: redis-cli -h {host} -p {port}".format_map(each) for each in regions]
