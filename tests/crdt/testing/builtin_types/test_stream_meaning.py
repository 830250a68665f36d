"""The specification of streams on small histories."""

from __future__ import annotations

from crdt.testing.builtin_types.commands import command
from crdt.testing.builtin_types.specifications import keyspace
from crdt.testing.history import History, HistoryEvent


def shown(*made: tuple[int, str, int]) -> object:
    """Return the value after commands, each with its origin and the set of those it had seen."""
    events = [
        HistoryEvent(command(text), origin << 40 | 1, 0, 0, index, past)
        for index, (origin, text, past) in enumerate(made)
    ]
    found = keyspace(History(events, (1 << len(events)) - 1))
    return found["k"][1] if "k" in found else None


def test_removals_take_what_they_have_seen() -> None:
    one, two = (1, "XADD k 1 1 1 f a", 0), (2, "XADD k 2 2 1 f b", 0)
    assert shown(one, two, (1, "XTRIM k 9 9", 1)) == ([("2-2", "f", "b")], [], [(2, 2), (0, 0)])
    assert shown(one, two, (3, "XDEL k 2 2 2 2", 3)) == (
        [("1-1", "f", "a")],
        [],
        [(2, 2), (2, 2)],
    )
    assert shown(one, (1, "DEL k", 1)) is None


def test_removed_groups_stay_removed() -> None:
    add, create = (1, "XADD k 1 1 1 f a", 0), (2, "XGROUPCREATE k g 0 0 -1", 1)
    entries = [("1-1", "f", "a")]
    ids = [(1, 1), (0, 0)]
    assert shown(add, create) == (entries, [("g", (0, 0, -1))], ids)
    assert shown(add, create, (1, "DEL k", 1)) is None
    assert shown(add, create, (1, "XGROUPDESTROY k g 0", 1)) == (entries, [], ids)
    assert shown(add, create, (3, "XGROUPDESTROY k g 1", 3)) == (entries, [], [(0, 0), (0, 0)])
