"""Replicated values with the feel of Python's own.

A handle is a view: it holds no value, only where to find it, and may be made anew for every use.
One made with a `str` key speaks `str`, one made with a `bytes` key speaks `bytes`; both take
either. Iteration goes over what was there when it began. Writes return at once; they travel with
the next exchange of operations. Arguments of the wrong type raise TypeError, and nothing is
written then.

>>> from crdt import Replica
>>> replica = Replica(1)
>>> cart = replica.set("cart").add("milk", "eggs")
>>> cart |= {"bread"}
>>> sorted(cart), cart >= {"milk"}
(['bread', 'eggs', 'milk'], True)
>>> queue = replica.list("queue")
>>> queue.extend(["a", "b", "c"])
>>> queue.pop(0), queue == ["b", "c"]
('a', True)
>>> ages = replica.hash("ages")
>>> ages.update(ann="7", bob="9")
>>> ages.increment("ann"), dict(ages)
(8, {'ann': '8', 'bob': '9'})
"""

from __future__ import annotations

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    MutableMapping,
    MutableSequence,
    Set,
)
from decimal import Decimal
from typing import Any, Self, TypeVar, overload

from crdt import hash as hashes
from crdt import list as lists
from crdt import long_double
from crdt import set as sets
from crdt import string as strings
from crdt import zset as zsets
from crdt.arguments import deadline, decimal, encode, real, whole
from crdt.errors import NotANumber, WrongType
from crdt.keyspace import Keyspace
from crdt.list import List
from crdt.string import String
from crdt.value import Value
from crdt.zset import SortedSet

Text = str | bytes
Key = str | bytes
Prepare = Callable[[], Keyspace]
V = TypeVar("V", bound=Value)


class Handle:
    """What all handles can do."""

    __slots__ = ("key", "prepare", "speaks_text")

    def __init__(self, prepare: Prepare, key: Key) -> None:
        self.prepare: Prepare = prepare
        self.key: bytes = encode(key)
        self.speaks_text: bool = isinstance(key, str)

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
        """Let the value end at a wall clock in ms, or never; whether there is one. Raises
        ValueError beyond 2**49 (rule EXP-8)."""
        at = deadline(deadline_ms)
        db = self.prepare()
        if db.lookup_for_write(self.key) is None:
            return False
        db.expire(self.key, at)
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
        text = encode(value)
        strings.assign(self.prepare(), self.key, text)


class CounterHandle(Handle):
    """A counter (rules CTR-1 to CTR-9)."""

    __slots__ = ()

    def increment(self, by: int = 1) -> int:
        """Add; the value afterwards. Raises NotANumber, CounterOverflow."""
        delta = by if type(by) is int else whole(by)
        return strings.increment(self.write(String), self.key, delta)

    def decrement(self, by: int = 1) -> int:
        """Subtract; the value afterwards. Raises NotANumber, CounterOverflow."""
        return self.increment(-whole(by))

    def add(self, by: float | str | Decimal) -> float:
        """Add a fraction of at most 17 decimals, and return the value afterwards.

        Raises NotANumber.
        """
        delta = long_double.parse(str(decimal(by)).encode())
        if delta is None:
            raise NotANumber(f"{by!r} is too large or too small to be added")
        return float(strings.increment_decimal(self.write(String), self.key, delta))

    @property
    def value(self) -> int | float:
        """The sum of all increments that have been observed, on top of what was set."""
        value = self.read(String)
        number = 0 if value is None else value.number()
        return number if isinstance(number, int) else float(number or 0)

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __bool__(self) -> bool:
        return self.value != 0


