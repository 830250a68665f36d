"""The subject of a test: its commands, their execution, the reading and the specification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import attrs

from crdt.causality.effect import Effect
from crdt.embed.replica import Replica
from crdt.testing.history import History


class Disagreement(AssertionError):
    """A replica violates a law. `law` is the name of the law."""

    def __init__(self, law: str, message: str) -> None:
        super().__init__(law, message)  # both arguments, so that the error can be pickled
        self.law = law

    def __str__(self) -> str:
        return ": ".join(self.args)


class Mistake(ValueError):
    """A type or its specification cannot be checked. The message says what to write instead."""


TraceEntry = tuple[int, str, Any]  # the number of a step, a region, and its reading after the step


class ExtraCheck(Protocol):
    """A check that cannot be expressed as a function of the history. It keeps state over a whole
    schedule."""

    def check(self, replica: Replica, history: History) -> None:
        """Raise AssertionError if the check fails."""
        ...


Count = Callable[[str], None]  # records that a law was checked


class Promises(Protocol):
    """The promises of a type in addition to convergence. Each method raises Disagreement."""

    def check_spec(self, where: str, reading: Any, expected: Any, count: Count) -> None:
        """Compare the reading of a region with the expected reading."""
        ...

    def check_invariants(self, where: str, reading: Any, count: Count) -> None:
        """Check the reading of a region against all invariants."""
        ...

    def check_equal(self, where: str, reading: Any, other: str, before: Any) -> None:
        """Compare the readings of two regions that have seen the same operations."""
        ...

    def check_result(
        self, where: str, history: History, command: Any, result: Any, count: Count
    ) -> None:
        """Check the result of a command that was executed when this history was visible."""
        ...


@attrs.frozen
class Subject:
    """A type or keyspace to test. Its functions have no side effects except on the replica."""

    name: str
    commands: tuple[Any, ...]
    perform: Callable[[Replica, Any], Any]  # executes a command, returns the resolved one
    read: Callable[[Replica], Any]  #         returns the visible values
    spec: Callable[[History], Any]  #         returns the expected visible values
    types: tuple[Any, ...] = ()  #            for `Replica(types=...)`
    extra_check: Callable[[], ExtraCheck] | None = None
    collected: Callable[[Effect], Any] | None = None  # the command for an effect of collect()
    promises: Promises | None = None  #       further checks of readings and results
    deletes: bool = False  #                  True if the last command deletes the value

    def replica(self, origin: int, regions: tuple[int, ...], history_bytes: int) -> Replica:
        """Return a new replica with the types of this subject. Its members are `regions`."""
        return Replica(origin, members=regions, history_bytes=history_bytes, types=self.types)
