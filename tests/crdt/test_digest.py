"""The digest: equal where readers see the same, whatever the order."""

from __future__ import annotations

from crdt import Replica
from crdt.digest import DIGEST_BYTES
from tests.crdt.exchange import exchange, regions


def test_converged_replicas_have_equal_digests() -> None:
    here, there = regions(2)
    here.set("a").add("x")
    there.string("b").set("y")
    assert here.digest() != there.digest()
    exchange(here, there)
    assert here.digest() == there.digest()
    assert len(here.digest()) == DIGEST_BYTES


def test_an_empty_one_is_zero() -> None:
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


def test_what_has_expired_does_not_count() -> None:
    replica = Replica(1)
    replica.string("k").set("1")
    replica.string("k").expire_at(10)
    replica.advance(11)
    assert replica.digest() == bytes(DIGEST_BYTES)
