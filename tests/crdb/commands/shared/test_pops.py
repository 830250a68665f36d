"""Pops of any type: their arguments, and the key that serves a blocked client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from crdb.commands.shared.pops import Pops
from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.errors import CommandError
from crdb.engine.instance import Instance
from crdt import Replica
from crdt.types.set import Set
from crdt.writes import set as sets

Popped = tuple[bytes, int, int]


class Box:
    """A client, and the elements that were popped for it."""

    def __init__(self) -> None:
        self.replica = Replica(1)
        self.replica.advance(1000)
        self.client = Client(Instance(self.replica, build_table()))
        self.popped: list[Popped] = []
        self.pops = Pops(Set, {b"HERE": 0, b"THERE": -1}, pop_one=self.pop, pop_many=self.pop_steps)

    def pop(self, client: Client, key: bytes, value: Set, count: int, end: int) -> None:
        sets.remove(client.db, key, list(value.members)[:count])
        client.out.append(b"popped")
        self.popped.append((key, count, end))

    def pop_steps(
        self, client: Client, key: bytes, value: Set, count: int, end: int
    ) -> Iterator[None]:
        self.pop(client, key, value, count, end)
        yield


REFUSED: Final = {
    "POP 0 k HERE": "numkeys should be greater than 0",
    "POP -1 k HERE": "numkeys should be greater than 0",
    "POP x k HERE": "numkeys should be greater than 0",
    "POP 1 k": "syntax error",
    "POP 2 k HERE": "syntax error",
    "POP 1 k NOWHERE": "syntax error",
    "POP 1 k HERE COUNT": "syntax error",
    "POP 1 k HERE LIMIT 1": "syntax error",
    "POP 1 k HERE COUNT 1 COUNT 1": "syntax error",
    "POP 1 k HERE COUNT 0": "count should be greater than 0",
    "POP 1 k HERE COUNT x": "count should be greater than 0",
    "POP 1 k HERE COUNT x COUNT 1": "count should be greater than 0",
}


@pytest.mark.parametrize("words", REFUSED)
def test_invalid_arguments_are_refused(words: str) -> None:
    box = Box()
    with pytest.raises(CommandError) as refusal:
        box.pops.pop_first_key(box.client, words.encode().split())
    assert REFUSED[words] in refusal.value.text.decode()


def test_keys_count_and_end_are_read() -> None:
    pops = Box().pops
    assert pops.parse_arguments(b"POP 2 k l there COUNT 5".split(), 1) == ([b"k", b"l"], 5, -1)
    assert pops.parse_arguments(b"BPOP 0 1 k HERE".split(), 2) == ([b"k"], 1, 0)


def test_first_key_that_is_there_serves() -> None:
    box = Box()
    box.replica.set("l").add("a", "b")
    box.replica.set("m").add("c")
    box.pops.pop_first_key(box.client, b"POP 3 k l m THERE COUNT 2".split())
    assert box.popped == [(b"l", 2, -1)]
    box.pops.pop_one_or_wait(box.client, b"BPOP k l m 0".split(), 0)
    assert box.popped[1:] == [(b"m", 1, 0)]
    assert not box.client.blocked


def test_another_type_is_refused_unless_client_waits() -> None:
    """Rule LST-10: a client that waits already ignores other types, and is served by the type that
    it waits for."""
    box = Box()
    db = box.client.db
    box.replica.string("k").set("text")
    box.replica.set("l").add("a")
    with pytest.raises(CommandError, match="WRONGTYPE"):
        box.pops.find_first(db, [b"k", b"l"], False)
    found = box.pops.find_first(db, [b"k", b"l"], True)
    assert found is not None
    assert found[0] == b"l"


def test_client_waits_until_something_comes() -> None:
    box = Box()
    box.pops.pop_first_key_or_wait(box.client, b"BPOP 0 2 k l HERE COUNT 3".split())
    assert box.client.blocked
    box.replica.string("k").set("text")
    box.replica.set("l").add("a")
    box.client.instance.serve_dirty_keys()
    assert box.popped == [(b"l", 3, 0)]
    assert not box.client.blocked


def test_expired_key_is_gone() -> None:
    """Rule EXP-6: the first write removes an expired key."""
    box = Box()
    box.replica.set("k").add("a").expire_at(2000)
    box.replica.advance(2001)
    box.pops.pop_first_key(box.client, b"POP 1 k HERE".split())
    assert box.popped == []
    assert box.replica.keyspace.held_keys() == []
