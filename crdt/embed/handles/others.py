"""Handles of the types that Redis does not have.

>>> from crdt import Replica
>>> here, there = Replica(1), Replica(2)
>>> here.multi_value("title").set("Draft")
>>> there.multi_value("title").set("Entwurf")
>>> here.merge(there.snapshot())
>>> sorted(here.multi_value("title").values())
['Draft', 'Entwurf']
>>> here.flag("published").enable()
>>> bool(here.flag("published"))
True
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NoReturn, Self, SupportsIndex

from crdt.embed.arguments import encode, whole
from crdt.embed.handles.base import Handle, Key, MembersHandle, NumberHandle, Prepare, T, Text
from crdt.errors import DecodeError
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.types.custom import Custom, Type, as_sent, code_of, new_instance
from crdt.types.flag import DISABLE_WINS, DisableWinsFlag, EnableWinsFlag, Flag
from crdt.types.grow_counter import GrowCounter
from crdt.types.multi_value import MultiValue
from crdt.types.remove_wins_set import RemoveWinsSet
from crdt.writes import flag, multi_value
from crdt.writes import grow_counter as counter_grow
from crdt.writes import remove_wins_set as remove_wins


class MultiValueHandle(Handle[T]):
    """A register that shows all values that were written concurrently."""

    __slots__ = ()
    kind_name = "a multi-value register"

    def set(self, value: Text) -> None:
        """Replace all observed values."""
        text = encode(value)
        multi_value.assign(self.write(MultiValue), self.key, text)

    def values(self) -> frozenset[T]:
        """Return all concurrent values: one if there is no conflict, none for a missing key."""
        value = self.read(MultiValue)
        found: list[bytes] = [] if value is None else value.values()
        return frozenset([self.decode(each) for each in found])

    def get(self) -> frozenset[T]:
        """Return all concurrent values, as `values` does."""
        return self.values()

    @property
    def value(self) -> frozenset[T]:
        """All concurrent values, as `values` returns them."""
        return self.values()


class RemoveWinsSetHandle(MembersHandle[T]):
    """A set in which a remove wins over a concurrent add."""

    __slots__ = ()
    kind_name = "a remove-wins set"

    def add(self, *members: Text) -> Self:
        """Add members. A concurrent remove wins over the add."""
        encoded = [encode(member) for member in members]
        db = self.write(RemoveWinsSet)
        if encoded:
            remove_wins.add(db, self.key, encoded)
        return self

    def discard(self, *members: Text) -> int:
        """Remove members, including concurrent adds of them. Return the number of members that
        existed."""
        encoded = [encode(member) for member in members]
        db = self.write(RemoveWinsSet)
        return remove_wins.remove(db, self.key, encoded) if encoded else 0

    def has(self, member: bytes) -> bool:
        """Return whether `member` is in the set."""
        value = self.read(RemoveWinsSet)
        return value is not None and value.has(member)

    def held(self) -> Collection[bytes]:
        """Return the members, sorted."""
        value = self.read(RemoveWinsSet)
        return () if value is None else value.members()


class GrowCounterHandle(NumberHandle):
    """A counter that only grows. `+=` increases it; `+` and `==` use its value."""

    __slots__ = ()
    kind_name = "a grow-only counter"

    def increment(self, by: SupportsIndex = 1) -> int:
        """Add an integer. Return the new value. Raises ValueError if `by` is negative, and
        CounterOverflow if the new value is too large."""
        delta = whole(by)
        return counter_grow.increment(self.write(GrowCounter), self.key, delta)

    def __iadd__(self, by: SupportsIndex) -> Self:
        self.increment(by)
        return self

    def __isub__(self, by: object) -> NoReturn:
        raise TypeError("a counter that only grows cannot be decreased: use replica.counter(key)")

    def get(self) -> int:
        """Return the sum of all observed increments."""
        value = self.read(GrowCounter)
        return 0 if value is None else value.total()

    @property
    def value(self) -> int:
        """The sum of all observed increments."""
        return self.get()


class FlagHandle(Handle[Any]):
    """A flag. Its type determines whether a concurrent enable or disable wins."""

    __slots__ = ("type_code",)
    kind_name = "a flag of this kind"

    def __init__(self, prepare: Prepare, key: Key, type_code: int) -> None:
        super().__init__(prepare, key)
        self.type_code: int = type_code

    def kind(self) -> type[Flag]:
        """Return the class of the flag's value."""
        return DisableWinsFlag if self.type_code == DISABLE_WINS else EnableWinsFlag

    def enable(self) -> None:
        """Switch the flag on."""
        flag.enable(self.write(self.kind()), self.key, self.type_code)

    def disable(self) -> None:
        """Switch the flag off."""
        flag.disable(self.write(self.kind()), self.key, self.type_code)

    def get(self) -> bool:
        """Return whether the flag is on."""
        return self.read(self.kind()) is not None

    @property
    def value(self) -> bool:
        """True if the flag is on."""
        return self.get()

    def __bool__(self) -> bool:
        return self.get()


