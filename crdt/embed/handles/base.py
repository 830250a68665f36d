"""Handles: replicated values that behave like Python's containers and numbers.

A handle is a view. It holds a key but no value, and may be created again for every use. A handle
that is made with a `str` key returns `str`, and one that is made with a `bytes` key returns
`bytes`. Both accept either type as arguments. An iteration covers the elements that existed when it
began. Writes return immediately and are sent with the next exchange. An argument of the wrong type
raises TypeError, and nothing is written then.

Every handle has `value` (the current value as a plain Python object), `delete` and `expire_at`.

>>> from crdt import Replica
>>> replica = Replica(1)
>>> cart = replica.set("cart").add("milk", "eggs")
>>> cart |= {"bread"}
>>> sorted(cart), cart >= {"milk"}
(['bread', 'eggs', 'milk'], True)
>>> visits = replica.counter("visits")
>>> visits += 2
>>> visits == 2, visits + 1, visits.value
(True, 3, 2)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Set
from decimal import Decimal
from typing import Any, ClassVar, Final, Generic, NoReturn, Self, SupportsIndex, TypeVar, cast

from crdt.causality.schema import OFFSET_MAX
from crdt.embed.arguments import (
    check_deadline,
    deadline,
    decimal,
    decode_key,
    encode,
    encode_key,
    whole,
)
from crdt.embed.handles.arithmetic import Arithmetic, number_of, plain_number
from crdt.errors import CounterOverflow, NotANumber, WrongType
from crdt.numbers import long_double
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.types.components.register import Register
from crdt.types.custom import Custom
from crdt.types.set import Set as SetValue
from crdt.types.string import String
from crdt.wire.expect import expect_integer
from crdt.writes import set as sets
from crdt.writes import string as strings

Text = str | bytes
Key = str | bytes
Prepare = Callable[[bool], Keyspace]
V = TypeVar("V", bound=Value)
T = TypeVar("T", bound=str | bytes)

ADD = "use add() for fractions"
TEXT_SHOWN = 40  # characters of a value in an error


class Handle(Generic[T]):
    """The base class of handles. `T`, str or bytes, is the type of its key and of its results."""

    __slots__ = ("key", "prepare", "speaks_text")

    kind_name: ClassVar[str]
    """The type that the handle expects under its key, as text with an article."""

    def __init__(self, prepare: Prepare, key: Key) -> None:
        self.prepare: Prepare = prepare
        self.key: bytes = encode_key(key)
        self.speaks_text: bool = isinstance(key, str)

    def decode(self, item: bytes) -> T:
        """Return `item` as str or bytes, like the key. Raises UnicodeDecodeError."""
        if not self.speaks_text:
            return cast(T, item)
        try:
            return cast(T, item.decode())
        except UnicodeDecodeError as error:
            reason = f"{error.reason}; a handle that is made with a bytes key returns bytes"
            raise UnicodeDecodeError("utf-8", item, error.start, error.end, reason) from None

    def read(self, kind: type[V]) -> V | None:
        """Return the value, None for a missing key. Raises WrongType if it is not a `kind`."""
        value = self.prepare(False).lookup(self.key)
        if value is not None and not isinstance(value, kind):
            raise self.wrong_type(value)
        return value

    def write(self, kind: type[V]) -> Keyspace:
        """Return the keyspace for a write. Raises WrongType if the key holds another type."""
        db = self.prepare(True)
        value = db.lookup_for_write(self.key)
        if value is not None and not isinstance(value, kind):
            raise self.wrong_type(value)
        return db

    def wrong_type(self, value: Value, expected: str = "") -> WrongType:
        """Return the error for a key that holds `value`, and not the expected type."""
        key = decode_key(self.key) if self.speaks_text else self.key
        held, method = kind_of(value)
        return WrongType(
            f"{key!r} holds {held}, not {expected or self.kind_name}: use "
            f"replica.{method.format(repr(key))}, or delete the key first"
        )

    def delete(self) -> bool:
        """Remove the observed value. Return whether the key existed."""
        return self.prepare(True).delete(self.key)

    def expire_at(self, deadline_ms: int | None) -> bool:
        """Set the deadline, in milliseconds since 1970, or remove it (None). Return whether the key
        exists.

        Raises ValueError if the deadline is beyond 2**49, or if it appears to be in seconds. Also
        raises ValueError if the replica has no clock. Create it with `Replica(clock=...)`, or call
        `advance`. Without a clock, nothing would ever expire.
        """
        at = deadline(deadline_ms)
        db = self.prepare(True)
        check_deadline(at, db.now)
        if db.lookup_for_write(self.key) is None:
            return False
        db.expire(self.key, at)
        return True

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} is a view of a live replica and cannot be pickled or copied: "
            "take its .value, or save the replica with replica.save() and Replica.load()"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key!r}>"


HELD: Final[dict[str, tuple[str, str]]] = {
    "String": ("a string or a counter", "string({0}) or replica.counter({0})"),
    "Set": ("a set", "set({})"),
    "Hash": ("a hash", "hash({})"),
    "SortedSet": ("a sorted set", "sorted_set({})"),
    "List": ("a list", "list({})"),
    "Stream": ("a stream", "stream({})"),
    "HyperLogLog": ("a HyperLogLog", "hyperloglog({})"),
    "JsonDocument": ("a JSON document", "json({})"),
    "MultiValue": ("a multi-value register", "multi_value({})"),
    "RemoveWinsSet": ("a remove-wins set", "set_remove_wins({})"),
    "GrowCounter": ("a grow-only counter", "counter_grow({})"),
    "EnableWinsFlag": ("an enable-wins flag", "flag({})"),
    "DisableWinsFlag": ("a disable-wins flag", "flag({}, disable_wins=True)"),
}
"""For the class of each built-in value, its name and the method that returns its handle."""


def kind_of(value: Value) -> tuple[str, str]:
    """Return the name of a value's type, and the method that returns a handle of it."""
    if isinstance(value, Custom):
        name = type(value.inner).__name__
        return f"a {name}", f"value({{}}, {name})"
    return HELD[type(value).__name__]


