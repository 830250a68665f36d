"""Handles feel like Python's own containers, and refuse what is of another type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import NotANumber, WrongType
from crdt.handles import encode
from crdt.replica import Replica


@pytest.fixture
def replica() -> Replica:
    return Replica(1)


def test_a_handle_speaks_the_language_of_its_key(replica: Replica) -> None:
    replica.string("k").set(b"v")
    assert replica.string("k").get() == "v"
    assert replica.string(b"k").get() == b"v"
    assert encode("é") == encode(b"\xc3\xa9")
    assert repr(replica.string("k")) == "<StringHandle b'k'>"


def test_a_string(replica: Replica) -> None:
    name = replica.string("k")
    assert name.get() is None
    assert not name.delete()
    assert not name.expire_at(5_000)
    name.set("v")
    assert name.expire_at(5_000)
    assert replica.keyspace.deadline(b"k") == 5_000
    assert name.expire_at(None)
    assert replica.keyspace.deadline(b"k") is None
    assert name.delete()
    assert name.get() is None


def test_a_counter(replica: Replica) -> None:
    counter = replica.counter("k")
    assert (counter.value, int(counter)) == (0, 0)
    assert counter.increment() == 1
    assert counter.increment(5) == 6
    assert counter.decrement(8) == -2
    assert counter.add(0.5) == -1.5
    assert counter.add("0.1") == -1.4
    assert (counter.value, int(counter)) == (-1.4, -1)
    replica.string("k").set("text")
    assert counter.value == 0
    with pytest.raises(NotANumber):
        counter.increment()


def test_a_set(replica: Replica) -> None:
    cart = replica.set("k")
    assert (len(cart), list(cart), "a" in cart) == (0, [], False)
    assert cart.add("a", "b").discard("b", "c") == 1
    assert (len(cart), list(cart), b"a" in cart, 7 in cart) == (1, ["a"], True, False)
    assert cart | {"z"} == frozenset("az")
    cart.remove("a")
    with pytest.raises(KeyError):
        cart.remove("a")
    assert len(cart) == 0


def test_a_hash(replica: Replica) -> None:
    user = replica.hash("k")
    assert (len(user), list(user)) == (0, [])
    for missing in (lambda: user["f"], lambda: user.__delitem__("f")):
        with pytest.raises(KeyError):
            missing()
    user["f"] = "v"
    user.update(g="w")
    assert dict(user) == {"f": "v", "g": "w"}
    del user["f"]
    assert user.increment("n", 3) == 3
    assert (user["n"], len(user), user.get("f")) == ("3", 2, None)


def test_a_sorted_set(replica: Replica) -> None:
    board = replica.sorted_set("k")
    assert (len(board), list(board)) == (0, [])
    for missing in (lambda: board["m"], lambda: board.__delitem__("m")):
        with pytest.raises(KeyError):
            missing()
    board["a"], board["b"] = 2, 1
    assert list(board) == ["b", "a"]
    assert board.increment("b", 2.5) == 3.5
    assert list(board.items()) == [("a", 2.0), ("b", 3.5)]
    del board["a"]
    assert len(board) == 1
    with pytest.raises(ValueError, match="NaN"):
        board["a"] = float("nan")


INDEXES = st.integers(-5, 5)
SLICES = st.builds(slice, INDEXES, INDEXES, st.sampled_from([None, 1, 2, -1]))
ACTIONS = st.one_of(
    st.tuples(st.just("insert"), INDEXES),
    st.tuples(st.just("assign"), INDEXES),
    st.tuples(st.just("delete"), INDEXES | SLICES),
    st.tuples(st.just("read"), INDEXES | SLICES),
    st.tuples(st.just("pop"), st.none()),
)


def do(target: Any, action: str, at: Any, value: str) -> Any:
    """One action on a list of either kind; what it gave or how it failed."""
    try:
        if action == "insert":
            return target.insert(at, value)
        if action == "assign":
            target[at] = value
        elif action == "delete":
            del target[at]
        elif action == "read":
            return target[at]
        else:
            return target.pop()
    except IndexError:
        return "out of range"


@given(st.lists(ACTIONS))
def test_a_list_is_like_a_list_of_python(actions: list[tuple[str, Any]]) -> None:
    """Rules LST-1 to LST-11, as far as one region goes."""
    ours, plain = Replica(1).list("k"), list[str]()
    for number, (action, at) in enumerate(actions):
        value = f"{number}"
        assert do(ours, action, at, value) == do(plain, action, at, value)
        assert (list(ours), len(ours)) == (plain, len(plain))


def test_elements_are_assigned_one_at_a_time(replica: Replica) -> None:
    todo = replica.list("k")
    todo.append("a")
    with pytest.raises(TypeError, match="one element"):
        todo[0:1] = ["b"]
    assert list(todo) == ["a"]


WRONG: dict[str, Callable[[Replica], Any]] = {
    "get": lambda replica: replica.string("set").get(),
    "increment": lambda replica: replica.counter("set").increment(),
    "value": lambda replica: replica.counter("set").value,
    "add": lambda replica: replica.set("string").add("m"),
    "len": lambda replica: len(replica.set("string")),
    "hash": lambda replica: replica.hash("set").update(f="v"),
    "sorted": lambda replica: replica.sorted_set("set").increment("m"),
    "append": lambda replica: replica.list("set").append("m"),
}


@pytest.mark.parametrize("name", WRONG)
def test_another_type_is_refused_and_nothing_is_changed(replica: Replica, name: str) -> None:
    """Rule KEY-6."""
    replica.string("string").set("v")
    replica.set("set").add("m")
    with pytest.raises(WrongType, match="holds a"):
        WRONG[name](replica)
    assert replica.keyspace.seq == 2


def test_a_string_may_replace_any_type(replica: Replica) -> None:
    replica.set("k").add("m")
    replica.string("k").set("v")
    assert replica.string("k").get() == "v"
