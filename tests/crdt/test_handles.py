"""Handles feel like Python's own containers: each against the container that it is like."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt import NotANumber, Replica, WrongType
from crdt.handles import Handle

names = st.sampled_from("abcde")


def test_text_in_text_out_and_bytes_likewise() -> None:
    replica = Replica(1)
    replica.string("k").set("ä")
    assert replica.string("k").get() == "ä"
    assert replica.string(b"k").get() == "ä".encode()
    assert replica.string("none").get() is None
    assert repr(replica.string("k")) == "<StringHandle b'k'>"


def test_a_counter_counts() -> None:
    replica = Replica(1)
    counter = replica.counter("k")
    assert counter.value == 0
    assert counter.increment() == 1
    assert counter.decrement(5) == -4
    assert int(counter) == -4
    assert counter.add("0.5") == -3.5
    assert counter.value == -3.5
    replica.string("k").set("text")
    assert counter.value == 0.0
    with pytest.raises(NotANumber):
        counter.increment()


@given(st.lists(st.tuples(st.sampled_from(["add", "discard", "remove"]), names), max_size=30))
def test_a_set_is_like_a_set(steps: list[tuple[str, str]]) -> None:
    replica, model = Replica(1), set[str]()
    handle = replica.set("k")
    for name, member in steps:
        if name == "add":
            assert handle.add(member) is handle
            model.add(member)
        elif name == "discard":
            assert handle.discard(member) == (member in model)
            model.discard(member)
        elif member in model:
            handle.remove(member)
            model.remove(member)
        else:
            with pytest.raises(KeyError):
                handle.remove(member)
        assert set(handle) == model
        assert len(handle) == len(model)
        assert (member in handle) == (member in model)
    assert 5 not in handle
    assert handle | {"z"} == model | {"z"}
    assert handle <= model


@given(st.lists(st.tuples(st.sampled_from(["set", "del", "pop"]), names, names), max_size=30))
def test_a_hash_is_like_a_dictionary(steps: list[tuple[str, str, str]]) -> None:
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
        assert dict(handle) == model
        assert len(handle) == len(model)


def test_a_field_counts() -> None:
    handle = Replica(1).hash("k")
    assert handle.increment("f", 5) == 5
    assert handle["f"] == "5"


@given(st.lists(st.tuples(names, st.integers(-9, 9)), max_size=30))
def test_a_sorted_set_is_like_a_dictionary_in_order(steps: list[tuple[str, int]]) -> None:
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
    with pytest.raises(ValueError, match="NaN"):
        handle["a"] = float("nan")


@given(
    st.lists(
        st.tuples(st.sampled_from(["append", "insert", "set", "del", "pop"]), st.integers(-5, 5)),
        max_size=30,
    )
)
def test_a_list_is_like_a_list(steps: list[tuple[str, int]]) -> None:
    replica, model = Replica(1), list[str]()
    handle = replica.list("k")
    for count, (name, index) in enumerate(steps):
        value = f"{count}"
        for target in (handle, model):
            act_on(target, name, index, value)
        assert list(handle) == model
        assert handle[1:3] == model[1:3]
        assert handle[::-1] == model[::-1]
        assert len(handle) == len(model)
    assert (model[-1:] or [None])[0] == (handle[-1] if model else None)


def act_on(target: Any, name: str, index: int, value: str) -> None:
    """Do to a list or a handle what both can do; what is out of range is refused by both."""
    if name == "append":
        target.append(value)
    elif name == "insert":
        target.insert(index, value)
    elif not -len(target) <= index < len(target):
        with pytest.raises(IndexError):
            target[index]
        with pytest.raises(IndexError):
            target[index] = value
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
    with pytest.raises(TypeError):
        handle[0:1] = ["x"]


def test_another_type_is_refused() -> None:
    """Rule KEY-6."""
    replica = Replica(1)
    replica.set("k").add("a")
    with pytest.raises(WrongType, match="holds a Set, not a Hash"):
        replica.hash("k")["f"] = "x"
    with pytest.raises(WrongType):
        replica.string("k").get()
    replica.string("k").set("x")
    assert replica.string("k").get() == "x"


def test_values_end() -> None:
    replica = Replica(1)
    replica.advance(1000)
    handle: Handle = replica.set("k")
    assert not handle.expire_at(2000)
    replica.set("k").add("a")
    assert handle.expire_at(2000)
    assert handle.expire_at(None)
    assert handle.expire_at(1500)
    replica.advance(1501)
    assert len(replica.set("k")) == 0
    assert not handle.delete()
    replica.set("k").add("b")
    assert handle.delete()
