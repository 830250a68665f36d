"""Conflict scenarios: files of many short scenarios, each played in a new world.

    scenario SET-1: an add that a remove has not observed survives
    regions r1 r2
    unlink all
    write r1 SADD cart milk
    sync
    write r2 SADD cart milk
    check r1 SREM cart milk => 1
    sync
    check all SMEMBERS cart => ["milk"]

These lines are the part of the language of `scenario` that needs no simulator. The tests also play
them with real regions over TCP, and with replicas in one process.

    scenario NAME               begin a scenario
    regions A B ...             the regions, numbered from 1; the first line, and only once
    unlink all                  from here on, regions exchange data only in a `sync`
    sync [A B ...]              deliver everything between all regions, or between these regions
    write R|all COMMAND         run a client's command; an error reply fails the scenario
    check R|all COMMAND => JSON [as NAME]   the same, and the reply must match
    wait TIME                   advance all clocks
    instant                     before `unlink`: needs a backend where a sync takes no time
    unmodelled                  before `unlink`: uses a command without a model in the checkers

Several commands, separated by ` ; `, are sent together. `check` compares the last reply. The reply
of EXEC is the list of a transaction's replies.

`R@MS` in place of R stops the region's wall clock at that time for the command. `as NAME` stores
the reply, and `${NAME}` inserts it into later lines. The forms of an expected reply are listed in
`expectation`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias, cast

import attrs

from sim.nodes.client import Refusal, Reply
from sim.scenarios.expectation import (
    Expectation,
    Json,
    is_as_expected,
    parse_expectation,
    plain_reply,
)
from sim.scenarios.language import (
    ALL,
    EXPECTED,
    ScenarioMistake,
    parse_commands,
)

SCENARIO: Final = "scenario"
CAPTURE: Final = re.compile(r"(.*) as (\w+)")
CLOCK: Final = re.compile(r"\d{1,15}")
INSTANT: Final = "instant"

Commands: TypeAlias = tuple[tuple[str, ...], ...]


class ScenarioError(Exception):
    """A line of a scenario is not valid, or its expectation has failed."""

    def __init__(self, number: int, line: str, why: str) -> None:
        super().__init__(f"line {number}: {line!r}: {why}")


@attrs.frozen
class ConflictScenario:
    """A scenario of a file. Each step is a line with its number."""

    name: str
    steps: tuple[tuple[int, str], ...]

    @property
    def is_instant(self) -> bool:
        """True if the scenario needs a backend where a sync takes no time."""
        return any(line == INSTANT for _, line in self.steps)


def parse_conflicts(text: str) -> list[ConflictScenario]:
    """Return the scenarios of a file. Raises ScenarioError."""
    found: list[tuple[str, list[tuple[int, str]]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        word, _, rest = line.strip().partition(" ")
        if word == SCENARIO:
            found.append((rest.strip(), []))
        elif word and not word.startswith("#"):
            if not found:
                raise ScenarioError(number, line, f"a file begins with `{SCENARIO} NAME`")
            found[-1][1].append((number, line.strip()))
    return [ConflictScenario(name, tuple(steps)) for name, steps in found]


@attrs.frozen
class ClientStep:
    """A `write` or a `check`: commands of one client that are sent together."""

    place: str
    """A region, or `all`."""
    commands: Commands
    clock_ms: int | None = None
    expected: Expectation | None = None
    capture: str = ""

    def places(self, names: Sequence[str]) -> Sequence[str]:
        """Return the regions in which the step runs. Raises ScenarioMistake."""
        if self.place == ALL:
            return names
        if self.place not in names:
            raise ScenarioMistake(
                f"no region is called {self.place!r}; there are: {', '.join(names)}"
            )
        return (self.place,)


def parse_client_step(words: Sequence[str]) -> ClientStep:
    """Return the step `R[@MS] COMMAND [=> JSON [as NAME]]`. Raises ScenarioMistake."""
    words = list(words)
    expected, capture = None, ""
    if EXPECTED in words:
        *words, _, text = words
        named = CAPTURE.fullmatch(text)
        if named is not None:
            text, capture = named.groups()
        expected = parse_expectation(text)
    place, at, clock = words[0].partition("@")
    if at and not CLOCK.fullmatch(clock):
        raise ScenarioMistake(f"{clock!r} is not a time in ms: write R@1700000000000")
    commands = tuple(parse_commands(words[1:]))
    return ClientStep(place, commands, int(clock) if at else None, expected, capture)


class ReplyChecks:
    """Comparison of replies with what the steps of one scenario expect."""

    def __init__(self) -> None:
        self._captured: dict[str, Reply] = {}
        self._agreed: dict[Commands, Reply] = {}
        """The first reply since the last sync to each command that allows several replies."""

    def forget_agreed(self) -> None:
        """Forget the replies on which regions have agreed. Called after a sync."""
        self._agreed.clear()

    def fill_commands(self, commands: Commands) -> Commands:
        """Return commands with captured replies in place of their names."""
        return tuple(tuple(str(self._fill(word)) for word in command) for command in commands)

    def check_reply(self, step: ClientStep, place: str, replies: Sequence[Reply]) -> None:
        """Check the replies of a region to a step. Raises ScenarioMistake.

        If the step has an expectation, the last reply must match it. Otherwise no reply may be an
        error.
        """
        reply = plain_reply(replies[-1])
        if step.expected is None:
            refused = next((each for each in replies if isinstance(each, Refusal)), None)
            if refused is not None:
                raise ScenarioMistake(f"{place} refuses it: {refused.text}")
            return
        if step.capture:
            self._captured[step.capture] = reply
        wanted = attrs.evolve(step.expected, value=self._fill(step.expected.value))
        if not is_as_expected(reply, wanted):
            raise ScenarioMistake(f"{place} replies {reply!r}, expected {wanted}")
        if wanted.kind == "any":
            agreed = self._agreed.setdefault(step.commands, reply)
            if agreed != reply:
                raise ScenarioMistake(f"{place} replies {reply!r}, another region {agreed!r}")

    def _fill(self, value: Json) -> Json:
        """Return a value with captured replies in place of their names."""
        if isinstance(value, list):
            return [self._fill(item) for item in cast("list[Json]", value)]
        if not isinstance(value, str):
            return value
        for name, reply in self._captured.items():
            if value == f"${{{name}}}":
                return reply
            value = value.replace(f"${{{name}}}", str(reply))
        return value
