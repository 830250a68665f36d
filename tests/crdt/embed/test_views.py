"""A replica as a container of keys."""

from __future__ import annotations

from typing import Any, assert_type

import pytest

from crdt import Replica
from crdt.embed.views import Views
from tests.crdt.exchange import deliver_to


def test_keys_are_those_that_hold_value() -> None:
    replica = Replica(1)
    assert list(replica) == replica.keys() == []
    assert len(replica) == 0
    assert replica, "a replica is true, also without keys"
    replica.set("s").add("a")
    replica.counter(b"c").increment()
    assert replica.keys() == list(replica) == ["s", "c"]
    assert replica.keys(bytes) == [b"s", b"c"]
    assert len(replica) == 2
    assert "s" in replica
    assert b"s" in replica
    assert "x" not in replica
    assert 5 not in replica
    replica.set("s").clear()
    assert replica.keys() == ["c"]


def test_key_that_has_expired_is_not_there() -> None:
    replica = Replica(1)
    replica.advance(100)
    for name in "abc":
        replica.string(name).set("v")
    replica.string("a").expire_at(150)
    replica.string("b").expire_at(500)
    replica.advance(200)
    assert replica.keys() == list(replica) == ["b", "c"]
    assert len(replica) == 2
    assert "a" not in replica
    assert replica.keys(bytes) == [b"b", b"c"]


def test_delete_removes_any_type_and_returns_success() -> None:
    here, there = Replica(1), Replica(2)
    here.set("s").add("a")
    here.counter("c").increment()
    assert here.delete("s")
    assert here.delete(b"c")
    assert not here.delete("s")
    deliver_to(here, there)
    assert there.keys() == here.keys() == []


def test_key_that_is_not_text_can_be_used_as_it_is_listed() -> None:
    replica = Replica(1)
    replica.set(b"\xff").add("a")
    (name,) = replica.keys()
    assert name in replica
    assert set(replica.set(name)) == {"a"}
    assert replica.delete(name)


def test_wrong_types_are_refused() -> None:
    replica = Replica(1)
    odd: Any = 5
    for call in (replica.delete, replica.set, replica.string):
        with pytest.raises(TypeError, match=r"str.*bytes.*int"):
            call(odd)
    with pytest.raises(TypeError, match="as str or bytes"):
        replica.keys(odd)


def test_views_by_themselves_have_no_keyspace() -> None:
    with pytest.raises(NotImplementedError):
        Views().keys()


def test_handles_are_typed_by_their_key() -> None:
    """Pyright checks the assertions. At run time they are plain calls."""
    replica = Replica(1)
    replica.advance(1)
    text, data = replica.set("s").add("a"), replica.set(b"s")
    assert_type(list(text), list[str])
    assert_type(list(data), list[bytes])
    assert_type(text.pop(), str)
    assert_type(text | {"x"}, frozenset[str])
    assert_type(text.copy(), set[str])
    assert_type(data.value, frozenset[bytes])
    assert_type(replica.set_remove_wins("r").value, frozenset[str])
    assert_type(replica.string("t").get(), str | None)
    assert_type(replica.string(b"t").value, bytes | None)
    fields = replica.hash("h")
    fields["a"] = "1"
    assert_type(fields["a"], str)
    assert_type(fields.get("a"), str | None)
    assert_type(replica.hash(b"h").value, dict[bytes, bytes])
    scores = replica.sorted_set("z")
    scores["a"] = 1
    assert_type(scores["a"], float)
    assert_type(list(replica.sorted_set(b"z")), list[bytes])
    items = replica.list("l")
    items.append("x")
    assert_type(items[0], str)
    assert_type(items[:], list[str])
    assert_type(items.pop(), str)
    assert_type(replica.multi_value("m").values(), frozenset[str])
    assert_type(replica.counter("c").value, int | float)
    assert_type(replica.counter("c") + 1, int | float)
    assert_type(replica.counter_grow("g").value, int)
    assert_type(replica.flag("f").value, bool)
    either: str | bytes = "s" if items else b"s"
    assert_type(replica.counter(either).value, int | float)
    assert_type(replica.set(either).value, frozenset[str | bytes])
    assert_type(replica.keys(), list[str])
    assert_type(replica.keys(bytes), list[bytes])
    with pytest.raises(TypeError):
        fields.update({"a": 5})  # pyright: ignore[reportCallIssue, reportArgumentType]
    with pytest.raises(TypeError):
        items.append(5)  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError):
        text.update("milk" if items else 5)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "name",
    [
        "string",
        "counter",
        "set",
        "hash",
        "sorted_set",
        "list",
        "multi_value",
        "set_remove_wins",
        "counter_grow",
        "flag",
        "delete",
    ],
)
@pytest.mark.parametrize("key", [5, None])
def test_wrong_key_is_refused_in_our_words(name: str, key: object) -> None:
    """The error of a compiled module was once "union[str, bytes] object expected; got int"."""
    with pytest.raises(
        TypeError, match=f"^a key: expected str or bytes, not {type(key).__name__}$"
    ):
        getattr(Replica(1), name)(key)


def test_wrong_key_of_custom_type_is_refused() -> None:
    views: Any = Replica(1)
    with pytest.raises(TypeError, match=r"^a key: expected str or bytes, not int$"):
        views.value(5, list)
