"""The invariant `specification`: values follow from the commands of clients.

The specifications in `crdt.testing` describe commands as (origin, command, observed effects). For
families of keys with simple commands, the checker computes a region's value from the commands that
its vector covers: sums, the last writer, adds without an observing remove, and all elements that
were ever added (I5, I6, I20).

Sampled changes are checked during a run, and all regions are checked at its end. Not checked: other
families (`rules` computes their values from effects), deleted keys, and all keys after a FLUSHALL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, cast

from crdt.causality.dots import Dot, Vector, covers, make_dot
from crdt.causality.effect import Effect
from crdt.causality.op import OP_BYTES
from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.single_types import add_wins, total
from crdt.testing.builtin_types.subjects import NAMES
from crdt.testing.history import HistoryEvent, unseen
from crdt.types.base import Value
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change
from sim.schedule.step import Words

SAMPLE: Final = 16  # one in so many changed keys is checked immediately; the end checks all
WORKED_OUT_MAX: Final = 150  # commands on one key; more would take too long

SKETCH: Final = "hyperloglog"
COORDINATE_BITS: Final = 26
LATITUDE_MAX: Final = 85.05112878
OFF_MIN: Final = 6
OFF_PERCENT: Final = 10
"""An estimate may be off by either of these, which is some times the standard error of 0.81 %."""

ADD: Final = 0
REMOVE: Final = 1
Command = tuple[int, Any]
"""A command in the form that the specifications use."""


def specified_command(words: Sequence[str]) -> Command | None:
    """Return a client's command in the form of its specification, or None if it has none."""
    name, key = words[0], words[1] if len(words) > 1 else ""
    family = key.partition(":")[0]
    if family not in MEANS:
        return None
    match name:
        case "INCRBY":
            return ADD, int(words[2])
        case "DECRBY":
            return ADD, -int(words[2])
        case "SET":
            return ADD, words[2].encode()
        case "SADD":
            return ADD, words[2].encode()
        case "SREM":
            return REMOVE, words[2].encode()
        case "RPUSH":
            return ADD, words[2].encode()
        case "PFADD":
            return ADD, words[2:]
        case "GEOADD":
            return ADD, (words[4].encode(), position_score(float(words[2]), float(words[3])))
        case _:
            return None


def parse_number(history: Sequence[HistoryEvent]) -> object:
    return b"%d" % total(history)


def last_written_value(history: Sequence[HistoryEvent]) -> object:
    """Return the value of the last write: among the unobserved writes, the greatest stamp wins.

    A write's stamp is its origin's clock, but at least one more than each observed stamp (ORD-7).
    If stamps are equal, the lower origin wins.
    """
    stamps: dict[int, int] = {}
    for event in history:
        seen = [stamps[other.index] + 1 for other in history if event.saw(other)]
        stamps[event.index] = max([event.clock, *seen])
    writes = unseen(history, history)
    return min(writes, key=lambda t: (-stamps[t.index], t.origin)).command[1]


def expected_members(history: Sequence[HistoryEvent]) -> object:
    return sorted(add_wins(history))


def ever_added(history: Sequence[HistoryEvent]) -> object:
    return sorted({event.command[1] for event in history})


def pushed_elements(history: Sequence[HistoryEvent]) -> object:
    """Return the pushed elements of each origin in order. The list must interleave these."""
    rows: dict[int, list[bytes]] = {}
    for event in history:
        rows.setdefault(event.origin, []).append(event.command[1])
    return rows


def count_added(history: Sequence[HistoryEvent]) -> object:
    """Return the number of different elements that were added."""
    return len({element for event in history for element in event.command[1]})


def last_positions(history: Sequence[HistoryEvent]) -> object:
    """Return the members by name with the score of the last write of each (rule ZST-11)."""
    by_member: dict[bytes, list[HistoryEvent]] = {}
    for event in history:
        by_member.setdefault(event.command[1][0], []).append(event)
    latest = (cast("Any", last_written_value(about)) for about in by_member.values())
    return sorted((member, float(score)) for member, score in latest)


MEANS: Final[dict[str, Callable[[Sequence[HistoryEvent]], object]]] = {
    "count": parse_number,
    "word": last_written_value,
    "tag": expected_members,
    "all": ever_added,
    "retry": ever_added,
    "log": pushed_elements,
    "sketch": count_added,
    "place": last_positions,
}
WORK_LIMITED: Final = frozenset({"tag", "word", "place"})
"""The families whose specification takes time that grows with the square of the commands."""


