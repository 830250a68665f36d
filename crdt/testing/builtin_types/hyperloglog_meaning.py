"""The visible value of a HyperLogLog, as a function of the operations that changed it."""

from __future__ import annotations

from crdt.structures.register_array import RANKS
from crdt.testing.builtin_types.type_specification import Part
from crdt.testing.history import HistoryEvent


def hyperloglog(about: list[HistoryEvent], clears: list[HistoryEvent]) -> Part | None:
    """Return the registers of a HyperLogLog as codes: the greatest rank of each register.
    `clears` are the operations that removed all content that they had seen.

    A clear of a HyperLogLog that was there wins over concurrent additions (HLL-3). One that saw
    none has no effect on it.
    """
    additions = [t for t in about if t.command.name == "PFRAISE"]
    winners: list[HistoryEvent] = []
    for clear in clears:
        before = [winner for winner in winners if clear.saw(winner)]
        if any(clear.saw(t) and has_seen(t, before) for t in additions):
            winners.append(clear)
    live = [t for t in additions if has_seen(t, winners)]
    ranks: dict[int, int] = {}
    for addition in live:
        for code in addition.command.args:
            ranks[code // RANKS] = max(code, ranks.get(code // RANKS, 0))
    codes = sorted(code for code in ranks.values() if code % RANKS)
    return (codes, min(t.origin for t in live)) if live else None


def has_seen(event: HistoryEvent, others: list[HistoryEvent]) -> bool:
    """Return whether an operation came after all others, or is one of them itself."""
    return all(event is other or event.saw(other) for other in others)
