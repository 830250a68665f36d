"""Whole checks: of one of our subjects, and of a type that somebody else has written.

    def test_cart() -> None:
        check_type(Cart, [(ADD, b"milk"), (REMOVE, b"milk")], add_wins)

runs a few hundred schedules over three replicas. A failure is an AssertionError that holds the
shortest schedule found, as a script, with what was shown and what the specification says; success
is a report of the laws and how often each was put to the test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from crdt.custom import Type
from crdt.replica import Replica
from crdt.suite.history import History, Taken, unseen
from crdt.suite.running import LENGTH, search
from crdt.suite.subject import Disagreement, Subject

KEY: Final = "value"
DELETE: Final = "DEL"  # the command that removes the whole key
SCHEDULES: Final = 200

Spec = Callable[[Sequence[Taken]], Any]


@attrs.frozen
class Report:
    """What was checked, and how often."""

    subject: str
    schedules: int
    laws: dict[str, int]

    def __str__(self) -> str:
        laws = [f"  {count:8}  {law}" for law, count in sorted(self.laws.items())]
        return "\n".join([f"{self.subject}: {self.schedules} schedules kept these laws", *laws])


def check_type(
    make: Callable[[], Type],
    commands: Sequence[tuple[Any, ...]],
    spec: Spec,
    *,
    schedules: int = SCHEDULES,
    seed: int = 0,
) -> Report:
    """Check a type of one's own (see `crdt.custom`) against its specification.

    A command is the number of an operation and what `apply` gets with it. `spec` is a function of
    the operations that are visible somewhere to what `value()` must be there; `taken.command` is a
    command, `taken.saw(other)` says whether one operation had seen another. Deletes of the whole
    key are mixed in; what a delete had seen, `spec` is not told of.

    Raises AssertionError, and ValueError where there are no commands or no schedules.
    """
    if not commands or schedules < 1:
        raise ValueError("without commands and schedules nothing would be checked")
    return check_subject(subject_of(make, commands, spec), schedules=schedules, seed=seed)


def check_subject(
    subject: Subject, *, schedules: int = SCHEDULES, seed: int = 0, length: int = LENGTH
) -> Report:
    """Run schedules of `length` steps, from `seed` on. Raises AssertionError."""
    laws: dict[str, int] = {}
    failure = search(subject, range(seed, seed + schedules), length, laws)
    if failure is not None:
        raise AssertionError(str(failure)) from failure.error
    return Report(subject.name, schedules, laws)


class Presence:
    """Where nothing is left of what was done, readers see no key: `alive` must say so too."""

    def check(self, replica: Replica, history: History) -> None:
        """Raise Disagreement if there is a value that nobody has made."""
        if not undeleted(history) and replica.keyspace.lookup(KEY.encode()) is not None:
            raise Disagreement("what was deleted is gone", f"region {replica.region} has the key")


def undeleted(history: History) -> list[Taken]:
    """The operations that no delete had seen."""
    deletes = [taken for taken in history if taken.command == DELETE]
    return unseen([taken for taken in history if taken.command != DELETE], deletes)


def subject_of(
    make: Callable[[], Type], commands: Sequence[tuple[Any, ...]], spec: Spec
) -> Subject:
    """The subject that a type of one's own is."""

    def perform(replica: Replica, command: Any) -> Any:
        handle = replica.value(KEY, make)
        if command == DELETE:
            handle.delete()
        else:
            handle.do(*command)
        return command

    def read(replica: Replica) -> Any:
        return replica.value(KEY, make).get()

    def expected(history: History) -> Any:
        return spec(history.only(undeleted(history)))

    name = getattr(make, "__name__", "value")
    return Subject(
        name, (*commands, DELETE), perform, read, expected, types=(make,), auditor=Presence
    )
