"""The meaning of single types, outside of a keyspace.

As in `check_type`, a command is the number of an operation and its argument. Operation 0 adds or
writes, operation 1 removes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crdt.testing.history import HistoryEvent, unseen


def add_wins(history: Sequence[HistoryEvent]) -> set[Any]:
    """Return the value of an add-wins set: elements with an add that no remove had seen."""
    adds = [event for event in history if event.command[0] == 0]
    removes = [event for event in history if event.command[0] == 1]
    return {
        add.command[1]
        for add in adds
        if not any(r.command[1] == add.command[1] and r.saw(add) for r in removes)
    }


def remove_wins(history: Sequence[HistoryEvent]) -> set[Any]:
    """Return the value of a remove-wins set: added elements whose every remove was seen by a later
    add."""
    present: set[Any] = set()
    for element in {event.command[1] for event in history}:
        about = [event for event in history if event.command[1] == element]
        if all(event.command[0] == 0 for event in unseen(about, about)):
            present.add(element)
    return present


def multi_value(history: Sequence[HistoryEvent]) -> set[Any]:
    """Return the value of a multi-value register: the writes that no other write had seen."""
    return {event.command[1] for event in unseen(history, history)}


def total(history: Sequence[HistoryEvent]) -> int:
    """Return the value of a counter: the sum of all increments."""
    return sum(event.command[1] for event in history)
