"""Values of the type that a command needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crdb.commands.shared.typed_values import read_typed, read_typed_for_write
from crdb.engine.errors import WRONG_TYPE, CommandError
from crdt.embed.replica import Replica
from crdt.types.hash import Hash
from crdt.types.set import Set


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
