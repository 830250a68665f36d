"""The record that holds all that the test kit knows about one built-in type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from crdt.causality.dots import Origin
from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.commands import TypeCommand
from crdt.testing.history import History, HistoryEvent

Part: TypeAlias = tuple[Any, Origin]
"""A typed value, and the lowest origin of its live operations."""
Meaning: TypeAlias = Callable[[History, list[HistoryEvent]], Part | None]
"""The specification of a type: from the operations on one key to the value."""
Perform: TypeAlias = Callable[[Keyspace, TypeCommand], TypeCommand | None]
"""The execution of a command. It returns the resolved command if that differs."""


@attrs.frozen
class TypeSpecification:
    """The meaning, the commands and the random schedules of one type."""

    meaning: Meaning
    makes: frozenset[str]
    """The names of the resolved commands that create a value."""
    perform: Mapping[str, Perform]
    """The execution of each command."""
    subject: str
    """The name of the subject that tests the type alone, or together with its siblings."""
    samples: tuple[str, ...]
    """The commands of random schedules."""
