"""The schedule of keys whose values have parts that expire."""

from __future__ import annotations

from crdt.store.part_deadlines import NEVER, PartDeadlines


def test_keys_are_due_by_their_earliest_deadline() -> None:
    parts = PartDeadlines()
    assert parts.next == NEVER
    parts.schedule(b"b", 20)
    parts.schedule(b"a", 10)
    parts.schedule(b"a", 10)
    assert parts.next == 10
    assert parts.due(10) is None
    assert [parts.due(30) for _ in range(3)] == [b"a", b"b", None]
    assert parts.next == NEVER


def test_hidden_parts_are_over_when_all_clocks_have_passed() -> None:
    parts = PartDeadlines()
    parts.hide(b"a", 10)
    parts.hide(b"b", 20)
    parts.hide(b"a", 30)
    assert parts.hidden_keys() == [b"a", b"b"]
    assert parts.over(10) is None
    assert [parts.over(25) for _ in range(3)] == [b"a", b"b", None]
    assert parts.show_all() == [b"a"]
    assert parts.over(99) is None