class StringHandle(Handle[T]):  # noqa: PLW1641 - as mutable as a list
    """A last-writer-wins register (rules STR-1, STR-2). `==` compares its value."""

    __slots__ = ()
    kind_name = "a string"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StringHandle):
            return self.get() == cast("StringHandle[Any]", other).get()
        return self.get() == other

    def get(self) -> T | None:
        """Return the value, None for a missing key."""
        value = self.read(String)
        return None if value is None else self.decode(value.read())

    @property
    def value(self) -> T | None:
        """The value, None for a missing key."""
        return self.get()

    def set(self, value: Text) -> None:
        """Replace the observed value."""
        text = encode(value)
        strings.assign(self.prepare(True), self.key, text)

    def append(self, value: Text) -> int:
        """Write the observed value with `value` at its end. Return the new length in bytes.

        Of two concurrent changes, the later one wins, and with it its whole value (rule STR-4). Of
        a long value only the change is sent.
        """
        patch = encode(value)
        held = self.read(String)
        return strings.edit(self.write(String), self.key, held.size() if held else 0, patch)

    def set_range(self, offset: SupportsIndex, value: Text) -> int:
        """Write the observed value with `value` at `offset`, in bytes. A gap is filled with zeros.
        Return the new length in bytes. Concurrent changes do not merge: see `append`."""
        patch = encode(value)
        place = expect_integer(offset, "offset", 0, OFFSET_MAX)
        return strings.edit(self.write(String), self.key, place, patch)


class NumberHandle(Arithmetic, Handle[Any]):
    """A counter that behaves like a number: comparisons and arithmetic use its value."""

    __slots__ = ()


def not_countable(where: str, held: Register | None) -> str:
    """Return an error text: why a value cannot be incremented, and what to do."""
    assert isinstance(held, String)
    text = held.read().decode(errors="replace")
    text = text if len(text) <= TEXT_SHOWN else f"{text[:TEXT_SHOWN]}..."
    if held.number() is None:
        return f"the {where} holds {text!r}, which is not a number: set it to one, or delete it"
    return f"the {where} holds {text}, which is not a 64-bit integer: use add(), for any number"


def too_far(where: str, delta: int) -> str:
    """Return an error text for an increment that leaves the range of counters."""
    return f"adding {delta} takes the {where} beyond 2**59, the range of counters"


