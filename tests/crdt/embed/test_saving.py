"""A restored replica: when it keeps its identity, when it takes another, and its contents."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from crdt import DecodeError, IdentityReused, Replica, ReplicaClosed, make_origin, region_of
from crdt.embed.saving import SAVE_VERSION, read_saved
from crdt.wire import codec
from crdt.wire.formats import SAVE_MAGIC
from tests.crdt.exchange import deliver_to, exchange


def filled(number: int = 1, **options: Any) -> Replica:
    """Return a replica with values of every type."""
    replica = Replica(number, **options)
    replica.advance(1000)
    replica.set("s").add("a", "b")
    replica.set("s").discard("a")
    replica.counter("c").increment(5)
    replica.string("t").set("x")
    replica.string("t").expire_at(5000)
    replica.list("l").extend(["x", "y"])
    replica.multi_value("m").set("v")
    return replica


def write(replica: Replica, name: str) -> None:
    replica.set("s").add(name)


@pytest.mark.parametrize("how", ["close", "resume"])
def test_latest_save_keeps_its_identity(how: str) -> None:
    here, there = filled(), Replica(2)
    write(there, "there")
    exchange(here, there)
    write(here, "late")
    data = here.close() if how == "close" else here.save()
    again = Replica.load(data, resume=None if how == "close" else True)
    assert again.origin == here.origin
    assert again.to_bytes() == here.to_bytes()
    assert again.digest() == here.digest()
    assert again.vector.to_bytes() == here.vector.to_bytes()
    assert again.since({}) == here.since({})
    write(again, "more")
    exchange(again, there)
    assert set(there.set("s")) == {"b", "there", "late", "more"}
    assert sorted(there.vector) == [make_origin(1), make_origin(2)]
    assert there.digest() == again.digest()


def test_older_save_takes_new_incarnation() -> None:
    here, there = filled(), Replica(2)
    data = here.save()
    again, third = Replica.load(data), Replica.load(data)
    assert len({here.origin, again.origin, third.origin}) == 3
    assert region_of(again.origin) == 1
    assert again.vector == here.vector, "nothing was written yet, and no entry is added"
    assert Replica.load(again.save()).vector == here.vector
    write(here, "original")
    write(again, "again")
    write(third, "third")
    exchange(here, again, third, there)
    assert set(there.set("s")) == {"b", "original", "again", "third"}
    assert len(there.vector) == 3
    assert here.digest() == again.digest() == third.digest() == there.digest()


def test_load_of_close_can_take_new_incarnation() -> None:
    data = filled().close()
    assert Replica.load(data, resume=False).origin != make_origin(1)


def test_save_that_is_loaded_twice_under_one_name_is_noticed() -> None:
    here = filled()
    data = here.close()
    one, other = Replica.load(data), Replica.load(data)
    write(one, "one")
    write(other, "other")
    before = [one.to_bytes(), other.to_bytes()]
    for source, sink in ((one, other), (other, one)):
        with pytest.raises(IdentityReused, match=r"Replica\.load"):
            sink.apply(source.changes_for(sink.vector))
        with pytest.raises(IdentityReused):
            sink.merge(source.snapshot())
    assert [one.to_bytes(), other.to_bytes()] == before


def test_after_its_last_save_replica_refuses_to_write() -> None:
    here, there = filled(members=[1, 2]), Replica(2)
    write(there, "there")
    data = here.close()
    writes = [
        lambda: here.set("s").add("x"),
        lambda: here.string("t").set("x"),
        lambda: here.counter("c").increment(),
        lambda: here.hash("h").update(a="1"),
        lambda: here.list("l").append("x"),
        lambda: here.flag("f").enable(),
        lambda: here.set("s").delete(),
        lambda: here.string("t").expire_at(None),
        lambda: here.delete("s"),
        here.collect,
    ]
    before = here.to_bytes()
    for attempt in writes:
        with pytest.raises(ReplicaClosed):
            attempt()
    assert here.to_bytes() == before
    assert set(here.set("s")) == {"b"}
    deliver_to(there, here)
    assert set(here.set("s")) == {"b", "there"}, "it may still learn"
    assert here.close() != data
    assert Replica.load(here.save()).origin == here.origin


def test_saved_history_keeps_its_extent() -> None:
    here = Replica(1, history_bytes=2000)
    for index in range(30):
        write(here, f"{index}")
        here.seal()
    vector = dict(here.vector)
    vector[here.origin] -= 2
    again = Replica.load(here.save(), history_bytes=2000)
    assert again.since(vector) == here.since(vector)
    assert len(again.since(vector)) == 2
    assert here.changes_for({}).state
    assert again.changes_for({}).state
    assert again.history.floor == here.history.floor
    short = Replica.load(here.save(), history_bytes=1)
    assert short.changes_for(vector).state


def test_save_holds_waiting_ops() -> None:
    here, there = Replica(1), Replica(2)
    for name in "ab":
        write(here, name)
        here.seal()
    first, second = here.since({})
    there.accept(second)
    again = Replica.load(there.save())
    assert again.statistics().waiting_bytes == there.statistics().waiting_bytes > 0
    again.accept(first)
    assert set(again.set("s")) == {"a", "b"}


def test_expired_key_stays_expired_without_clock() -> None:
    here = filled()
    here.advance(6000)
    assert "t" not in here
    again = Replica.load(here.save())
    assert "t" not in again
    with pytest.raises(ValueError, match="has no clock"):
        again.string("u").expire_at(9000)
    assert "t" not in Replica.load(here.save(), clock=lambda: 5990)


def test_history_that_snapshot_has_overtaken_is_restored() -> None:
    """Such a save was once refused as damaged."""
    here, there, third = Replica(1), Replica(2), Replica(3)
    write(there, "a")
    deliver_to(there, here)
    write(there, "b")
    here.merge(there.snapshot())
    again = Replica.load(here.close())
    assert again.digest() == here.digest()
    assert again.history.last == here.history.last == {there.origin: 2}
    assert again.history.floor == here.history.floor == {there.origin: 2}
    write(there, "c")
    exchange(again, there)
    third.apply(again.changes_for(third.vector))
    assert third.digest() == again.digest() == there.digest()


def test_first_op_after_restore_carries_context() -> None:
    """Otherwise a later operation of the replica would seem to have observed nothing."""
    here, there, third = Replica(1), Replica(2), Replica(3)
    write(there, "a")
    deliver_to(there, here, third)
    write(here, "b")
    again = Replica.load(here.close())
    again.set("s").discard("a")
    deliver_to(again, third)
    assert set(third.set("s")) == {"b"}


def test_state_of_our_own_name_is_refused_and_way_named() -> None:
    data = filled().to_bytes()
    with pytest.raises(IdentityReused, match=r"Replica\.load restores a saved replica"):
        Replica(1).merge_bytes(data)


def test_replica_keeps_its_slot_group() -> None:
    replica = Replica(1, group=7)
    replica.set("k").add("a")
    assert (replica.group, Replica(1).group) == (7, 0)
    assert Replica.load(replica.save()).group == 7
    with pytest.raises(AttributeError):
        replica.group = 8  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("group", [-1, 16384])
def test_slot_groups_have_14_bits(group: int) -> None:
    with pytest.raises(ValueError, match=f"group is {group}: use 0 to 16383"):
        Replica(1, group=group)


def test_damaged_saves_and_other_versions_are_refused() -> None:
    data = filled().save()
    for cut in range(0, len(data), 7):
        with pytest.raises(DecodeError):
            Replica.load(data[:cut])
    newer = codec.pack((SAVE_MAGIC, SAVE_VERSION + 1, b"whatever that holds"))
    with pytest.raises(DecodeError, match=r"format version 3; .* reads version 2"):
        Replica.load(newer)
    for other in (
        filled().to_bytes(),
        codec.pack(5),
        codec.pack((1, 2, 3)),
        filled().vector.to_bytes(),
    ):
        with pytest.raises(DecodeError):
            Replica.load(other)
    odd: Any = "text"
    with pytest.raises(TypeError, match="bytes"):
        Replica.load(odd)


def test_save_whose_parts_do_not_fit_is_refused() -> None:
    saved = read_saved(filled().save())
    saved.ops = []
    with pytest.raises(DecodeError, match="does not reach"):
        Replica.load(saved.to_bytes())
    saved.state = saved.state[: 4 + int.from_bytes(saved.state[:4], "big")]
    with pytest.raises(DecodeError, match="cut off"):
        Replica.load(saved.to_bytes())


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickle.dumps])
def test_replica_cannot_be_copied_and_names_way(copier: Any) -> None:
    here = filled()
    with pytest.raises(TypeError, match=r"replica\.save\(\) and Replica\.load\(\)"):
        copier(here)
    for handle in (
        here.set("s"),
        here.counter("c"),
        here.hash("h"),
        here.list("l"),
        here.flag("f"),
    ):
        with pytest.raises(TypeError, match=r"replica\.save\(\) and Replica\.load\(\)"):
            copier(handle)


@pytest.mark.parametrize("data", [b"", b"abc", b"whatever else there is"])
def test_other_bytes_are_not_a_save(data: bytes) -> None:
    with pytest.raises(DecodeError, match=r"; use what Replica.save or close returned$"):
        Replica.load(data)
