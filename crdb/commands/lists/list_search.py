"""Search for an element in a list, in slices if the list is long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from crdb.commands.shared import slicing
from crdb.engine.client import Client
from crdt.types.list import List

COMPARED: Final = 64
"""The elements that are compared in the time that other work takes for one item."""


class ListSearch:
    """A search for the first matches of an element in a part of a list, or for the last ones."""

    __slots__ = ("count", "element", "found", "is_backward", "start", "stop", "value")

    def __init__(self, value: List, element: bytes, count: int, is_backward: bool = False) -> None:
        """Look for `count` matches in the whole list."""
        self.value: List = value
        self.element: bytes = element
        self.count: int = count
        self.is_backward: bool = is_backward
        self.start: int = 0
        self.stop: int = value.length()
        self.found: list[int] = []
        """The indexes of the matches, in the order in which they are found."""

    def limit(self, length: int) -> None:
        """Compare at most `length` elements."""
        if self.is_backward:
            self.start = max(0, self.stop - length)
        else:
            self.stop = min(self.stop, length)

    def run(self, client: Client, args: list[bytes], finish: Callable[[], Iterator[None]]) -> None:
        """Search, and then run the steps of `finish`, which write and append the reply."""
        part = client.slice_items * COMPARED
        if self.stop - self.start <= part:
            self.compare(self.start, self.stop)
            slicing.run(client, args, len(self.found), finish())
        else:
            client.hand_over(args, self.steps(part, finish))

    def steps(self, part: int, finish: Callable[[], Iterator[None]]) -> Iterator[None]:
        """Search `part` elements at a time."""
        for first in range(0, self.stop - self.start, part):
            if self.is_backward:
                stop = self.stop - first
                self.compare(max(self.start, stop - part), stop)
            else:
                start = self.start + first
                self.compare(start, min(self.stop, start + part))
            if len(self.found) == self.count:
                break
            yield
        yield from finish()

    def compare(self, start: int, stop: int) -> None:
        """Search the elements with `start` <= index < `stop`."""
        wanted = self.count - len(self.found)
        find = self.value.find_last if self.is_backward else self.value.find
        self.found += find(self.element, start, stop, wanted)
