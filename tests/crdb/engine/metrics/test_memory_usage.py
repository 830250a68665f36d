"""The size of a key, compared with what Python allocates."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest

from crdb.engine.client import Client
from crdb.engine.metrics.memory_usage import (
    EXACT_MAX,
    SAMPLES_MAX,
    key_bytes,
    parts_of,
    sampled,
    size_of,
)
from crdt.embed.replica import Replica
from crdt.store.keyspace import Keyspace
from crdt.writes import content as contents
from tests.crdb.raw import instance, lines

KEYS = 2_000
TOLERANCE = 0.25


def content(code: int, n: int) -> list[Any]:
    """Return what key number `n` holds if it is of that type."""
    if code == 1:
        return [b"value:%08d" % n]
    if code == 3:
        return [item for m in range(10) for item in (b"field:%d" % m, b"value:%d" % n)]
    if code == 4:
        return [item for m in range(10) for item in (b"member:%d:%d" % (n, m), m + 0.5)]
    return [b"element:%d:%d" % (n, m) for m in range(10)]


def filled(code: int) -> Keyspace:
    """Return a keyspace with many keys of one type, each written by one command."""
    replica = Replica(1)
    for number in range(KEYS):
        contents.put(replica.keyspace, b"key:%08d" % number, code, content(code, number), None)
        replica.seal()
    return replica.keyspace


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_sum_of_all_keys_is_what_was_allocated(code: int) -> None:
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    db = filled(code)
    gc.collect()
    allocated = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    reported = sum(key_bytes(db, key, 0) or 0 for key in db.data)
    assert reported == pytest.approx(allocated, rel=TOLERANCE)


def test_samples_stand_for_all_elements() -> None:
    replica = Replica(1)
    db = replica.keyspace
    contents.put(db, b"k", 2, [b"member:%06d" % n for n in range(EXACT_MAX)], None)
    replica.seal()
    assert key_bytes(db, b"k", 5) == pytest.approx(key_bytes(db, b"k", 0), rel=0.1)


def test_of_a_large_collection_only_samples_are_measured() -> None:
    db = Replica(1).keyspace
    members = [b"m" * n for n in range(1, EXACT_MAX + 2)]
    contents.put(db, b"k", 2, members, None)
    assert key_bytes(db, b"k", 0) == key_bytes(db, b"k", 10**6) == key_bytes(db, b"k", SAMPLES_MAX)
    contents.put(db, b"l", 2, members[:EXACT_MAX], None)
    assert key_bytes(db, b"l", 0) != key_bytes(db, b"l", SAMPLES_MAX)


def test_longer_value_takes_more_by_its_length() -> None:
    db = Replica(1).keyspace
    contents.put(db, b"a", 1, [b"x" * 1000], None)
    contents.put(db, b"b", 1, [b"x" * 5000], None)
    small, large = key_bytes(db, b"a", 5), key_bytes(db, b"b", 5)
    assert small is not None
    assert large is not None
    assert large - small == 4000


def test_deadline_takes_memory_and_missing_key_has_no_size() -> None:
    db = Replica(1).keyspace
    contents.put(db, b"a", 1, [b"x"], None)
    before = key_bytes(db, b"a", 5)
    db.expire(b"a", 10_000)
    after = key_bytes(db, b"a", 5)
    assert before is not None
    assert after is not None
    assert after > before
    assert key_bytes(db, b"none", 5) is None


def test_shared_objects_have_no_size() -> None:
    for thing in (None, True, 7, int, gc, size_of):
        assert size_of(thing, 5) == 0
    text = "text"
    assert size_of([text, text], 5) == size_of([text, None], 5) > size_of(text, 5) > 0


def test_empty_collection_adds_nothing() -> None:
    assert sampled((), 5, set()) == 0


class Untracked:
    """Stands for an object of a compiled class that the collector does not track."""

    __mypyc_attrs__ = ("text", "number", "missing")
    text = b"x" * 40
    number = 7


def test_attributes_of_untracked_object_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_tracked(_: object) -> bool:
        return False

    monkeypatch.setattr(gc, "is_tracked", is_tracked)
    assert parts_of(Untracked()) == [Untracked.text, None]


def test_tracked_object_is_measured_by_what_it_refers_to() -> None:
    thing = [Untracked.text]
    assert parts_of(thing) == [Untracked.text]


def test_repeated_containers_count_once_in_samples() -> None:
    """The directory of a table has several slots for most of its parts."""
    parts = [dict.fromkeys(range(1000 * n, 1000 * n + 400), b"x") for n in range(300, 308)]
    directory = [part for part in parts for _ in range(16)]
    assert size_of(directory, SAMPLES_MAX) == pytest.approx(size_of(directory, 0), rel=0.01)


def test_shared_number_counts_once_in_samples() -> None:
    """The members that one command adds have the same dot."""
    dot = 5 << 50
    members = {b"member:%d" % n: dot for n in range(1000, 2000)}
    assert size_of(members, SAMPLES_MAX) == pytest.approx(size_of(members, 0), rel=0.01)


def test_names_in_two_places_count_once_in_samples() -> None:
    names = [b"member:%d" % n for n in range(1000, 2000)]
    ranked = [dict.fromkeys(names), list(reversed(names))]
    del names
    assert size_of(ranked, SAMPLES_MAX) == pytest.approx(size_of(ranked, 0), rel=0.01)


def test_large_set_takes_what_was_allocated() -> None:
    client = Client(instance())
    client.instance.replica.history.resize(1 << 12)
    lines(client, "SADD warm a")
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for start in range(0, 12_000, 100):
        names = " ".join(f"member:{n:08d}" for n in range(start, start + 100))
        lines(client, f"SADD k {names}")
        client.instance.replica.seal()
    gc.collect()
    allocated = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert key_bytes(client.db, b"k", 5) == pytest.approx(allocated, rel=0.1)
