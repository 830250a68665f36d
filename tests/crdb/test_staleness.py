"""Who may write while what was written in an earlier life is not back."""

from __future__ import annotations

from crdb.instance import Instance
from crdb.staleness import STALE, Staleness
from crdt.replica import Replica
from replication.links import Links
from replication.member import Member

READONLY = b"READONLY for another reason"


def region() -> tuple[Instance, Links, Staleness]:
    replica = Replica(1)
    instance, links = Instance(replica), Links(replica, Member("r1", 1, replica.origin))
    return instance, links, Staleness(instance, links)


def test_neither_clients_nor_the_collector_write_meanwhile() -> None:
    instance, links, staleness = region()
    staleness.begin()
    assert instance.refuse_writes == STALE
    assert not links.collects
    staleness.end()
    assert instance.refuse_writes is None
    assert links.collects
    assert not instance.stale_released_with_merge


def test_it_is_known_whether_a_full_sync_ended_it() -> None:
    instance, links, staleness = region()
    links.replica.merges = 1
    staleness.begin()
    links.replica.merges = 2
    staleness.end()
    assert instance.stale_released_with_merge


def test_who_may_not_write_for_another_reason_still_may_not() -> None:
    instance, _, staleness = region()
    instance.refuse_writes = READONLY
    staleness.end()
    assert instance.refuse_writes == READONLY
