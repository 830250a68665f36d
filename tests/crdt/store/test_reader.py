"""What readers of the keyspace are told."""

from __future__ import annotations

from crdt import Replica
from crdt.store.reader import Reader


class Recorder:
    """A reader that records what it is told."""

    def __init__(self) -> None:
        self.changes: list[bytes] = []
        self.removed: list[bytes] = []

    def before_change(self, key: bytes) -> None:
        self.changes.append(key)

    def before_flush(self, key: bytes) -> None:
        self.removed.append(key)


def test_keys_that_a_removal_of_all_removes_later_are_told_apart() -> None:
    replica, reader = Replica(1), Recorder()
    for name in "abc":
        replica.string(name).set("x")
    replica.work_in_slices(1, 1)
    watching: Reader = reader
    replica.keyspace.add_reader(watching)
    replica.keyspace.flush()
    replica.string("c").set("y")
    while replica.work():
        pass
    assert sorted(reader.removed) == [b"a", b"b", b"c"]
    assert reader.changes == [b"", b"c"]
