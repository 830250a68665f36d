"""Writes of strings that nobody watches: a shorter way, with the result of the general one.

Replicas of one region carry out the same steps. One of them has a reader, so that its writes take
the general way. Another one folds no strings. Operations and states are equal after every step.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crdt import Op, Replica
from crdt.causality.effect import ANY_TYPE, DELETE, LARGE_BYTES
from crdt.errors import CounterOverflow, NotANumber
from crdt.numbers.number import COUNTER_MAX
from crdt.store.keyspace import Keyspace
from crdt.store.values import ValueStore
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.string import String
from crdt.writes import set as sets
from crdt.writes import string as strings

KEYS = (b"a", b"b")
NOW = 1_000_000
Step = tuple[str, int, int]


class ObjectStore(ValueStore):
    """A store that keeps every value as it is."""

    def get(self, key: bytes) -> Value | None:
        return self.index.get(key)

    def put(self, key: bytes, value: Value) -> None:
        self.index.put(key, value)

    def shares(self, value: Value) -> bool:
        return True


class PatientReader:
    """A reader that saves nothing."""

    def before_change(self, key: bytes) -> None:
        """Do nothing."""

    def before_flush(self, key: bytes) -> None:
        """Do nothing."""


def increment(db: Keyspace, key: bytes, delta: int) -> object:
    """INCRBY, as the command does it. Return the new value or the error."""
    try:
        result = strings.increment_counted(db, key, delta)
        if result is not None:
            return result
        shown = db.lookup_for_write(key)
        if shown is not None and not isinstance(shown, String):
            return None
        return strings.increment(db, key, delta, shown)
    except (CounterOverflow, NotANumber) as error:
        return str(error)


def write(replica: Replica, step: Step) -> object:
    """Carry out a step that writes or moves the clock. Return its result."""
    db = replica.keyspace
    name, place, amount = step
    key = KEYS[place]
    if name == "set":
        strings.assign(db, key, b"%d" % amount if amount else b"text")
    elif name == "keep":
        strings.assign(db, key, b"kept", keep_ttl=True)
    elif name == "large":
        strings.assign(db, key, b"x" * (LARGE_BYTES + amount))
    elif name == "add":
        return increment(db, key, amount)
    elif name == "far":
        return increment(db, key, COUNTER_MAX - 5)
    elif name == "delete":
        db.delete(key)
    elif name == "member" and isinstance(db.lookup(key), String | None):
        db.delete(key)
        sets.add(db, key, [b"m"])
    elif name == "expire" and db.lookup_for_write(key) is not None:
        db.expire(key, db.now + amount if amount else None)
    elif name == "mark" and isinstance(db.lookup(key), String):
        strings.mark(db, key, is_raw=True)
    elif name == "append" and isinstance(db.lookup_for_write(key), String | None):
        return strings.edit(db, key, amount, b"+")
    elif name == "read":
        found = db.read(key)
        return None if found is None else found.visible()
    elif name == "flush":
        db.flush()
    elif name == "later":
        replica.advance(db.now + amount)
        db.mark_uses(db.second + 1)
    return None


NAMES = ("set", "keep", "large", "add", "far", "delete", "member", "expire", "mark", "later")
OTHERS = ("append", "read", "merge", "seal", "other")
STEPS = st.tuples(st.sampled_from((*NAMES, *OTHERS)), st.integers(0, 1), st.integers(0, 9))


def state(replica: Replica) -> object:
    """Return everything that a keyspace holds, also what is not replicated."""
    db = replica.keyspace
    found: list[object] = [replica.to_bytes(), db.seq, dict(db.vector), db.outbox, db.outbox_bytes]
    found += [db.expired, db.deadlines.timed, db.remembered_keys()]
    for key in KEYS:
        value = db.held(key)
        found.append(db.deadlines.siblings(key))
        if isinstance(value, String):
            found += [value.accessed, value.is_raw, value.is_text, value.no_expiry]
            assert key in db.traced or db.data.is_counter(key) or not value.keeps_traces()
    assert db.data.counters == sum(map(db.data.is_counter, db.data))
    return found


def unfolding_replica() -> Replica:
    """Return a replica that folds no strings."""
    replica = Replica(1, members=(1, 2))
    replica.keyspace.new_store = ObjectStore
    replica.keyspace.begin_empty()
    return replica


def run(steps: list[Step], third: Replica | None = None) -> list[Replica]:
    """Carry out the steps in all ways. "seal" sends what was written. "other" is a write of another
    region, which takes part in increments and sets by turns. "merge" takes over its state, and
    "flush" removes everything."""
    twins = [Replica(1, members=(1, 2)) for _ in range(2)]
    if third is not None:
        twins.append(third)
    other = Replica(2, members=(1, 2))
    twins[1].keyspace.add_reader(PatientReader())
    for replica in (*twins, other):
        replica.advance(NOW)
        replica.keyspace.mark_uses(NOW // 1000)
    for step in steps:
        if step[0] == "seal":
            ops = [replica.seal() for replica in twins]
            assert all(op == ops[0] for op in ops)
            if ops[0] is not None and step[2] % 2:
                if other.vector.get(ops[0].origin, 0) == ops[0].first - 1:
                    other.accept(Op.from_bytes(ops[0].to_bytes()))
        elif step[0] == "merge":
            write(other, ("set", step[1], step[2]))
            other.seal()
            for replica in twins:
                replica.seal()
                replica.merge(other.snapshot())
        elif step[0] == "other":
            write(other, (("set", "add", "member")[step[2] % 3], step[1], step[2]))
            op = other.seal()
            for replica in twins:
                replica.seal()
                if op is not None:
                    replica.accept(op)
        else:
            results = [write(replica, step) for replica in twins]
            assert all(result == results[0] for result in results)
        first, *others = [state(replica) for replica in twins]
        assert all(each == first for each in others)
    return twins


@given(st.lists(STEPS, max_size=30))
@example([("add", 0, 1), ("add", 0, 2), ("set", 0, 5), ("add", 0, 1), ("add", 0, 1), ("set", 0, 1)])
@example([("set", 0, 1), ("expire", 0, 5), ("set", 0, 2), ("later", 0, 9), ("set", 0, 3)])
@example([("member", 0, 1), ("other", 0, 0), ("set", 0, 1), ("add", 0, 1)])
@example([("add", 0, 1), ("delete", 0, 0), ("set", 0, 1), ("add", 0, 1), ("add", 0, 1)])
@example([("add", 0, 1), ("far", 0, 0), ("add", 0, 9), ("set", 0, 0), ("add", 0, 1)])
@example([("add", 0, 1), ("flush", 0, 0), ("add", 0, 1), ("other", 0, 1), ("add", 0, 1)])
@example([("set", 0, 1), ("other", 0, 0), ("read", 0, 0), ("set", 0, 2), ("add", 0, 1)])
def test_quiet_write_equals_general_one(steps: list[Step]) -> None:
    run(steps)


@pytest.mark.interpreted("the store derives from a compiled class")
@given(st.lists(STEPS, max_size=30))
@example([("set", 0, 1), ("mark", 0, 0), ("read", 0, 0), ("append", 0, 3), ("set", 0, 2)])
@example([("set", 0, 1), ("later", 0, 9), ("read", 0, 0), ("expire", 0, 0), ("set", 0, 2)])
@example([("add", 0, 1), ("mark", 0, 0), ("later", 0, 1), ("read", 0, 0), ("add", 0, 1)])
@example([("set", 0, 1), ("merge", 0, 2), ("add", 0, 1), ("merge", 1, 2), ("add", 1, 1)])
@example([("set", 0, 0), ("expire", 0, 1), ("delete", 0, 0)])
def test_folded_string_equals_one_that_is_not(steps: list[Step]) -> None:
    run(steps, unfolding_replica())


def test_write_in_same_millisecond_is_later_than_the_one_it_replaces() -> None:
    """Rule ORD-7."""
    db = run([("set", 0, 1), ("set", 0, 2), ("set", 0, 3)])[0].keyspace
    value = db.lookup(KEYS[0])
    assert isinstance(value, String)
    assert (value.read(), value.stamp) == (b"3", NOW + 2)


def test_watched_key_changes_by_quiet_kinds_of_writes() -> None:
    db = run([("set", 0, 1), ("add", 1, 1)])[0].keyspace
    for key in KEYS:
        db.watch(key)
    strings.assign(db, KEYS[0], b"x")
    assert strings.increment_counted(db, KEYS[1], 1) is None
    assert increment(db, KEYS[1], 1) == 2
    assert db.drain_changes() == list(KEYS)


def test_key_of_two_types_is_not_written_in_the_short_way() -> None:
    """The value that it shows must be chosen again."""
    twins = run([("add", 0, 1), ("other", 0, 2), ("add", 0, 1)])
    db = twins[0].keyspace
    assert isinstance(db.data[KEYS[0]], Contested)
    assert strings.increment_counted(db, KEYS[0], 1) is None


@pytest.mark.interpreted("replaces a method of a compiled class")
def test_new_key_is_completed_from_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has no memory for the key until the reserve has been freed."""
    replica = Replica(1)
    replica.advance(NOW)
    db = replica.keyspace
    put = type(db.data).put

    def put_with_reserve(store: object, key: bytes, value: object) -> None:
        if db.reserve:
            raise MemoryError
        put(db.data, key, value)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(type(db.data), "put", put_with_reserve)
    strings.assign(db, KEYS[0], b"x")
    assert db.pending_effects()[0][2] == KEYS[0]
    assert db.carried_by(KEYS[0]) == ()
    shown = db.lookup(KEYS[0])
    assert isinstance(shown, String)
    assert shown.read() == b"x"
    db.emit((ANY_TYPE, DELETE, KEYS[0], ()))
    assert db.lookup(KEYS[0]) is None
