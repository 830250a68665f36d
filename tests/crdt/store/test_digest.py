"""The digest: equal for equal visible data, independent of the order of writes."""

from __future__ import annotations

from crdt import Op, Replica, make_origin
from crdt.store.digest import DIGEST_BYTES
from tests.crdt.exchange import exchange, regions


def test_converged_replicas_have_equal_digests() -> None:
    here, there = regions(2)
    here.set("a").add("x")
    there.string("b").set("y")
    assert here.digest() != there.digest()
    exchange(here, there)
    assert here.digest() == there.digest()
    assert len(here.digest()) == DIGEST_BYTES


def test_empty_one_is_zero() -> None:
    assert Replica(1).digest() == bytes(DIGEST_BYTES)


def test_type_value_and_deadline_count() -> None:
    digests: set[bytes] = set()
    replica = Replica(1)
    replica.advance(1000)
    for write in (
        lambda: replica.string("k").set("1"),
        lambda: replica.string("k").set("2"),
        lambda: replica.string("k").expire_at(2000),
        lambda: replica.string("k").expire_at(3000),
        lambda: replica.string("k").delete(),
        lambda: replica.set("k").add("1"),
    ):
        write()
        digests.add(replica.digest())
    assert len(digests) == 6


def test_expired_key_does_not_count_in_digest() -> None:
    replica = Replica(1)
    replica.advance(5)
    replica.string("k").set("1")
    replica.string("k").expire_at(10)
    replica.advance(11)
    assert replica.digest() == bytes(DIGEST_BYTES)


def test_sums_may_have_more_than_64_bits() -> None:
    """Rule D-05: merged sums are never refused."""
    here, there = Replica(1), Replica(9)
    effect = (8, 0, b"k", 1, (1 << 63) - 1)
    for replica in (here, there):
        for region in (2, 3, 4):
            replica.accept(Op(make_origin(region), 1, 0, {}, (effect,)))
    assert here.counter_grow("k").value == 3 * ((1 << 63) - 1)
    assert here.digest() == there.digest() != bytes(DIGEST_BYTES)
