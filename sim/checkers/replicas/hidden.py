"""Hidden state: in the end all regions hold the same data that no reader sees yet.

A key holds more than it shows: concurrent writes of a string, a field or a score, values of other
types, and all concurrent deadlines, also one that never comes. They determine what readers see
after the next write. Regions with equal vectors must hold the same hidden data, and show the same
type. A key with values of several types shows the one whose live effects have the smallest origin.
A follower of one region that renames no origin must also hold the same.

Keys that have expired by the latest clock are exempt. Not checked: tombstones (see `forgetting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from crdt.causality.dots import SEQ_BITS, Dot
from crdt.causality.schema import FOREVER
from crdt.store.keyspace import Keyspace
from sim.engine.checker import Checker, Followed, Watched

Deadlines: TypeAlias = tuple[tuple[Dot, int], ...]
Hidden: TypeAlias = tuple[int, tuple[tuple[int, str], ...], Deadlines]
"""The type that a key shows, the concurrent writes of each type, and the deadlines."""


class HiddenChecker(Checker):
    """Checks that regions agree on what they do not show."""

    promise: ClassVar[str] = "hidden state"

    def on_inspection(self, place: Watched | Followed) -> None:
        """Check which type each key of several types shows. Raises Violation."""
        db = place.replica.keyspace
        for key in db.held_keys():
            if not db.is_contested(key):
                continue
            self.looked += 1
            value = db.lookup(key)
            parts = db.live_parts(key)
            lowest = min([(part.min_dot() >> SEQ_BITS, part.code()) for part in parts])
            if value is not None and value.code() != lowest[1]:
                raise self.violation(
                    f"{place.name} shows type {value.code()} under {key!r}, and the smallest"
                    f" origin has written type {lowest[1]}"
                )

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Compare all regions with the first one. Raises Violation."""
        first = regions[0]
        clock = max([each.replica.keyspace.expiry_clock for each in regions])
        for other in regions[1:]:
            self.compare(first, other, clock)

    def on_followers_end(self, copies: Sequence[Followed], regions: Sequence[Watched]) -> None:
        """Compare followers that rename nothing with their source. Raises Violation."""
        by_name = {region.name: region for region in regions}
        for copy in copies:
            maps = list(copy.origin_maps.items())
            if len(maps) == 1 and maps[0][1].identical:
                source = by_name[maps[0][0]]
                clock = source.replica.keyspace.expiry_clock
                self.compare(source, copy, max(clock, copy.replica.keyspace.expiry_clock))

    def compare(self, one: Watched, other: Watched | Followed, clock: int) -> None:
        """Compare two processes with equal vectors. `clock` is the latest of all clocks, in ms."""
        here, there = one.replica.keyspace, other.replica.keyspace
        if here.vector != there.vector:
            return  # `convergence` and `following` report that
        for key in sorted({*here.held_keys(), *there.held_keys()}):
            self.looked += 1
            mine, theirs = hidden_state(here, key), hidden_state(there, key)
            if mine != theirs and max(map(latest_deadline, (mine, theirs))) > clock:
                raise self.violation(
                    f"under {key!r} {one.name} holds {mine}, and {other.name} holds {theirs}"
                )


def hidden_state(db: Keyspace, key: bytes) -> Hidden:
    """Return what a key holds and does not show."""
    parts = db.live_parts(key)
    writes = [(part.code(), repr(sorted(part.siblings(), key=repr))) for part in parts]
    value = db.lookup(key)
    shown = 0 if value is None else value.code()
    return shown, tuple(writes), tuple(db.deadline_siblings(key))


def latest_deadline(hidden: Hidden) -> int:
    """Return the latest deadline (ms) of a key; FOREVER if it has none."""
    return max([deadline for _, deadline in hidden[2]], default=FOREVER)
