"""Play conflict scenarios outside the simulator: with real regions, or with replicas of a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from sim.engine.events import MS
from sim.nodes.client import Reply
from sim.scenarios.conflicts import (
    INSTANT,
    Commands,
    ConflictScenario,
    ReplyChecks,
    ScenarioError,
    parse_client_step,
)
from sim.scenarios.language import (
    ALL,
    Form,
    ScenarioMistake,
    parse_time,
    region_names,
    take_words,
)


class Backend(Protocol):
    """A set of regions that can play conflict scenarios."""

    def begin(self, names: Sequence[str]) -> None:
        """Create empty regions with these names. They exchange no data yet."""
        ...

    def run(self, place: str, commands: Commands) -> Sequence[Reply]:
        """Send commands together. Return their replies."""
        ...

    def sync(self, places: Sequence[str]) -> None:
        """Deliver everything between these regions, then separate them again."""
        ...

    def wait(self, ms: int) -> None:
        """Advance all clocks by `ms`."""
        ...

    def set_clock(self, place: str, ms: int | None) -> None:
        """Stop a region's wall clock at `ms`, or let it run again if `ms` is None."""
        ...


class ConflictRunner:
    """Plays the steps of one scenario on a backend."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._names: tuple[str, ...] = ()
        self._checks = ReplyChecks()

    def set_regions(self, words: list[str]) -> None:
        """Set the names of the regions."""
        self._names = region_names(words)

    def unlink_all(self, words: list[str]) -> None:
        """Create the regions, separated from each other."""
        if words != [ALL]:
            raise ScenarioMistake(f"only a simulated link can be cut alone: write unlink {ALL}")
        self._backend.begin(self._names)

    def note(self, words: list[str]) -> None:
        """Accept a line that has no effect on a backend."""

    def run_step(self, words: list[str]) -> None:
        """Send commands, and check the reply if one is expected."""
        step = parse_client_step(words)
        for place in step.places(self._names):
            if step.clock_ms is not None:
                self._backend.set_clock(place, step.clock_ms)
            replies = self._backend.run(place, self._checks.fill_commands(step.commands))
            if step.clock_ms is not None:
                self._backend.set_clock(place, None)
            self._checks.check_reply(step, place, replies)

    def sync_regions(self, words: list[str]) -> None:
        """Deliver everything between some regions, or between all."""
        if not set(words) <= set(self._names):
            raise ScenarioMistake(f"the regions are: {', '.join(self._names)}")
        self._backend.sync(words or self._names)
        self._checks.forget_agreed()

    def wait(self, words: list[str]) -> None:
        """Advance all clocks by a time."""
        self._backend.wait(parse_time(words[0]) // MS)


FORMS: Final[Mapping[str, Form[ConflictRunner]]] = {
    "regions": Form("regions A B ...", ConflictRunner.set_regions, 1),
    INSTANT: Form(INSTANT, ConflictRunner.note, 0, 0),
    "unmodelled": Form("unmodelled", ConflictRunner.note, 0, 0),
    "unlink": Form("unlink all", ConflictRunner.unlink_all, 1, 1),
    "write": Form("write R|all COMMAND", ConflictRunner.run_step, 2),
    "check": Form("check R|all COMMAND => JSON", ConflictRunner.run_step, 4),
    "sync": Form("sync [A B ...]", ConflictRunner.sync_regions),
    "wait": Form("wait TIME", ConflictRunner.wait, 1, 1),
}


def play_conflict(conflict: ConflictScenario, backend: Backend) -> None:
    """Play one scenario on a backend. Raises ScenarioError at the first line that fails."""
    runner = ConflictRunner(backend)
    for number, line in conflict.steps:
        try:
            take_words(runner, line, FORMS)
        except ScenarioMistake as error:
            raise ScenarioError(number, line, str(error)) from error
