"""Change reports: a keyspace reports each change to its readers before it makes the change.

Consistent snapshots depend on this: their reader copies the earlier state of a key when it is
notified. The checkers also learn of a region's changes in this way. Therefore each inspection reads
every key again, and compares it with the last recorded state.

Not checked: hidden parts of a value, and keys with a reported change since the last turn.
"""

from __future__ import annotations

from typing import ClassVar

from crdt.causality.schema import FOREVER
from crdt.types.registry import BUILT_IN
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.formatting import format_bytes
from sim.nodes.state import format_shown
from sim.nodes.state_hash import Held


class ChangeReportChecker(Checker):
    """Checks that every change was reported."""

    promise: ClassVar[str] = "told changes"

    def on_inspection(self, place: Watched | Followed) -> None:
        self.looked += len(place.state_hash.held)
        for key, seen, held in place.state_hash.unreported_changes():
            raise self.violation(
                f"{place.name} was last seen with {held_text(seen)} under {format_bytes(key)!r},"
                f" holds {held_text(held)}, and has told nobody of the change"
            )


def held_text(held: Held | None) -> str:
    """Return the recorded values of a key and its deadline as text."""
    if held is None:
        return "nothing"
    _, deadline, _, parts, _ = held
    forms = BUILT_IN.by_code
    texts = [format_shown(forms[code].text_form, shown) for code, shown in parts]
    text = " and ".join(texts).removeprefix("= ")
    return text if deadline >= FOREVER else f"{text} until {deadline} ms"