class MeaningChecker(Checker):
    """Checks values against the commands of clients."""

    promise: ClassVar[str] = "specification"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.histories: dict[str, list[HistoryEvent]] = {}
        self.torn: set[str] = set()
        """The keys that one transaction wrote twice in a region that divides ops."""
        self.changed = 0
        self.flushed = False
        self.latest: Effect | None = None
        """The latest effect in the outbox before the commands that run now. The next assignment to
        the same key replaces it."""

    def before_commands(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        self.latest = latest_effect(region.replica.keyspace)

    def on_commands_run(
        self, region: Watched, commands: Sequence[Sequence[str]], before: Vector
    ) -> None:
        """Record commands. `before` is the region's vector before these commands."""
        db = region.replica.keyspace
        if db.seq == before.get(db.origin, 0) and latest_effect(db) == self.latest:
            return
        spelled = [words[1] for words in commands if specified_command(words) is not None]
        if region.replica.op_bytes < OP_BYTES:  # other regions may see a part of the transaction
            self.torn.update(key for key in spelled if spelled.count(key) > 1)
        for words in commands:
            if words[0] == "DEL":
                self.retire_key(words[1:])
            self.flushed = self.flushed or words[0] == "FLUSHALL"
            command = specified_command(words)
            if command is not None:
                history = self.histories.setdefault(words[1], [])
                dot = latest_dot(db, words[1].encode())
                past, bit = 0, 1
                for event in history:
                    other: Dot = event.dot
                    if event.origin == db.origin or covers(before, other):
                        past |= bit
                    bit <<= 1
                history.append(
                    HistoryEvent(command, dot, db.base, db.expiry_clock, len(history), past)
                )
        if len(commands) == 1:
            self.check_log_order(region, commands[0])

    def check_log_order(self, region: Watched, words: Sequence[str]) -> None:
        """Check that an element pushed at the tail is the last one immediately afterwards."""
        if specified_command(words) is None:
            return
        key, pushed = words[1], words[-1].encode()
        value = region.replica.keyspace.held(key.encode())
        elements = None if value is None or words[0] != "RPUSH" else value.sequence()
        if elements is not None and elements[-1] != pushed:
            there = elements[-1]
            raise self.violation(f"{region.name} pushed {pushed!r} at the tail of {key}: {there!r}")

    def retire_key(self, keys: Sequence[str]) -> None:
        """Drop the history of deleted keys. The workload does not use them again."""
        for key in keys:
            self.histories.pop(key, None)

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check one in SAMPLE changed keys."""
        for change in changes:
            self.changed += 1
            if self.changed % SAMPLE == 0:
                self.check_value(region, change.key.decode("latin-1"))

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Check all keys of all regions."""
        for region in regions:
            for key in self.histories:
                self.check_value(region, key)

    def check_value(self, region: Watched, key: str) -> None:
        """Compare the visible value of a key with the value that the specification predicts."""
        history = self.histories.get(key, [])
        vector = region.replica.keyspace.vector
        visible = [event for event in history if covers(vector, event.dot)]
        family = key.partition(":")[0]
        if (
            self.flushed
            or key in self.torn
            or not visible
            or (len(visible) > WORKED_OUT_MAX and family in WORK_LIMITED)
        ):
            return
        self.looked += 1
        expected = MEANS[family](visible)
        value = region.replica.keyspace.held(key.encode())
        shown = format_value(value, expected)
        if value is not None and NAMES[value.code()] == SKETCH:
            shown, most = cast("Any", value).estimate(), cast("int", count_added(history))
            if is_near(shown, min(max(shown, cast("int", expected)), most)):
                return  # a part of a command may have come that is not visible as a whole
        if shown != expected:
            raise self.violation(f"{region.name} shows {shown!r} under {key}, not {expected!r}")


def position_score(longitude: float, latitude: float) -> int:
    """Return the score of a position: 26 bits of each coordinate, which alternate. The limits of
    the latitude are those of Redis."""
    across = int((longitude + 180) / 360 * (1 << COORDINATE_BITS))
    up = int((latitude + LATITUDE_MAX) / (2 * LATITUDE_MAX) * (1 << COORDINATE_BITS))
    return sum(
        (up >> bit & 1) << 2 * bit | (across >> bit & 1) << 2 * bit + 1
        for bit in range(COORDINATE_BITS)
    )


def is_near(estimate: int, number: int) -> bool:
    """Return whether an estimate can be right. Redis finds 90 among 94 names that are alike."""
    return abs(estimate - number) <= max(OFF_MIN, number * OFF_PERCENT // 100)


def latest_effect(db: Keyspace) -> Effect | None:
    """Return the latest effect in the outbox of a region; None if the outbox is empty."""
    outbox = db.pending_effects() if db.pending_count() else None
    return outbox[-1] if outbox else None


def latest_dot(db: Keyspace, key: bytes) -> Dot:
    """Return the dot of the latest effect on a key in the outbox.

    If there is none, return the dot of the region's latest effect.
    """
    outbox = db.pending_effects()
    for index in range(len(outbox) - 1, -1, -1):
        if outbox[index][2] == key:
            return make_dot(db.origin, db.seq - len(outbox) + 1 + index)
    return make_dot(db.origin, db.seq)


def format_value(value: Value | None, expected: object) -> object:
    """Return a value in the form that the specification uses."""
    if value is None:
        return [] if isinstance(expected, list) else None
    shown: Any = value.visible()
    if isinstance(expected, dict):
        wanted = cast("dict[int, list[bytes]]", expected)
        rows: dict[int, list[bytes]] = {origin: [] for origin in wanted}
        whose = {item: origin for origin, row in wanted.items() for item in row}
        for item in shown:
            rows.setdefault(whose.get(item, 0), []).append(item)
        return rows
    return shown
