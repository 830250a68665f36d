"""Expiry: an expired key is deleted for all regions only after it has expired in all of them.

Until then, clients of some region still see the key, and can extend its time to live. A region can
delete a key without a client's command. The clock of every region must then have passed the key's
deadline (EXP-4 to EXP-7, see docs/design/003).

A region hides expired keys by its expiry clock. When its wall clock goes back a little, the expiry
clock stops, so that expired keys do not become visible again. The expiry clock is never ahead of
the wall clock by more than that. Otherwise it would hide keys that other regions have set (EXP-8).

Only the lowest region deletes expired keys and forgets metadata for all. It forgets deadlines once
every region has observed all of them: until then a client elsewhere may set another deadline, and
the longest must hold. It tidies up the deadlines of a key that is gone once no region shows the
key with one of them: until then a client elsewhere may add to the key, which must keep its
deadline. Deadlines that the clock of every region has passed are removed earlier, as an expired key
is deleted: a region that has not observed the removal, or has a longer deadline, may show the key.

Not checked: a client's write to a key that has expired in its region, the time at which a key
becomes invisible (see `rules`), and deadlines of a key whose history is incomplete. Regions that
have restarted are not asked what they show or have observed: the lowest region may not know of the
restart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from crdt.causality.dots import covers, name_origin, seq_of
from crdt.causality.effect import DELETE, FORGET, Effect, is_key_effect
from crdt.causality.schema import FOREVER
from crdt.store.keyspace import CLOCK_SLACK_MS, Keyspace
from crdt.testing.history import HistoryEvent
from sim.checkers.replicas.unasked import UnaskedChecker
from sim.engine.checker import Watched
from sim.nodes.client import Reply
from sim.nodes.effects import Effects
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change
from sim.schedule.step import Words

DEADLINES: Final = frozenset({"PERSIST", "EXPIREAT"})
REMOVERS: Final = DEADLINES | {"DEL", "FORGET", "FLUSHALL", "SET"}
"""The commands that remove the deadlines that their region had observed."""


class ExpiryChecker(UnaskedChecker):
    """Checks that keys expire everywhere before they are deleted."""

    promise: ClassVar[str] = "expiry"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.regions: dict[str, Watched] = {}
        self.clocks: dict[str, int] = {}
        """The latest expiry clock (ms) of each region before its last restart or clock change."""
        self.reached: dict[str, int] = {}
        """The latest expiry clock (ms) of each region since then."""
        self.restarted: set[str] = set()
        self.named: set[bytes] = set()
        """The keys of blocked clients that are served in the present turn."""

    def on_region_started(self, region: Watched) -> None:
        name = region.name
        if name in self.regions:
            self.restarted.add(name)
            self.clocks[name] = max(self.reached[name], self.clocks.get(name, 0))
        self.regions[name] = region
        self.reached[name] = region.replica.keyspace.expiry_clock

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        self.clocks[region.name] = self.expiry_clock(region)
        self.restarted.add(region.name)

    def on_clock_rewound(self, region: Watched) -> None:
        self.clocks[region.name] = max(self.reached[region.name], self.expiry_clock(region))
        self.reached[region.name] = region.replica.keyspace.expiry_clock

    def on_expiry_set_back(self, name: str, keyspace: Keyspace, before: int) -> None:
        if before - keyspace.expiry_clock <= CLOCK_SLACK_MS:
            late = before - keyspace.expiry_clock
            raise self.violation(f"what had expired in {name} lives again for {late} ms")
        self.clocks[name] = max(before, self.clocks.get(name, 0))
        self.reached[name] = keyspace.expiry_clock

    def expiry_clock(self, region: Watched) -> int:
        """Return the latest time (ms) that a region's expiry clock has ever had."""
        return max(region.replica.keyspace.expiry_clock, self.clocks.get(region.name, 0))

    def on_late_reply(self, region: Watched, session: int, command: Words, reply: Reply) -> None:
        """Record the keys of a blocked client that is served, as keys named by a client.

        Its BLMOVE may push to a key that has only a deadline left, and so change it in this turn.
        """
        if isinstance(reply, bytes | list):
            self.named.update(word.encode() for word in command)

    def on_unasked_op(self, region: Watched, effect: Effect) -> None:
        if effect[2] in self.named or region.instance.eviction.policy.evicts:
            return
        if is_key_effect(effect, DELETE) or is_key_effect(effect, FORGET):
            self.check_duty(region, effect[2])
        held = region.state_hash.held.get(effect[2]) if is_key_effect(effect, DELETE) else None
        if held is not None and held[1] < FOREVER:
            self.check_key(region, effect[2], held[1])
        elif is_key_effect(effect, DELETE) and held is None:
            self.check_orphan(region, effect[2])
        elif is_key_effect(effect, FORGET):
            self.check_deadlines(region, effect[2])

    def others(self, region: Watched) -> Iterator[Watched]:
        """Yield the other regions that have not restarted."""
        for name, other in self.regions.items():
            if other is not region and name not in self.restarted:
                yield other

    def check_orphan(self, region: Watched, key: bytes) -> None:
        """Check that no region shows a key with a deadline that was removed there, unless the
        deadline has passed in all regions. Raises Violation."""
        effects = self.run_history.book.by_key.get(key, [])
        deletes = [each for each in effects if each.command.name == "DEL"]
        if not deletes:
            return
        removed = {each.dot for each in deadlines_before(deletes[-1], effects)}
        clock = min(self.expiry_clock(each) for each in self.regions.values())
        for other in self.others(region):
            self.looked += 1
            db = other.replica.keyspace
            for dot, deadline in db.deadline_siblings(key):
                if dot in removed and deadline >= clock and db.lookup(key) is not None:
                    raise self.violation(
                        f"{region.name} removes the deadline {deadline} of {key!r}, which"
                        f" {other.name} shows"
                    )

    def check_deadlines(self, region: Watched, key: bytes) -> None:
        """Check that every region has observed all deadlines that were forgotten."""
        effects = self.run_history.book.by_key.get(key, [])
        forgets = [each for each in effects if each.command.name == "FORGET"]
        if not forgets:
            return
        for event in deadlines_before(forgets[-1], effects):
            for other in self.others(region):
                self.looked += 1
                if not covers(other.replica.keyspace.vector, event.dot):
                    raise self.violation(
                        f"{region.name} forgets the deadlines of {key!r}, and {other.name} has not"
                        f" seen {name_origin(event.origin)}:{seq_of(event.dot)}"
                    )

    def check_duty(self, region: Watched, key: bytes) -> None:
        """Check that only the lowest region deletes or forgets without a command."""
        lowest = min(number for number, _ in region.links.member.members)
        if lowest < region.replica.region:
            raise self.violation(
                f"{region.name} tidies up {key!r}, which is the duty of region {lowest}"
            )

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Check that the region's expiry clock has not gone back, and is not too far ahead."""
        self.named.clear()
        db = region.replica.keyspace
        before, now = self.reached[region.name], db.expiry_clock
        if now < before:
            raise self.violation(
                f"what had expired in {region.name} lives again for {before - now} ms"
            )
        if now > db.now + CLOCK_SLACK_MS:
            raise self.violation(f"{region.name} hides keys {now - db.now} ms ahead of its clock")
        self.reached[region.name] = now

    def check_key(self, region: Watched, key: bytes, deadline: int) -> None:
        """Check that the clocks of all regions have passed the deadline of a deleted key."""
        self.looked += 1
        for other in self.regions.values():
            if self.expiry_clock(other) <= deadline:
                raise self.violation(
                    f"{region.name} deletes {key!r}, which lives"
                    f" {deadline - self.expiry_clock(other)} ms longer in {other.name}"
                )


def deadlines_before(event: HistoryEvent, effects: Effects) -> list[HistoryEvent]:
    """Return the deadlines of a key that an effect on it has observed, and that no effect had
    removed before. `effects` are those on the key."""
    applied = [each for each in effects if event.past >> each.index & 1]
    removers = [each for each in applied if each.command.name in REMOVERS]
    return [
        deadline
        for deadline in applied
        if deadline.command.name in DEADLINES
        and not any(each.past >> deadline.index & 1 for each in removers)
    ]
