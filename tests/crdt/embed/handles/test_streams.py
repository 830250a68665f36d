"""Handles of streams: entries by id, slices, and consumer groups."""

from __future__ import annotations

from typing import Any, assert_type

import pytest

from crdt import Replica, WrongType

NOW = 1_700_000_000_000


def replica(number: int = 1) -> Replica:
    return Replica(number, clock=lambda: NOW)


def exchange(one: Replica, two: Replica) -> None:
    one.merge(two.snapshot())
    two.merge(one.snapshot())


def test_entries_are_found_by_id_and_slice() -> None:
    log = replica().stream("log")
    assert (len(log), log.value, log.last_id, list(log)) == (0, [], None, [])
    ids = log.extend([{"n": "0"}, {"n": "1"}, {"n": "2"}])
    assert ids == [f"{NOW}-1", f"{NOW}-257", f"{NOW}-513"]
    assert log[ids[1]] == {"n": "1"}
    assert [fields["n"] for _, fields in log] == ["0", "1", "2"]
    assert log[ids[1] :] == log.value[1:]
    assert log[: ids[1]] == log.value[:1]
    assert log[ids[0] : ids[2]] == log.value[:2]
    assert log[ids[2] : ids[0]] == []
    assert log[::-1] == log.value[::-1]
    assert log[str(NOW) : str(NOW + 1)] == log.value
    assert log.last_id == ids[2]
    assert ids[0] in log
    assert "1-1" not in log
    assert "what" not in log


def test_entries_are_removed() -> None:
    log = replica().stream(b"log")
    ids = log.extend([{"n": b"0"}, {"n": b"1"}, {"n": b"2"}, {"n": b"3"}])
    del log[ids[0]]
    assert log.remove(ids[0], ids[1]) == 1
    assert log.value == [(ids[2], {b"n": b"2"}), (ids[3], {b"n": b"3"})]
    assert (log.trim(5), log.trim(1), log.trim(0), log.trim(0)) == (0, 1, 1, 0)
    with pytest.raises(KeyError):
        del log[ids[0]]
    with pytest.raises(KeyError):
        log[ids[0]]
    assert log.delete()


def test_replicas_merge_entries_and_groups() -> None:
    one, two = replica(1), replica(2)
    first, second = one.stream("s").append(a="1"), two.stream("s").append(a="2")
    one.stream("s").group("g").create("0")
    exchange(one, two)
    for each in (one, two):
        assert [entry for entry, _ in each.stream("s")] == [first, second]
        assert each.stream("s").groups() == ["g"]
    here, there = one.stream("s").group("g"), two.stream("s").group("g")
    assert here.read("ann", 5) == one.stream("s").value
    assert here.pending() == {first: "ann", second: "ann"}
    assert here.acknowledge(first) == 1
    exchange(one, two)
    assert there.read("bob") == [(second, {"a": "2"})]
    assert there.destroy()
    exchange(one, two)
    assert not here.exists
    assert not here.destroy()
    with pytest.raises(KeyError, match=r"use create\(\)"):
        here.read("ann")


def test_group_begins_at_the_last_id() -> None:
    log = replica().stream("s")
    log.append(a="1")
    assert log.group("g").create()
    assert not log.group("g").create()
    assert log.group("g").read("c") == []
    assert replica().stream("new").group("g").create()
    assert log.groups() == ["g"]


def test_arguments_are_checked() -> None:
    log = replica().stream("s")
    odd: Any = 5
    for wrong in ("", "x", "1-", "-1", f"{1 << 64}"):
        with pytest.raises(ValueError, match="is not an id"):
            log[wrong]
    with pytest.raises(TypeError, match="an id is text"):
        log[odd]
    with pytest.raises(TypeError):
        log.append({"a": odd})
    with pytest.raises(TypeError):
        log.extend([{"a": "b"}, odd])
    with pytest.raises(ValueError, match="at least one field"):
        log.append()
    with pytest.raises(ValueError, match="the step"):
        log[::2]
    with pytest.raises(ValueError, match="at least 0"):
        log.trim(-1)
    assert len(log) == 0
    other = replica()
    other.set("k").add("a")
    with pytest.raises(WrongType, match="a stream"):
        other.stream("k").append(a="b")
    other.stream("s").append(a="b")
    with pytest.raises(WrongType, match=r"holds a stream, not a set: use replica\.stream"):
        len(other.set("s"))


def test_greatest_id_ends_a_stream() -> None:
    here = replica()
    log = here.stream("s")
    log.append(a="1")
    here.keyspace.emit((11, 0, b"s", (1 << 64) - 1, (1 << 64) - 1, 2, b"a", b"b"))
    with pytest.raises(ValueError, match="the greatest id"):
        log.append(a="2")


def test_types_are_known() -> None:
    here = replica()
    assert_type(here.stream("s").append(a="1"), str)
    assert_type(here.stream("s")[:], list[tuple[str, dict[str, str]]])
    assert_type(here.stream(b"s").value, list[tuple[str, dict[bytes, bytes]]])
    assert_type(here.stream(b"s").groups(), list[bytes])
