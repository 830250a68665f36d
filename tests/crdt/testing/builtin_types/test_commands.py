"""Commands: their text, their effects, and the refusal of a wrong type."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import Replica
from crdt.testing.builtin_types.commands import LIST_MODEL, TypeCommand, command, identities
from crdt.testing.builtin_types.subjects import PERFORM, carry_out, read


def replica_with(*lines: str) -> Replica:
    """Return a replica at 1000 ms that has run these commands."""
    replica = Replica(1)
    replica.advance(1000)
    for line in lines:
        carry_out(replica, command(line))
    return replica


def test_command_reads_like_redis() -> None:
    assert command("ZADD k a 1.5 b 2") == TypeCommand("ZADD", "k", ("a", 1.5, "b", 2))
    assert command("SET k '7'") == TypeCommand("SET", "k", ("7",))
    assert str(TypeCommand("ZADD", "k", ("a", 1.5))) == "ZADD k a 1.5"
    assert str(command("FLUSHALL")) == "FLUSHALL"


# What is there, what is asked, what it comes to.
CAME_TO: list[tuple[list[str], str, tuple[str, tuple[Any, ...]]]] = [
    (["SET k a"], "APPEND k b", ("KEEP", ("ab",))),
    ([], "APPEND k b", ("KEEP", ("b",))),
    (["SADD k a"], "SET k b", ("RENEW", ("b", None))),
    (["SADD k a", "EXPIRE k 5"], "KEEP k b", ("RENEW", ("b", 1005))),
    (["SET k a"], "SET k b", ("SET", ("b",))),
    (["HINCRBY k f 1", "DEL k", "SET k a"], "SET k b", ("SET", ("b",))),
    (["HINCRBY k f 1", "DEL k", "SET k a", "EXPIRE k 5"], "KEEP k b", ("KEEP", ("b",))),
    (["SET k a"], "EXPIRE k 5", ("EXPIREAT", (1005,))),
    ([], "EXPIRE k 5", ("EXPIRE", (5,))),
    ([], "PERSIST k", ("PERSIST", ())),
    ([], "LPOP k", ("LPOP", ())),
    ([], "LSET k 0 a", ("LSET", (0, "a"))),
    ([], "LTRIM k 0 1", ("LTRIM", (0, 1))),
    (["SET k a"], "INCRBY k 1", ("INCRBY", (1,))),
    (["SET k a"], "SADD k b", ("SADD", ("b",))),
]


@pytest.mark.parametrize(("before", "asked", "expected"), CAME_TO)
def test_effects_of_command(
    before: list[str], asked: str, expected: tuple[str, tuple[Any, ...]]
) -> None:
    came_to = carry_out(replica_with(*before), command(asked))
    assert (came_to.name, came_to.args) == expected


def test_elements_are_named_by_their_origin() -> None:
    replica = replica_with("RPUSH k a b", "LPUSH k c d")
    value: Any = replica.keyspace.lookup(b"k")
    first, second = replica.origin << 40 | 1, replica.origin << 40 | 2
    assert identities(value) == [(second, 1), (second, 0), (first, 0), (first, 1)]
    assert carry_out(replica, command("LPOP k")).args == ((second, 1),)
    assert carry_out(replica, command("LSET k 1 e")).args == ((first, 0), "e")
    assert carry_out(replica, command("LTRIM k 0 2")).args == ((second, 0), (first, 0))
    assert carry_out(replica, command("RPOP k")).args == ((first, 1),)


def test_field_grows_by_whole_numbers_and_by_fractions() -> None:
    replica = replica_with("HSET k f 1", "HINCRBY k f 2", "HINCRBY k f 0.5")
    assert read(replica) == {"k": ("hash", [("f", "3.5")], None)}


def test_list_that_is_emptied_brings_another_type_to_light() -> None:
    replica, other = replica_with("RPUSH k a b"), Replica(2)
    other.advance(999)
    carry_out(other, command("SADD k c"))
    replica.merge_bytes(other.to_bytes())
    for left in ("list", ["b"]), ("set", ["c"]):
        assert carry_out(replica, command("LPOP k")).name == "LREM"
        assert read(replica) == {"k": (*left, None)}


def test_list_that_does_otherwise_than_python_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(LIST_MODEL, "RPUSH", lambda items, asked: None)
    with pytest.raises(AssertionError, match="RPUSH k a made"):
        carry_out(replica_with(), command("RPUSH k a"))


@pytest.mark.parametrize("name", sorted(set(PERFORM) - {"DEL", "FLUSHALL", "EXPIRE", "PERSIST"}))
def test_another_type_is_left_alone(name: str) -> None:
    other = "SADD k x" if name != "SADD" and name != "SREM" else "RPUSH k x"
    replica = replica_with(other)
    before = replica.digest()
    carry_out(replica, TypeCommand(name, "k", (0, 1)))
    assert (replica.digest() == before) == (name not in {"SET", "KEEP"})
