"""Handles of HyperLogLogs.

>>> from crdt import Replica
>>> here, there = Replica(1), Replica(2)
>>> here.hyperloglog("visitors").add("ann", "bob")
True
>>> there.hyperloglog("visitors").add("bob", "cem")
True
>>> here.merge(there.snapshot())
>>> len(here.hyperloglog("visitors"))
3
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from crdt.embed.arguments import encode
from crdt.embed.handles.base import Handle, Text
from crdt.structures.register_array import RegisterArray, greatest_ranks
from crdt.types.hyperloglog import HyperLogLog
from crdt.writes import hyperloglog


class HyperLogLogHandle(Handle[Any]):
    """An estimate of the number of different elements, with a standard error of 0.81 %.

    `len` returns it. A delete wins over concurrent additions.
    """

    __slots__ = ()
    kind_name = "a HyperLogLog"

    def add(self, *elements: Text) -> bool:
        """Add elements. Return whether the estimate may have changed.

        Without elements, a missing HyperLogLog is created. O(1) for each element.
        """
        encoded = [encode(element) for element in elements]
        db = self.write(HyperLogLog)
        return hyperloglog.add(db, self.key, self.read(HyperLogLog), encoded)

    def update(self, *others: HyperLogLogHandle | Iterable[Text]) -> bool:
        """Add all elements of other HyperLogLogs, or of collections of elements.

        Return whether the estimate may have changed.
        """
        is_changed = False
        for other in others:
            if isinstance(other, HyperLogLogHandle):
                codes = other._ranks().list_codes()
                is_changed |= hyperloglog.raise_registers(
                    self.write(HyperLogLog), self.key, self.read(HyperLogLog), codes
                )
            else:
                is_changed |= self.add(*other)
        return is_changed

    def __ior__(self, other: HyperLogLogHandle | Iterable[Text]) -> Self:
        self.update(other)
        return self

    def union_size(self, *others: HyperLogLogHandle) -> int:
        """Return the estimate for the elements of this and of other HyperLogLogs."""
        ranks = self._ranks().ranks()
        for other in others:
            ranks = greatest_ranks(ranks, other._ranks().ranks())
        united = RegisterArray()
        united.set_ranks(ranks)
        return united.estimate()

    def __len__(self) -> int:
        return self._ranks().estimate()

    def __bool__(self) -> bool:
        return len(self) > 0

    @property
    def value(self) -> int:
        """The estimate, 0 for a missing key."""
        return len(self)

    def _ranks(self) -> RegisterArray:
        """Return the registers, which are all zero for a missing key."""
        value = self.read(HyperLogLog)
        return RegisterArray() if value is None else value.ranks
