"""Addresses of nodes and slots in effects.

An address leads from the root of a document to a node or to a slot:

    (dot, step, dot, step, dot, ...)

The first dot chooses a node of the root. A step is the name of a member, in UTF-8, or the position
of an element. The dot behind it chooses one node of that slot; 0 stands for the inherited dot,
which most have. An address of a node ends with a dot, that of a slot with a step. The slot of the
root has the empty address.

An effect with an address that leads nowhere changes nothing: a node on the way was removed or
replaced, and everything below it with it (rules JSN-3, JSN-5, JSN-7, JSN-10). Delivery is causal,
so it cannot be that the node has not come yet.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias, cast

from crdt.causality.dots import DOT_MAX
from crdt.causality.schema import is_position
from crdt.types.definition import OriginNames, renamed_position
from crdt.types.json_tree.texts import DEPTH_MAX

Step: TypeAlias = bytes | tuple[int, int, int]
"""The name of a member, or the position of an element."""
Address: TypeAlias = tuple[Any, ...]
ITEMS_MAX: Final = 2 * DEPTH_MAX + 1
INHERITED: Final = 0


def is_address(item: object, remainder: int) -> bool:
    """Return whether `item` is an address whose length modulo 2 is `remainder`."""
    if type(item) is not tuple:
        return False
    parts = cast("tuple[Any, ...]", item)
    if len(parts) % 2 != remainder or len(parts) > ITEMS_MAX:
        return False
    for index in range(len(parts)):
        part = parts[index]
        if index % 2:
            if type(part) is bytes:
                if not is_name(part):
                    return False
            elif not is_position(part):
                return False
        elif type(part) is not int or not (0 if index else 1) <= part <= DOT_MAX:
            return False
    return True


def is_name(name: bytes) -> bool:
    """Return whether a byte string is text in UTF-8."""
    if name.isascii():
        return True
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_node_address(item: object) -> bool:
    """Return whether `item` is the address of a node."""
    return is_address(item, 1)


def is_slot_address(item: object) -> bool:
    """Return whether `item` is the address of a slot."""
    return is_address(item, 0)


def is_member_address(item: object) -> bool:
    """Return whether `item` is the address of a slot that is not the root."""
    return is_address(item, 0) and item != ()


def depth_below(address: Address) -> int:
    """Return how many containers are around what an address names."""
    return len(address) // 2


def renamed_address(address: Address, names: OriginNames) -> Address:
    """Return an address with its origins renamed."""
    parts: list[Any] = []
    for part in address:
        if type(part) is int:
            parts.append(names.dot(part))
        elif type(part) is tuple:
            parts.append(renamed_position(cast("tuple[int, ...]", part), names))
        else:
            parts.append(part)
    return tuple(parts)
