"""What was deleted does not come back.

Names that begin with `u` are used once: the workload adds nothing else under them. So such an
element that a region held, and then held no more, must never be seen there again (I8), whatever is
resent, merged, collected or restored.

Not checked: the values of strings and fields. Of concurrent writes one that lost may be shown when
the winner is deleted by somebody who had not seen it, and that is right.
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
        """A life without memory may see again what it had deleted without telling anybody."""
        self.dead[region.name] = set()

    def on_turn_end(self, region: Watched, changes: Sequence[Change]) -> None:
        """Bury what is gone, and look for what is back."""
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
