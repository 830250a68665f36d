"""Incarnations that may write without having seen what the other regions take for stable.

A region forgets metadata that every member has observed, since each later effect of a member has
observed it too. Two kinds of incarnations break this rule (docs/design/005): those that did not
know of earlier ones (STL-3), and those that may have recovered only from peers that had lost their
memory too. Their effects may be concurrent with a PERSIST that garbage collection has removed by a
FORGET. A time to live that they set then holds, although PERSIST would have won (EXP-2).
"""

from __future__ import annotations

from collections.abc import Sequence

from crdt.causality.dots import Origin
from crdt.causality.effect import Effect
from crdt.testing.history import History
from sim.engine.checker import Checker, Watched
from sim.nodes.run_history import RunHistory


class UninformedChecker(Checker):
    """A checker whose promise has an exception for uninformed incarnations."""

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.up: dict[str, Watched] = {}
        self.down: set[str] = set()
        self.careless: set[str] = set()
        """The regions whose present incarnation is exempt."""
        self.exempt: set[Origin] = set()
        """The origins of exempt incarnations that have made effects."""

    def on_region_started(self, region: Watched) -> None:
        name, others = region.name, self.up.values()
        may_teach = all(o.has_caught_up and o.name not in self.careless for o in others)
        self.down.discard(name)
        self.careless.discard(name)
        if region.is_unaware or self.down or not may_teach:
            self.careless.add(name)
        self.up[name] = region

    def on_effects_made(self, region: Watched, first: int, effects: Sequence[Effect]) -> None:
        if region.name in self.careless:
            self.exempt.add(region.replica.origin)

    def on_region_stopped(self, region: Watched, survivors: Sequence[Watched]) -> None:
        del self.up[region.name]
        self.down.add(region.name)
        for other in self.up.values():
            if not other.has_caught_up:
                self.careless.add(other.name)  # it may have needed this region to recover

    def may_lack_deadline(self, history: History) -> bool:
        """Return whether the key of a history may have a shorter time to live than specified: an
        exempt incarnation has written to it concurrently with a FORGET."""
        late = [event for event in history if event.origin in self.exempt]
        return bool(late) and any(
            event.command.name == "FORGET"
            and any(not other.saw(event) and not event.saw(other) for other in late)
            for event in history
        )
