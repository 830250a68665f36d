"""Conformance scenarios: what they say, and what it takes to satisfy them.

A scenario is a list of steps that two backends carry out: the simulator, and real servers. Ours are
in the TOML files beside this one: `scenarios.toml` has what the documentation shows, and explains
the form; the others have what follows from the rules. A file in the form of the specification's
(YAML, a list of mappings with `steps`) is read as well, so that other collections can be run: name
it in `CONFORMANCE_FILE`.

Nothing moves between regions but in a `sync`. When time goes on, some milliseconds pass on all
clocks. Replies are compared as redis-py with `decode_responses=True` gives them, after
normalisation: tuples are lists, sets compare unordered, `OK` is true, and what is empty is equal.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast

import attrs
import yaml

HERE: Final = Path(__file__).parent
FAMILIES: Final = frozenset(
    {"string", "counter", "hash", "set", "zset", "list", "expire", "key", "tx"}
)
LATER_MS: Final = 5
EVERYWHERE: Final = "*"


@attrs.frozen
class Expectation:
    """What a reply must be. `kind` is how it is compared, `value` with what."""

    kind: str
    value: Any
    tolerance: float = 1e-9
    select: str = ""


@attrs.frozen
class Act:
    """One step. `at` is a region's number or `*`; of `sync` and `wait_ms` at most one is there."""

    at: int | str = 0
    commands: tuple[tuple[str, ...], ...] = ()
    is_transaction: bool = False
    clock_ms: int | None = None
    expect: Expectation | None = None
    capture: str = ""
    sync: tuple[int, ...] | None = None
    """No regions for all of them."""
    wait_ms: int = 0
    subscribe: str = ""
    message: Any = None


@attrs.frozen
class Case:
    """One scenario."""

    name: str
    family: str
    regions: int
    acts: tuple[Act, ...]
    requires: tuple[str, ...] = ()


class Backend(Protocol):
    """Regions 1 to n, between which nothing moves but in `sync`."""

    def run(self, at: int, commands: Sequence[Sequence[str]], is_transaction: bool) -> Any:
        """The reply to the command, or of the transaction; an exception of redis-py for an
        error."""
        ...

    def sync(self, regions: Sequence[int]) -> None:
        """Let everything arrive, between all regions if none are named."""
        ...

    def wait(self, ms: int) -> None:
        """Let time pass."""
        ...

    def clock(self, at: int, ms: int | None) -> None:
        """Stop a region's clock at a time; None lets it run."""
        ...

    def subscribe(self, at: int, channel: str) -> None:
        """Open a subscription."""
        ...

    def message(self, at: int) -> Any:
        """The next message that it has received."""
        ...


class Refused(Exception):
    """A backend's word for an error reply."""


# -- reading -----------------------------------------------------------------------------------


def cases() -> list[Case]:
    """All scenarios of the families that we have."""
    found = list(ours())
    other = os.environ.get("CONFORMANCE_FILE")
    if other:
        found += theirs(Path(other))
    return [case for case in found if case.family in FAMILIES and not case.requires]


def ours() -> Iterator[Case]:
    """Those in our files."""
    for file in sorted(HERE.glob("*.toml")):
        for entry in tomllib.loads(file.read_text(encoding="utf-8"))["scenario"]:
            acts = tuple(read_line(line) for line in entry["steps"].strip().splitlines())
            yield Case(entry["name"], entry["family"], entry["regions"], acts)


def read_line(line: str) -> Act:
    """One line of `steps`. Raises ValueError."""
    words = line.split()
    if words[0] == "sync":
        return Act(sync=tuple(int(word) for word in words[1:]))
    if words[0] == "later":
        return Act(wait_ms=LATER_MS)
    if words[0] == "wait":
        return Act(wait_ms=int(words[1]))
    asked, arrow, wanted = line.partition(" => ")
    at, *rest = asked.split()
    clock = int(rest.pop(0)[1:]) if rest[0].startswith("@") else None
    text = " ".join(rest)
    is_transaction = text.startswith("[")
    inner = text.strip("[]").split(" | ") if is_transaction else [text]
    wanted, _, capture = wanted.partition(" as ")
    return Act(
        at=at if at == EVERYWHERE else int(at),
        commands=tuple(tuple(each.split()) for each in inner),
        is_transaction=is_transaction,
        clock_ms=clock,
        expect=read_expectation(wanted) if arrow else None,
        capture=capture,
    )


