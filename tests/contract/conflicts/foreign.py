"""Scenarios of other collections, translated into our scenario language.

Such a file is YAML: a list of mappings with `id`, `type`, `regions` and `steps`. A step has `at`
and `cmd` or `tx`, with `expect` or `expect_KIND`, or it is a `sync` or `wait_ms`. Replies are those
of redis-py. When the time `t` of a step grows, some milliseconds pass. Scenarios of types that
we do not have are left out.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import yaml

from sim.scenarios.conflicts import ConflictScenario

FAMILIES: Final = frozenset(
    {"string", "counter", "hash", "set", "zset", "list", "expire", "key", "tx"}
)
LATER: Final = "wait 5ms"
UNORDERED: Final = {"SMEMBERS", "SINTER", "SUNION", "SDIFF", "KEYS"}


def foreign_conflicts(path: Path) -> list[ConflictScenario]:
    """Return the scenarios of a file whose types we have."""
    entries: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        ConflictScenario(entry["id"], tuple(enumerate(scenario_lines(entry), 1)))
        for entry in entries
        if entry["type"] in FAMILIES and not entry.get("requires")
    ]


def scenario_lines(entry: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of one scenario."""
    yield " ".join(["regions", *(f"r{number}" for number in range(1, entry["regions"] + 1))])
    yield "unlink all"
    time: int | None = None
    for step in entry["steps"]:
        if time is not None and step["t"] > time:
            yield LATER
        time = step["t"]
        yield step_line(step)


def step_line(step: dict[str, Any]) -> str:
    """Return the line for one mapping."""
    if "sync" in step:
        places = [] if step["sync"] is True else [f"r{number}" for number in step["sync"]]
        return " ".join(["sync", *places])
    if "wait_ms" in step:
        return f"wait {step['wait_ms']}ms"
    place = "all" if step["at"] == "*" else f"r{step['at']}"
    clock = f"@{step['clock_ms']}" if "clock_ms" in step else ""
    listed = [["MULTI"], *step["tx"], ["EXEC"]] if "tx" in step else [step["cmd"]]
    commands = " ; ".join(shlex.join(map(str, command)) for command in listed)
    asked = f"{place}{clock} {commands}"
    kinds = {key.removeprefix("expect_"): step[key] for key in step if key.startswith("expect")}
    if not kinds:
        return f"write {asked}"
    ((kind, value),) = kinds.items()
    if kind == "expect":
        kind = step.get("compare", "unordered" if listed[0][0] in UNORDERED else "")
    wanted = json.dumps(wire_form(value))
    if kind in {"", "exact"}:
        kind = "approx" if is_fractional(value) else ""
    captured = f" as {step['capture']}" if "capture" in step else ""
    return f"check {asked} => {kind} {wanted}{captured}".replace("=>  ", "=> ")


def wire_form(value: Any) -> Any:
    """Return a reply of redis-py as RESP2 has it."""
    if value is True:
        return "OK"
    if isinstance(value, list):
        return [wire_form(item) for item in cast("list[Any]", value)]
    return value


def is_fractional(value: Any) -> bool:
    """Return whether redis-py has made a number of some text."""
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    return any(isinstance(item, float) for item in items)
