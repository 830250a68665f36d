"""What the order of a list must keep, wherever and whenever it is read.

The specification of a list says which elements it holds. This says how they stand: two elements
never change places, in any region at any time (LST-2); and what one push brought stays together,
but for what somebody inserted there on purpose, having seen it (LST-11, D-08). That an insert lands
where its own region asked for it, `commands.list_change` checks immediately; since neighbours never
change places, it then stays between them.
"""

from __future__ import annotations

from crdt.embed.replica import Replica
from crdt.testing.commands import Identity, encode, identities
from crdt.testing.history import History, HistoryEvent
from crdt.types.list import List


class ListOrder:
    """The order of the elements of some lists as it was seen so far, everywhere."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys: tuple[str, ...] = keys
        self.before: set[tuple[Identity, Identity]] = set()

    def check(self, replica: Replica, history: History) -> None:
        """Compare one replica with what was seen before, and remember."""
        pushes = {taken.dot: taken for taken in history if taken.command.name == "PUSH"}
        for key in self.keys:
            value = replica.keyspace.lookup(encode(key))
            if isinstance(value, List):
                names = identities(value)
                self.check_places(names)
                check_runs(names, pushes)

    def check_places(self, names: list[Identity]) -> None:
        """No two elements have changed places."""
        for index, right in enumerate(names):
            for left in names[:index]:
                assert (right, left) not in self.before, f"{left} and {right} changed places"
                self.before.add((left, right))


def check_runs(names: list[Identity], pushes: dict[int, HistoryEvent]) -> None:
    """Between elements that came together stands only what was put there on purpose."""
    for first, left in enumerate(names):
        for last in range(first + 1, len(names)):
            if names[last][0] == left[0]:
                for between in names[first + 1 : last]:
                    knew = pushes[between[0]].saw(pushes[left[0]])
                    assert knew or between[0] == left[0], f"{between} came into the run of {left}"
