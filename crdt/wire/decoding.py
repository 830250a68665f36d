"""Check what comes in from outside. A failed check raises DecodeError, which names the fault."""

from __future__ import annotations

from typing import Any, cast

from crdt.errors import DecodeError


def is_tuple(item: object, multiple: int = 1) -> bool:
    """Return whether `item` is a tuple whose length is a multiple of `multiple`."""
    return type(item) is tuple and len(cast("tuple[Any, ...]", item)) % multiple == 0


def tuple_of(item: object, what: str, multiple: int = 1) -> tuple[Any, ...]:
    """Return `item` if it is a tuple whose length is a multiple of `multiple`. Raises
    DecodeError."""
    if not is_tuple(item, multiple):
        raise DecodeError(f"{what}: expected an array of {multiple} items each")
    return cast("tuple[Any, ...]", item)


def items_of(item: object, count: int, what: str) -> tuple[Any, ...]:
    """Return `item` if it is a tuple of exactly `count` items. Raises DecodeError."""
    if type(item) is not tuple or len(cast("tuple[Any, ...]", item)) != count:
        raise DecodeError(f"{what}: expected an array of {count} items")
    return cast("tuple[Any, ...]", item)


def items_of_version(item: object, version: int, count: int, what: str) -> tuple[Any, ...]:
    """Return `item` if it is a tuple of exactly `count` items that begins with the version of the
    format that this program reads. Raises DecodeError, which names both versions."""
    items = tuple_of(item, what)
    check_version(items[0] if items else None, version, what)
    return items_of(items, count, what)


def check_version(found: object, known: int, what: str) -> None:
    """Raise DecodeError unless `found` is the version of the format that this program reads."""
    if type(found) is not int:
        raise DecodeError(f"{what}: no format version; this program reads version {known}")
    if found != known:
        raise DecodeError(f"{what}: format version {found}; this program reads version {known}")


def integer_of(item: object, what: str, least: int, most: int) -> int:
    """Return `item` if it is an integer from `least` to `most`. Raises DecodeError."""
    if type(item) is not int or not least <= item <= most:
        raise DecodeError(f"{what}: expected an integer from {least} to {most}")
    return item


def bytes_of(item: object, what: str) -> bytes:
    """Return `item` if it is a byte string. Raises DecodeError."""
    if type(item) is not bytes:
        raise DecodeError(f"{what}: expected a byte string")
    return item
