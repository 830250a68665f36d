"""The types that every replica knows, by code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdt.hash import HASH, Hash
from crdt.list import LIST, List
from crdt.set import SET_TYPE, Set
from crdt.string import STRING, String
from crdt.value import Value
from crdt.zset import ZSET, SortedSet

MAKERS: Final[dict[int, Callable[[], Value]]] = {
    STRING: String,
    SET_TYPE: Set,
    HASH: Hash,
    ZSET: SortedSet,
    LIST: List,
}