class MembersHandle(Handle, Set[Any]):
    """What handles of sets have in common: all of Python's `set` that has an operator."""

    __slots__ = ()

    def add(self, *members: Text) -> Self:
        """Add members."""
        raise NotImplementedError

    def discard(self, *members: Text) -> int:
        """Remove members; how many were there."""
        raise NotImplementedError

    def has(self, member: bytes) -> bool:
        """Whether readers see `member`."""
        raise NotImplementedError

    def held(self) -> Collection[bytes]:
        """What readers see."""
        raise NotImplementedError

    def remove(self, member: Text) -> None:
        """Remove a member. Raises KeyError if it is not there; nothing is changed then."""
        if member not in self:
            raise KeyError(member)
        self.discard(member)

    def pop(self) -> Any:
        """Remove and return some member. Raises KeyError if there is none."""
        for member in self.held():
            self.discard(member)
            return self.decode(member)
        raise KeyError("pop from an empty set")

    def clear(self) -> None:
        """Remove all members that are seen here."""
        self.discard(*self.held())

    def __contains__(self, member: object) -> bool:
        return isinstance(member, str | bytes) and self.has(encode(member))

    def __iter__(self) -> Iterator[Any]:
        return map(self.decode, list(self.held()))

    def __len__(self) -> int:
        return len(self.held())

    def __ior__(self, other: Iterable[Text]) -> Self:
        return self.add(*other)

    def __isub__(self, other: Iterable[Text]) -> Self:
        self.discard(*other)
        return self

    def __iand__(self, other: Iterable[Text]) -> Self:
        kept = set(map(encode, other))
        self.discard(*(member for member in list(self.held()) if member not in kept))
        return self

    def __ixor__(self, other: Iterable[Text]) -> Self:
        given = set(map(encode, other))
        shared = given.intersection(self.held())
        self.discard(*shared)
        return self.add(*(given - shared))

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Any:
        return frozenset(it)


class SetHandle(MembersHandle):
    """An add-wins set (rules SET-1 to SET-6)."""

    __slots__ = ()

    def add(self, *members: Text) -> Self:
        """Add members; each wins over a concurrent remove."""
        encoded = [encode(member) for member in members]
        db = self.write(sets.Set)
        if encoded:
            sets.add(db, self.key, encoded)
        return self

    def discard(self, *members: Text) -> int:
        """Remove what has been observed of these members; how many were there."""
        encoded = [encode(member) for member in members]
        return sets.remove(self.write(sets.Set), self.key, encoded)

    def has(self, member: bytes) -> bool:
        """Whether readers see `member`."""
        value = self.read(sets.Set)
        return value is not None and member in value.members

    def held(self) -> Collection[bytes]:
        """What readers see."""
        value = self.read(sets.Set)
        return () if value is None else value.members


class HashHandle(Handle, MutableMapping[Any, Any]):
    """A map of strings (rules HSH-1 to HSH-8)."""

    __slots__ = ()

    def __getitem__(self, field: Text) -> Any:
        value = self.read(hashes.Hash)
        found = None if value is None else value.get(name(field))
        if found is None:
            raise KeyError(field)
        return self.decode(found)

    def __setitem__(self, field: Text, value: Text) -> None:
        pair = [encode(field), encode(value)]
        hashes.assign(self.write(hashes.Hash), self.key, pair)

    def __delitem__(self, field: Text) -> None:
        if not hashes.remove(self.write(hashes.Hash), self.key, [name(field)]):
            raise KeyError(field)

    def update(self, other: Any = (), /, **more: Text) -> None:
        """Write fields, from a mapping or from pairs: all of them, or none if one is refused."""
        flat = [encode(item) for pair in dict(other, **more).items() for item in pair]
        db = self.write(hashes.Hash)
        if flat:
            hashes.assign(db, self.key, flat)

    def increment(self, field: Text, by: int = 1) -> int:
        """Add to a field; its value afterwards. Raises NotANumber, CounterOverflow."""
        encoded, delta = encode(field), whole(by)
        return hashes.increment(self.write(hashes.Hash), self.key, encoded, delta)

    def clear(self) -> None:
        """Remove all fields that are seen here."""
        hashes.remove(self.write(hashes.Hash), self.key, list(self.fields()))

    def fields(self) -> Collection[bytes]:
        """The names of the fields that readers see."""
        value = self.read(hashes.Hash)
        return () if value is None else value.fields

    def __iter__(self) -> Iterator[Any]:
        return map(self.decode, list(self.fields()))

    def __len__(self) -> int:
        return len(self.fields())


