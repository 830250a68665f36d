"""The types that every replica knows.

A new type is added to `DEFINITIONS`, and to nothing else outside its own modules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdt.causality.schema import declare_shapes
from crdt.types import (
    flag,
    grow_counter,
    hash,
    list,
    multi_value,
    remove_wins_set,
    set,
    sorted_set,
    string,
)
from crdt.types.base import Value
from crdt.types.definition import TypeDefinition

DEFINITIONS: Final[tuple[TypeDefinition, ...]] = (
    string.DEFINITION,
    set.DEFINITION,
    hash.DEFINITION,
    sorted_set.DEFINITION,
    list.DEFINITION,
    multi_value.DEFINITION,
    remove_wins_set.DEFINITION,
    grow_counter.DEFINITION,
    flag.ENABLE_WINS_DEFINITION,
    flag.DISABLE_WINS_DEFINITION,
)
BY_CODE: Final[dict[int, TypeDefinition]] = {each.code: each for each in DEFINITIONS}
MAKERS: Final[dict[int, Callable[[], Value]]] = {each.code: each.make for each in DEFINITIONS}

OPERATIONS: Final = {
    kind: operation for each in DEFINITIONS for kind, operation in each.kinds().items()
}
"""The operations of all types, by the first item of their effects."""
CHANGE_IF_SEEN: Final = frozenset(
    kind for kind, operation in OPERATIONS.items() if operation.is_change_if_seen
)
"""Local effects that are changes for watchers only if readers see a difference."""

declare_shapes({kind: operation.shape() for kind, operation in OPERATIONS.items()})
