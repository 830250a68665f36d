"""Replicated types for any Python program: no I/O, no clock, no event loop.

`Replica` is one copy of a keyspace; its handles behave like Python's own containers. Replicas
exchange what they lack (`changes_for`, `apply`), single operations (`since`, `accept`) or whole
states (`snapshot`, `merge`) over whatever transport there is, and agree as soon as they have seen
the same.
"""

from __future__ import annotations

from crdt.causality.dots import Dot, Origin, make_origin
from crdt.causality.op import Op
from crdt.causality.version_vector import Vector
from crdt.embed.arguments import region_of_origin as region_of
from crdt.embed.changes import Changes
from crdt.embed.replica import Outcome, Replica, Statistics
from crdt.errors import (
    CounterOverflow,
    CRDTError,
    DecodeError,
    DotReused,
    HistoryTruncated,
    IdentityReused,
    NotANumber,
    ReplicaClosed,
    UnsupportedOrigin,
    WrongType,
)
from crdt.store.snapshot import Snapshot
from crdt.types.base import Value

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
    "UnsupportedOrigin",
    "Value",
    "Vector",
    "WrongType",
    "make_origin",
    "region_of",
]