KINDS: Final = ("unordered", "approx", "json", "any", "range", "match", "error", "subsequences")


def read_expectation(text: str) -> Expectation:
    """What stands after the arrow."""
    word, _, rest = text.partition(" ")
    if word in ("ids", "names"):
        return attrs.evolve(read_expectation(rest), select=word)
    if word in KINDS:
        return Expectation(word, json.loads(rest))
    return Expectation("exact", json.loads(text))


def theirs(path: Path) -> Iterator[Case]:
    """Those in a file of the specification's form. When `t` grows, time goes on."""
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        acts: list[Act] = []
        time = None
        for step in entry["steps"]:
            if time is not None and step["t"] > time:
                acts.append(Act(wait_ms=LATER_MS))
            time = step["t"]
            acts.append(read_step(step))
        yield Case(
            entry["id"],
            entry["type"],
            entry["regions"],
            tuple(acts),
            tuple(entry.get("requires", ())),
        )


def read_step(step: dict[str, Any]) -> Act:
    """One mapping."""
    if "sync" in step:
        return Act(sync=() if step["sync"] is True else tuple(step["sync"]))
    if "wait_ms" in step:
        return Act(wait_ms=step["wait_ms"])
    listed = step["tx"] if "tx" in step else [step["cmd"]] if "cmd" in step else []
    return Act(
        at=step["at"],
        commands=tuple(tuple(str(word) for word in command) for command in listed),
        is_transaction="tx" in step,
        clock_ms=step.get("clock_ms"),
        expect=step_expectation(step),
        capture=step.get("capture", ""),
        subscribe=step.get("subscribe", ""),
        message=step.get("message"),
    )


def step_expectation(step: dict[str, Any]) -> Expectation | None:
    """What a mapping says of the reply."""
    select = step.get("select", "")
    for key, value in step.items():
        kind = key.removeprefix("expect_")
        if key == "expect":
            compare = step.get("compare", "exact")
            return Expectation(compare, value, step.get("tol", 1e-9), select)
        if kind != key:
            return Expectation(kind, value, select=select)
    return None


# -- comparing ---------------------------------------------------------------------------------


