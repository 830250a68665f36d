"""Scans: the guarantees of SCAN, SSCAN, HSCAN and ZSCAN.

A scan takes several requests, while other clients write. The checker follows the names in a region
during a scan:

* A scan must return every name that existed from its first request to its last.
* A scan may return a name twice only if the name was added or removed during the scan.
* Each returned name must exist at that time.

A page holds only names that its pattern (MATCH) and its type (TYPE) let through. A scan must return
the names that all of its pages let through. KEYS returns exactly the keys that match, DBSIZE is
their number, and RANDOMKEY returns one of them.

Scans over all keys ignore keys with a time to live. The elements of an expired key count as
removed, even before the key is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, TypeAlias, cast

import attrs

from crdt.store.keyspace import Keyspace
from crdt.types.base import Value
from crdt.writes import content
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.client import Refusal, Reply
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import NOTHING, Change
from sim.redis.scans import matches_glob
from sim.redis.tokens import in_upper_case
from sim.schedule.exchange import executed_commands
from sim.schedule.readers import LATER_PAGE
from sim.schedule.step import Words

STEPS: Final = {"SCAN": 1, "SSCAN": 1, "HSCAN": 2, "ZSCAN": 2}
"""The number of items in a reply for each name."""
ASKING: Final = frozenset({"KEYS", "DBSIZE", "RANDOMKEY"})
"""The questions about all keys."""
BEGIN: Final = "0"
PAGE: Final = 10  # page size of the scans at the end of a run

Scan: TypeAlias = Callable[[int, int], tuple[int, list[bytes]]]
"""A function of a cursor and a page size. Returns the next cursor and the names of the page."""


@attrs.frozen
class ScanFilter:
    """The options of a page that choose names. An empty `type_name` stands for all types."""

    pattern: str = "*"
    type_name: str = ""

    @staticmethod
    def of_page(words: Words) -> ScanFilter:
        """Return the filter of a SCAN, SSCAN, HSCAN or ZSCAN."""
        options = in_upper_case(words)[2 if words[0] == "SCAN" else 3 :]
        given = dict(zip(options[::2], options[1::2], strict=True))
        return ScanFilter(given.get("MATCH", "*"), given.get("TYPE", ""))

    def matches(self, name: bytes) -> bool:
        """Return whether the pattern lets a name through."""
        return self.pattern == "*" or matches_glob(self.pattern, name.decode("latin-1"))


class Walk:
    """A scan in progress. `key` is empty for a scan over all keys."""

    def __init__(self, key: bytes, throughout: set[bytes]) -> None:
        self.key = key
        self.throughout = throughout
        """The names that have existed since the scan began."""
        self.returned: set[bytes] = set()
        self.moved: set[bytes] = set()
        """The names that were added or removed during the scan."""
        self.written: set[bytes] = set()
        """The keys that were written to during a scan over all keys."""
        self.filters: set[ScanFilter] = set()
        """The filters of the scan's pages: their options MATCH and TYPE."""

    def record_change(self, change: Change, db: Keyspace) -> None:
        """Record a change of a key during the scan."""
        if self.key:
            if change.key == self.key:
                names = names_in(db, self.key)
                before = {name for _, name in change.removed_elements()}
                self.moved |= before | {name for _, name in change.added_elements()}
                self.throughout &= names
            return
        self.written.add(change.key)
        if change.before == NOTHING or change.after == NOTHING or db.deadline(change.key):
            self.moved.add(change.key)
            self.throughout.discard(change.key)


