"""Handles of HyperLogLogs."""

from __future__ import annotations

import pytest

from crdt import Replica, WrongType


def test_additions_tell_whether_the_estimate_may_change() -> None:
    visitors = Replica(1).hyperloglog("visitors")
    assert not visitors
    assert visitors.value == 0
    assert visitors.add("ann", b"bob")
    assert not visitors.add("ann")
    assert visitors
    assert len(visitors) == visitors.value == 2


def test_others_are_united() -> None:
    replica = Replica(1)
    one, other = replica.hyperloglog("one"), replica.hyperloglog("other")
    one.add("a", "b")
    other.add("b", "c")
    assert one.union_size(other, replica.hyperloglog("missing")) == 3
    assert len(one) == 2
    one |= other
    one |= ["d", "e"]
    assert len(one) == 5
    assert not one.update(other, ["a"])
    assert len(other) == 2


def test_other_types_are_refused() -> None:
    replica = Replica(1)
    replica.set("k").add("a")
    with pytest.raises(WrongType, match="'k' holds a set, not a HyperLogLog"):
        replica.hyperloglog("k").add("a")
    replica.hyperloglog("h").add("a")
    with pytest.raises(WrongType, match=r"use replica.hyperloglog\('h'\)"):
        replica.string("h").get()
    with pytest.raises(TypeError):
        replica.hyperloglog("h").add(1)  # pyright: ignore[reportArgumentType]


def test_deleted_key_is_empty() -> None:
    visitors = Replica(1).hyperloglog(b"visitors")
    visitors.add("ann")
    visitors.delete()
    assert len(visitors) == 0
