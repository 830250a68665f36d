"""The types that every replica knows, by code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdt.counter_grow import GROW, GrowCounter
from crdt.flag import DISABLE_WINS, ENABLE_WINS, DisableWinsFlag, EnableWinsFlag
from crdt.hash import HASH, Hash
from crdt.keyspace import STRING
from crdt.list import LIST, List
from crdt.multi_value import MULTI_VALUE, MultiValue
from crdt.set import SET_TYPE, Set
from crdt.set_remove_wins import REMOVE_WINS, RemoveWinsSet
from crdt.string import String
from crdt.value import Value
from crdt.zset import ZSET, SortedSet

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
