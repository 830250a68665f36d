"""Values of the type that a command needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crdb.commands.shared.typed_values import read_typed, read_typed_for_write
from crdb.engine.errors import WRONG_TYPE, CommandError
from crdb.engine.execution.executor import receive, run
from crdt.embed.replica import Replica
from crdt.types.hash import Hash
from crdt.types.set import Set
from tests.crdb.redis_peer import decode, encode, request
from tests.crdb.regions import Regions


@pytest.mark.parametrize("read", [read_typed, read_typed_for_write])
def test_value_has_wanted_type(read: Callable[..., Set | Hash | None]) -> None:
    replica = Replica(1)
    replica.set("s").add("a")
    db = replica.keyspace
    assert isinstance(read(db, b"s", Set), Set)
    assert read(db, b"missing", Set) is None
    with pytest.raises(CommandError) as refused:
        read(db, b"s", Hash)
    assert refused.value.text == WRONG_TYPE


def test_expired_value_is_removed_for_write_only() -> None:
    replica = Replica(1)
    replica.advance(1000)
    replica.set("s").add("a")
    db = replica.keyspace
    db.expire(b"s", 2000)
    replica.advance(3000)
    replica.seal()
    assert read_typed(db, b"s", Set) is None
    assert db.pending_count() == 0
    assert read_typed_for_write(db, b"s", Set) is None
    assert db.pending_count() == 1


@pytest.mark.rule("KEY-5")
@pytest.mark.parametrize("items", [1000, 1])
@pytest.mark.parametrize(
    ("before", "command", "expected"),
    [
        ("HSET k a 1", "HSET k a 2 b 2 c 2", 2),
        ("HSET k a 1", "HMSET k a 2 b 2 c 2", b"OK"),
        ("SADD k a", "SADD k a b c", 2),
        ("ZADD k 1 a", "ZADD k 2 a 2 b 2 c", 2),
        ("ZADD k 1 a", "ZPOPMIN k 3", [b"a", b"1", b"x", b"5", b"y", b"6"]),
        ("ZADD k 1 a", "ZREMRANGEBYRANK k 0 2", 3),
    ],
)
def test_write_in_slices_may_hide_its_type(
    before: str, command: str, expected: object, items: int
) -> None:
    """The first slice replaces what the lowest region wrote, so another type is shown."""
    regions = Regions(3)
    regions.run(1, *before.split())
    regions.run(2, "RPUSH", "k", "element")
    regions.sync()
    if command.startswith(("ZPOP", "ZREM")):
        regions.run(3, "ZADD", "k", "5", "x", "6", "y", "7", "z")
    regions.instances[3].slices.items = items
    client = regions.clients[3]
    run(client, request(encode(command.split())))
    regions.instances[3].slices.finish_all()
    reply = decode(receive(client, b""))
    assert reply == expected if isinstance(reply, int | list) else reply.text == expected
    regions.replicas[3].seal()
    regions.sync()
    assert regions.everywhere("TYPE", "k").text == b"list"
    regions.run(1, "DEL", "k")
    assert regions.run(1, "EXISTS", "k") == 0
