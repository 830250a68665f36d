"""Replicated types for any Python program: no I/O, no clock, no event loop.

`Replica` is one copy of a keyspace; its handles behave like Python's own containers. Replicas
exchange what they lack (`changes_for`, `apply`), single operations (`since`, `accept`) or whole
states (`snapshot`, `merge`) over whatever transport there is, and agree as soon as they have seen
the same.
"""

from __future__ import annotations

from crdt.changes import Changes
from crdt.dots import Dot, Origin, make_origin, region_of
from crdt.errors import (
    CounterOverflow,
    CRDTError,
    DecodeError,
    DotReused,
    HistoryTruncated,
    IdentityReused,
    NotANumber,
    ReplicaClosed,
    WrongType,
)
from crdt.op import Op
from crdt.replica import Outcome, Replica, Statistics
from crdt.snapshot import Snapshot
from crdt.value import Value
from crdt.vector import Vector

__all__ = [
    "CRDTError",
    "Changes",
    "CounterOverflow",
    "DecodeError",
    "Dot",
    "DotReused",
    "HistoryTruncated",
    "IdentityReused",
    "NotANumber",
    "Op",
    "Origin",
    "Outcome",
    "Replica",
    "ReplicaClosed",
    "Snapshot",
    "Statistics",
    "Value",
    "Vector",
    "WrongType",
    "make_origin",
    "region_of",
]