class CounterHandle(NumberHandle):
    """A counter (rules CTR-1 to CTR-9). `+=` and `-=` change it; `+` and `==` use its value.

    Like INCRBY, `increment` and `decrement` need an integer value (rule CTR-8). `add`, `+=` and
    `-=` accept any number and work on any value that is a number.
    """

    __slots__ = ()
    kind_name = "a counter"

    def increment(self, by: SupportsIndex = 1) -> int:
        """Add an integer. Return the new value.

        Raises CounterOverflow beyond 2**59. Raises NotANumber if the value is not an integer. Use
        `add` or `+=` for fractions.
        """
        delta = by if type(by) is int else whole(by, ADD)
        db = self.write(String)
        try:
            return strings.increment(db, self.key, delta)
        except NotANumber:
            raise self._refused() from None
        except CounterOverflow:
            raise CounterOverflow(too_far(f"counter {self.key!r}", delta)) from None

    def decrement(self, by: SupportsIndex = 1) -> int:
        """Subtract an integer. Return the new value. Raises the same errors as `increment`."""
        return self.increment(-whole(by, ADD))

    def add(self, by: float | str | Decimal | Arithmetic) -> float:
        """Add a number with at most 17 decimals. Return the new value.

        Raises NotANumber if the value is not a number, or if the sum is too large.
        """
        delta = long_double.parse(str(decimal(plain_number(by))).encode())
        if delta is None:
            raise NotANumber(f"{by!r} is too large or too small to be added")
        self.get()
        return float(strings.increment_decimal(self.write(String), self.key, delta))

    def __iadd__(self, given: float | Decimal | Arithmetic) -> Self:
        by = number_of(given)
        value = self.read(String)
        if isinstance(by, int) and (value is None or value.integer() is not None):
            self.increment(by)
        else:
            self.add(by)
        return self

    def __isub__(self, given: float | Decimal | Arithmetic) -> Self:
        by = number_of(given)
        return self.__iadd__(-by)

    def get(self) -> int | float:
        """Return the value that was set plus all observed increments. Raises NotANumber if the key
        holds a text that is not a number."""
        value = self.read(String)
        number = 0 if value is None else value.number()
        if number is None:
            raise self._refused()
        return number if isinstance(number, int) else float(number)

    def _refused(self) -> NotANumber:
        """Return the error for a value that cannot be incremented."""
        value = self.read(String)
        return NotANumber(not_countable(f"counter {self.key!r}", value))

    @property
    def value(self) -> int | float:
        """The value that was set plus all observed increments."""
        return self.get()


