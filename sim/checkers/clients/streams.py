"""Streams: the entries that clients were promised, and the groups that work them off.

The working sessions (`sim.schedule.streams`) send one command at a time to streams that nothing
else writes to. From their commands and replies the checker computes the entries that a region must
hold, as of its vector:

* An acknowledged entry is there unless a removal has seen it: XDEL by its id, or XTRIM as one of
  the oldest (STM-1, STM-2). In the end all regions hold the same ones.
* The id of a new entry is greater than all ids that its region sees (STM-8), and no id occurs twice
  (STM-4).
* A group delivers each entry at most once in a region as a new one, and skips none (STM-10).
* What was acknowledged elsewhere together with all earlier entries is not delivered (STM-18,
  STM-19).

Not checked: followers, streams after a FLUSHALL, and deliveries before the latest restart of a
region, which keeps none (STM-21).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final, TypeAlias, cast

import attrs

from crdt.causality.dots import Dot, Vector, origin_of, seq_of
from crdt.store.keyspace import Keyspace
from sim.checkers.clients.meaning import latest_dot
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Reply
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change
from sim.schedule.exchange import executed_commands
from sim.schedule.step import Words
from sim.schedule.streams import LEDGER

SAMPLE: Final = 4  # one in so many changes is examined at once; the end examines all streams
StreamId: TypeAlias = tuple[int, int]
Part: TypeAlias = tuple[Dot, frozenset[Dot]]
"""An effect, and the entries that it concerns."""


@attrs.frozen
class Added:
    """An entry that a client has added."""

    dot: Dot
    last: StreamId
    fields: tuple[bytes, ...]


class Delivered:
    """The entries that a group has delivered in a region since the region started."""

    def __init__(self) -> None:
        self.taken: set[Dot] = set()
        self.pending: dict[StreamId, Dot] = {}


class Ledger:
    """The commands of clients on a stream. Each removal names what its region saw then."""

    def __init__(self) -> None:
        self.added: dict[Dot, Added] = {}
        self.removed: list[Part] = []
        self.acked: dict[str, list[Part]] = {}
        """By group: what was acknowledged together with all that was before it."""
        self.delivered: dict[tuple[str, str], Delivered] = {}
        """By region and group."""

    def seen_by(self, vector: Mapping[int, int]) -> list[Added]:
        """Return all entries that a vector covers, deleted ones too."""
        return [each for dot, each in self.added.items() if is_seen(vector, dot)]

    def entries(self, vector: Mapping[int, int]) -> list[Added]:
        """Return the entries that a region with this vector holds, in the order of their ids."""
        gone = joined(self.removed, vector)
        held = [each for each in self.seen_by(vector) if each.dot not in gone]
        return sorted(held, key=lambda each: (each.last, each.dot))

    def acked_by(self, group: str, vector: Mapping[int, int]) -> set[Dot]:
        """Return the entries that a region with this vector need not deliver."""
        return joined(self.acked.get(group, ()), vector)

    def deliveries(self, region: str, group: str) -> Delivered:
        """Return what a group has delivered in a region."""
        return self.delivered.setdefault((region, group), Delivered())


class StreamChecker(Checker):
    """Checks streams against the commands of clients."""

    promise: ClassVar[str] = "streams"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.ledgers: dict[str, Ledger] = {}
        self.flushed = False
        self.changed = 0

    def on_region_started(self, region: Watched) -> None:
        """Forget what a region has delivered: it does so too."""
        for ledger in self.ledgers.values():
            for name, group in list(ledger.delivered):
                if name == region.name:
                    del ledger.delivered[name, group]

    def on_commands_run(
        self, region: Watched, commands: Sequence[Sequence[str]], before: Vector
    ) -> None:
        self.flushed = self.flushed or any(words[0] == "FLUSHALL" for words in commands)

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Record writes, and check replies. Raises Violation."""
        for words, reply in executed_commands(commands, replies):
            key = next((word for word in words if word.startswith(LEDGER)), "")
            if key and not self.flushed and isinstance(reply, int | bytes | list | None):
                self.take_reply(region, words, key, reply)

    def take_reply(self, region: Watched, words: Words, key: str, reply: Reply) -> None:
        """Record or check one command on a stream. Raises Violation."""
        db = region.replica.keyspace
        ledger = self.ledgers.setdefault(key, Ledger())
        held = ledger.entries(present(db))
        self.looked += 1
        match words[0]:
            case "XADD":
                self.add(region, ledger, key, words, reply)
            case "XDEL":
                named = [each for each in held if spell(each.last) in words[2:]]
                self.remove(region, ledger, words, named, reply)
            case "XTRIM":
                named = held[: max(0, len(held) - int(words[3]))]
                self.remove(region, ledger, words, named, reply)
            case "XLEN":
                self.compare(region, words, reply, len(held))
            case "XRANGE":
                shown = [[spell(each.last).encode(), list(each.fields)] for each in held]
                self.compare(region, words, reply, shown)
            case "XREADGROUP":
                self.deliver(region, ledger, words, reply, held)
            case "XACK":
                ids = [parse_id(word.encode()) for word in words[3:]]
                self.acknowledge(region, ledger, words, ids, held)
            case "XAUTOCLAIM":
                gone = cast("list[list[bytes]]", reply)[2]
                self.acknowledge(region, ledger, words, list(map(parse_id, gone)), held)
            case _:
                pass

    def compare(self, region: Watched, words: Words, reply: Reply, expected: Reply) -> None:
        """Compare a reply with what the commands so far lead to. Raises Violation."""
        if reply != expected:
            raise self.violation(
                f"{region.name} answers {' '.join(words)} with {reply!r}, not {expected!r}"
            )

    # -- entries ---------------------------------------------------------------------------

    def add(self, region: Watched, ledger: Ledger, key: str, words: Words, reply: bytes) -> None:
        """Record a new entry. Raises Violation if its id does not ascend."""
        db = region.replica.keyspace
        last, dot = parse_id(reply), latest_dot(db, key.encode())
        for each in ledger.seen_by(present(db)):
            if each.last >= last:
                raise self.violation(
                    f"{region.name} gives {words[-1]} the id {spell(last)} in {key}, where"
                    f" {each.fields[-1].decode()} has {spell(each.last)}"
                )
        ledger.added[dot] = Added(dot, last, tuple(word.encode() for word in words[3:]))

    def remove(
        self, region: Watched, ledger: Ledger, words: Words, named: list[Added], reply: Reply
    ) -> None:
        """Record a removal, which has an effect for each slice. Raises Violation if the region does
        not count it like this."""
        self.compare(region, words, reply, len(named))
        last = latest_dot(region.replica.keyspace, words[1].encode())
        size = region.instance.slices.items
        starts = range(0, len(named), size)
        for dot, start in zip(range(last + 1 - len(starts), last + 1), starts, strict=True):
            part = frozenset(each.dot for each in named[start : start + size])
            ledger.removed.append((dot, part))

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Compare a stream that has changed, now and then. Raises Violation."""
        for change in changes:
            if change.key.startswith(LEDGER.encode()):
                self.changed += 1
                if self.changed % SAMPLE == 0:
                    self.compare_entries(region, change.key.decode())

    def on_run_end(self, regions: Sequence[Watched]) -> None:
        """Compare all streams of all regions. Raises Violation."""
        for region in regions:
            for key in self.ledgers:
                self.compare_entries(region, key)

    def compare_entries(self, region: Watched, key: str) -> None:
        """Compare the entries that a region holds with those that it must hold."""
        ledger = self.ledgers.get(key)
        if ledger is None or self.flushed:
            return
        self.looked += 1
        db = region.replica.keyspace
        value = db.held(key.encode())
        shown = [entry[1] for entry in value.siblings()] if value is not None else []
        expected = [
            (spell(each.last).encode(), *each.fields) for each in ledger.entries(present(db))
        ]
        if shown != expected:
            raise self.violation(f"{region.name} holds {shown!r} under {key}, not {expected!r}")

    # -- groups ----------------------------------------------------------------------------

    def deliver(
        self, region: Watched, ledger: Ledger, words: Words, reply: Reply, held: list[Added]
    ) -> None:
        """Record what a group has delivered. Raises Violation for what it must not deliver, and if
        it delivers less than it could."""
        group, limit = words[2], int(words[5])
        given = ledger.deliveries(region.name, group)
        spared = ledger.acked_by(group, present(region.replica.keyspace))
        ((_, entries),) = cast(
            "list[tuple[bytes, list[tuple[bytes, list[bytes]]]]]", reply or [(b"", [])]
        )
        by_id = {each.last: each for each in held}
        for name, fields in entries:
            entry = by_id.get(parse_id(name))
            text = f"{region.name} delivers {name.decode()} {fields!r} to {' '.join(words)}"
            if entry is None or list(entry.fields) != fields:
                raise self.violation(f"{text}: it does not hold it")
            if entry.dot in given.taken:
                raise self.violation(f"{text}: for the second time")
            if entry.dot in spared:
                raise self.violation(f"{text}: this and all before was acknowledged elsewhere")
            given.taken.add(entry.dot)
            given.pending[entry.last] = entry.dot
        left = [each for each in held if each.dot not in given.taken | spared]
        if left and len(entries) < limit:
            raise self.violation(
                f"{region.name} answers {' '.join(words)} with {reply!r}, and skips"
                f" {[spell(each.last) for each in left]}"
            )

    def acknowledge(
        self,
        region: Watched,
        ledger: Ledger,
        words: Words,
        ids: Sequence[StreamId],
        held: list[Added],
    ) -> None:
        """Record what other regions need not deliver from now on. The entries with these ids were
        acknowledged, or have been deleted and are not pending any more."""
        db, group = region.replica.keyspace, words[2]
        given = ledger.deliveries(region.name, group)
        for last in ids:
            given.pending.pop(last, None)
        spared = ledger.acked_by(group, present(db))
        ahead = [each.last for each in held if each.dot not in given.taken | spared]
        horizon = min([*given.pending, *ahead], default=None)
        done = frozenset(
            each.dot
            for each in held
            if each.dot in given.taken and (horizon is None or each.last < horizon)
        )
        if not done <= spared:
            dot = latest_dot(db, words[1].encode())
            ledger.acked.setdefault(group, []).append((dot, done))


def present(db: Keyspace) -> dict[int, int]:
    """Return the vector of a region, with its own effects that are not sealed yet."""
    return {**db.vector, db.origin: db.seq}


def is_seen(vector: Mapping[int, int], dot: Dot) -> bool:
    """Return whether a vector covers an effect."""
    return vector.get(origin_of(dot), 0) >= seq_of(dot)


def joined(parts: Iterable[Part], vector: Mapping[int, int]) -> set[Dot]:
    """Return what the effects that a vector covers concern."""
    found: set[Dot] = set()
    for dot, concerned in parts:
        if is_seen(vector, dot):
            found |= concerned
    return found


def parse_id(text: bytes) -> StreamId:
    """Return the two numbers of an id."""
    ms, _, minor = text.partition(b"-")
    return int(ms), int(minor)


def spell(last: StreamId) -> str:
    """Return an id as text."""
    return f"{last[0]}-{last[1]}"
