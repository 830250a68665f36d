"""Printing of large values of JSON documents in slices.

`print_value` is fast, but does all in one step. A value with many parts is printed part by part
here, so that other work can be done in between. The result is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crdt.types.json_tree.nodes import (
    JsonArray,
    JsonLeaf,
    JsonObject,
    Slot,
    is_node,
    plain_of,
    shown_in,
)
from crdt.types.json_tree.texts import is_array, is_object, print_value


def is_large(slots: list[Slot], limit: int) -> bool:
    """Return whether some slots hold more than `limit` values. O(limit)."""
    count = len(slots)
    stack = list(slots) if count <= limit else []
    while stack and count <= limit:
        inner = slots_in(stack.pop(), limit)
        count += len(inner)
        stack += inner
    return count > limit


def slots_in(slot: Slot, limit: int) -> list[Slot]:
    """Return the slots in a container, but at most one more than `limit`; none for a scalar."""
    shown: Any = shown_in(slot)
    if isinstance(shown, JsonLeaf):
        shown = shown.value
    if isinstance(shown, JsonArray):
        return shown.items.slice_things(0, limit + 1)
    if isinstance(shown, JsonObject):
        shown = shown.fields
    if is_object(shown):
        values: Any = shown.values()
        return [each for each, _ in zip(values, range(limit + 1), strict=False)]
    return shown[: limit + 1] if is_array(shown) else []


def print_in_slices(slot: Slot, limit: int, pieces: list[bytes]) -> Iterator[None]:
    """Append the text of a slot in pieces. Yield after about `limit` values."""
    shown: Any = shown_in(slot)
    if isinstance(shown, JsonLeaf) and not shown.sums:
        shown = shown.value
    if isinstance(shown, JsonArray) or is_array(shown):
        yield from print_elements(shown, limit, pieces)
    elif isinstance(shown, JsonObject) or is_object(shown):
        yield from print_members(shown, limit, pieces)
    else:
        pieces.append(print_value(plain_of(shown)))


def print_elements(array: Any, limit: int, pieces: list[bytes]) -> Iterator[None]:
    """Append the text of an array, which was edited or not."""
    is_edited = is_node(array)
    size = array.length() if is_edited else len(array)
    pieces.append(b"[")
    for start in range(0, size, limit):
        stop = start + limit
        part = array.items.slice_things(start, stop) if is_edited else array[start:stop]
        if start:
            pieces.append(b",")
        if is_large(part, 2 * limit):
            for index, slot in enumerate(part):
                if index:
                    pieces.append(b",")
                yield from print_in_slices(slot, limit, pieces)
        else:
            pieces.append(print_value([plain_of(slot) for slot in part])[1:-1])
        yield
    pieces.append(b"]")


def print_members(container: Any, limit: int, pieces: list[bytes]) -> Iterator[None]:
    """Append the text of an object, which was edited or not."""
    fields: dict[str, Slot] = container.fields if is_node(container) else container
    names = list(fields)
    pieces.append(b"{")
    for start in range(0, len(names), limit):
        part = names[start : start + limit]
        if start:
            pieces.append(b",")
        if is_large([fields[name] for name in part], 2 * limit):
            for index, name in enumerate(part):
                pieces.append(b"," * (index > 0) + print_value(name) + b":")
                yield from print_in_slices(fields[name], limit, pieces)
        else:
            pieces.append(print_value({name: plain_of(fields[name]) for name in part})[1:-1])
        yield
    pieces.append(b"}")