class MembersHandle(Handle[T], Set[T]):
    """The base class of set handles. Its methods are those of Python's `set`.

    Operators and methods that return a set return a frozenset. Only `copy` returns a set. Text is
    refused as an iterable of members, because `cart |= "milk"` would add m, i, l and k.
    """

    __slots__ = ()

    def add(self, *members: Text) -> Self:
        """Add members."""
        raise NotImplementedError

    def discard(self, *members: Text) -> int:
        """Remove members. Return the number of members that existed."""
        raise NotImplementedError

    def has(self, member: bytes) -> bool:
        """Return whether `member` is in the set."""
        raise NotImplementedError

    def held(self) -> Collection[bytes]:
        """Return the members."""
        raise NotImplementedError

    def remove(self, member: Text) -> None:
        """Remove a member. Raises KeyError if it does not exist. Nothing is changed then."""
        if member not in self:
            raise KeyError(member)
        self.discard(member)

    def pop(self) -> T:
        """Remove and return an arbitrary member. Raises KeyError if the set is empty."""
        for member in self.held():
            self.discard(member)
            return self.decode(member)
        raise KeyError("pop from an empty set")

    def clear(self) -> None:
        """Remove all observed members."""
        self.discard(*self.held())

    @property
    def value(self) -> frozenset[T]:
        """The members as a frozenset."""
        return frozenset(self)

    def copy(self) -> set[T]:
        """Return the members as a set."""
        return set(self)

    def update(self, *others: Iterable[Text]) -> None:
        """Add the members of all `others`."""
        self.add(*[member for other in others for member in members_of(other)])

    def difference_update(self, *others: Iterable[Text]) -> None:
        """Remove the members of all `others`."""
        self.discard(*[member for other in others for member in members_of(other)])

    def intersection_update(self, *others: Iterable[Text]) -> None:
        """Keep only the members that are also in all `others`."""
        for given in [set(members_of(other)) for other in others]:
            self.discard(*[member for member in list(self.held()) if member not in given])

    def symmetric_difference_update(self, other: Iterable[Text]) -> None:
        """Keep the members that are not in `other`, and add those that are only in `other`."""
        given = set(members_of(other))
        shared = given.intersection(self.held())
        self.discard(*shared)
        self.add(*(given - shared))

    def union(self, *others: Iterable[Text]) -> frozenset[T]:
        """Return the members that are here or in any of `others`."""
        return self._decoded(set(self.held()).union(*map(members_of, others)))

    def intersection(self, *others: Iterable[Text]) -> frozenset[T]:
        """Return the members that are here and in all `others`."""
        return self._decoded(set(self.held()).intersection(*map(members_of, others)))

    def difference(self, *others: Iterable[Text]) -> frozenset[T]:
        """Return the members that are here and in none of `others`."""
        return self._decoded(set(self.held()).difference(*map(members_of, others)))

    def symmetric_difference(self, other: Iterable[Text]) -> frozenset[T]:
        """Return the members that are either here or in `other`, but not in both."""
        return self._decoded(set(self.held()).symmetric_difference(members_of(other)))

    def issubset(self, other: Iterable[Text]) -> bool:
        """Return whether all members are in `other`."""
        return set(self.held()).issubset(members_of(other))

    def issuperset(self, other: Iterable[Text]) -> bool:
        """Return whether all members of `other` are here."""
        return set(self.held()).issuperset(members_of(other))

    def isdisjoint(self, other: Iterable[Any]) -> bool:
        """Return whether no member of `other` is here."""
        return set(self.held()).isdisjoint(members_of(other))

    def _decoded(self, members: Iterable[bytes]) -> frozenset[T]:
        return frozenset(map(self.decode, members))

    def __contains__(self, member: object) -> bool:
        if not isinstance(member, str | bytes):
            return False
        try:
            encoded = encode(member)
        except UnicodeEncodeError:
            return False
        return self.has(encoded)

    def __iter__(self) -> Iterator[T]:
        return map(self.decode, list(self.held()))

    def __len__(self) -> int:
        return len(self.held())

    def __or__(self, other: Iterable[Any]) -> frozenset[T]:
        return self.union(other)

    def __and__(self, other: Iterable[Any]) -> frozenset[T]:
        return self.intersection(other)

    def __sub__(self, other: Iterable[Any]) -> frozenset[T]:
        return self.difference(other)

    def __xor__(self, other: Iterable[Any]) -> frozenset[T]:
        return self.symmetric_difference(other)

    def __rsub__(self, other: Iterable[Any]) -> frozenset[T]:
        return self._decoded(set(members_of(other)).difference(self.held()))

    __ror__ = __or__
    __rand__ = __and__
    __rxor__ = __xor__

    def __ior__(self, other: Iterable[Text]) -> Self:
        self.update(other)
        return self

    def __isub__(self, other: Iterable[Text]) -> Self:
        self.difference_update(other)
        return self

    def __iand__(self, other: Iterable[Text]) -> Self:
        self.intersection_update(other)
        return self

    def __ixor__(self, other: Iterable[Text]) -> Self:
        self.symmetric_difference_update(other)
        return self


def members_of(other: object) -> list[bytes]:
    """Return the members of an iterable as bytes. Raises TypeError for text and for other types."""
    if isinstance(other, str | bytes) or not isinstance(other, Iterable):
        raise TypeError(f"expected an iterable of members, not {type(other).__name__}")
    if isinstance(other, MembersHandle):
        return list(cast("MembersHandle[Any]", other).held())
    return [encode(member) for member in cast("Iterable[Any]", other)]


class SetHandle(MembersHandle[T]):
    """An add-wins set (rules SET-1 to SET-6)."""

    __slots__ = ()
    kind_name = "a set"

    def add(self, *members: Text) -> Self:
        """Add members. Each add wins over a concurrent remove."""
        encoded = [encode(member) for member in members]
        db = self.write(SetValue)
        if encoded:
            sets.add(db, self.key, encoded)
        return self

    def discard(self, *members: Text) -> int:
        """Remove the observed adds of these members. Return the number of members that existed."""
        encoded = [encode(member) for member in members]
        return sets.remove(self.write(SetValue), self.key, encoded)

    def has(self, member: bytes) -> bool:
        """Return whether `member` is in the set."""
        value = self.read(SetValue)
        return value is not None and value.has(member)

    def held(self) -> Collection[bytes]:
        """Return a copy of the members."""
        value = self.read(SetValue)
        return () if value is None else value.names()
