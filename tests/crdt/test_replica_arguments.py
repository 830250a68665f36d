"""Refused arguments of a replica, and their error messages."""

from __future__ import annotations

from typing import Any

import pytest

from crdt import Replica


def test_members_name_replica_itself() -> None:
    """Otherwise the other members, which have the same list, would forget what this replica has not
    seen."""
    sentence = r"replica 3 is not among its members \[1, 2\]: list .* this one too, or pass \[\]"
    with pytest.raises(ValueError, match=sentence):
        Replica(3, members=[1, 2])
    data = Replica(3, members=[1, 2, 3]).close()
    with pytest.raises(ValueError, match=sentence):
        Replica.load(data, members=[1, 2])


def test_replica_that_never_writes_has_no_members() -> None:
    writer, reader = Replica(1, members=[1]), Replica(2, members=[])
    writer.counter("k").increment()
    writer.delete("k")
    reader.apply(writer.changes_for(reader.vector))
    reader.collect()
    assert reader.statistics().garbage_pending == 0


def test_odd_arguments_of_replica_are_refused() -> None:
    odd: Any = 5
    with pytest.raises(TypeError, match="types are classes, not 5"):
        Replica(1, types=[odd])
    with pytest.raises(ValueError, match="waiting_bytes is -1: use 0 or more"):
        Replica(1, waiting_bytes=-1)
    with pytest.raises(ValueError, match="history_bytes is -1: use 0 or more"):
        Replica(1, history_bytes=-1)


@pytest.mark.parametrize("now", [1.5, "1", None])
def test_clock_of_another_type_is_named(now: Any) -> None:
    with pytest.raises(TypeError, match=r"clock returns integer milliseconds|expected an integer"):
        Replica(1, clock=lambda: now).string("k").set("v")
