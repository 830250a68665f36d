"""Checks of the indexes that a replica keeps next to its values.

Keys, sets, hashes and sorted sets keep an order for scans and another one to draw random names.
Sorted sets keep the ranks of their members. The elements of a list lie in blocks. Each change of a
value has to keep these indexes true. An index that is not is seen by no comparison of values, only
by a client that scans, samples or finds an element by its position.

One region scans and another one samples, which makes the orders. A value without an order takes a
shorter way through some changes, so each region does one of them at most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdt.embed.replica import Replica
from crdt.testing.builtin_types.commands import encode
from crdt.testing.builtin_types.list_order import ListOrder
from crdt.testing.history import History
from crdt.types.components.fields import Fields
from crdt.types.list import List
from crdt.types.set import Set
from crdt.types.sorted_set import SortedSet
from crdt.types.stream import Stream

SCANNED: Final = 1
"""The region that scans its keys and values."""
SAMPLED: Final = 2
"""The region that samples its keys and values."""
PAGE: Final = 2  # names, so that a scan takes several pages
SLICE: Final = 1  # a member, so that writes happen while an order is being built


class Indexes(ListOrder):
    """Checks the indexes of some keys, and the order of lists."""

    def check(self, replica: Replica, history: History) -> None:
        """Compare the indexes of one replica with its values."""
        super().check(replica, history)
        db = replica.keyspace
        if replica.region == SCANNED:
            check_scan("the keys", db.scan, db.keys())
        elif replica.region == SAMPLED:
            check_sampling("the keys", db.sampled_keys(), db.held_keys())
        for key in self.keys:
            value = db.lookup(encode(key))
            if isinstance(value, List):
                value.items.check()
            elif isinstance(value, Stream):
                value.check()
            elif isinstance(value, Set | Fields):
                check_names(replica.region, key, value)
            if isinstance(value, SortedSet) and value.prepare_order(SLICE):
                check_ranks(key, value)


def check_names(region: int, key: str, value: Set | Fields) -> None:
    """Assert that a region finds all names in a value."""
    names = list(value.names())
    if region == SCANNED:
        check_scan(key, value.scan, names)
    elif region == SAMPLED:
        check_sampling(key, value.sampled_keys(), names)


def check_ranks(key: str, value: SortedSet) -> None:
    """Assert that the ranks of a sorted set are those of its scores."""
    order = value.ranked()
    order.check()
    wanted = sorted((value.held_score(name), name) for name in value.names())
    assert order.pairs(0, len(order)) == wanted, f"the ranks of {key} are not those of its scores"


def check_scan(
    what: str, scan: Callable[[int, int], tuple[int, list[bytes]]], names: list[bytes]
) -> None:
    """Assert that a scan returns each of these names once."""
    cursor, found = scan(0, PAGE)
    while cursor:
        cursor, page = scan(cursor, PAGE)
        found = found + page
    assert sorted(found) == sorted(names), f"a scan of {what} returns {found}, not {names}"


def check_sampling(what: str, keys: list[bytes], names: list[bytes]) -> None:
    """Assert that each of these names can be drawn."""
    lacking = sorted({*names} - {*keys})
    assert not lacking, f"{lacking} can never be drawn from {what}"
