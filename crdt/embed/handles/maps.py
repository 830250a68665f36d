"""Handles of maps: hashes (fields with strings) and sorted sets (members with scores).

>>> from crdt import Replica
>>> replica = Replica(1)
>>> ages = replica.hash("ages")
>>> ages.update(ann="7", bob="9")
>>> ages.increment("ann"), dict(ages)
(8, {'ann': '8', 'bob': '9'})
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from decimal import Decimal
from typing import Any, Self, SupportsIndex

from crdt.embed.arguments import check_deadline, deadline, decimal, encode, pairs_of, real, whole
from crdt.embed.handles.arithmetic import Arithmetic, plain_number
from crdt.embed.handles.base import ADD, Handle, T, Text, not_countable, too_far
from crdt.errors import CounterOverflow, NotANumber
from crdt.numbers import long_double
from crdt.types.hash import Hash
from crdt.types.sorted_set import SortedSet
from crdt.types.string import String
from crdt.writes import hash as hashes
from crdt.writes import sorted_set as zsets


class HashHandle(Handle[T], MutableMapping[T, T]):
    """A map of strings (rules HSH-1 to HSH-8)."""

    __slots__ = ()
    kind_name = "a hash"

    def __getitem__(self, field: Text) -> T:
        value = self.read(Hash)
        found = None if value is None else value.get(name(field))
        if found is None:
            raise KeyError(field)
        return self.decode(found)

    def __setitem__(self, field: Text, value: Text) -> None:
        pair = [encode(field), encode(value)]
        hashes.assign(self.write(Hash), self.key, pair)

    def __delitem__(self, field: Text) -> None:
        if not hashes.remove(self.write(Hash), self.key, [name(field)]):
            raise KeyError(field)

    def update(  # pyright: ignore[reportIncompatibleMethodOverride] - text and bytes, both
        self,
        other: Mapping[str, Text] | Mapping[bytes, Text] | Iterable[tuple[Text, Text]] = (),
        /,
        **more: Text,
    ) -> None:
        """Write fields, from a mapping or from pairs. If one is refused, none is written."""
        flat = [encode(item) for pair in pairs_of(other, more).items() for item in pair]
        db = self.write(Hash)
        if flat:
            hashes.assign(db, self.key, flat)

    @property
    def value(self) -> dict[T, T]:
        """All fields as a dictionary."""
        return dict(self.items())

    def copy(self) -> dict[T, T]:
        """Return all fields as a dictionary."""
        return dict(self.items())

    def __or__(self, other: Mapping[Any, Any]) -> dict[Any, Any]:
        return self.copy() | pairs_of(other)

    def __ior__(self, other: Mapping[str, Text] | Mapping[bytes, Text]) -> Self:
        self.update(other)
        return self

    def increment(self, field: Text, by: SupportsIndex = 1) -> int:
        """Add an integer to a field. Return its new value.

        Raises CounterOverflow beyond 2**59. Raises NotANumber if the value is not an integer. Use
        `add` for fractions.
        """
        encoded, delta = encode(field), whole(by, ADD)
        db = self.write(Hash)
        try:
            return hashes.increment(db, self.key, encoded, delta)
        except NotANumber:
            raise self._refused(encoded) from None
        except CounterOverflow:
            raise CounterOverflow(too_far(f"field {encoded!r}", delta)) from None

    def add(self, field: Text, by: float | str | Decimal | Arithmetic) -> float:
        """Add a number with at most 17 decimals to a field. Return its new value. Raises
        NotANumber if the value is not a number, or if the sum is too large."""
        encoded = encode(field)
        delta = long_double.parse(str(decimal(plain_number(by))).encode())
        if delta is None:
            raise NotANumber(f"{by!r} is too large or too small to be added")
        db = self.write(Hash)
        value = self.read(Hash)
        held = None if value is None else value.find(encoded)
        if isinstance(held, String) and held.number() is None:
            raise self._refused(encoded)
        return float(hashes.increment_decimal(db, self.key, encoded, delta))

    def expire_fields_at(self, deadline_ms: int | None, *fields: Text) -> bool:
        """Set the deadline of fields, in milliseconds since 1970, or remove it (None). Return
        whether any of them exists.

        A field that is written again does not expire. Raises ValueError as `expire_at` does.
        """
        ends = deadline(deadline_ms)
        db, value = self.write(Hash), self.read(Hash)
        check_deadline(ends, db.now)
        held = [n for n in dict.fromkeys(map(name, fields)) if value is not None and value.has(n)]
        if held and ends is not None and ends <= db.expiry_clock:
            hashes.remove(db, self.key, held)
        elif held:
            hashes.expire(db, self.key, held, ends)
        return bool(held)

    def expires_at(self, field: Text) -> int | None:
        """Return when a field expires, in ms since 1970; None if it does not. Raises KeyError for a
        missing field."""
        value = self.read(Hash)
        if value is None or not value.has(name(field)):
            raise KeyError(field)
        return value.deadline_of(name(field))

    def _refused(self, field: bytes) -> NotANumber:
        """Return the error for a field that cannot be incremented."""
        value = self.read(Hash)
        held = None if value is None else value.find(field)
        return NotANumber(not_countable(f"field {field!r}", held))

    def clear(self) -> None:
        """Remove all observed fields."""
        hashes.remove(self.write(Hash), self.key, list(self.fields()))

    def fields(self) -> Collection[bytes]:
        """Return the names of the fields."""
        value = self.read(Hash)
        return () if value is None else value.names()

    def __iter__(self) -> Iterator[T]:
        return map(self.decode, list(self.fields()))

    def __len__(self) -> int:
        return len(self.fields())


class SortedSetHandle(Handle[T], MutableMapping[T, float]):
    """Members with scores. Iteration is in the order of the scores (rules ZST-1 to ZST-13)."""

    __slots__ = ()
    kind_name = "a sorted set"

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

    def update(  # pyright: ignore[reportIncompatibleMethodOverride] - text and bytes, both
        self,
        other: Mapping[str, float] | Mapping[bytes, float] | Iterable[tuple[Text, float]] = (),
        /,
        **more: float,
    ) -> None:
        """Set scores, from a mapping or from pairs. If one is refused, none is set."""
        flat: list[bytes | float] = []
        for member, score in pairs_of(other, more).items():
            flat += (encode(member), real(score))
        db = self.write(SortedSet)
        if flat:
            zsets.assign(db, self.key, flat)

    @property
    def value(self) -> dict[T, float]:
        """All members with their scores as a dictionary, the lowest score first."""
        return dict(self.items())

    def copy(self) -> dict[T, float]:
        """Return all members with their scores as a dictionary, the lowest score first."""
        return dict(self.items())

    def __or__(self, other: Mapping[Any, Any]) -> dict[Any, Any]:
        return self.copy() | pairs_of(other)

    def __ior__(self, other: Mapping[str, float] | Mapping[bytes, float]) -> Self:
        self.update(other)
        return self

    def increment(self, member: Text, by: float = 1.0) -> float:
        """Add to a score. Return the new score. Raises NotANumber if it would be NaN."""
        encoded, delta = encode(member), real(by)
        return zsets.increment(self.write(SortedSet), self.key, encoded, delta)

    def clear(self) -> None:
        """Remove all observed members."""
        db = self.write(SortedSet)
        value = self.read(SortedSet)
        zsets.remove(db, self.key, [] if value is None else list(value.names()))

    def __iter__(self) -> Iterator[T]:
        value = self.read(SortedSet)
        members = [] if value is None else value.sequence()
        return map(self.decode, members)

    def __len__(self) -> int:
        value = self.read(SortedSet)
        return 0 if value is None else value.size()


def name(item: object) -> bytes:
    """Return a field or member as bytes. Raises KeyError if it is neither str nor bytes."""
    if not isinstance(item, str | bytes):
        raise KeyError(item)
    return encode(item)
