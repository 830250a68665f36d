"""The types that every replica knows, by code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdt.types.base import Value
from crdt.types.flag import DISABLE_WINS, ENABLE_WINS, DisableWinsFlag, EnableWinsFlag
from crdt.types.grow_counter import GROW, GrowCounter
from crdt.types.hash import HASH, Hash
from crdt.types.list import LIST, List
from crdt.types.multi_value import MULTI_VALUE, MultiValue
from crdt.types.remove_wins_set import REMOVE_WINS, RemoveWinsSet
from crdt.types.set import SET_TYPE, Set
from crdt.types.sorted_set import ZSET, SortedSet
from crdt.types.string import STRING, String

MAKERS: Final[dict[int, Callable[[], Value]]] = {
    STRING: String,
    SET_TYPE: Set,
    HASH: Hash,
    ZSET: SortedSet,
    LIST: List,
    MULTI_VALUE: MultiValue,
    REMOVE_WINS: RemoveWinsSet,
    GROW: GrowCounter,
    ENABLE_WINS: EnableWinsFlag,
    DISABLE_WINS: DisableWinsFlag,
}
