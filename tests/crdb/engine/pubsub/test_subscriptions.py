"""The names that one session subscribes to."""

from __future__ import annotations

import pytest

from crdb.engine.pubsub.messages import CHANNEL, PATTERN, SHARD_CHANNEL
from crdb.engine.pubsub.subscriptions import NAME_BYTES, Subscriptions


def test_names_are_counted_by_kind() -> None:
    names = Subscriptions()
    assert names.add(CHANNEL, b"a")
    assert names.add(SHARD_CHANNEL, b"a")
    assert names.add(CHANNEL, b"b")
    assert not names.add(CHANNEL, b"a")
    assert [names.count(kind) for kind in (CHANNEL, SHARD_CHANNEL, PATTERN)] == [2, 1, 0]
    assert names.names(CHANNEL) == [b"a", b"b"]
    assert names.size_bytes == 3 * (NAME_BYTES + 1)


def test_removed_names_are_gone() -> None:
    names = Subscriptions()
    names.add(PATTERN, b"a")
    names.add(CHANNEL, b"b")
    assert not names.remove(CHANNEL, b"a")
    assert names.remove(PATTERN, b"a")
    assert names.pop() == (CHANNEL, b"b")
    assert names.is_empty()
    assert names.size_bytes == 0
    with pytest.raises(KeyError):
        names.pop()
