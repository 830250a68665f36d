"""Handles behave like Python's containers: each is compared with its counterpart."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import NotANumber, Replica, WrongType
from crdt.embed.handles.base import Handle, MembersHandle
from tests.crdt.exchange import deliver_to

names = st.sampled_from("abcde")


def test_text_in_text_out_and_bytes_likewise() -> None:
    replica = Replica(1)
    replica.string("k").set("ä")
    assert replica.string("k").get() == "ä"
    assert replica.string(b"k").get() == "ä".encode()
    assert replica.string("none").get() is None
    assert replica.string("k") == "ä" == replica.string("k")
    assert replica.string("k") != replica.string("none")
    assert replica.string("k") != "b"
    assert replica.string("none") == None  # noqa: E711 - compares its value, as `get` returns it
    assert repr(replica.string("k")) == "<StringHandle b'k'>"


def test_counter_counts() -> None:
    replica = Replica(1)
    counter = replica.counter("k")
    assert counter.value == 0
    assert counter.increment() == 1
    assert counter.decrement(5) == -4
    assert int(counter) == -4
    assert counter.add("0.5") == -3.5
    assert counter.value == float(counter) == -3.5
    assert counter
    counter.add(3.5)
    assert not counter
    replica.string("k").set("text")
    with pytest.raises(NotANumber, match="b'k' holds 'text', which is not a number: set it to"):
        counter.increment()


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "|=": operator.ior,
    "&=": operator.iand,
    "-=": operator.isub,
    "^=": operator.ixor,
}
SET_STEPS = ["add", "add", "discard", "remove", "clear", *OPERATORS]


def act_on_set(target: Any, name: str, members: list[str]) -> None:
    """Apply an action to a set or a handle. Both refuse to remove what is missing."""
    if name in ("add", "discard"):
        for member in members:
            getattr(target, name)(member)
    elif name == "remove" and members:
        with nullcontext() if members[0] in target else pytest.raises(KeyError):
            target.remove(members[0])
    elif name == "clear":
        target.clear()
    elif name in OPERATORS:
        assert OPERATORS[name](target, set(members)) is target


@pytest.mark.parametrize("kind", ["set", "set_remove_wins"])
@given(
    steps=st.lists(st.tuples(st.sampled_from(SET_STEPS), st.lists(names, max_size=4)), max_size=20)
)
def test_set_is_like_set(kind: str, steps: list[tuple[str, list[str]]]) -> None:
    replica, model = Replica(1), set[str]()
    handle: MembersHandle[str] = getattr(replica, kind)("k")
    for name, members in steps:
        act_on_set(handle, name, members)
        act_on_set(model, name, members)
        assert handle == model
        assert len(handle) == len(model)
        assert bool(handle) == bool(model)
        assert set(handle) == model
        for other in (set(members), frozenset(members)):
            assert handle | other == model | other
            assert handle & other == model & other
            assert handle - other == model - other
            assert handle ^ other == model ^ other
            assert (handle <= other, handle < other) == (model <= other, model < other)
            assert handle.isdisjoint(other) == model.isdisjoint(other)
        assert [each in handle for each in "abcde"] == [each in model for each in "abcde"]
    assert 5 not in handle
    assert handle.add() is handle
    assert handle.discard() == 0


@pytest.mark.parametrize("kind", ["set", "set_remove_wins"])
def test_members_can_be_taken_out_one_by_one(kind: str) -> None:
    handle: MembersHandle[str] = getattr(Replica(1), kind)("k")
    handle.add("a", "b", "c")
    for _ in handle:  # iterates over what was there at first
        taken = handle.pop()
        assert taken not in handle
    assert len(handle) == 0
    with pytest.raises(KeyError):
        handle.pop()
    with pytest.raises(TypeError, match="unhashable"):
        hash(handle)


def test_empty_arguments_write_nothing() -> None:
    """An effect without members would only use up a dot."""
    replica = Replica(1)
    replica.set("k").add().discard()
    replica.set_remove_wins("k").add().discard()
    replica.set("k").clear()
    replica.hash("k").clear()
    replica.sorted_set("k").clear()
    replica.list("k").extend([])
    replica.list("k").clear()
    assert replica.since({}) == []


@given(st.lists(st.tuples(st.sampled_from(["set", "del", "pop"]), names, names), max_size=30))
def test_hash_is_like_dictionary(steps: list[tuple[str, str, str]]) -> None:
    replica, model = Replica(1), dict[str, str]()
    handle = replica.hash("k")
    for name, field, value in steps:
        if name == "set":
            handle[field] = model[field] = value
        elif name == "pop":
            assert handle.pop(field, None) == model.pop(field, None)
        elif field in model:
            del handle[field]
            del model[field]
        else:
            with pytest.raises(KeyError):
                del handle[field]
            with pytest.raises(KeyError):
                handle[field]
        assert dict(handle) == handle == model
        assert len(handle) == len(model)
        assert bool(handle) == bool(model)
    handle.clear()
    assert handle == {}


def test_field_counts() -> None:
    handle = Replica(1).hash("k")
    assert handle.increment("f", 5) == 5
    assert handle["f"] == "5"


@given(st.lists(st.tuples(names, st.integers(-9, 9)), max_size=30))
def test_sorted_set_is_like_dictionary_in_order(steps: list[tuple[str, int]]) -> None:
    replica, model = Replica(1), dict[str, float]()
    handle = replica.sorted_set("k")
    assert list(handle) == []
    assert len(handle) == 0
    for member, score in steps:
        if score < -5 and member in model:
            del handle[member]
            del model[member]
        elif score > 5:
            model[member] = model.get(member, 0) + 1
            assert handle.increment(member) == model[member]
        else:
            handle[member] = model[member] = score
        assert list(handle) == sorted(model, key=lambda each: (model[each], each))
        assert dict(handle) == model
        assert len(handle) == len(model)
    with pytest.raises(KeyError):
        handle["none"]
    with pytest.raises(KeyError):
        del handle["none"]
    handle.clear()
    assert handle == {}
    with pytest.raises(ValueError, match="NaN"):
        handle["a"] = float("nan")


@given(
    st.lists(
        st.tuples(st.sampled_from(["append", "insert", "set", "del", "pop"]), st.integers(-5, 5)),
        max_size=30,
    )
)
def test_list_is_like_list(steps: list[tuple[str, int]]) -> None:
    replica, model = Replica(1), list[str]()
    handle = replica.list("k")
    for count, (name, index) in enumerate(steps):
        value = f"{count}"
        for target in (handle, model):
            act_on(target, name, index, value)
        assert list(handle) == model
        assert handle == model
        assert model == handle
        assert handle != [*model, "more"]
        assert handle != tuple(model)
        assert handle == replica.list("k")
        assert list(reversed(handle)) == model[::-1]
        assert handle[1:3] == model[1:3]
        assert handle[::-1] == model[::-1]
        assert len(handle) == len(model)
    assert (model[-1:] or [None])[0] == (handle[-1] if model else None)


def act_on(target: Any, name: str, index: int, value: str) -> None:
    """Apply an action to a list or a handle. Both refuse an index out of range."""
    if name == "append":
        target.append(value)
    elif name == "insert":
        target.insert(index, value)
    elif not -len(target) <= index < len(target):
        with pytest.raises(IndexError):
            target[index]
        with pytest.raises(IndexError):
            target[index] = value
        with pytest.raises(IndexError):
            del target[index]
    elif name == "set":
        target[index] = value
    elif name == "pop":
        target.pop(index)
    else:
        del target[index]


def test_several_elements_can_be_removed_at_once() -> None:
    handle = Replica(1).list("k")
    assert handle[:] == []
    del handle[0:2]
    handle.extend(["a", "b", "c", "d"])
    del handle[1:3]
    assert list(handle) == ["a", "d"]
    with pytest.raises(IndexError):
        del handle[2]
    handle += ["e", "f"]
    handle.reverse()
    assert handle == ["f", "e", "d", "a"]
    with pytest.raises(TypeError, match="unhashable"):
        hash(handle)
    handle.clear()
    assert handle == []


def test_elements_that_come_together_are_one_effect() -> None:
    """Rule LST-11: the push of another region cannot come in between."""
    here, there = Replica(1), Replica(2)
    here.list("k").extend("abc")
    there.list("k").extend("xyz")
    here.merge(there.snapshot())
    assert here.list("k") == ["a", "b", "c", "x", "y", "z"]
    assert here.keyspace.seq == 1


WRONG: list[tuple[str, str, tuple[Any, ...]]] = [
    ("string", "set", (5,)),
    ("string", "set", (None,)),
    ("counter", "increment", (1.5,)),
    ("counter", "decrement", ("1",)),
    ("counter", "add", (None,)),
    ("set", "add", ("a", 5)),
    ("set", "add", (bytearray(b"a"),)),
    ("set", "discard", (5,)),
    ("set", "expire_at", (5.5,)),
    ("hash", "update", ({"f": 5},)),
    ("hash", "update", ({5: "v"},)),
    ("hash", "update", ({"e": "v", "f": 5},)),
    ("hash", "setdefault", ("f",)),
    ("hash", "increment", ("f", 1.5)),
    ("hash", "increment", (5,)),
    ("sorted_set", "update", ({"m": "1.5"},)),
    ("sorted_set", "update", ({5: 1.5},)),
    ("sorted_set", "update", ({"l": 1.5, "m": None},)),
    ("sorted_set", "increment", ("m", None)),
    ("sorted_set", "increment", (5,)),
    ("list", "append", (5,)),
    ("list", "extend", (["a", 5],)),
    ("list", "insert", ("0", "a")),
    ("list", "__getitem__", ("0",)),
    ("list", "__setitem__", (0, 5)),
    ("list", "__delitem__", (None,)),
    ("multi_value", "set", (5,)),
    ("set_remove_wins", "add", (5,)),
    ("set_remove_wins", "discard", (None,)),
    ("counter_grow", "increment", (1.5,)),
]


@pytest.mark.parametrize(("kind", "method", "arguments"), WRONG, ids=str)
def test_oversized_value_is_not_written(kind: str, method: str, arguments: tuple[Any, ...]) -> None:
    """Peers would refuse such an effect, and so never receive later ones."""
    replica = Replica(1)
    with pytest.raises(TypeError):
        getattr(getattr(replica, kind)("k"), method)(*arguments)
    assert replica.since({}) == []
    assert replica.vector == {}


def test_invalid_time_and_key_are_refused() -> None:
    odd: Any = 1.7e12
    with pytest.raises(TypeError):
        Replica(1, clock=lambda: odd).set("k").add("a")
    with pytest.raises(TypeError):
        Replica(1).set(odd)


def test_true_is_one() -> None:
    here, there = Replica(1), Replica(2)
    here.advance(1)
    assert here.counter("k").increment(True) == 1
    assert here.hash("h").increment("f", True) == 1
    assert here.sorted_set("z").increment("m", True) == 1.0
    assert here.counter_grow("g").increment(True) == 1
    with pytest.raises(TypeError, match="a deadline: expected an integer, not bool"):
        here.set("s").add("a").expire_at(True)
    deliver_to(here, there)
    assert there.digest() == here.digest()


def test_impossible_members_are_absent() -> None:
    replica = Replica(1)
    replica.hash("h")["f"] = "v"
    replica.sorted_set("z")["m"] = 1
    replica.set("s").add("a")
    odd: Any = 5
    for handle in (replica.hash("h"), replica.sorted_set("z"), replica.set("s")):
        assert odd not in handle
    for mapping in (replica.hash("h"), replica.sorted_set("z")):
        assert mapping.get(odd) is None
        with pytest.raises(KeyError):
            del mapping[odd]
    with pytest.raises(KeyError):
        replica.set("s").remove(odd)
    assert 5 not in replica.list("l")


def test_non_text_is_read_as_bytes() -> None:
    replica = Replica(1)
    replica.set(b"k").add(b"\xff")
    assert list(replica.set(b"k")) == [b"\xff"]
    with pytest.raises(UnicodeDecodeError):
        list(replica.set("k"))


def test_another_type_is_refused() -> None:
    """Rule KEY-6."""
    replica = Replica(1)
    replica.set("k").add("a")
    with pytest.raises(
        WrongType, match=r"^'k' holds a set, not a hash: use replica.set\('k'\), or delete"
    ):
        replica.hash("k")["f"] = "x"
    with pytest.raises(WrongType):
        replica.string("k").get()
    replica.string("k").set("x")
    assert replica.string("k").get() == "x"


def test_values_end() -> None:
    replica = Replica(1)
    replica.advance(1000)
    handle: Handle[str] = replica.set("k")
    assert not handle.expire_at(2000)
    for beyond in (-1, (1 << 49) + 1):
        with pytest.raises(ValueError, match="a deadline is"):
            handle.expire_at(beyond)
    replica.set("k").add("a")
    assert handle.expire_at(2000)
    assert handle.expire_at(None)
    assert handle.expire_at(1500)
    replica.advance(1501)
    assert len(replica.set("k")) == 0
    assert not handle.delete()
    replica.set("k").add("b")
    assert handle.delete()


def test_update_is_one_effect_or_none() -> None:
    replica = Replica(1)
    fields, scores = replica.hash("h"), replica.sorted_set("z")
    fields.update([("a", "1"), (b"a", "2")], b="3")
    scores.update({"m": 2, "n": 1}, o=3.5)
    fields.update()
    scores.update({})
    assert replica.keyspace.seq == 2
    assert dict(fields) == {"a": "2", "b": "3"}
    assert list(scores.items()) == [("n", 1.0), ("m", 2.0), ("o", 3.5)]
    with pytest.raises(WrongType):
        replica.hash("z").update()
    with pytest.raises(ValueError, match="NaN"):
        scores.update({"l": 1.0, "m": float("nan")})
    assert replica.keyspace.seq == 2


def test_every_handle_has_value() -> None:
    replica = Replica(1)
    replica.string("s").set("x")
    replica.set("m").add("a")
    replica.hash("h")["f"] = "v"
    replica.sorted_set("z").update(b=2, a=1)
    replica.list("l").extend(["x", "y"])
    replica.multi_value("mv").set("v")
    replica.flag("f").enable()
    assert replica.string("s").value == "x"
    assert replica.set("m").value == frozenset({"a"})
    assert replica.hash("h").value == {"f": "v"}
    assert list(replica.sorted_set("z").value.items()) == [("a", 1.0), ("b", 2.0)]
    assert replica.list("l").value == ["x", "y"]
    assert replica.multi_value("mv").value == replica.multi_value("mv").get() == frozenset({"v"})
    assert replica.flag("f").value
    assert replica.flag("f").get()


@given(ours=st.sets(names), others=st.lists(st.sets(names), max_size=3))
def test_methods_of_set_are_there(ours: set[str], others: list[set[str]]) -> None:
    handle = Replica(1).set("k").add(*ours)
    other = others[0] if others else set[str]()
    for name in ("union", "intersection", "difference"):
        assert getattr(handle, name)(*others) == getattr(ours, name)(*others)
    for name in ("symmetric_difference", "issubset", "issuperset", "isdisjoint"):
        assert getattr(handle, name)(other) == getattr(ours, name)(other)
    assert (handle | other, handle & other) == (ours | other, ours & other)
    assert (handle - other, handle ^ other) == (ours - other, ours ^ other)
    assert (other | handle, other & handle) == (ours | other, ours & other)
    assert (other - handle, other ^ handle) == (other - ours, ours ^ other)
    assert handle.issuperset(handle)
    assert type(handle.copy()) is set
    assert handle.copy() == ours
    handle.update(*others)
    ours.update(*others)
    assert handle == ours
    for name in ("difference_update", "intersection_update"):
        getattr(handle, name)(*others[:1])
        getattr(ours, name)(*others[:1])
        assert handle == ours
    handle.symmetric_difference_update(other)
    assert handle == ours ^ other


REFUSING = [
    "__ior__",
    "__iand__",
    "__isub__",
    "__ixor__",
    "__or__",
    "__and__",
    "__sub__",
    "__xor__",
]


@pytest.mark.parametrize("given", ["milk", b"milk", 5, None], ids=repr)
@pytest.mark.parametrize("method", [*REFUSING, "update", "union", "issubset", "isdisjoint"])
def test_set_refuses_text_where_it_takes_members(method: str, given: Any) -> None:
    handle = Replica(1).set("k").add("a")
    with pytest.raises(TypeError, match=f"members, not {type(given).__name__}"):
        getattr(handle, method)(given)
    assert handle == {"a"}


def test_deadlines_need_clock_that_counts_milliseconds() -> None:
    replica = Replica(1)
    handle = replica.set("k").add("a")
    with pytest.raises(ValueError, match=r"has no clock.*Replica\(clock="):
        handle.expire_at(5000)
    assert handle.expire_at(None)
    replica = Replica(1, clock=lambda: 1_790_000_000_000)
    handle = replica.set("k").add("a")
    with pytest.raises(ValueError, match="looks like seconds"):
        handle.expire_at(1_790_000_100)
    assert handle.expire_at(1_790_000_100_000)
