"""Pending entries in the order of their ids."""

from __future__ import annotations

from random import Random

from crdt.types.components.pending_entries import Consumer, PendingEntries, PendingEntry, StreamId
from crdt.types.components.stream_groups import Group


def filled(ids: list[StreamId], ids_max: int = 4) -> PendingEntries:
    """Return pending entries with these ids, in short lists."""
    consumer, made = Consumer(b"ann", 1), PendingEntries(ids_max)
    for each in ids:
        made.put(each, PendingEntry(consumer, 1))
        made.check()
    return made


def test_random_changes_agree_with_a_dictionary() -> None:
    rng, consumer = Random(1), Consumer(b"ann", 1)
    held, model = PendingEntries(4), dict[StreamId, PendingEntry]()
    for _ in range(600):
        last = (rng.randrange(8), rng.randrange(8))
        if rng.random() < 0.55:
            model[last] = PendingEntry(consumer, 1)
            held.put(last, model[last])
        else:
            assert held.pop(last) is model.pop(last, None)
        held.check()
        assert held.by_id == model
        assert len(held) == len(model)
        assert list(held.items()) == sorted(model.items())
        start = (rng.randrange(9), rng.randrange(9))
        assert list(held.ids_from(start)) == sorted(each for each in model if each >= start)
        behind = sorted(each for each in model if each > start)
        assert list(held.ids_from(start, is_behind=True)) == behind
        if model:
            assert (held.first(), held.last()) == (min(model), max(model))


def test_ids_from_the_last_of_a_list_go_on_in_the_next() -> None:
    held = filled([(1, number) for number in range(6)])
    assert list(held.ids_from((1, 3), is_behind=True)) == [(1, 4), (1, 5)]
    assert list(held.ids_from((2, 0))) == []
    assert list(filled([]).ids_from((0, 0))) == []


def test_put_replaces_an_entry() -> None:
    held = filled([(1, 1)])
    other = PendingEntry(Consumer(b"bob", 1), 2)
    held.put((1, 1), other)
    assert (held.get((1, 1)), len(held)) == (other, 1)
    assert held.get((1, 2)) is None


def test_group_knows_what_is_held_back() -> None:
    group = Group()
    consumer = group.consumer(b"ann", 1)
    for minor in (1, 2, 3):
        group.deliver((1, minor), consumer, 1)
    assert not group.holds_back((1, 2)), "nothing was sent yet"
    group.ack_frontier({})
    assert group.holds_back((1, 2))
    assert not group.holds_back((1, 1)), "it is the first one"
    group.drop_pending((1, 1))
    assert not group.holds_back((1, 3)), "another one is the first now"
