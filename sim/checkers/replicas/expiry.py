"""What has expired in one region is deleted for all only once it has expired in all.

Until then some region's clients still see the key, and may give it more time. So when a region
deletes a key that none of its clients had named, the clock of every region has been past the key's
deadline (EXP-4 to EXP-7, as docs/design/003 has them). And the time by which a region hides keys
stands still when its clock goes back a little, or what was gone would be there again; it never
stays ahead of the clock by more than that, or what others set would be hidden (EXP-8). One region
deletes and forgets for all, the lowest.

Not checked: what a client's write does to a key that has expired where it is written; when readers
see a key no more (see `rules`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crdt.causality.effect import DELETE, FORGET, Effect, is_key_effect
from crdt.causality.schema import FOREVER
from crdt.store.keyspace import CLOCK_SLACK_MS, Keyspace
from sim.checkers.replicas.unasked import UnaskedChecker
from sim.engine.checker import Watched
from sim.nodes.client import Reply
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change
from sim.schedule.step import Words


class ExpiryChecker(UnaskedChecker):
    """Checks that keys expire everywhere before they are deleted."""

    promise: ClassVar[str] = "expiry"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.regions: dict[str, Watched] = {}
        self.clocks: dict[str, int] = {}
        """How far each region's clock had come in its earlier lives or before it was set, in ms."""
        self.reached: dict[str, int] = {}
        """... in its present one."""
        self.named: set[bytes] = set()
        """The keys of clients who waited and are served in the present turn."""

    def on_region_started(self, region: Watched) -> None:
        self.regions[region.name] = region
        self.reached[region.name] = region.replica.keyspace.expiry_clock

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        self.clocks[region.name] = self.expiry_clock(region)

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
        """Return the latest time (ms) that a region's clock has ever shown."""
        return max(region.replica.keyspace.expiry_clock, self.clocks.get(region.name, 0))

    def on_late_reply(self, region: Watched, session: int, command: Words, reply: Reply) -> None:
        """Take the keys of a client who is served for named just now: its BLMOVE may push to a key
        of which, in this very turn, only a deadline was left."""
        if isinstance(reply, bytes | list):
            self.named.update(word.encode() for word in command)

    def on_unasked_op(self, region: Watched, effect: Effect) -> None:
        if effect[2] in self.named:
            return
        if is_key_effect(effect, DELETE) or is_key_effect(effect, FORGET):
            self.check_duty(region, effect[2])
        held = region.state_hash.held.get(effect[2]) if is_key_effect(effect, DELETE) else None
        if held is not None and held[1] < FOREVER:
            self.check_key(region, effect[2], held[1])

    def check_duty(self, region: Watched, key: bytes) -> None:
        """Only the lowest region may tidy up of its own accord."""
        lowest = min(number for number, _ in region.links.member.members)
        if lowest < region.replica.region:
            raise self.violation(
                f"{region.name} tidies up {key!r}, which is the duty of region {lowest}"
            )

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Time goes on, and who has waited is served."""
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
        """The clocks of all regions, and the deadline of a key."""
        self.looked += 1
        for other in self.regions.values():
            if self.expiry_clock(other) <= deadline:
                raise self.violation(
                    f"{region.name} deletes {key!r}, which lives"
                    f" {deadline - self.expiry_clock(other)} ms longer in {other.name}"
                )
