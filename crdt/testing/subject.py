"""What is put to the test: commands, how they are carried out and read, and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import attrs

from crdt.causality.effect import Effect
from crdt.embed.replica import Replica
from crdt.testing.history import History


class Disagreement(AssertionError):
    """A replica shows what it must not. `law` names the rule that was broken."""

    def __init__(self, law: str, message: str) -> None:
        super().__init__(law, message)  # as they are, so that it can be pickled
        self.law = law

    def __str__(self) -> str:
        return ": ".join(self.args)


class Mistake(ValueError):
    """A type or its specification cannot be checked as it is given. Says what to write instead."""


TraceEntry = tuple[int, str, Any]  # which step, which region, what it showed then


class Auditor(Protocol):
    """Checks what no function of the history can say; remembers through a whole schedule."""

    def check(self, replica: Replica, history: History) -> None:
        """Raise AssertionError if something is wrong."""
        ...


Count = Callable[[str], None]  # notes that a law was put to the test


class Promises(Protocol):
    """The promises of a type in addition to convergence. Each method raises Disagreement."""

    def check_spec(self, where: str, reading: Any, expected: Any, count: Count) -> None:
        """Compare what a region shows with what it must show."""
        ...

    def check_invariants(self, where: str, reading: Any, count: Count) -> None:
        """Check what a region shows against all invariants."""
        ...

    def check_equal(self, where: str, reading: Any, other: str, before: Any) -> None:
        """Compare two regions that have seen the same."""
        ...

    def check_result(
        self, where: str, history: History, command: Any, result: Any, count: Count
    ) -> None:
        """Check what a command returned where this history was visible."""
        ...


@attrs.frozen
class Subject:
    """One thing to test. All functions are pure but for the replica that they are given."""

    name: str
    commands: tuple[Any, ...]
    perform: Callable[[Replica, Any], Any]  # carries a command out; what it came to
    read: Callable[[Replica], Any]  #         what readers see
    spec: Callable[[History], Any]  #         what they must see
    types: tuple[Any, ...] = ()  #            for `Replica(types=...)`
    auditor: Callable[[], Auditor] | None = None
    collected: Callable[[Effect], Any] | None = None  # the command that an effect of collect() is
    promises: Promises | None = None  #       more to check of what is read and returned
    deletes: bool = False  #                  whether the last command deletes the value

    def replica(self, origin: int, regions: tuple[int, ...], history_bytes: int) -> Replica:
        """A replica of these types, one of `regions`."""
        return Replica(origin, members=regions, history_bytes=history_bytes, types=self.types)