def normal(value: Any) -> Any:
    """A reply in the form in which it is compared."""
    if isinstance(value, set | frozenset):
        return sorted((normal(item) for item in cast("set[Any]", value)), key=repr)
    if isinstance(value, tuple | list):
        return [normal(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        held = {key: normal(item) for key, item in cast("dict[Any, Any]", value).items()}
        return held or []
    return True if value == "OK" else value


def satisfies(reply: Any, wanted: Expectation) -> bool:
    """Whether a reply is as expected."""
    if wanted.kind == "error":
        return isinstance(reply, Refused) and re.search(wanted.value, str(reply)) is not None
    if isinstance(reply, Refused):
        return False
    return COMPARE[wanted.kind](normal(chosen(reply, wanted.select)), wanted)


def chosen(reply: Any, select: str) -> Any:
    """The part of a reply that counts."""
    if select == "names":
        return [item["name"] for item in reply]
    if select != "ids":
        return reply
    rows = reply
    if rows and isinstance(rows[0], list | tuple) and isinstance(rows[0][1], list):
        rows = [row for stream in rows for row in stream[1]]
    return [row["message_id"] if isinstance(row, dict) else row[0] for row in rows]


def same_items(one: Any, other: Any) -> bool:
    """Equal as multisets."""
    return Counter(map(repr, normal(one))) == Counter(map(repr, normal(other)))


def near(reply: Any, wanted: Any, tolerance: float) -> bool:
    """Equal as floats, also inside lists."""
    if isinstance(wanted, list):
        items = cast("list[Any]", wanted)
        return len(reply) == len(items) and all(
            near(a, b, tolerance) for a, b in zip(reply, items, strict=True)
        )
    if wanted is None or reply is None:
        return reply is wanted
    if isinstance(wanted, str) and not re.fullmatch(r"-?[\d.e+]+", wanted):
        return bool(reply == wanted)
    return abs(float(reply) - float(wanted)) <= tolerance


def as_json(reply: Any) -> Any:
    """A reply as JSON; of a `$` path the only match."""
    read: Any = json.loads(reply)
    if isinstance(read, list):
        matches = cast("list[Any]", read)
        return matches[0] if len(matches) == 1 else matches
    return read


def is_interleaving(items: list[Any], rows: list[list[Any]]) -> bool:
    """Whether `items` is made of all rows, each in its own order."""
    if Counter(map(repr, items)) != Counter(repr(item) for row in rows for item in row):
        return False
    return all([item for item in items if item in row] == row for row in rows)


COMPARE: Final[dict[str, Callable[[Any, Expectation], bool]]] = {
    "exact": lambda reply, wanted: bool(reply == normal(wanted.value)),
    "unordered": lambda reply, wanted: same_items(reply, wanted.value),
    "approx": lambda reply, wanted: near(reply, wanted.value, wanted.tolerance),
    "json": lambda reply, wanted: bool(
        json.loads(reply) == wanted.value or as_json(reply) == wanted.value
    ),
    "any": lambda reply, wanted: any(reply == normal(value) for value in wanted.value),
    "range": lambda reply, wanted: wanted.value[0] <= reply <= wanted.value[1],
    "match": lambda reply, wanted: re.search(wanted.value, reply) is not None,
    "subsequences": lambda reply, wanted: is_interleaving(reply, wanted.value),
}


# -- playing -----------------------------------------------------------------------------------


class Player:
    """Carries a scenario out on a backend."""

    def __init__(self, case: Case, backend: Backend) -> None:
        self.case = case
        self.backend = backend
        self.captured: dict[str, Any] = {}
        self.agreed: dict[tuple[tuple[str, ...], ...], Any] = {}
        """Of replies of which several are right: what the first region said since the sync."""

    def play(self) -> None:
        """Take all steps. Raises AssertionError at the first reply that is not as expected."""
        for number, act in enumerate(self.case.acts, 1):
            self.take(number, act)

    def take(self, number: int, act: Act) -> None:
        """One step."""
        if act.sync is not None:
            self.backend.sync(act.sync)
            self.agreed.clear()
        elif act.wait_ms:
            self.backend.wait(act.wait_ms)
        else:
            regions = range(1, self.case.regions + 1) if act.at == EVERYWHERE else [int(act.at)]
            for region in regions:
                self.ask(number, act, region)

    def ask(self, number: int, act: Act, region: int) -> None:
        """One step in one region."""
        place = f"step {number} in region {region}: {act.commands or act}"
        if act.subscribe:
            self.backend.subscribe(region, act.subscribe)
        if act.message is not None:
            assert normal(self.backend.message(region)) == normal(act.message), place
        if not act.commands:
            return
        if act.clock_ms is not None:
            self.backend.clock(region, act.clock_ms)
        commands = tuple(
            tuple(str(self.filled(word)) for word in command) for command in act.commands
        )
        try:
            reply = self.backend.run(region, commands, act.is_transaction)
        except Refused as refusal:
            reply = refusal
        if act.clock_ms is not None:
            self.backend.clock(region, None)
        if act.capture:
            self.captured[act.capture] = reply
        if act.expect is None:
            assert not isinstance(reply, Refused), f"{place} gives {reply}"
            return
        wanted = attrs.evolve(act.expect, value=self.filled(act.expect.value))
        assert satisfies(reply, wanted), f"{place} gives {reply!r}, expected {wanted}"
        if wanted.kind == "any":
            assert self.agreed.setdefault(commands, normal(reply)) == normal(reply), place

    def filled(self, value: Any) -> Any:
        """A value with what was remembered put in."""
        if isinstance(value, list):
            return [self.filled(item) for item in cast("list[Any]", value)]
        if not isinstance(value, str):
            return value
        for name, reply in self.captured.items():
            if value == f"${{{name}}}":
                return reply
            value = value.replace(f"${{{name}}}", str(reply))
        return value
