"""Subjects for `crdt.types.custom` types. Values are in replicas, under one key per type."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from crdt.embed.replica import Replica
from crdt.testing.history import History, HistoryEvent, unseen
from crdt.testing.readings import VALUE, Expectations, Reading, kept, query_name
from crdt.testing.subject import Disagreement, Subject
from crdt.testing.user_types.options import CheckOptions, Command
from crdt.types.custom import Custom

DELETE: Final = "DEL"  # the command that removes the whole key

Make = Callable[[], Any]


class Presence:
    """The check that a key is invisible if all operations on it were deleted."""

    def check(self, replica: Replica, history: History) -> None:
        """Raise Disagreement if the key is visible although all its operations were deleted."""
        if not undeleted(history) and replica.keyspace.lookup(VALUE.encode()) is not None:
            raise Disagreement("a deleted key is gone", f"region {replica.region} has the key")


def undeleted(history: History) -> list[HistoryEvent]:
    """Return the operations that no delete had seen."""
    deletes = [event for event in history if event.command == DELETE]
    return unseen([event for event in history if event.command != DELETE], deletes)


def type_subject(
    make: Make | Mapping[str, Make],
    commands: Sequence[Command],
    queries: Sequence[Command],
    expectations: Expectations,
    options: CheckOptions,
) -> Subject:
    """Return the subject for one custom type, or for several types, each under a key of its own."""
    makes: Mapping[str, Make] = (
        cast("Mapping[str, Make]", make) if isinstance(make, Mapping) else {VALUE: make}
    )
    is_one = not isinstance(make, Mapping)
    refuses = options.get("refuses", ())

    def perform(replica: Replica, command: Any) -> Any:
        if command == DELETE:
            replica.value(VALUE, makes[VALUE]).delete()
            return None
        key, given = (VALUE, command) if is_one else (command[0], command[1:])
        try:
            return replica.value(key, makes[key]).do(*given)
        except refuses as error:
            return error

    def read(replica: Replica) -> Reading:
        if is_one:
            inner = find_inner(replica, VALUE, makes[VALUE])
            return kept({query_name(query): ask(inner, query, options) for query in queries})
        return read_parts(replica, makes, queries, options)

    def expected(history: History) -> Reading:
        return expectations.expected(history.only(undeleted(history)))

    if options.get("delete") and not is_one:
        raise ValueError("`delete` is for one type. Check the types of a dict one by one for it.")
    is_deleted = options.get("delete", is_one and hasattr(makes[VALUE](), "remove"))
    name = ", ".join(getattr(each, "__name__", "value") for each in makes.values())
    return Subject(
        name,
        (*commands, DELETE) if is_deleted else tuple(commands),
        perform,
        read,
        expected,
        types=tuple(dict.fromkeys(makes.values())),
        extra_check=Presence if is_one else None,
        promises=expectations,
        deletes=is_deleted,
    )


def read_parts(
    replica: Replica, makes: Mapping[str, Make], queries: Sequence[Command], options: CheckOptions
) -> Reading:
    """Return the values of several types as a dict, and the answers to other queries."""
    parts = {key: find_inner(replica, key, make) for key, make in makes.items()}
    answers = {
        query_name(query, tuple(makes)): ask(parts[query[0]], query[1:], options)
        for query in queries
        if query != (VALUE,)
    }
    return kept({VALUE: {key: part.value() for key, part in parts.items()}, **answers})


def find_inner(replica: Replica, key: str, make: Make) -> Any:
    """Return the instance of a custom type under a key, or a new one."""
    value = replica.keyspace.lookup(key.encode())
    return value.inner if isinstance(value, Custom) else make()


def ask(inner: Any, query: Command, options: CheckOptions) -> Any:
    """Return the answer to one query."""
    if query == (VALUE,) and "value" in options:
        return options["value"](inner)
    return getattr(inner, query[0])(*query[1:])
