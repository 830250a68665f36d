"""A visit to all keys of one moment, in steps, while writes go on.

A walk takes the keys in order of their place in a table, one part after the other. A key that is
about to change is visited before that, and a key that did not exist at the beginning is never
visited. So the result is that of the moment at which the walk began (copy on write), and a walk
begins in constant time.
"""

from __future__ import annotations

from typing import Any

from crdt.store.keyspace import Keyspace
from crdt.structures.places import HASH_PLACES, place_of_hash
from crdt.structures.table import Table


class KeyWalk:
    """A visit to all keys, live or not. `close` it if it does not end by itself.

    A subclass defines `visit`.
    """

    def __init__(self, db: Keyspace) -> None:
        self.db: Keyspace = db
        if db.is_unsettled:
            db.settle_all()
        self.position: int = 0
        """The first place that has not been listed."""
        self.pending: dict[bytes, Any] = {}
        """Keys that are listed and have not been visited. The last one is the next."""
        self.passed: Table = Table()
        """Keys that are not listed yet and must not be visited: they have been, or did not exist
        at the beginning."""
        db.add_reader(self)

    def visit(self, key: bytes) -> None:
        """Take note of `key`, which is in the state of the moment at which the walk began."""
        raise NotImplementedError

    def before_change(self, key: bytes) -> None:
        """Visit `key` now, unless it has been visited."""
        if key in self.pending:
            del self.pending[key]
            self.visit(key)
        elif place_of_hash(key) >= self.position and key not in self.passed:
            self.passed.put(key, None)
            if self.has(key):
                self.visit(key)

    def before_flush(self, key: bytes) -> None:
        """Visit `key` now, unless it has been visited."""
        self.before_change(key)

    def has(self, key: bytes) -> bool:
        """Return whether `key` holds anything."""
        db = self.db
        return key in db.data.index or key in db.tombstones.index or key in db.deadlines.table

    def tables(self) -> list[Table]:
        """Return the tables of all keys, also of those that are being settled."""
        db = self.db
        found = [db.data.index, db.tombstones.index, db.deadlines.table]
        for step in db.unsettled.steps:
            aside = step.aside
            if aside is not None:
                found += [aside.data.index, aside.tombstones.index, aside.deadlines.table]
        return found

    def visit_next(self) -> bool:
        """Visit the next key. Return False if there is none, and end the walk then."""
        while not self.pending:
            if self.position == HASH_PLACES:
                self.close()
                return False
            self.list_part()
        key = self.pending.popitem()[0]
        if self.db.is_unsettled:
            self.pending[key] = None
            self.db.settle(key)  # this visits the key first if it changes
            if key not in self.pending:
                return True
            del self.pending[key]
        self.begin(key)
        return True

    def begin(self, key: bytes) -> None:
        """Visit `key`, which was next, or begin to visit it. A subclass may go on later."""
        self.visit(key)

    def list_part(self) -> None:
        """List the keys of the next range of places. It is a part of the most divided table."""
        start = self.position
        tables = [table for table in self.tables() if table]
        stop = min([table.range_end(start) for table in tables], default=HASH_PLACES)
        for table in tables:
            self.pending.update(dict.fromkeys(table.keys_between(start, stop)))
        if self.passed:
            for key in list(self.pending):
                if key in self.passed:
                    self.passed.pop(key)
                    del self.pending[key]
        self.position = stop

    def close(self) -> None:
        """Stop watching the keyspace."""
        self.db.remove_reader(self)
        self.position = HASH_PLACES
        self.pending.clear()
        self.passed = Table()
