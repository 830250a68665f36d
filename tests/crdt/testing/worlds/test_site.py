"""A region of a world: its digest as of another time."""

from __future__ import annotations

from crdt import Replica
from crdt.store.keyspace import Keyspace
from crdt.testing.worlds.site import Site, digest_at


def test_region_reports_its_expiry_clock() -> None:
    site = Site(1, Replica(1))
    site.replica.advance(7)
    assert site.expiry_clock == 7


def test_digest_of_another_time_leaves_clock_alone() -> None:
    replica = Replica(1)
    replica.advance(5)
    replica.set("k").add("a")
    replica.set("k").expire_at(50)
    db: Keyspace = replica.keyspace
    assert digest_at(replica, 50) != digest_at(replica, 51)
    assert db.expiry_clock == 5
