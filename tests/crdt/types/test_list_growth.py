"""Lists cost what changes: effects and states do not grow with the history."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.types.list import List


def exchange(source: Replica, sink: Replica) -> int:
    """Deliver what `source` has written. Return its size in bytes."""
    sent = 0
    for op in source.since(sink.vector):
        sent += len(op.to_bytes())
        sink.accept(op)
    return sent


def held(replica: Replica) -> List:
    """Return the list of a replica."""
    value = replica.keyspace.lookup(b"l")
    assert isinstance(value, List)
    return value


@pytest.mark.parametrize("pattern", ["forward", "backward", "zigzag"])
def test_insertions_in_turn_at_one_place_keep_their_size(pattern: str) -> None:
    here, there = Replica(1), Replica(2)
    here.list("l").extend(["(", ")"])
    exchange(here, there)
    expected, index = ["(", ")"], 1
    sizes: list[int] = []
    states: list[int] = []
    for turn in range(300):
        writer, reader = (here, there) if turn % 2 else (there, here)
        writer.list("l").insert(index, str(turn))
        expected.insert(index, str(turn))
        sizes.append(exchange(writer, reader))
        if pattern == "forward" or (pattern == "zigzag" and turn % 2):
            index += 1
        if turn in (99, 199, 299):
            states.append(len(repr(held(reader).state())))
    assert here.list("l") == there.list("l") == expected
    assert max(sizes) <= min(sizes) + 16
    assert states[2] - states[1] <= (states[1] - states[0]) * 1.1
    held(here).items.check()


@pytest.mark.parametrize("kept", [slice(0, 100), slice(900, 1000), slice(450, 550)])
def test_removal_of_many_elements_names_runs(kept: slice) -> None:
    here, there = Replica(1), Replica(2)
    texts = [str(n) for n in range(1000)]
    here.list("l").extend(texts[:500])
    for text in texts[500:]:
        here.list("l").append(text)
    exchange(here, there)
    del here.list("l")[kept.stop :]
    del here.list("l")[: kept.start]
    assert exchange(here, there) < 120
    assert there.list("l") == here.list("l") == texts[kept]


def test_removed_text_is_forgotten_once_all_have_seen_that() -> None:
    here, there = Replica(1, members=(1, 2)), Replica(2, members=(1, 2))
    here.list("l").extend(["(", ")"])
    exchange(here, there)
    for turn in range(20):
        writer, reader = (here, there) if turn % 2 else (there, here)
        writer.list("l").insert(1 + turn, "x")
        exchange(writer, reader)
    del here.list("l")[1:-1]
    exchange(here, there)
    for _ in range(2):
        here.record_report(2, there.vector, 0)
        there.record_report(1, here.vector, 0)
        for replica in (here, there):
            assert replica.list("l") == ["(", ")"]
            replica.collect()
    for replica in (here, there):
        assert held(replica).tree is None
        assert not replica.keyspace.garbage


def test_insertion_finds_place_of_removed_element() -> None:
    here, there, third = Replica(1), Replica(2), Replica(3)
    here.list("l").extend(["(", ")"])
    exchange(here, there)
    there.list("l").insert(1, "a")
    exchange(there, here)
    third.merge(there.snapshot())
    third.list("l").insert(2, "b")  # behind the element that here removes
    here.list("l").remove("a")
    here.list("l").insert(1, "c")
    exchange(here, there)
    exchange(third, here)
    exchange(third, there)
    assert here.list("l") == there.list("l")
    assert sorted(here.list("l")[:]) == ["(", ")", "b", "c"]
