"""Conflict rules: the values of a region follow from the effects that it has applied.

The specification of the keyspace (`crdt.testing.builtin_types.specifications`) is a function from
effects and their causal order to the visible value of a key. It supports all types, several types
under one key, times to live, deletes, FLUSHALL and transactions. It does not model links,
snapshots, the causal buffer and garbage collection. A difference shows a bug in one of these, or in
the data types.

Sampled keys are compared during a run, and all keys at its end (I5 to I8, I20, I30). Lists are
compared without their order. At the end, their order is checked too: no two elements may have
changed places.

Not checked: that a command makes the correct effects (`meaning` checks this for some commands, and
the tests of the server for all), and keys with a long history, which would take too long. A key may
end too early if an incarnation that did not know of earlier ones has given it a time to live (see
`uninformed`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from crdt.testing.builtin_types.list_order import ListOrder
from crdt.testing.builtin_types.specifications import visible_state
from crdt.testing.history import History
from sim.checkers.replicas.explain import describe_effect
from sim.checkers.replicas.uninformed import UninformedChecker
from sim.engine.checker import Watched
from sim.nodes.effects import read_sorted
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SAMPLE: Final = 32  # one in so many changed keys is checked immediately; the end checks all


class RulesChecker(UninformedChecker):
    """Checks values against the effects that made them."""

    promise: ClassVar[str] = "conflict rules"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.changed = 0
        self.order = ListOrder(())

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check one in SAMPLE changed keys."""
        for change in changes:
            self.changed += 1
            if self.changed % SAMPLE == 0 and change.key in self.run_history.book.by_key:
                self.check_key(region, change.key)

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Check all keys whose history is recorded."""
        for key in self.run_history.book.by_key:
            for region in regions:
                history = self.check_key(region, key)
                db = region.replica.keyspace
                value = db.lookup(key)
                if value is not None and db.types.definition(value).has_positions:
                    self.check_list_order(region, key, history)

    def check_key(self, region: Watched, key: bytes) -> History:
        """Compare the visible value of a key with the specification. Return the key's history."""
        self.looked += 1
        db = region.replica.keyspace
        history = self.run_history.book.history_of_key(key, db)
        assert history is not None, "its effects are remembered"
        expected, found = visible_state(history, key.decode("latin-1")), read_sorted(db, key)
        if expected != found and not (
            expected is not None
            and (found is None or found[:2] == expected[:2])
            and self.may_lack_deadline(history)
        ):
            raise self.violation(
                f"{region.name} shows {found!r} under {key!r}, not {expected!r},"
                f" after {describe_effect(history, self.run_history)}"
            )
        return history

    def check_list_order(self, region: Watched, key: bytes, history: History) -> None:
        """Check that a list has the same order as in all regions checked before."""
        self.order.keys = (key.decode("latin-1"),)
        try:
            self.order.check(region.replica, history)
        except AssertionError as error:
            raise self.violation(f"{region.name}, {key!r}: {error}") from error
