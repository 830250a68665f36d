"""Scenarios of other collections, translated into our scenario language.

Such a file is YAML: a list of mappings with `id`, `type`, `regions` and `steps`. A step has `at`
and `cmd` or `tx`, with `expect` or `expect_KIND`, or it is a `sync` or `wait_ms`. Replies are those
of redis-py. When the time `t` of a step grows, some milliseconds pass. Parameters in `config` are
set, and reset in the end. Commands of searches, which we do not have, are left out.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import yaml

from sim.scenarios.conflicts import ConflictScenario

DEFAULTS: Final = {"crdt-xadd-id-uniqueness-mode": "strict"}
"""The values of parameters that scenarios change."""
UNMODELLED: Final = frozenset({"stream"})
"""The types whose replies the checkers of the simulator do not know."""
SEARCH: Final = "FT."
LATER: Final = "wait 5ms"
UNORDERED: Final = {"SMEMBERS", "SINTER", "SUNION", "SDIFF", "KEYS"}


def foreign_conflicts(path: Path) -> list[ConflictScenario]:
    """Return the scenarios of a file."""
    entries: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        ConflictScenario(entry["id"], tuple(enumerate(scenario_lines(entry), 1)))
        for entry in entries
    ]


def scenario_lines(entry: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of one scenario."""
    yield " ".join(["regions", *(f"r{number}" for number in range(1, entry["regions"] + 1))])
    if entry["type"] in UNMODELLED:
        yield "unmodelled"
    yield "unlink all"
    settings = {name.replace("_", "-"): value for name, value in entry.get("config", {}).items()}
    for name, value in settings.items():
        yield f"write all CONFIG SET {name} {value}"
    time: int | None = None
    for step in entry["steps"]:
        if step.get("cmd", [""])[0].startswith(SEARCH):
            continue
        if time is not None and step["t"] > time:
            yield LATER
        time = step["t"]
        yield step_line(step)
    for name in settings:
        yield f"write all CONFIG SET {name} {DEFAULTS[name]}"


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
    if kind == "any":
        value = [str(each) if isinstance(each, float) else each for each in value]
    if kind == "json" and listed[0][2].startswith("$"):
        value = [value]
    wanted = json.dumps(wire_form(value) if kind != "json" else value)
    if kind in {"", "exact"}:
        kind = "approx" if is_fractional(value) else ""
    kind = f"{step.get('select', '')} {kind}".strip()
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
