"""The specification of streams (STM-*).

An entry is there while no removal has seen it. A group is there if its creation had seen every
removal of it. A removal of the whole stream counts as one of all groups, if the region that made it
saw a stream.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crdt.causality.dots import origin_of
from crdt.testing.builtin_types.type_specification import Meaning, Part
from crdt.testing.history import History, HistoryEvent, unseen

Clears = Callable[[History, list[HistoryEvent]], list[HistoryEvent]]
"""Returns the operations that removed all content of a key that they had seen."""
Removals = list[HistoryEvent]


def specify_stream(find_clears: Clears) -> Meaning:
    """Return the specification of streams. `find_clears` is that of the keyspace."""

    def stream(history: History, about: list[HistoryEvent]) -> Part | None:
        clears = find_clears(history, about)
        deletes = [clear for clear in clears if saw_stream(history, clear, about)]
        ends = [t for t in named(about, "XGROUPDESTROY") if t.command.args[1]]
        adds = unseen(named(about, "XADD"), clears)
        entries = [add for add in adds if not is_removed(add, about)]
        headers = unseen(named(about, "XADD", "XSETID"), [*clears, *ends])
        groups = live_groups(about, clears, deletes)
        origins = [t.origin for t in (*entries, *headers, *[t for g in groups.values() for t in g])]
        if not origins:
            return None
        last = max((t.command.args[:2] for t in headers), default=(0, 0))
        shown = (
            shown_entries(entries),
            [
                (name, min(t.command.args[1:4] for t in creates), *acked(name, about, deletes))
                for name, creates in sorted(groups.items())
            ],
            [last, greatest_deleted(about, clears, [*deletes, *ends])],
        )
        return shown, min(origins)

    def saw_stream(history: History, clear: HistoryEvent, about: list[HistoryEvent]) -> bool:
        """Return whether the region that cleared the key saw a stream there, also a hidden one."""
        key = next((t.command.key for t in about if t.command.key), "")
        found = clear.notes.get(("saw stream", key))
        if found is None:
            before = history.before(clear)
            earlier = [t for t in before if t.command.key == key or t.command.name == "FLUSHALL"]
            found = clear.notes["saw stream", key] = stream(before, earlier) is not None
        return bool(found)

    return stream


def named(about: list[HistoryEvent], *names: str) -> list[HistoryEvent]:
    """Return the commands with one of these names."""
    return [t for t in about if t.command.name in names]


def is_removed(add: HistoryEvent, about: list[HistoryEvent]) -> bool:
    """Return whether a removal by id, or a trim, has seen an entry."""
    name = add.command.args[:2]
    for t in about:
        args = t.command.args
        if t.command.name == "XDEL" and t.saw(add):
            if name in zip(args[2::2], args[3::2], strict=True):
                return True
        elif t.command.name == "XTRIM" and t.saw(add) and name <= args[:2]:
            return True
    return False


def shown_entries(entries: list[HistoryEvent]) -> list[tuple[Any, ...]]:
    """Return entries as readers see them, in the order of their ids."""
    ordered = sorted(entries, key=lambda t: (t.command.args[:2], t.dot))
    return [(f"{t.command.args[0]}-{t.command.args[1]}", *t.command.args[3:]) for t in ordered]


def live_groups(
    about: list[HistoryEvent], clears: Removals, deletes: Removals
) -> dict[str, list[HistoryEvent]]:
    """Return the groups that exist, each with what created it (rule STM-14)."""
    found: dict[str, list[HistoryEvent]] = {}
    for create in unseen(named(about, "XGROUPCREATE"), clears):
        name = create.command.args[0]
        if has_seen(create, removals_of(name, about, deletes)):
            found.setdefault(name, []).append(create)
    return found


def removals_of(name: str, about: list[HistoryEvent], deletes: Removals) -> Removals:
    """Return all removals of a group."""
    destroys = [t for t in named(about, "XGROUPDESTROY") if t.command.args[0] == name]
    return [*destroys, *deletes]


def has_seen(event: HistoryEvent, removals: Removals) -> bool:
    """Return whether an operation had seen all of some removals. It may have begun with one."""
    return all(t is event or event.saw(t) for t in removals)


def acked(name: str, about: list[HistoryEvent], deletes: Removals) -> list[tuple[int, int]]:
    """Return the ids up to which the entries of each origin are acknowledged (rule STM-18)."""
    removals = removals_of(name, about, deletes)
    latest: dict[int, tuple[int, tuple[int, int]]] = {}
    for t in named(about, "XACK"):
        if t.command.args[0] == name and has_seen(t, removals):
            marks = t.command.args[1:]
            for dot, ms, minor in zip(marks[::3], marks[1::3], marks[2::3], strict=True):
                origin = origin_of(dot)
                latest[origin] = max(latest.get(origin, (0, (0, 0))), (dot, (ms, minor)))
    return sorted(last for _, last in latest.values())


def greatest_deleted(
    about: list[HistoryEvent], clears: Removals, removals: Removals
) -> tuple[int, int]:
    """Return the greatest id that XDEL has removed or XSETID has set, as the regions saw it."""
    resets = [t for t in named(about, "XSETID") if len(t.command.args) > 3]
    marks = [(t, t.command.args[:2]) for t in named(about, "XDEL")]
    marks += [(t, t.command.args[3:5]) for t in resets]
    live = unseen([t for t, _ in marks], [*clears, *resets])
    return max(
        (last for t, last in marks if t in live and has_seen(t, removals)),
        default=(0, 0),
    )
