"""Replicated values with the feel of Python's own.

A handle is a view: it holds no value, only where to find it, and may be made anew for every use.
One made with a `str` key speaks `str`, one made with a `bytes` key speaks `bytes`. Writes return
at once; they travel with the next exchange of operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSequence, Set
from decimal import Decimal
from typing import Any, TypeVar, overload

from crdt import hash as hashes
from crdt import list as lists
from crdt import set as sets
from crdt import string as strings
from crdt import zset as zsets
from crdt.errors import WrongType
from crdt.keyspace import Keyspace
from crdt.list import List
from crdt.string import String
from crdt.value import Value
from crdt.zset import SortedSet

Text = str | bytes
Key = str | bytes
Prepare = Callable[[], Keyspace]
V = TypeVar("V", bound=Value)


def encode(item: Text) -> bytes:
    """A string as bytes."""
    return item.encode() if isinstance(item, str) else item


class Handle:
    """What all handles can do."""

    __slots__ = ("key", "prepare", "speaks_text")

    def __init__(self, prepare: Prepare, key: Key) -> None:
        self.prepare = prepare
        self.key = encode(key)
        self.speaks_text = isinstance(key, str)

    def decode(self, item: bytes) -> Any:
        """Bytes in the language of this handle."""
        return item.decode() if self.speaks_text else item

    def read(self, kind: type[V]) -> V | None:
        """The value, None if there is none. Raises WrongType."""
        value = self.prepare().lookup(self.key)
        if value is not None and not isinstance(value, kind):
            raise WrongType(f"{self.key!r} holds a {type(value).__name__}, not a {kind.__name__}")
        return value

    def write(self, kind: type[V]) -> Keyspace:
        """The keyspace, once it is sure that the key holds this type or nothing."""
        db = self.prepare()
        value = db.lookup_for_write(self.key)
        if value is not None and not isinstance(value, kind):
            raise WrongType(f"{self.key!r} holds a {type(value).__name__}, not a {kind.__name__}")
        return db

    def delete(self) -> bool:
        """Remove what has been observed; whether there was something."""
        return self.prepare().delete(self.key)

    def expire_at(self, deadline_ms: int | None) -> bool:
        """Let the value end at a wall clock in ms, or never; whether there is one."""
        db = self.prepare()
        if db.lookup_for_write(self.key) is None:
            return False
        db.expire(self.key, deadline_ms)
        return True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key!r}>"


class StringHandle(Handle):
    """A last-writer-wins register (rules STR-1, STR-2)."""

    __slots__ = ()

    def get(self) -> Any:
        """The value, None if there is none."""
        value = self.read(String)
        return None if value is None else self.decode(value.read())

    def set(self, value: Text) -> None:
        """Replace what has been observed."""
        strings.assign(self.prepare(), self.key, encode(value))


class CounterHandle(Handle):
    """A counter (rules CTR-1 to CTR-9)."""

    __slots__ = ()

    def increment(self, by: int = 1) -> int:
        """Add; the value afterwards. Raises NotANumber, CounterOverflow."""
        return strings.increment(self.write(String), self.key, by)

    def decrement(self, by: int = 1) -> int:
        """Subtract; the value afterwards. Raises NotANumber, CounterOverflow."""
        return self.increment(-by)

    def add(self, by: float | str | Decimal) -> float:
        """Add a fraction, in decimal; the value afterwards."""
        db = self.write(String)
        return float(strings.increment_decimal(db, self.key, Decimal(str(by))))

    @property
    def value(self) -> int | float:
        """The sum of all increments that have been observed, on top of what was set."""
        value = self.read(String)
        number = 0 if value is None else value.number()
        return number if isinstance(number, int) else float(number or 0)

    def __int__(self) -> int:
        return int(self.value)


class SetHandle(Handle, Set[Any]):
    """An add-wins set (rules SET-1 to SET-6)."""

    __slots__ = ()

    def add(self, *members: Text) -> SetHandle:
        """Add members; each wins over a concurrent remove."""
        sets.add(self.write(sets.Set), self.key, [encode(member) for member in members])
        return self

    def discard(self, *members: Text) -> int:
        """Remove what has been observed of these members; how many were there."""
        return sets.remove(self.write(sets.Set), self.key, [encode(m) for m in members])

    def remove(self, member: Text) -> None:
        """Remove a member. Raises KeyError if it is not there."""
        if not self.discard(member):
            raise KeyError(member)

    def __contains__(self, member: object) -> bool:
        value = self.read(sets.Set)
        return (
            value is not None
            and isinstance(member, str | bytes)
            and (encode(member) in value.members)
        )

    def __iter__(self) -> Iterator[Any]:
        value = self.read(sets.Set)
        return iter([self.decode(m) for m in value.members] if value is not None else [])

    def __len__(self) -> int:
        value = self.read(sets.Set)
        return 0 if value is None else len(value.members)

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Any:
        return frozenset(it)


class HashHandle(Handle, MutableMapping[Any, Any]):
    """A map of strings (rules HSH-1 to HSH-8)."""

    __slots__ = ()

    def __getitem__(self, field: Text) -> Any:
        value = self.read(hashes.Hash)
        found = None if value is None else value.get(encode(field))
        if found is None:
            raise KeyError(field)
        return self.decode(found)

    def __setitem__(self, field: Text, value: Text) -> None:
        hashes.assign(self.write(hashes.Hash), self.key, [encode(field), encode(value)])

    def __delitem__(self, field: Text) -> None:
        if not hashes.remove(self.write(hashes.Hash), self.key, [encode(field)]):
            raise KeyError(field)

    def increment(self, field: Text, by: int = 1) -> int:
        """Add to a field; its value afterwards. Raises NotANumber, CounterOverflow."""
        return hashes.increment(self.write(hashes.Hash), self.key, encode(field), by)

    def __iter__(self) -> Iterator[Any]:
        value = self.read(hashes.Hash)
        return iter([self.decode(f) for f in value.fields] if value is not None else [])

    def __len__(self) -> int:
        value = self.read(hashes.Hash)
        return 0 if value is None else len(value.fields)


class SortedSetHandle(Handle, MutableMapping[Any, float]):
    """Members with scores; iteration goes by score (rules ZST-1 to ZST-13)."""

    __slots__ = ()

    def __getitem__(self, member: Text) -> float:
        value = self.read(SortedSet)
        found = None if value is None else value.score(encode(member))
        if found is None:
            raise KeyError(member)
        return found

    def __setitem__(self, member: Text, score: float) -> None:
        if score != score:
            raise ValueError("a score is a number, not NaN")
        zsets.assign(self.write(SortedSet), self.key, [encode(member), float(score)])

    def __delitem__(self, member: Text) -> None:
        if not zsets.remove(self.write(SortedSet), self.key, [encode(member)]):
            raise KeyError(member)

    def increment(self, member: Text, by: float = 1.0) -> float:
        """Add to a score; the score afterwards."""
        return zsets.increment(self.write(SortedSet), self.key, encode(member), by)

    def __iter__(self) -> Iterator[Any]:
        value = self.read(SortedSet)
        return iter([self.decode(m) for _, m in value.ranked()] if value is not None else [])

    def __len__(self) -> int:
        value = self.read(SortedSet)
        return 0 if value is None else len(value.fields)


class ListHandle(Handle, MutableSequence[Any]):
    """A sequence (rules LST-1 to LST-11)."""

    __slots__ = ()

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        value = self.read(List)
        if isinstance(index, slice):
            items = value.values(0, value.length()) if value is not None else []
            return [self.decode(item) for item in items[index]]
        if value is None or not -value.length() <= index < value.length():
            raise IndexError("list index out of range")
        return self.decode(value.at(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(index, int):
            raise TypeError("assign to one element at a time")
        self[index]
        lists.assign(self.write(List), self.key, index, encode(value))

    def __delitem__(self, index: int | slice) -> None:
        db = self.write(List)
        value = self.read(List)
        span = range(len(self))[index]
        if value is not None:
            chosen = [span] if isinstance(span, int) else span
            lists.remove(db, self.key, [value.positions(i, i + 1)[0] for i in chosen])

    def insert(self, index: int, value: Text) -> None:
        """Put an element before the one at `index`."""
        length = len(self)
        place = max(0, index + length) if index < 0 else min(index, length)
        lists.insert(self.write(List), self.key, place, encode(value))

    def __len__(self) -> int:
        value = self.read(List)
        return 0 if value is None else value.length()
