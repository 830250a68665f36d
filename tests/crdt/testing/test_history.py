"""Histories: visibility, and what remains after an observed remove."""

from __future__ import annotations

from crdt.causality.dots import make_dot, make_origin
from crdt.testing import History, HistoryEvent, latest, unseen

HERE, THERE = make_origin(1), make_origin(2)
FIRST = HistoryEvent("first", make_dot(HERE, 1), 1000, 1000, 0, 0b000)
SECOND = HistoryEvent("second", make_dot(HERE, 2), 1001, 1003, 1, 0b001)
APART = HistoryEvent("apart", make_dot(THERE, 1), 1002, 1002, 2, 0b000)
EVERYTHING = [FIRST, SECOND, APART]


def test_operation_saw_what_was_applied_before() -> None:
    assert SECOND.saw(FIRST)
    assert not FIRST.saw(SECOND)
    assert not APART.saw(FIRST)
    assert not SECOND.saw(SECOND)
    assert APART.origin == THERE
    assert APART.region == 2


def test_history_holds_what_is_visible() -> None:
    history = History(EVERYTHING, 0b101, 1005)
    assert list(history) == [FIRST, APART]
    assert len(history) == 2
    assert history[0] is FIRST
    assert history[:1] == [FIRST]
    assert history.now == 1005


def test_past_of_operation_is_history() -> None:
    before = History(EVERYTHING, 0b111, 1005).before(SECOND)
    assert list(before) == [FIRST]
    assert before.now == 1003


def test_history_can_be_narrowed() -> None:
    narrow = History(EVERYTHING, 0b111, 1005).only([SECOND])
    assert list(narrow) == [SECOND]
    assert narrow.now == 1005


def test_part_has_commands_of_one_name() -> None:
    dot = make_dot(HERE, 1)
    adds = HistoryEvent(("cart", "add", 1), dot, 1000, 1000, 0, 0b00)
    counts = HistoryEvent(("count", "add", 2), dot + 1, 1000, 1000, 1, 0b01)
    removes = HistoryEvent(("cart", "remove", 1), dot + 2, 1000, 1000, 2, 0b11)
    part = History([adds, counts, removes], 0b111, 1005).part("cart")
    assert [event.command for event in part] == [("add", 1), ("remove", 1)]
    assert part[1].saw(part[0])
    assert part.now == 1005
    assert len(part.before(part[1])) == 2, "the past is that of all parts"
    assert list(History([adds, counts], 0b10, 0).part("cart")) == []


def test_observed_remove_leaves_what_it_had_not_seen() -> None:
    assert unseen(EVERYTHING, [SECOND]) == [SECOND, APART]
    assert unseen(EVERYTHING, []) == EVERYTHING
    assert latest(EVERYTHING) == [SECOND, APART]
