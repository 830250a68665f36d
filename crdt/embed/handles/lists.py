"""The handle of a list.

>>> from crdt import Replica
>>> queue = Replica(1).list("queue")
>>> queue.extend(["a", "b", "c"])
>>> queue.pop(0), queue == ["b", "c"]
('a', True)
>>> queue[1:] = ["x", "y"]
>>> queue.value
['b', 'x', 'y']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from typing import Any, cast, overload

from crdt.embed.arguments import encode, items_of, whole
from crdt.embed.handles.base import Handle, T, Text
from crdt.types.list import List
from crdt.writes import list as lists


class ListHandle(Handle[T], MutableSequence[T]):  # noqa: PLW1641 - as mutable as a list
    """A list (rules LST-1 to LST-11)."""

    __slots__ = ()
    kind_name = "a list"

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        value = self.read(List)
        if isinstance(index, slice):
            items = value.values(0, value.length()) if value is not None else []
            return [self.decode(item) for item in items[index]]
        place = whole(index)
        if value is None or not -value.length() <= place < value.length():
            raise IndexError("list index out of range")
        return self.decode(value.at(place))

    @overload
    def __setitem__(self, index: int, value: Text) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[Text]) -> None: ...
    def __setitem__(self, index: int | slice, value: Any) -> None:
        if isinstance(index, slice):
            self.assign_slice(index, [encode(item) for item in items_of(value)])
            return
        text, place = encode(value), whole(index)
        self[place]
        lists.assign(self.write(List), self.key, place, text)

    def assign_slice(self, index: slice, texts: list[bytes]) -> None:
        """Replace the elements of a slice.

        Without a step, the elements are removed and new ones are inserted. With a step, each
        element is assigned. The lengths must be equal then, otherwise ValueError is raised.
        """
        db = self.write(List)
        start, stop, step = index.indices(len(self))
        if step != 1:
            places = range(start, stop, step)
            if len(places) != len(texts):
                raise ValueError(
                    f"attempt to assign sequence of size {len(texts)} "
                    f"to extended slice of size {len(places)}"
                )
            for place, text in zip(places, texts, strict=True):
                lists.assign(db, self.key, place, text)
            return
        del self[start : max(start, stop)]
        for place, text in enumerate(texts, start):
            lists.insert(db, self.key, place, text)

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
            lists.remove_at(db, self.key, sorted(chosen))

    def insert(self, index: int, value: Text) -> None:
        """Insert an element before the one at `index`."""
        text, place = encode(value), whole(index)
        db = self.write(List)
        length = len(self)
        place = max(0, place + length) if place < 0 else min(place, length)
        lists.insert(db, self.key, place, text)

    def index(self, value: object, start: int = 0, stop: int | None = None) -> int:
        """Return the first place of a value. Raises ValueError if it is not there."""
        places = range(len(self))[start:stop]
        for place, element in zip(places, self[start:stop], strict=True):
            if element == value:
                return place
        raise ValueError(f"{value!r} is not in the list {self.key!r}")

    def extend(self, values: Iterable[Text]) -> None:
        """Append elements. They stay next to each other in all replicas (rule LST-11)."""
        encoded = [encode(value) for value in items_of(values)]
        db = self.write(List)
        if encoded:
            lists.push_tail(db, self.key, encoded)

    @property
    def value(self) -> list[T]:
        """All elements as a list."""
        return self[:]

    def copy(self) -> list[T]:
        """Return all elements as a list."""
        return self[:]

    def __add__(self, other: Iterable[Any]) -> list[Any]:
        if not isinstance(other, list | ListHandle):
            return NotImplemented
        return [*self, *cast("Iterable[Any]", other)]

    def clear(self) -> None:
        """Remove all observed elements."""
        del self[:]

    def __iter__(self) -> Iterator[T]:
        return iter(self[:])

    def __len__(self) -> int:
        value = self.read(List)
        return 0 if value is None else value.length()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ListHandle):
            return self[:] == other[:]
        return self[:] == other if isinstance(other, list) else NotImplemented
