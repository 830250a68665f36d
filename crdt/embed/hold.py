"""A hold on a replica: what it puts off while a command works in slices.

A server runs a long command in slices, with other clients in between. Readers must see the effect
of the command at one moment, here and in every other region. So while it runs

* nothing is sealed if the command writes: its effects stay in the outbox, and become one operation
  at the end;
* no operation of another replica is applied if the command writes, or if the operation changes a
  key that the command reads. It waits in the causal buffer.

What needs the state as a whole, such as a snapshot or a merge, first lets the command run to its
end (`ReplicaExchange.release_hold`).
"""

from __future__ import annotations

from collections.abc import Callable

from crdt.causality.effect import FLUSH, is_key_effect
from crdt.causality.op import Op


class Hold:
    """The commands that work in slices. `finish` runs all of them to their end."""

    __slots__ = ("finish", "has_delayed", "is_writing", "keys", "reads_all")

    def __init__(self, finish: Callable[[], None]) -> None:
        self.finish = finish
        self.is_writing = False
        """True while one of the commands writes."""
        self.keys: dict[bytes, int] = {}
        """The keys that are read, each with the number of commands that read it."""
        self.reads_all = 0
        """The number of commands that read all keys."""
        self.has_delayed = False
        """True if an operation waits because of this hold."""

    def delays(self, op: Op) -> bool:
        """Return whether `op` must wait."""
        if self.is_writing or self.reads_all:
            self.has_delayed = True
            return True
        for effect in op.effects:
            if effect[2] in self.keys or is_key_effect(effect, FLUSH):
                self.has_delayed = True
                return True
        return False

    def is_over(self) -> bool:
        """Return whether no command is left."""
        return not self.is_writing and not self.keys and not self.reads_all
