"""A type of one's own, and the check that it converges.

    python examples/best_offer.py

The best offer is the lowest price that anybody has named. All offers are kept, also the dearer
ones: a delete takes away what its region had seen, and that may have been the best offer only. Who
drops the dearer ones to save room has a type that diverges, and is shown the few steps in which it
does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crdt import Dot
from crdt.causality.observed import Observed
from crdt.testing import HistoryEvent, check_type
from crdt.types.custom import Seen

OFFER = 0  # the one operation: (OFFER, price)


class BestOffer:
    """Prices by the name of the effect that brought them."""

    code = 132

    def __init__(self) -> None:
        self.offers: dict[Dot, int] = {}

    def apply(self, effect: tuple[Any, ...], dot: Dot, observed: Observed) -> None:
        """An offer comes in."""
        self.offers[dot] = effect[1]

    def remove(self, observed: Observed) -> None:
        """A delete takes away what it had seen."""
        self.offers = {dot: p for dot, p in self.offers.items() if not observed.covers(dot)}

    def merge(self, other: BestOffer, mine: Seen, theirs: Seen) -> None:
        """Keep what both hold, or one holds and the other has not seen."""
        ours, given = self.offers, other.offers
        kept = {dot: p for dot, p in ours.items() if dot in given or not theirs.covers(dot)}
        fresh = {dot: p for dot, p in given.items() if not mine.covers(dot)}
        self.offers = kept | fresh

    def value(self) -> int | None:
        """Return the value that readers see."""
        return min(self.offers.values(), default=None)

    def is_live(self) -> bool:
        """Return whether readers see a value."""
        return bool(self.offers)

    def state(self) -> Any:
        """All of it, equal wherever the content is."""
        return tuple(sorted(self.offers.items()))

    def load(self, state: Any) -> None:
        """Become what `state` gave."""
        self.offers = dict(state)


def lowest(history: Sequence[HistoryEvent]) -> int | None:
    """Return the meaning of visible operations: the specification."""
    return min((event.command[1] for event in history), default=None)


if __name__ == "__main__":
    print(check_type(BestOffer, [(OFFER, 7), (OFFER, 8), (OFFER, 9)], lowest))
