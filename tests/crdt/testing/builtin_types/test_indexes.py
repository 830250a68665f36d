"""Indexes that disagree with the values that they index."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.embed.replica import Replica
from crdt.testing import SUBJECTS, World, parse
from crdt.testing.builtin_types.indexes import SAMPLED, SCANNED, Indexes, check_sampling, check_scan
from crdt.testing.history import History
from crdt.types.list import List
from crdt.types.set import Set
from crdt.types.string import String


def nothing() -> History:
    return History([], 0, 0)


def filled(region: int) -> Replica:
    """Return the replica of a region with a value of each type."""
    made = Replica(region)
    made.set("k").add("a", "b", "c")
    made.hash("l").update({"f": "1", "g": "2", "h": "3"})
    made.list("m").extend(["x", "y"])
    made.string("n").set("v")
    return made


def set_in(replica: Replica) -> Set:
    """Return the value of the set."""
    value = replica.keyspace.lookup(b"k")
    assert isinstance(value, Set)
    return value


@pytest.fixture
def replica() -> Replica:
    return filled(SCANNED)


@pytest.mark.parametrize("region", [SCANNED, SAMPLED, 3])
def test_true_indexes_are_right(region: int) -> None:
    indexes, replica = Indexes(("k", "l", "m", "n")), filled(region)
    for change in (None, "d", "e"):
        if change is not None:
            replica.set("k").add(change)
            replica.set(change).add(change)
            replica.hash("l")[change] = "4"
        indexes.check(replica, nothing())
    value = set_in(replica)
    assert (value.scan_order is not None) == (region == SCANNED)
    assert (value.order is not None) == (region == SAMPLED)
    assert replica.keyspace.has_scan_order() == (region == SCANNED)


def test_name_that_no_scan_returns_is_noticed(replica: Replica) -> None:
    indexes = Indexes(("k", "l"))
    indexes.check(replica, nothing())
    set_in(replica).put(b"z", 1)
    with pytest.raises(AssertionError, match=r"a scan of k returns .* not .*z"):
        indexes.check(replica, nothing())


def test_name_that_is_never_drawn_is_noticed() -> None:
    indexes, replica = Indexes(("k", "l")), filled(SAMPLED)
    indexes.check(replica, nothing())
    set_in(replica).put(b"z", 1)
    with pytest.raises(AssertionError, match=r"\[b'z'\] can never be drawn from k"):
        indexes.check(replica, nothing())


def hide_key(replica: Replica, key: bytes) -> None:
    """Add a key that the order of scans lacks."""
    index = replica.keyspace.data.index
    order, index.scan_order = index.scan_order, None
    replica.keyspace.data.put(key, String())
    index.scan_order = order


def test_key_that_no_scan_returns_is_noticed(replica: Replica) -> None:
    indexes = Indexes(())
    indexes.check(replica, nothing())
    hide_key(replica, b"z")
    with pytest.raises(AssertionError, match=r"a scan of the keys returns .* not .*z"):
        indexes.check(replica, nothing())


def test_name_that_is_returned_twice_is_noticed() -> None:
    with pytest.raises(AssertionError, match=r"a scan of k returns \[b'a', b'a'\], not \[b'a'\]"):
        check_scan("k", lambda cursor, _: (1 - cursor, [b"a"]), [b"a"])


def test_removed_name_may_stay_in_sampling_order() -> None:
    check_sampling("k", [b"a", b"b"], [b"a"])


def test_blocks_of_list_that_are_not_in_order_are_noticed(replica: Replica) -> None:
    value = replica.keyspace.lookup(b"m")
    assert isinstance(value, List)
    value.items.size = 3
    with pytest.raises(AssertionError):
        value.items.check()


@pytest.mark.parametrize("name", ["set", "hash", "sorted-set", "list", "keyspace"])
def test_indexes_of_world_are_checked(name: str) -> None:
    subject = SUBJECTS[name]
    world = World(subject)
    check: Any = world.checks.extra_check
    assert isinstance(check, Indexes)
    world.run_on(parse(subject, f"write 1 {subject.commands[0]}\nsettle"))
    assert world.sites[0].replica.keyspace.has_scan_order()
    assert not world.sites[1].replica.keyspace.has_scan_order()
