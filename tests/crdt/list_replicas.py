"""Keyspaces of three regions that write one list."""

from __future__ import annotations

from crdt.causality.dots import make_origin
from crdt.causality.op import Op
from crdt.store.keyspace import Keyspace
from crdt.types.components.list_elements import Position
from crdt.types.list import List
from crdt.types.registry import BUILT_IN
from crdt.writes import list as lists

KEY = b"l"
REGIONS = 3


class Replicas:
    """Keyspaces of some regions, and the operations that each has made."""

    def __init__(self) -> None:
        self.spaces = [Keyspace(make_origin(n + 1), BUILT_IN) for n in range(REGIONS)]
        self.made: list[list[tuple[Op, dict[int, int]]]] = [[] for _ in range(REGIONS)]
        self.taken = [[0] * REGIONS for _ in range(REGIONS)]

    def seal(self, region: int) -> None:
        """Seal a region's writes as an operation."""
        space = self.spaces[region]
        past = dict(space.vector)
        op = space.seal()
        if op is not None:
            self.made[region].append((op, past))

    def receive(self, sink: int) -> None:
        """Deliver all operations to one region."""
        moved = True
        while moved:
            moved = False
            for source in range(REGIONS):
                for op, past in self.made[source][self.taken[sink][source] :]:
                    known = self.spaces[sink].vector
                    others = {o: s for o, s in past.items() if o != op.origin}
                    if source == sink or any(known.get(o, 0) < s for o, s in others.items()):
                        break
                    self.spaces[sink].apply_op(Op.from_bytes(op.to_bytes()), others)
                    self.taken[sink][source] += 1
                    moved = True

    def positions(self, region: int) -> list[Position]:
        """Return all positions, in order."""
        value = self.spaces[region].lookup(KEY)
        return value.positions(0, value.length()) if isinstance(value, List) else []

    def size(self, region: int) -> int:
        """Return the number of elements."""
        return len(self.positions(region))

    def insert(self, region: int, index: int, values: list[bytes]) -> list[Position]:
        """Insert values one after another before `index`. Return their positions."""
        space = self.spaces[region]
        before = self.positions(region)
        for step, value in enumerate(values):
            lists.insert(space, KEY, index + step, value)
        after = self.positions(region)
        self.seal(region)
        assert after[:index] == before[:index]
        assert after[index + len(values) :] == before[index:]
        return after[index : index + len(values)]