class ScanningChecker(Checker):
    """Checks scans."""

    promise: ClassVar[str] = "scanning"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.walks: dict[str, dict[tuple[int, Words], Walk]] = {}
        """The scans in progress, by region, and by session and target."""

    def on_region_started(self, region: Watched) -> None:
        self.walks[region.name] = {}

    def before_commands(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """Begin the scans whose first request is in `commands`."""
        self.begin_walks(region, session, commands)

    def before_follower_commands(
        self, copy: Followed, session: int, commands: Sequence[Words]
    ) -> None:
        """Begin the scans of a follower's client."""
        self.begin_walks(copy, session, commands)

    def begin_walks(
        self, region: Watched | Followed, session: int, commands: Sequence[Words]
    ) -> None:
        """Record the names that exist before the first request of a scan."""
        db = region.replica.keyspace
        for words in commands if only_reads(commands) else ():
            name = words[0]
            if name in STEPS:
                at = 1 if name == "SCAN" else 2
                walks = self.walks.setdefault(region.name, {})
                if words[at] == BEGIN:
                    key = b"" if name == "SCAN" else words[1].encode()
                    walks[session, words[:at]] = Walk(key, names_in(db, key))
                elif words[at] == LATER_PAGE:
                    walks.pop((session, words[:at]), None)  # it gives up the scan in progress

    def compare_replies(
        self,
        place: Watched | Followed,
        session: int,
        commands: Sequence[Words],
        replies: Sequence[Reply],
    ) -> None:
        """Check the pages in the replies to a request. Raises Violation.

        A request with other commands may write after it has scanned, so it is not judged."""
        if not only_reads(commands):
            return
        walks = self.walks.get(place.name, {})
        for words, reply in executed_commands(commands, replies):
            if words[0] in ASKING and not isinstance(reply, Refusal):
                self.compare_keys(place, words, reply)
            if words[0] in STEPS and not isinstance(reply, Refusal):
                at = (session, words[: 1 if words[0] == "SCAN" else 2])
                walk = walks.get(at)
                if walk is not None:
                    cursor, items = cast("list[Any]", reply)
                    self.compare_page(place, words, walk, items[:: STEPS[words[0]]])
                    if cursor == b"0":
                        del walks[at]
                        self.finish_scan(place, words, walk)

    def compare_keys(self, place: Watched | Followed, words: Words, reply: Reply) -> None:
        """Compare the reply to a question about all keys with the keys. Raises Violation."""
        self.looked += 1
        db = place.replica.keyspace
        shown = set(db.keys())
        match words[0]:
            case "KEYS":
                expected = {key for key in shown if ScanFilter(words[1]).matches(key)}
                is_right = len(reply) == len(expected) and set(reply) == expected
            case "DBSIZE":
                is_right = len(shown) <= reply <= db.size()
            case _:
                is_right = reply in shown if shown else reply is None
        if not is_right:
            raise self.violation(
                f"{place.name} answers {' '.join(words)} with {reply!r}, with {len(shown)} keys"
            )

    def compare_page(
        self, region: Watched | Followed, words: Words, walk: Walk, names: list[bytes]
    ) -> None:
        """Check the names of one page. Raises Violation."""
        db = region.replica.keyspace
        there = names_in(db, walk.key)
        chosen = ScanFilter.of_page(words)
        walk.filters.add(chosen)
        if walk.key:
            walk.throughout &= there
        shown = " ".join(words)
        for name in names:
            self.looked += 1
            if name not in there and (walk.key or is_hidden(db, name)):
                raise self.violation(f"{region.name}: {shown} returns {name!r}, which is not there")
            if not chosen.matches(name) or not has_type(db, name, chosen.type_name):
                raise self.violation(f"{region.name}: {shown} returns {name!r}, which does not fit")
            if name in walk.returned and name not in walk.moved:
                raise self.violation(f"{region.name}: {shown} returns {name!r} a second time")
            walk.returned.add(name)

    def finish_scan(self, region: Watched | Followed, words: Words, walk: Walk) -> None:
        """Check that a finished scan has returned all names. Raises Violation."""
        self.looked += 1
        lacking = walk.throughout - walk.returned
        if lacking and not walk.key:
            lacking &= names_in(region.replica.keyspace, b"")
        lacking = {name for name in lacking if is_let_through(region.replica.keyspace, walk, name)}
        if lacking:
            raise self.violation(
                f"{region.name}: a walk that ended with {' '.join(words)} has not returned"
                f" {min(lacking)!r}, which was there throughout"
            )

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Record the changes of a region during its scans."""
        self.follow_walks(region, changes)

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Record the changes of a follower during its scans."""
        self.follow_walks(copy, changes)

    def follow_walks(self, region: Watched | Followed, changes: Sequence[Change]) -> None:
        """Record changes in every scan in progress."""
        db = region.replica.keyspace
        for walk in self.walks.get(region.name, {}).values():
            for change in changes:
                walk.record_change(change, db)

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Scan the final state of each region."""
        for region in regions:
            self.walk_all(region)

    def on_followers_end(self, copies: Sequence[Followed], regions: Sequence[Watched]) -> None:
        """Scan the final state of each follower."""
        for copy in copies:
            self.walk_all(copy)

    def walk_all(self, place: Watched | Followed) -> None:
        """Scan all keys, and the elements of each key, if they have a scan order."""
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
        """Run a scan without concurrent writes, and compare its names with the expected ones."""
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
    """Return the names in a key, or if `key` is empty all keys without a deadline."""
    if not key:
        return {each for each in db.held_keys() if db.deadline(each) is None}
    value: Value | None = db.lookup(key)
    if value is None:
        return set()
    shown: Any = value.visible()
    if isinstance(shown, bytes):
        return set()
    return {item if isinstance(item, bytes) else item[0] for item in shown}


def only_reads(commands: Sequence[Words]) -> bool:
    """Return whether a request has nothing but scans and questions about keys."""
    return all(words[0] in STEPS or words[0] in ASKING for words in commands)


def has_type(db: Keyspace, key: bytes, type_name: str) -> bool:
    """Return whether a key has a type; True if `type_name` is empty."""
    return not type_name or content.type_name(db, db.lookup(key)).decode() == type_name


def is_let_through(db: Keyspace, walk: Walk, name: bytes) -> bool:
    """Return whether every page of a scan lets a name through. The type of a key that was written
    to during the scan may have changed."""
    if not all(each.matches(name) for each in walk.filters):
        return False
    types = {each.type_name for each in walk.filters} - {""}
    return not types or (
        name not in walk.written and all(has_type(db, name, each) for each in types)
    )


def is_hidden(db: Keyspace, key: bytes) -> bool:
    """Return whether a key is not visible."""
    return db.lookup(key) is None
