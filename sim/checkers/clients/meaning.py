"""Values mean what clients asked for, as the specifications in `crdt.testing` have it.

For the families of keys whose commands are simple enough to be described as (who, what, having seen
what), the value that a region shows is worked out from the commands that its vector stands for:
sums, the last writer, adds that no remove had seen, everything that was ever added (I5, I6, I20).

Checked at sampled steps and for every region at the end. Not checked: other keys, of which `rules`
works out what follows from the effects that commands have had. Nothing after a FLUSHALL, and no key
that was deleted: the workload does that when it is done with one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, cast

from crdt.causality.dots import Dot, Vector, covers, make_dot
from crdt.causality.op import OP_BYTES
from crdt.store.keyspace import Keyspace
from crdt.testing.history import HistoryEvent, unseen
from crdt.testing.specifications import add_wins, total
from crdt.types.base import Value
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change

SAMPLE: Final = 16  # one changed key in so many is checked immediately, all of them at the end
WORKED_OUT_MAX: Final = 150  # operations on one key; more would take too long

ADD: Final = 0
REMOVE: Final = 1
Command = tuple[int, Any]
"""As the specifications spell it."""


def spell_command(words: Sequence[str]) -> Command | None:
    """A command of a client, as its specification spells it; None if it has none."""
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
        case _:
            return None


def parse_number(history: Sequence[HistoryEvent]) -> object:
    return b"%d" % total(history)


def last_written_value(history: Sequence[HistoryEvent]) -> object:
    """Of the writes that no other had seen the one with the greatest stamp: its origin's clock, but
    later than all that it replaced (ORD-7); then the lower origin's."""
    stamps: dict[int, int] = {}
    for taken in history:
        seen = [stamps[other.index] + 1 for other in history if taken.saw(other)]
        stamps[taken.index] = max([taken.clock, *seen])
    writes = unseen(history, history)
    return min(writes, key=lambda t: (-stamps[t.index], t.origin)).command[1]


def expected_members(history: Sequence[HistoryEvent]) -> object:
    return sorted(add_wins(history))


def ever_added(history: Sequence[HistoryEvent]) -> object:
    return sorted({taken.command[1] for taken in history})


def pushed_elements(history: Sequence[HistoryEvent]) -> object:
    """By origin, what it pushed, in its order: the list is one interleaving of these."""
    rows: dict[int, list[bytes]] = {}
    for taken in history:
        rows.setdefault(taken.origin, []).append(taken.command[1])
    return rows


MEANS: Final[dict[str, Callable[[Sequence[HistoryEvent]], object]]] = {
    "count": parse_number,
    "word": last_written_value,
    "tag": expected_members,
    "all": ever_added,
    "retry": ever_added,
    "log": pushed_elements,
}


class MeaningChecker(Checker):
    """Checks values against the commands of clients."""

    promise: ClassVar[str] = "specification"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.histories: dict[str, list[HistoryEvent]] = {}
        self.torn: set[str] = set()
        """Keys to which a transaction has written twice where operations are divided."""
        self.changed = 0
        self.flushed = False

    def on_commands_run(
        self, region: Watched, commands: Sequence[Sequence[str]], before: Vector
    ) -> None:
        """Write down what was asked for. `before` is the vector that the region had then."""
        db = region.replica.keyspace
        if db.seq == before.get(db.origin, 0):
            return
        spelled = [words[1] for words in commands if spell_command(words) is not None]
        if region.replica.op_bytes < OP_BYTES:  # others may see some of these without the rest
            self.torn.update(key for key in spelled if spelled.count(key) > 1)
        for words in commands:
            if words[0] == "DEL":
                self.retire_key(words[1:])
            self.flushed = self.flushed or words[0] == "FLUSHALL"
            command = spell_command(words)
            if command is not None:
                history = self.histories.setdefault(words[1], [])
                dot = latest_dot(db, words[1].encode())
                past, bit = 0, 1
                for taken in history:
                    other: Dot = taken.dot
                    if taken.origin == db.origin or covers(before, other):
                        past |= bit
                    bit <<= 1
                history.append(
                    HistoryEvent(command, dot, db.now, db.expiry_clock, len(history), past)
                )
        if len(commands) == 1:
            self.check_log_order(region, commands[0])

    def check_log_order(self, region: Watched, words: Sequence[str]) -> None:
        """Check that an element pushed at the tail stands there immediately."""
        if spell_command(words) is None:
            return
        key, pushed = words[1], words[-1].encode()
        value = region.replica.keyspace.held(key.encode())
        elements = None if value is None or words[0] != "RPUSH" else value.sequence()
        if elements is not None and elements[-1] != pushed:
            there = elements[-1]
            raise self.violation(f"{region.name} pushed {pushed!r} at the tail of {key}: {there!r}")

    def retire_key(self, keys: Sequence[str]) -> None:
        """These are deleted and not used again."""
        for key in keys:
            self.histories.pop(key, None)

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Work out one changed key now and then."""
        for change in changes:
            self.changed += 1
            if self.changed % SAMPLE == 0:
                self.check_value(region, change.key.decode("latin-1"))

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Work out all of them."""
        for region in regions:
            for key in self.histories:
                self.check_value(region, key)

    def check_value(self, region: Watched, key: str) -> None:
        """Compare what a region shows under a key with what the specification predicts."""
        history = self.histories.get(key, [])
        vector = region.replica.keyspace.vector
        visible = [taken for taken in history if covers(vector, taken.dot)]
        family = key.partition(":")[0]
        if (
            self.flushed
            or key in self.torn
            or not visible
            or (len(visible) > WORKED_OUT_MAX and family in {"tag", "word"})
        ):
            return
        self.looked += 1
        expected = MEANS[family](visible)
        value = region.replica.keyspace.held(key.encode())
        shown = format_value(value, expected)
        if shown != expected:
            raise self.violation(f"{region.name} shows {shown!r} under {key}, not {expected!r}")


def latest_dot(db: Keyspace, key: bytes) -> Dot:
    """Return the dot of the latest effect on a key that is in the outbox, or that of the latest
    effect of all if there is none."""
    latest = db.latest_dot(key)
    return latest or make_dot(db.origin, db.seq)


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
