"""A keyspace tells of each change before it makes it.

Snapshots are consistent only because of that: who reads one is told, and takes the earlier state of
the key first. What checkers know of a region they know in the same way. So now and then, and in the
end, every key is looked at anew and compared with what was last seen of it.

Not checked: what is hidden behind a shown value; a change that was told by the time of the look.
"""

from __future__ import annotations

from typing import ClassVar

from crdt.causality.schema import FOREVER
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.mirror import Held
from sim.nodes.saying import plain
from sim.nodes.state import shown_text


class Telling(Checker):
    """Nothing changes in silence."""

    promise: ClassVar[str] = "told changes"

    def inspected(self, place: Watched | Followed) -> None:
        self.looked += len(place.mirror.held)
        for key, seen, held in place.mirror.untold():
            raise self.broken(
                f"{place.name} was last seen with {held_text(seen)} under {plain(key)!r}, holds"
                f" {held_text(held)}, and has told nobody of the change"
            )


def held_text(held: Held | None) -> str:
    """Return what a key showed, and its deadline."""
    if held is None:
        return "nothing"
    _, deadline, _, parts = held
    text = " and ".join(shown_text(code, shown) for code, shown in parts).removeprefix("= ")
    return text if deadline >= FOREVER else f"{text} until {deadline} ms"
