"""A store of values that keeps bytes: a change that is not put back is lost."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from crdt.store.keyspace import Keyspace
from crdt.store.snapshot import parts_of
from crdt.store.values import ValueStore
from crdt.types.base import Value
from crdt.types.components.contested import Contested
from crdt.types.registry import BUILT_IN
from crdt.wire import codec


class SerialisingStore(ValueStore):
    """Each `put` encodes the value, each `get` decodes a new one."""

    def get(self, key: bytes) -> Value | None:
        entry = self.index.get(key)
        if entry is None:
            return None
        packed, accessed, hidden_at = entry
        contested = Contested()
        for code, state in codec.unpack_body(packed):
            part = contested.parts[code] = BUILT_IN.makers[code]()
            part.load(state)
            if accessed is not None:
                part.accessed = accessed
            part.hide_expired(hidden_at, 1 << 30)
        return contested.shown() if len(contested.parts) == 1 else contested

    def put(self, key: bytes, value: Value) -> None:
        shown = value.shown() if isinstance(value, Contested) else value
        accessed = getattr(shown, "accessed", None)
        self.index[key] = codec.pack_body(states_of(value)), accessed, value.hidden_at()


def states_of(value: Value) -> tuple[tuple[int, Any], ...]:
    """Return pairs of type code and state for the values under a key."""
    return tuple([(part.code(), part.state()) for part in parts_of(value)])


@contextmanager
def serialised(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Let all replicas that are made in the block keep their values as bytes."""
    with monkeypatch.context() as patch:
        make = partial(Keyspace, new_store=SerialisingStore)
        patch.setattr("crdt.embed.exchange.Keyspace", make)
        yield
