"""Replicated data types for any Python program: typed, pure, no I/O and no event loop.

A `Replica` holds a keyspace of registers, counters, hashes, sets, sorted sets and lists that many
replicas write at once and that always converge. See design sections 3 and 4.
"""

from __future__ import annotations