class SortedSetHandle(Handle, MutableMapping[Any, float]):
    """Members with scores; iteration goes by score (rules ZST-1 to ZST-13)."""

    __slots__ = ()

    def __getitem__(self, member: Text) -> float:
        value = self.read(SortedSet)
        found = None if value is None else value.score(name(member))
        if found is None:
            raise KeyError(member)
        return found

    def __setitem__(self, member: Text, score: float) -> None:
        pair = [encode(member), real(score)]
        zsets.assign(self.write(SortedSet), self.key, pair)

    def __delitem__(self, member: Text) -> None:
        if not zsets.remove(self.write(SortedSet), self.key, [name(member)]):
            raise KeyError(member)

    def update(self, other: Any = (), /, **more: float) -> None:
        """Give members scores, from a mapping or from pairs: all of them, or none if one is
        refused."""
        flat: list[bytes | float] = []
        for member, score in dict(other, **more).items():
            flat += (encode(member), real(score))
        db = self.write(SortedSet)
        if flat:
            zsets.assign(db, self.key, flat)

    def increment(self, member: Text, by: float = 1.0) -> float:
        """Add to a score; the score afterwards. Raises NotANumber if it would be none."""
        encoded, delta = encode(member), real(by)
        return zsets.increment(self.write(SortedSet), self.key, encoded, delta)

    def clear(self) -> None:
        """Remove all members that are seen here."""
        db = self.write(SortedSet)
        value = self.read(SortedSet)
        zsets.remove(db, self.key, [] if value is None else list(value.fields))

    def __iter__(self) -> Iterator[Any]:
        value = self.read(SortedSet)
        members = [] if value is None else [member for _, member in value.ranked()]
        return map(self.decode, members)

    def __len__(self) -> int:
        value = self.read(SortedSet)
        return 0 if value is None else len(value.fields)


class ListHandle(Handle, MutableSequence[Any]):  # noqa: PLW1641 - as mutable as a list
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
        place = whole(index)
        if value is None or not -value.length() <= place < value.length():
            raise IndexError("list index out of range")
        return self.decode(value.at(place))

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            raise TypeError("assign to one element at a time")
        text, place = encode(value), whole(index)
        self[place]
        lists.assign(self.write(List), self.key, place, text)

    def __delitem__(self, index: int | slice) -> None:
        db = self.write(List)
        value = self.read(List)
        size = 0 if value is None else value.length()
        if isinstance(index, slice):
            chosen = range(size)[index]
        elif -size <= whole(index) < size:
            chosen = [whole(index) % size]
        else:
            raise IndexError("list index out of range")
        if value is not None:
            lists.remove(db, self.key, [value.positions(i, i + 1)[0] for i in chosen])

    def insert(self, index: int, value: Text) -> None:
        """Put an element before the one at `index`."""
        text, place = encode(value), whole(index)
        db = self.write(List)
        length = len(self)
        place = max(0, place + length) if place < 0 else min(place, length)
        lists.insert(db, self.key, place, text)

    def extend(self, values: Iterable[Text]) -> None:
        """Put elements behind the last; they stay together (rule LST-11)."""
        encoded = [encode(value) for value in values]
        db = self.write(List)
        if encoded:
            lists.push_tail(db, self.key, encoded)

    def clear(self) -> None:
        """Remove all elements that are seen here."""
        del self[:]

    def __iter__(self) -> Iterator[Any]:
        return iter(self[:])

    def __len__(self) -> int:
        value = self.read(List)
        return 0 if value is None else value.length()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ListHandle):
            return self[:] == other[:]
        return self[:] == other if isinstance(other, list) else NotImplemented


def name(item: object) -> bytes:
    """What to look up; KeyError at what no field and no member can be, as dictionaries raise."""
    if not isinstance(item, str | bytes):
        raise KeyError(item)
    return encode(item)
