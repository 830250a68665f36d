"""The part of a table: the keys of a range of places."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Final

from crdt.structures.places import HASH_BITS, HASH_PLACES, place_of_hash
from crdt.structures.sample_order import Order

SLACK: Final = 64  # fewer removed keys than this do not justify sorting a part again


class Part:
    """The keys of a range of places, with their values."""

    __slots__ = ("depth", "held", "keys_max", "names", "order", "start")

    def __init__(self, held: dict[bytes, Any], depth: int, start: int, keys_max: int) -> None:
        self.held: dict[bytes, Any] = held
        self.depth: int = depth
        self.start: int = start
        """The first place of the range."""
        self.keys_max: int = keys_max
        """The number of keys above which the part is divided."""
        self.order: Order | None = None
        """The keys in an order that can be sampled. The first `Table.pick` of the part makes it."""
        self.names: list[bytes] | None = None
        """The keys by place, with some removed ones. The first scan of the part makes it."""

    def stop(self) -> int:
        """Return the first place behind the range."""
        return self.start + (HASH_PLACES >> self.depth)

    def differing_depth(self) -> int:
        """Return the depth of the parts that hold different keys of this one. It is more than
        HASH_BITS if all keys have the same place. O(1) if they are distributed evenly."""
        half = HASH_BITS - self.depth - 1
        first, differing = -1, 0
        for key in self.held:
            place = place_of_hash(key)
            if first < 0:
                first = place
            differing |= place ^ first
            if differing >> half:
                break
        return HASH_BITS + 1 - differing.bit_length()

    def sampled(self) -> Order:
        """Return the keys in an order that can be sampled. O(keys) the first time."""
        order = self.order
        if order is None:
            order = self.order = Order(list(self.held))
        return order

    def add_name(self, key: bytes) -> None:
        """Take note of a new key in the orders that exist."""
        if self.order is not None:
            self.order.add(key, self.held)
        names = self.names
        if names is not None:
            place = place_of_hash(key)
            index = bisect_left(names, place, key=place_of_hash)
            while (
                index < len(names) and names[index] != key and place_of_hash(names[index]) == place
            ):
                index += 1
            if index == len(names) or names[index] != key:
                names.insert(index, key)
                if len(names) > 2 * len(self.held) + SLACK:
                    self.names = None

    def page(self, place: int, count: int) -> tuple[int, list[bytes]]:
        """Return the place of the next key, or the end of the range, and the keys from `place` on.

        They are `count` keys or a few more that share the last place, and fewer only if the part
        ends.
        """
        names = self.names
        assert names is not None, "sort the part before reading its pages"
        found: list[bytes] = []
        latest = -1
        for index in range(bisect_left(names, place, key=place_of_hash), len(names)):
            key = names[index]
            if key in self.held:
                reached = place_of_hash(key)
                if len(found) >= count and reached != latest:
                    return reached, found
                found.append(key)
                latest = reached
        return self.stop(), found
