"""Steps that are carried out again, since there was not enough memory."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from crdt import Replica
from crdt.store.keyspace import Keyspace
from tests.crdt.exchange import deliver_to, exchange, lazy_regions

K = b"k"


class Exhausted:
    """A reader for which there is not enough memory a few times when `k` changes."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    def before_change(self, key: bytes) -> None:
        if key == K and self.failures:
            self.failures -= 1
            raise MemoryError

    def before_flush(self, key: bytes) -> None:
        self.before_change(key)


def step_begun(kind: str) -> Replica:
    """Return a region in which a step of one kind waits for some keys. `k` is a set to which both
    regions have added a member, and `s` a string with a deadline that both have written."""
    here, there = lazy_regions()
    for name in ("a", "k", "b"):
        there.set(name).add("x")
    if kind == "flush":
        exchange(here, there)
    for name in ("k", "b"):
        here.set(name).add("y")
    if kind == "merge":
        there.string("s").set("theirs")
        here.string("s").set("mine")
        here.string("s").expire_at(5000)
        here.merge(there.snapshot())
        return here
    if kind == "flush":
        there.keyspace.flush()
    here.work_in_slices(2, 1)
    deliver_to(there, here)
    return here


STEPS = {"effects": {"x", "y"}, "merge": {"x", "y"}, "flush": {"y"}}


@pytest.mark.parametrize("way", ["lookup", "work", "all", "slice"])
@pytest.mark.parametrize("kind", STEPS)
def test_nothing_is_lost_for_want_of_memory(kind: str, way: str) -> None:
    here = step_begun(kind)
    db, reader = here.keyspace, Exhausted(2)
    db.add_reader(reader)
    ways: dict[str, Callable[[], object]] = {
        "lookup": lambda: db.lookup(K),
        "work": lambda: [here.work() for _ in range(9)],
        "all": db.settle_all,
        "slice": lambda: settle_in_slices(db),
    }
    assert db.is_unsettled
    for _ in range(2):
        with pytest.raises(MemoryError):
            ways[way]()
        assert db.is_unsettled
    assert reader.failures == 0
    assert here.set("b") == STEPS[kind]
    assert db.is_unsettled
    here.set("k").add("z")
    assert here.set("k") == STEPS[kind] | {"z"}
    assert set(db.keys()) == ({b"a", b"k", b"b"} if kind != "flush" else {b"k", b"b"}) | (
        {b"s"} if kind == "merge" else set()
    )
    assert not db.is_unsettled


def settle_in_slices(db: Keyspace) -> None:
    """Settle `k` as a large key."""
    if db.unsettled.current is None:
        db.unsettled.begin_key(K, 1)
    db.unsettled.finish_current()


def test_key_that_failed_is_settled_before_all_are_put_aside() -> None:
    here = step_begun("effects")
    reader = Exhausted(2)
    here.keyspace.add_reader(reader)
    with pytest.raises(MemoryError):
        here.set("k").add("z")
    with pytest.raises(MemoryError):
        here.keyspace.unsettled.put_aside()
    aside = here.keyspace.unsettled.put_aside()
    assert aside is not None
    assert aside.data.get(K) is not None


def test_keys_that_failed_are_settled_each() -> None:
    here = step_begun("effects")
    db = here.keyspace
    db.add_reader(EachExhausted())
    for name in (b"a", b"k", b"b"):
        with pytest.raises(MemoryError):
            db.lookup(name)
    assert here.set("k") == here.set("b") == {"x", "y"}
    assert here.set("a") == {"x"}
    assert not db.unsettled.settle_some(9)
    assert db.unsettled.failed is None


class EachExhausted:
    """A reader for which there is not enough memory the first time that a key changes."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()

    def before_change(self, key: bytes) -> None:
        if key not in self.seen:
            self.seen.add(key)
            raise MemoryError

    def before_flush(self, key: bytes) -> None:
        self.before_change(key)


def test_deadline_of_a_string_stays_if_its_merge_is_repeated() -> None:
    here, eager = step_begun("merge"), step_begun("merge")
    here.keyspace.add_reader(EachExhausted())
    for way in (lambda: here.keyspace.lookup(b"s"), here.keyspace.settle_all):
        with pytest.raises(MemoryError):
            way()
    while here.keyspace.is_unsettled:
        with suppress(MemoryError):
            here.keyspace.settle_all()
    assert here.to_bytes() == eager.to_bytes()


def test_effects_keep_their_order_if_they_are_carried_out_again() -> None:
    here, there = lazy_regions()
    there.set("k").add("x")
    there.set("k").add("y")
    there.set("k").discard("x")
    here.work_in_slices(2, 1)
    deliver_to(there, here)
    here.keyspace.add_reader(Exhausted(1))
    with pytest.raises(MemoryError):
        settle_in_slices(here.keyspace)
    settle_in_slices(here.keyspace)
    assert here.set("k") == {"y"}
    assert here.to_bytes() == there.to_bytes()
