"""A replica as a container of keys. One method per type returns the handle of a key.

A handle that is made with a `str` key returns `str`. A handle that is made with a `bytes` key
returns `bytes`.

The type of the key decides the type of the handle, through the type variable `AnyKey`. If the
parameters had the type `str | bytes`, compiled methods would check them and raise an error with the
compiler's text ("union[str, bytes] object expected"). They do not check a parameter of a type
variable, so the handle checks the key and gives a clear error.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from typing import Final, NoReturn, TypeVar, overload

from crdt.embed.arguments import decode_key, encode_key
from crdt.embed.handles.base import CounterHandle, SetHandle, StringHandle
from crdt.embed.handles.documents import JsonHandle
from crdt.embed.handles.hyperloglogs import HyperLogLogHandle
from crdt.embed.handles.lists import ListHandle
from crdt.embed.handles.maps import HashHandle, SortedSetHandle
from crdt.embed.handles.others import (
    FlagHandle,
    GrowCounterHandle,
    MultiValueHandle,
    RemoveWinsSetHandle,
    ValueHandle,
)
from crdt.embed.handles.streams import StreamHandle
from crdt.store.keyspace import Keyspace
from crdt.types.custom import Type
from crdt.types.flag import DISABLE_WINS, ENABLE_WINS
from crdt.wire.expect import Given, expect_bool, shortened

AnyKey = TypeVar("AnyKey", str, bytes, str | bytes)
"""The type of a key, which decides what its handle returns."""


NO_ITEMS: Final = (
    "a replica has no items, since a key alone has no type: use replica.counter({0}), "
    "replica.string({0}), replica.hash({0}) or the method of another type"
)


class Views:
    """The part of a replica that is a container of keys."""

    def prepare(self, writing: bool = True) -> Keyspace:
        """Return the keyspace, ready to be read or written. For handles only."""
        raise NotImplementedError

    def string(self, key: AnyKey) -> StringHandle[AnyKey]:
        """Return the last-writer-wins register under `key`."""
        return StringHandle(self.prepare, key)

    def counter(self, key: AnyKey) -> CounterHandle:
        """Return the counter under `key`. The increments of all replicas add up."""
        return CounterHandle(self.prepare, key)

    def set(self, key: AnyKey) -> SetHandle[AnyKey]:
        """Return the set under `key`, in which an add wins over a concurrent remove."""
        return SetHandle(self.prepare, key)

    def hash(self, key: AnyKey) -> HashHandle[AnyKey]:
        """Return the map of strings under `key`."""
        return HashHandle(self.prepare, key)

    def sorted_set(self, key: AnyKey) -> SortedSetHandle[AnyKey]:
        """Return the sorted set under `key`: members with scores."""
        return SortedSetHandle(self.prepare, key)

    def list(self, key: AnyKey) -> ListHandle[AnyKey]:
        """Return the list under `key`."""
        return ListHandle(self.prepare, key)

    def hyperloglog(self, key: AnyKey) -> HyperLogLogHandle:
        """Return the HyperLogLog under `key`, which estimates the number of different elements."""
        return HyperLogLogHandle(self.prepare, key)

    def json(self, key: AnyKey) -> JsonHandle:
        """Return the JSON document under `key`."""
        return JsonHandle(self.prepare, key)

    def stream(self, key: AnyKey) -> StreamHandle[AnyKey]:
        """Return the stream under `key`: entries by id, and consumer groups."""
        return StreamHandle(self.prepare, key)

    def multi_value(self, key: AnyKey) -> MultiValueHandle[AnyKey]:
        """Return the multi-value register under `key`, which shows all concurrent values."""
        return MultiValueHandle(self.prepare, key)

    def set_remove_wins(self, key: AnyKey) -> RemoveWinsSetHandle[AnyKey]:
        """Return the set under `key`, in which a remove wins over a concurrent add."""
        return RemoveWinsSetHandle(self.prepare, key)

    def counter_grow(self, key: AnyKey) -> GrowCounterHandle:
        """Return the counter under `key` that only grows."""
        return GrowCounterHandle(self.prepare, key)

    def flag(self, key: AnyKey, *, disable_wins: Given[bool] = False) -> FlagHandle:
        """Return the flag under `key`. An enable wins over a concurrent disable, unless
        `disable_wins` is true. The two kinds of flags are different types."""
        code = DISABLE_WINS if expect_bool(disable_wins, "disable_wins") else ENABLE_WINS
        return FlagHandle(self.prepare, key, code)

    def value(self, key: AnyKey, make: Callable[[], Type]) -> ValueHandle:
        """Return the handle of `key` for a custom type. `make` is one of the replica's `types`."""
        return ValueHandle(self.prepare, key, make)

    # -- keys ------------------------------------------------------------------------------

    @overload
    def keys(self, kind: type[str] = str) -> builtins.list[str]: ...
    @overload
    def keys(self, kind: type[bytes]) -> builtins.list[bytes]: ...
    def keys(
        self, kind: type[str] | type[bytes] = str
    ) -> builtins.list[str] | builtins.list[bytes]:
        """Return the keys that hold a value, as str or, with `keys(bytes)`, as bytes. O(n).

        Expired keys are left out. A key that is not UTF-8 is decoded with `surrogateescape`, like a
        file name. The resulting text can be used as a key.
        """
        found = self.prepare(False).keys()
        if kind is bytes:
            return found
        if kind is not str:
            raise TypeError(f"keys come as str or bytes, not {kind!r}: use keys() or keys(bytes)")
        return [decode_key(key) for key in found]

    def delete(self, key: AnyKey) -> bool:
        """Remove the observed value of a key, of any type. Return whether the key existed."""
        return self.prepare().delete(encode_key(key))

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        """Return the number of keys that hold a value. O(number of keys with a deadline)."""
        return self.prepare(False).live_keys()

    def __bool__(self) -> bool:
        """Return True, even for a replica without keys."""
        return True

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, str | bytes):
            return False
        try:
            encoded = encode_key(key)
        except UnicodeEncodeError:
            return False
        return self.prepare(False).lookup(encoded) is not None

    def __getitem__(self, key: object) -> NoReturn:
        """Raise TypeError. A key alone does not determine a type. Use a method such as `counter`
        or `set` to get the handle of a key."""
        raise TypeError(NO_ITEMS.format(shortened(key)))

    def __setitem__(self, key: object, value: object) -> NoReturn:
        """Raise TypeError, as `__getitem__` does."""
        raise TypeError(NO_ITEMS.format(shortened(key)))

    def __delitem__(self, key: object) -> NoReturn:
        """Raise TypeError. Use `delete`."""
        raise TypeError(f"a replica deletes a key with replica.delete({shortened(key)})")
