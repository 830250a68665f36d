"""Large keys that are settled in slices, while other things happen to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from crdt import Replica
from crdt.store.snapshot import Snapshot
from crdt.structures.blocks import BLOCK_MAX, GROUP_MAX
from crdt.testing.peeking import Peek
from crdt.types.components.named import LIMITS
from crdt.writes import list as lists
from tests.crdt.exchange import deliver_to, exchange, regions

K = b"k"
KINDS = ("set", "hash", "sorted set", "list", "several")
LIST_ELEMENTS = 600


@pytest.fixture(autouse=True)
def small_slices() -> Iterator[None]:
    """Let a slice of a merge visit two names."""
    before, LIMITS.slice_names = LIMITS.slice_names, 2
    yield
    LIMITS.slice_names = before


def change(replica: Replica, kind: str, text: str) -> None:
    """Add to the value of the key, and remove some of what is there. One region has another type
    if there are several."""
    if kind == "set" or (kind == "several" and replica.region != 2):
        replica.set("k").add(*[f"{text}{index}" for index in range(20)], "both")
        replica.set("k").difference_update(["both", f"{text}1", "old1"])
    if kind == "hash":
        replica.hash("k").update({f"{text}{index}": "v" for index in range(20)})
        replica.hash("k")["both"] = text
        replica.hash("k").increment("n", 5)
        replica.hash("k").pop(f"{text}1")
    if kind == "sorted set" or (kind == "several" and replica.region == 2):
        if kind == "several":
            replica.delete("k")
        replica.sorted_set("k").update({f"{text}{index}": index for index in range(20)})
        replica.sorted_set("k").increment("both", 3)
        replica.sorted_set("k").pop("old1", None)
    if kind == "list":
        replica.list("k").extend([f"{text}{index}" for index in range(LIST_ELEMENTS)])
        replica.list("k").insert(1, f"{text} between")
        del replica.list("k")[0]


def add(replica: Replica, kind: str, text: str) -> None:
    """Add one element."""
    if kind == "set" or (kind == "several" and replica.region != 2):
        replica.set("k").add(text)
    elif kind == "hash":
        replica.hash("k")[text] = "v"
    elif kind == "list":
        replica.list("k").append(text)
    else:
        replica.sorted_set("k")[text] = 1


def both_changed(kind: str, *, is_lazy: bool) -> list[Replica]:
    """Return three regions that have changed one key. The first one is about to merge."""
    here, there, third = made = regions(3)
    change(third, kind, "old")
    exchange(third, here)
    exchange(third, there)
    change(here, kind, "a")
    change(there, kind, "b")
    if is_lazy:
        here.work_in_slices(1)
    return made


def read(made: list[Replica], _kind: str) -> None:
    _ = made[0].keyspace.lookup(K)


def look(made: list[Replica], _kind: str) -> None:
    with Peek(made[0].keyspace):
        _ = made[0].keyspace.lookup(K)
        _ = made[0].digest()


def write(made: list[Replica], kind: str) -> None:
    add(made[0], kind, "new")


def delete(made: list[Replica], _kind: str) -> None:
    made[0].delete("k")


def flush(made: list[Replica], _kind: str) -> None:
    made[0].keyspace.flush()


def receive_write(made: list[Replica], kind: str) -> None:
    add(made[1], kind, "late")
    made[1].string("other").set("s")
    deliver_to(made[1], made[0])
    add(made[1], kind, "later")
    deliver_to(made[1], made[0])


def receive_delete(made: list[Replica], _kind: str) -> None:
    made[1].delete("k")
    deliver_to(made[1], made[0])


def receive_flush(made: list[Replica], _kind: str) -> None:
    made[1].keyspace.flush()
    deliver_to(made[1], made[0])


def merge_again(made: list[Replica], kind: str) -> None:
    change(made[2], kind, "third")
    made[0].merge(made[2].snapshot())


def watch(made: list[Replica], _kind: str) -> None:
    made[0].keyspace.watch(K)
    assert not made[0].keyspace.drain_changes()


Action = Callable[[list[Replica], str], None]

ACTIONS: tuple[Action, ...] = (
    read,
    look,
    write,
    delete,
    flush,
    receive_write,
    receive_delete,
    receive_flush,
    merge_again,
    watch,
)


def merged(kind: str, action: Action, slices: int, *, is_lazy: bool) -> tuple[bytes, bool]:
    """Merge, act after some slices, and return the final state of the first region, and whether
    the key was still being settled."""
    made = both_changed(kind, is_lazy=is_lazy)
    here, there, _ = made
    before = here.to_bytes()
    reading: Snapshot = here.snapshot(sort=True)
    here.merge(there.snapshot())
    for _ in range(slices):
        here.work()
    is_under_way = here.keyspace.unsettled.is_large(K, 1)
    action(made, kind)
    while here.work():
        pass
    assert reading.to_bytes() == before
    state = here.to_bytes()
    there.merge(here.snapshot())
    here.merge(there.snapshot())
    here.keyspace.settle_all()
    assert here.to_bytes() == there.to_bytes()
    return state, is_under_way


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_result_is_that_of_a_merge_at_once(kind: str, action: Action) -> None:
    at_once, _ = merged(kind, action, 0, is_lazy=False)
    moments = 0
    for slices in (0, 1, 3, 7):
        state, is_under_way = merged(kind, action, slices, is_lazy=True)
        assert state == at_once
        moments += is_under_way
    assert moments > 1


@pytest.mark.parametrize("kind", KINDS)
def test_each_slice_is_short(kind: str) -> None:
    here, there, _ = both_changed(kind, is_lazy=True)
    here.merge(there.snapshot())
    slices = 0
    while here.work():
        slices += 1
    assert slices > 4


def test_slices_for_one_key_come_first() -> None:
    here, there, _ = both_changed("set", is_lazy=True)
    there.set("other").add("b")
    here.merge(there.snapshot())
    while here.keyspace.unsettled.settle_key_slice(K, 1):
        assert len(here.keyspace.data) <= 1
    assert not here.keyspace.unsettled.is_large(K, 1)
    assert not here.keyspace.unsettled.settle_key_slice(b"other", 1)
    assert list(here.keyspace.data) == [K]


def test_effects_for_a_large_key_wait_for_it() -> None:
    here, there, _ = made = both_changed("set", is_lazy=True)
    here.merge(there.snapshot())
    here.work()
    receive_write(made, "set")
    assert here.keyspace.unsettled.is_large(K, 1)
    assert here.vector[there.origin] == there.vector[there.origin]
    assert {"late", "later"} <= set(here.set("k"))


def test_removed_and_given_content_is_freed_in_slices() -> None:
    here, there = regions(2)
    here.work_in_slices(1)
    for replica in (here, there):
        db = replica.keyspace
        size = BLOCK_MAX * GROUP_MAX + 1
        lists.push_tail(db, K, [b"a"] * size)
    here.merge(there.snapshot())
    while not here.is_settled():
        here.work()
    assert len(here.keyspace.bin.things) == 2
    while here.work():
        pass
    assert here.keyspace.bin.is_empty()