class ValueHandle(Handle[Any]):
    """A value of a custom type."""

    __slots__ = ("make", "type_code")

    def __init__(self, prepare: Prepare, key: Key, make: Callable[[], Type]) -> None:
        super().__init__(prepare, key)
        self.make: Callable[[], Type] = make
        self.type_code: int = code_of(new_instance(make))

    def do(self, operation: int, *payload: Any) -> bool:
        """Emit an effect. Return False if the type's `prepare` refuses it.

        In every replica, the type's `apply` gets `(operation, *payload)`, or the result of
        `prepare` if the type has that method.

        Operations are numbered 0 to 255. The payload consists of integers, floats, bytes, strings
        (which arrive as bytes), None, and tuples of these, nested up to 64 deep. Raises ValueError
        for any other payload, and if the type does not accept the operation.
        """
        inner = self.inner()
        if hasattr(inner, "prepare"):
            prepared = inner.prepare(operation, *payload)
            if prepared is None:
                return False
            operation, *given = prepared
            payload = tuple(given)
        sent = as_sent(operation, payload)
        effect = (self.type_code, int(operation), self.key, *sent)
        try:
            Custom(self.make).check(effect)
        except DecodeError as error:
            raise ValueError(f"operation {operation} with {payload!r}: {error}") from error
        self.writable().emit(effect)
        return True

    def delete(self) -> bool:
        """Remove the observed value. Return whether the key existed. Raises TypeError if the type
        has no method `remove`."""
        if not hasattr(self.make(), "remove"):
            name = type(self.make()).__name__
            raise TypeError(f"a {name} cannot be deleted: write `def remove(self, observed)`")
        return super().delete()

    def inner(self) -> Any:
        """Return the instance of the custom type, a new one for a missing key. Raises WrongType."""
        value = self.prepare(False).lookup(self.key)
        return self.make() if value is None else self.unwrap(value)

    def get(self) -> Any:
        """Return `value()` of the custom type's instance, a new one for a missing key."""
        return self.inner().value()

    @property
    def value(self) -> Any:
        """The value that `get` returns."""
        return self.get()

    def writable(self) -> Keyspace:
        """Return the keyspace for a write. Raises WrongType if the key holds another type, and
        ValueError if the replica does not know the type."""
        db = self.prepare(True)
        if self.type_code not in db.types.by_code:
            name = type(self.make()).__name__
            raise ValueError(
                f"the replica was made without type {self.type_code}: pass types=[{name}] to "
                "Replica or Replica.load"
            )
        value = db.lookup_for_write(self.key)
        if value is not None:
            self.unwrap(value)
        return db

    def unwrap(self, value: Value) -> Any:
        """Return the instance of the custom type that `value` contains. Raises WrongType."""
        if not isinstance(value, Custom) or value.number != self.type_code:
            raise self.wrong_type(value, f"a {type(self.make()).__name__}")
        return value.inner
