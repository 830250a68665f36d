"""Replicated types for any Python program: no I/O, no clock, no event loop.

`Replica` is one copy of a keyspace; its handles behave like Python's own containers. Replicas
exchange operations (`since`, `accept`) or whole states (`snapshot`, `merge`) over whatever
transport there is, and agree as soon as they have seen the same.
"""

from __future__ import annotations

from crdt.dots import Dot, Origin, Vector, make_origin, region_of
from crdt.errors import (
    CounterOverflow,
    CRDTError,
    DecodeError,
    DotReused,
    HistoryTruncated,
    NotANumber,
    WrongType,
)
from crdt.op import Op
from crdt.replica import Outcome, Replica, Statistics
from crdt.snapshot import Snapshot
from crdt.value import Value

__all__ = [
    "CRDTError",
    "CounterOverflow",
    "DecodeError",
    "Dot",
    "DotReused",
    "HistoryTruncated",
    "NotANumber",
    "Op",
    "Origin",
    "Outcome",
    "Replica",
    "Snapshot",
    "Statistics",
    "Value",
    "Vector",
    "WrongType",
    "make_origin",
    "region_of",
]
