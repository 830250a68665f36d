"""Large strings that share an effect, and effects for which there is no memory."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import Replica
from crdt.causality.dots import Dot, make_origin
from crdt.causality.effect import LARGE_BYTES, LONG_ITEMS, Effect
from crdt.causality.observed import Observed
from crdt.errors import NotANumber
from crdt.store.keyspace import RESERVE_BYTES, Keyspace
from crdt.types.registry import BUILT_IN
from crdt.types.set import Set
from crdt.types.string import SET, STRING, String
from crdt.writes import set as sets
from crdt.writes import string as strings
from tests.crdt.exchange import exchange, regions

K = b"k"
LARGE = b"x" * (LARGE_BYTES + 1)
steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([b"k", b"l"]),
        st.sampled_from(
            ["set", "keep", "append", "small", "incr", "del", "expire", "add", "flush", "exchange"]
        ),
    ),
    max_size=40,
)


def write(db: Keyspace, key: bytes, act: str, number: int) -> None:
    """Run one command on `key`."""
    value = db.lookup_for_write(key)
    match act:
        case "set":
            strings.assign(db, key, b"%d" % number + LARGE)
        case "keep" | "append":
            held = value.read() if isinstance(value, String) else b""
            strings.assign(db, key, (held if act == "append" else b"") + LARGE, True)
        case "small":
            strings.assign(db, key, b"%d" % number)
        case "incr":
            with suppress(NotANumber):
                strings.increment(db, key, number)
        case "del":
            db.delete(key)
        case "expire":
            if value is not None:
                db.expire(key, 2000 + number)
        case "add":
            sets.add(db, key, [b"%d" % number])
        case _:
            db.flush()


@given(steps)
def test_shared_effects_mean_what_separate_ones_mean(plan: list[tuple[int, bytes, str]]) -> None:
    """Two pairs of replicas run the same commands. One pair seals after every command."""
    pairs = [regions(2), regions(2)]
    for number, (region, key, act) in enumerate(plan):
        for pair in pairs:
            if act == "exchange":
                exchange(*pair)
                for replica in pair:
                    replica.advance(1000 + number)
            else:
                write(pair[region].keyspace, key, act, number)
        for replica in pairs[1]:
            replica.seal()
    for pair in pairs:
        exchange(*pair)
    everybody = [*pairs[0], *pairs[1]]
    assert len({replica.digest() for replica in everybody}) == 1
    assert len({tuple(map(replica.keyspace.deadline, (b"k", b"l"))) for replica in everybody}) == 1
    for pair in pairs:
        assert pair[0].vector == pair[1].vector
        assert pair[0].to_bytes() == pair[1].to_bytes()


def test_writes_of_one_large_string_share_effect() -> None:
    db = regions(2)[0].keyspace
    strings.assign(db, K, LARGE)
    for number in range(300):
        strings.assign(db, K, LARGE + b"%d" % number, True)
    assert (db.seq, len(db.outbox)) == (1, 1)
    assert db.outbox_bytes == len(LARGE) + 3
    assert db.waiting_bytes() == 0
    value = db.lookup(K)
    assert isinstance(value, String)
    assert value.read() == LARGE + b"299"
    assert value.stamp == 1300
    strings.assign(db, b"l", LARGE)
    strings.assign(db, K, LARGE, True)
    assert (db.seq, len(db.outbox)) == (3, 3)
    assert db.waiting_bytes() == 2 * len(LARGE) + 3
    db.seal()
    assert (db.outbox_bytes, db.waiting_bytes()) == (0, 0)
    strings.assign(db, K, LARGE, True)
    assert db.seq == 4


def test_shared_effect_resets_increments_and_deadline() -> None:
    here, there = regions(2)
    here.counter("k").increment(5)
    here.keyspace.expire(K, 2000)
    exchange(here, there)
    strings.assign(here.keyspace, K, LARGE)
    strings.assign(here.keyspace, K, LARGE + b"y", True)
    [effect] = here.keyspace.outbox
    assert (effect[:2], len(effect)) == ((STRING, SET), 6)
    exchange(here, there)
    for replica in (here, there):
        assert replica.keyspace.deadline(K) is None
        assert replica.string("k").get() == (LARGE + b"y").decode()


def test_shared_effect_is_change_and_readers_are_warned() -> None:
    db = regions(2)[0].keyspace
    warned: list[bytes] = []

    class Snapshotting:
        def before_change(self, key: bytes) -> None:
            warned.append(key)

        def before_flush(self, key: bytes) -> None:
            warned.append(key)

    strings.assign(db, K, LARGE)
    db.watched_keys.add(K)
    db.readers.append(Snapshotting())
    strings.assign(db, K, LARGE + b"y")
    assert (warned, db.dirty_keys, db.seq) == ([K], [K], 1)


def test_bytes_of_long_effects_count() -> None:
    db = regions(2)[0].keyspace
    sets.add(db, K, [b"%d" % n + b"x" * 100 for n in range(LONG_ITEMS)])
    assert db.outbox_bytes > LONG_ITEMS * 100
    assert db.waiting_bytes() == db.outbox_bytes


class Failing(Set):
    """A set whose next effects run out of memory, before or after they change something."""

    __slots__ = ()

    failures: ClassVar[list[str]] = []

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        failure = self.failures.pop() if self.failures else ""
        if failure == "early":
            raise MemoryError
        super().apply(effect, dot, observed)
        if failure == "late":
            raise MemoryError


@pytest.mark.interpreted("it derives from a compiled class")
@pytest.mark.parametrize("failure", ["early", "late"])
def test_effect_is_completed_with_reserve(failure: str) -> None:
    here, there = Keyspace(make_origin(1), BUILT_IN.with_types([Failing])), Replica(2)
    sets.add(here, K, [b"a"])
    Failing.failures = [failure]
    sets.add(here, K, [b"b"])
    assert here.reserve == b""
    op = here.seal()
    assert op is not None
    assert len(here.reserve) == RESERVE_BYTES
    there.accept(op)
    value = here.lookup(K)
    assert value is not None
    assert there.set("k") == {"a", "b"}
    assert value.visible() == [b"a", b"b"]


@pytest.mark.interpreted("it derives from a compiled class")
def test_effect_for_which_there_is_no_memory_has_not_happened() -> None:
    db = Keyspace(make_origin(1), BUILT_IN.with_types([Failing]))
    for before in ((), (b"a",)):
        if before:
            sets.add(db, K, [*before])
        vector = dict(db.vector)
        Failing.failures = ["early", "early"]
        with pytest.raises(MemoryError):
            sets.add(db, K, [LARGE])
        assert (db.vector, db.pending_bytes()) == (vector, 0)
        assert (db.seq, len(db.outbox)) == (len(before), len(before))
        assert (db.lookup(K) is None) == (not before)
    sets.add(db, K, [b"c"])
    op = db.seal()
    assert op is not None
    assert (op.first, op.last) == (1, 2)


def test_sealing_can_be_tried_again() -> None:
    db = regions(2)[0].keyspace
    for value in (b"a", b"b", b"c"):
        strings.assign(db, value, value)
    op = db.pending()
    assert op is not None
    assert db.pending() == op
    first, rest = op.part(0, 1), op.part(1, 3)
    db.remove_sealed(first)
    pending = db.pending()
    assert pending is not None
    assert (pending.first, pending.effects) == (rest.first, rest.effects)
    db.remove_sealed(rest)
    assert db.pending() is None
