"""No resurrection: a deleted element does not come back.

The workload uses names that begin with `u` only once. If such an element has disappeared from a
region, it must never be visible there again (I8). Ops that are sent again, snapshots, garbage
collection and restarts must not change this.

Not checked: the values of strings and fields. Of two concurrent writes, the losing one can
correctly become visible when the winning one is deleted by a region that had not observed the
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, TypeAlias

from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change, Element

ONCE: Final = b"u"

Place: TypeAlias = tuple[bytes, Element]


class ResurrectionChecker(Checker):
    """Checks that deleted elements stay deleted."""

    promise: ClassVar[str] = "no resurrection"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.dead: dict[str, set[Place]] = {}

    def on_region_started(self, region: Watched) -> None:
        """Forget the deletions of earlier incarnations: a crash may have lost some of them."""
        self.dead[region.name] = set()

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Record removed elements, and check that no added element was removed before."""
        dead = self.dead[region.name]
        for change in changes:
            key = change.key
            for element in change.added_elements():
                self.looked += 1
                if (key, element) in dead:
                    raise self.violation(
                        f"{element[1]!r} in {key!r} had been deleted in {region.name} and is back"
                    )
            for element in change.removed_elements():
                if element[1].startswith(ONCE):
                    dead.add((key, element))
