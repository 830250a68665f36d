"""Checks of the order of list elements.

The specification of a list defines which elements the list holds. This module checks their order:

* two elements have the same relative order in all regions and at all times (LST-2);
* the elements of one push stay next to each other. Between them there are only elements whose
  inserting region had seen the push (LST-11, D-08).

`commands.list_change` checks that an insert takes the requested position in its own region. As
relative orders never change, the element stays between its neighbours.
"""

from __future__ import annotations

from crdt.embed.replica import Replica
from crdt.testing.builtin_types.commands import Identity, encode, identities
from crdt.testing.history import History, HistoryEvent
from crdt.types.list import List


class ListOrder:
    """The relative orders of list elements that have been observed in any region so far."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys: tuple[str, ...] = keys
        self.before: set[tuple[Identity, Identity]] = set()

    def check(self, replica: Replica, history: History) -> None:
        """Compare the lists of one replica with the observed orders, and record its orders."""
        pushes = {event.dot: event for event in history if event.command.name == "PUSH"}
        for key in self.keys:
            value = replica.keyspace.lookup(encode(key))
            if isinstance(value, List):
                names = identities(value)
                self.check_places(names)
                check_runs(names, pushes)

    def check_places(self, names: list[Identity]) -> None:
        """Assert that no two elements have changed their relative order."""
        for index, right in enumerate(names):
            for left in names[:index]:
                assert (right, left) not in self.before, f"{left} and {right} changed places"
                self.before.add((left, right))


def check_runs(names: list[Identity], pushes: dict[int, HistoryEvent]) -> None:
    """Assert that between two elements of one push there are only elements of that push, or of
    regions that had seen it."""
    for first, left in enumerate(names):
        for last in range(first + 1, len(names)):
            if names[last][0] == left[0]:
                for between in names[first + 1 : last]:
                    knew = pushes[between[0]].saw(pushes[left[0]])
                    assert knew or between[0] == left[0], f"{between} came into the run of {left}"
