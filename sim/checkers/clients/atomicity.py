"""Atomicity: a transaction is visible as a whole or not at all, in every region.

The workload writes to some keys only in pairs: each transaction does the same to `pair:N` and to
`twin:N`. Both keys must therefore always be equal. This is checked after each turn of each region
and each follower, and in the replies to clients that read both keys in one request.

Not checked: a pair whose deadline the clocks of all regions have passed. Expiry is no transaction:
both keys are deleted, one after the other, and a follower whose clock is late shows that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.specifications import Shown
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.client import Reply
from sim.nodes.effects import read_sorted
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change
from sim.schedule.exchange import executed_commands
from sim.schedule.step import Words

PAIR: Final = "pair:"
TWIN: Final = "twin:"


class AtomicityChecker(Checker):
    """Checks that transactions are visible as a whole."""

    promise: ClassVar[str] = "atomicity"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.regions: dict[str, Watched] = {}
        self.clocks: dict[str, int] = {}
        """By region: the latest time (ms) of its expiry clock before it crashed or was set back."""

    def on_region_started(self, region: Watched) -> None:
        self.regions[region.name] = region

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        self.clocks[region.name] = self.expiry_clock(region)

    def on_expiry_set_back(self, name: str, keyspace: Keyspace, before: int) -> None:
        self.clocks[name] = max(before, self.clocks.get(name, 0))

    def expiry_clock(self, region: Watched) -> int:
        """Return the latest time (ms) that the expiry clock of a region has reached."""
        return max(region.replica.keyspace.expiry_clock, self.clocks.get(region.name, 0))

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Compare the changed pairs of a region."""
        self.check_pairs(region.name, region.replica.keyspace, changes)

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Compare the changed pairs of a follower."""
        self.check_pairs(copy.name, copy.replica.keyspace, changes)

    def check_pairs(self, name: str, db: Keyspace, changes: Sequence[Change]) -> None:
        """Compare both keys of each pair in `changes`. Raises Violation."""
        keys = {key[5:] for change in changes if (key := change.key)[:5] in {b"pair:", b"twin:"}}
        for key in sorted(keys):
            self.looked += 1
            one, other = read_sorted(db, b"pair:" + key), read_sorted(db, b"twin:" + key)
            if one != other and not self.has_expired(one, other):
                raise self.violation(
                    f"{name} shows {one!r} under {PAIR}{key.decode()}"
                    f" and {other!r} under {TWIN}{key.decode()}, which are only written together"
                )

    def goes_by_parts(self, region: Watched, key: str) -> bool:
        """Return whether one key of a pair was deleted after both had expired in all regions."""
        db = region.replica.keyspace
        one, other = (read_sorted(db, f"{name}{key}".encode()) for name in (PAIR, TWIN))
        return self.has_expired(one, other)

    def has_expired(self, one: Shown | None, other: Shown | None) -> bool:
        """Return whether one key of a pair is gone, and the deadline of the other has passed in all
        regions."""
        left = one or other
        is_gone = one is None or other is None
        deadline = left[2] if is_gone and left is not None else None
        clocks = (self.expiry_clock(region) for region in self.regions.values())
        return deadline is not None and deadline < min(clocks)

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Compare the replies to a request that reads both keys of a pair."""
        earlier: dict[str, Reply] = {}
        for words, reply in executed_commands(commands, replies):
            if len(words) == 2 and words[1].startswith((PAIR, TWIN)):
                other = earlier.setdefault(f"{words[0]} {words[1][5:]}", reply)
                self.looked += other is not reply
                if other != reply and not self.goes_by_parts(region, words[1][len(PAIR) :]):
                    raise self.violation(
                        f"{region.name} answers {' '.join(words)} with {reply!r},"
                        f" and the same of its twin with {other!r}"
                    )
