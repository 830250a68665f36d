"""A walk with SCAN and its kin returns what was there throughout, and nothing twice that stayed.

A client walks over several requests while others write. The checker follows what a region holds
meanwhile. At the end of a walk every name must have been returned that was there from the first
request to the last; a name may come twice only if it was removed or added meanwhile; and each that
is returned must be there then. Keys that may expire are left out of walks over all keys. The
elements of a key that has expired are not there any more, though nothing has removed them yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, TypeAlias, cast

from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.client import Refusal, Reply
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import NOTHING, Change
from sim.schedule.exchange import executed_commands
from sim.schedule.step import Words

STEPS: Final = {"SCAN": 1, "SSCAN": 1, "HSCAN": 2, "ZSCAN": 2}
"""The number of items of a reply that each name takes."""
BEGIN: Final = "0"
PAGE: Final = 10  # names of a page at the end

Scan: TypeAlias = Callable[[int, int], tuple[int, list[bytes]]]
"""From a cursor and a size, the next cursor and the names of a page."""


class Walk:
    """A walk. `key` is empty for a walk over all keys."""

    def __init__(self, key: bytes, throughout: set[bytes]) -> None:
        self.key = key
        self.throughout = throughout
        """The names that have been there since the walk began."""
        self.returned: set[bytes] = set()
        self.moved: set[bytes] = set()
        """The names that were added or removed meanwhile."""

    def add_page(self, change: Change, db: Keyspace) -> None:
        """Take in a change of a key."""
        if self.key:
            if change.key == self.key:
                names = names_in(db, self.key)
                before = {name for _, name in change.removed_elements()}
                self.moved |= before | {name for _, name in change.added_elements()}
                self.throughout &= names
        elif change.before == NOTHING or change.after == NOTHING or db.deadline(change.key):
            self.moved.add(change.key)
            self.throughout.discard(change.key)


class ScanningChecker(Checker):
    """Checks scans."""

    promise: ClassVar[str] = "scanning"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.walks: dict[str, dict[tuple[int, Words], Walk]] = {}
        """By region, and by session and what it walks over."""

    def on_region_started(self, region: Watched) -> None:
        self.walks[region.name] = {}

    def before_commands(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """A walk begins with what is there before its first request."""
        self.begin_walks(region, session, commands)

    def before_follower_commands(
        self, copy: Followed, session: int, commands: Sequence[Words]
    ) -> None:
        """The same in a follower."""
        self.begin_walks(copy, session, commands)

    def begin_walks(
        self, region: Watched | Followed, session: int, commands: Sequence[Words]
    ) -> None:
        """Note what is there before the first request of a walk."""
        db = region.replica.keyspace
        for words in commands:
            name = words[0]
            if name in STEPS:
                at = 1 if name == "SCAN" else 2
                if words[at] == BEGIN:
                    key = b"" if name == "SCAN" else words[1].encode()
                    walk = Walk(key, names_in(db, key))
                    self.walks.setdefault(region.name, {})[session, words[:at]] = walk

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Compare what was returned with what is there, and at the end with what was."""
        self.compare_replies(region, session, commands, replies)

    def on_follower_replies(
        self, copy: Followed, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """The same in a follower."""
        self.compare_replies(copy, session, commands, replies)

    def compare_replies(
        self,
        region: Watched | Followed,
        session: int,
        commands: Sequence[Words],
        replies: Sequence[Reply],
    ) -> None:
        """Take in the pages that a client was given."""
        walks = self.walks.get(region.name, {})
        for words, reply in executed_commands(commands, replies):
            if words[0] in STEPS and not isinstance(reply, Refusal):
                at = (session, words[: 1 if words[0] == "SCAN" else 2])
                walk = walks.get(at)
                if walk is not None:
                    cursor, items = cast("list[Any]", reply)
                    self.compare_page(region, words, walk, items[:: STEPS[words[0]]])
                    if cursor == b"0":
                        del walks[at]
                        self.finish_scan(region, words, walk)

    def compare_page(
        self, region: Watched | Followed, words: Words, walk: Walk, names: list[bytes]
    ) -> None:
        """Take in the names of one reply."""
        there = names_in(region.replica.keyspace, walk.key)
        if walk.key:
            walk.throughout &= there
        shown = " ".join(words)
        for name in names:
            self.looked += 1
            if name not in there and (walk.key or is_restarted(region.replica.keyspace, name)):
                raise self.violation(f"{region.name}: {shown} returns {name!r}, which is not there")
            if name in walk.returned and name not in walk.moved:
                raise self.violation(f"{region.name}: {shown} returns {name!r} a second time")
            walk.returned.add(name)

    def finish_scan(self, region: Watched | Followed, words: Words, walk: Walk) -> None:
        """A walk is over."""
        self.looked += 1
        lacking = walk.throughout - walk.returned
        if lacking and not walk.key:
            lacking &= names_in(region.replica.keyspace, b"")
        if lacking:
            raise self.violation(
                f"{region.name}: a walk that ended with {' '.join(words)} has not returned"
                f" {min(lacking)!r}, which was there throughout"
            )

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Follow what happens during the walks."""
        self.follow_walks(region, changes)

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """The same in a follower."""
        self.follow_walks(copy, changes)

    def follow_walks(self, region: Watched | Followed, changes: Sequence[Change]) -> None:
        """Take changes of keys in."""
        db = region.replica.keyspace
        for walk in self.walks.get(region.name, {}).values():
            for change in changes:
                walk.add_page(change, db)

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Walk over everything that has been walked over."""
        for region in regions:
            self.walk_all(region)

    def on_followers_end(self, copies: Sequence[Followed], regions: Sequence[Watched]) -> None:
        """The same in followers."""
        for copy in copies:
            self.walk_all(copy)

    def walk_all(self, place: Watched | Followed) -> None:
        """Walk over all keys, and over the elements of each, where an order is kept for that."""
        db = place.replica.keyspace
        shown = db.keys()
        if db.has_scan_order():
            self.compare_walk(place.name, "SCAN", db.scan, set(shown))
        for key in shown:
            value: Any = db.lookup(key)
            if getattr(value, "scan_order", None) is not None:  # only some types keep one
                text = f"a scan of {key.decode('latin-1')}"
                self.compare_walk(place.name, text, value.scan, names_in(db, key))

    def compare_walk(self, name: str, shown: str, scan: Scan, expected: set[bytes]) -> None:
        """Walk from beginning to end, and compare what comes with what is there."""
        self.looked += 1
        found: list[bytes] = []
        cursor, names = scan(0, PAGE)
        while cursor:
            found += names
            cursor, names = scan(cursor, PAGE)
        found += names
        if len(found) != len(expected) or set(found) != expected:
            wrong = sorted(expected ^ set(found)) or sorted(found)
            raise self.violation(
                f"{name}: at rest {shown} returns {len(found)} names of {len(expected)};"
                f" see {wrong[0]!r}"
            )


def names_in(db: Keyspace, key: bytes) -> set[bytes]:
    """Return the elements under a key, or without one the keys that do not expire."""
    if not key:
        return {each for each in db.held_keys() if db.deadline(each) is None}
    value: Value | None = db.lookup(key)
    if value is None:
        return set()
    shown: Any = value.visible()
    return {item if isinstance(item, bytes) else item[0] for item in shown}


def is_restarted(db: Keyspace, key: bytes) -> bool:
    """Return whether readers do not see a key."""
    return db.lookup(key) is None
