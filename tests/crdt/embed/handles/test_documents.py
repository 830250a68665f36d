"""Handles of JSON documents."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import NotANumber, Replica, WrongType
from crdt.embed.handles.documents import JsonHandle
from crdt.errors import CounterOverflow


def shop() -> JsonHandle:
    """Return the handle of a document with all types of values."""
    handle = Replica(1).json("shop")
    handle.set({"name": "Corner", "stock": {"tea": 3}, "tags": ["a", "b"], "open": True, "x": None})
    return handle


def pair() -> tuple[Replica, Replica]:
    """Return two replicas that hold one document."""
    here, there = Replica(1), Replica(2)
    here.json("k").set({"n": 1, "l": [1, 2], "o": {"a": 1}})
    exchange(here, there)
    return here, there


def exchange(here: Replica, there: Replica) -> None:
    """Exchange what each replica lacks."""
    here.apply(there.changes_for(here.vector))
    there.apply(here.changes_for(there.vector))
    assert here.digest() == there.digest()


def test_places_are_read_like_containers() -> None:
    handle = shop()
    assert handle["stock"]["tea"] == 3
    assert handle["tags"][-1].value == "b"
    assert handle.keys() == ["name", "stock", "tags", "open", "x"]
    assert list(handle["tags"]) == ["a", "b"]
    assert list(handle["stock"]) == ["tea"]
    assert len(handle["tags"]) == 2
    assert "tea" in handle["stock"]
    assert "b" in handle["tags"]
    assert handle.get("none", 7) == 7
    assert handle.get("name") == "Corner"
    assert handle["tags"].get(5) is None
    assert handle["open"]
    assert not handle["x"]
    assert handle["tags"] == shop()["tags"]


def test_values_are_copies() -> None:
    handle = shop()
    handle.value["stock"]["tea"] = 9
    handle["tags"].value.append("c")
    assert handle["stock"]["tea"].value == 3
    assert len(handle["tags"]) == 2


def test_missing_document_is_empty() -> None:
    handle = Replica(1).json(b"none")
    assert handle.value is None
    assert len(handle) == 0
    assert not handle
    assert "a" not in handle
    assert handle.find("$..*") == []
    assert not handle.delete()
    for use in (handle.keys, handle.clear, handle.pop, lambda: handle["a"].set(1)):
        with pytest.raises(KeyError):
            use()
    handle.set(5)
    assert handle.value == 5


@pytest.mark.parametrize(
    ("way", "error"),
    [
        (("none",), KeyError),
        (("tags", 5), IndexError),
        (("tags", -3), IndexError),
        (("tags", "a"), TypeError),
        (("stock", 0), TypeError),
        (("name", "x"), TypeError),
    ],
)
def test_missing_places_raise_errors_of_python(
    way: tuple[str | int, ...], error: type[Exception]
) -> None:
    handle = shop()
    for step in way:
        handle = handle[step]
    with pytest.raises(error):
        assert handle.value
    with pytest.raises(error):
        handle.increment()


def test_assignment_writes_members_and_elements() -> None:
    handle = shop()
    handle["new"] = {"a": [1, (2, 3)]}
    handle["tags"][0] = handle["stock"]
    handle["stock"]["milk"] = 1
    handle["name"].set("Square")
    del handle["open"]
    del handle["tags"][1]
    handle.update({"x": False, "y": 0.5})
    assert handle.value == {
        "name": "Square",
        "stock": {"tea": 3, "milk": 1},
        "tags": [{"tea": 3}],
        "x": False,
        "new": {"a": [1, [2, 3]]},
        "y": 0.5,
    }


def test_increments_change_numbers() -> None:
    handle = shop()
    tea = handle["stock"]["tea"]
    handle["stock"]["tea"] += 2
    handle["stock"]["tea"] -= 1
    assert tea.increment(0.5) == 4.5
    assert tea.value == 4.5
    with pytest.raises(NotANumber, match="a string"):
        handle["name"].increment()
    with pytest.raises(TypeError):
        tea.increment("1")  # pyright: ignore[reportArgumentType]
    handle["big"] = 2**63 - 1
    with pytest.raises(CounterOverflow):
        handle["big"].increment()


def test_arrays_behave_like_lists() -> None:
    tags = shop()["tags"]
    tags.append("c", ["d"])
    tags.insert(0, "z")
    tags.insert(-1, "y")
    tags.insert(99, "end")
    tags.extend([1, 2])
    tags.extend([])
    assert tags.value == ["z", "a", "b", "c", "y", ["d"], "end", 1, 2]
    assert (tags.pop(), tags.pop(0)) == (2, "z")
    tags.clear()
    assert tags == []
    with pytest.raises(IndexError):
        tags.pop()


def test_find_begins_at_the_place() -> None:
    handle = shop()
    assert handle.find("$..tea") == [3]
    assert handle["stock"].find("$.tea") == [3]
    assert handle["tags"].find("$[?(@ == 'a')]") == ["a"]
    with pytest.raises(ValueError, match="position"):
        handle.find("$[")


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (b"bytes", TypeError),
        ({1: 2}, TypeError),
        ([object()], TypeError),
        ({"a": {1, 2}}, TypeError),
        (float("nan"), ValueError),
        ([float("inf")], ValueError),
        ("\ud800", ValueError),
    ],
)
def test_values_without_form_in_json_are_refused(value: Any, error: type[Exception]) -> None:
    handle = shop()
    before = handle.value
    for write in (handle.set, handle["tags"].append, handle["name"].set):
        with pytest.raises(error):
            write(value)
    assert handle.value == before


def test_depth_is_limited() -> None:
    deep: Any = []
    for _ in range(126):
        deep = [deep]
    handle = shop()
    handle["deep"] = deep
    with pytest.raises(ValueError, match="recursion limit"):
        handle["tags"].append([deep])
    with pytest.raises(ValueError, match="recursion limit"):
        handle["stock"].update({"a": [deep]})
    with pytest.raises(ValueError, match="recursion limit"):
        handle.set([[deep, [deep]]])


def test_handles_refuse_other_types_and_places() -> None:
    replica = Replica(1)
    replica.set("s").add("a")
    with pytest.raises(WrongType, match="a set"):
        replica.json("s").set(1)
    replica.json("j").set({"a": 1})
    with pytest.raises(WrongType, match=r"replica.json\('j'\)"):
        replica.list("j").append("x")
    with pytest.raises(TypeError, match="del handle"):
        replica.json("j")["a"].delete()
    with pytest.raises(TypeError):
        replica.json("j").update({5: 1})  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError):
        replica.json("j")["a"].update({"x": 1})
    with pytest.raises(TypeError):
        replica.json("j")["a"].clear()
    with pytest.raises(TypeError):
        len(replica.json("j")["a"])
    with pytest.raises(TypeError):
        replica.json("j")["a"]["b"] = 1
    with pytest.raises(TypeError):
        replica.json("j")[1.5]  # pyright: ignore[reportArgumentType]
    assert replica.json("j").delete()


@pytest.mark.rule("JSN-12")
def test_increments_of_replicas_add_up() -> None:
    here, there = pair()
    here.json("k")["n"] += 5
    there.json("k")["n"] += 0.5
    exchange(here, there)
    assert here.json("k")["n"] == 6.5


@pytest.mark.rule("JSN-11")
def test_changes_of_different_places_merge() -> None:
    here, there = pair()
    here.json("k")["o"]["b"] = 2
    here.json("k")["l"].append("here")
    there.json("k")["o"]["c"] = 3
    there.json("k")["l"].pop(0)
    exchange(here, there)
    assert there.json("k").value == {"n": 1, "l": [2, "here"], "o": {"a": 1, "b": 2, "c": 3}}
