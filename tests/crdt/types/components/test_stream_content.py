"""What readers see of a stream of several origins."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.causality.observed import Observed
from crdt.types.components.stream_content import observed_seq
from crdt.types.stream import Stream
from crdt.writes import stream
from tests.crdt.types.test_stream import KEY, held, replicas, send


def filled() -> tuple[Replica, Stream]:
    """Return a stream with the ids 1-0 to 9-0, of two origins in turn."""
    one, two = replicas()
    for ms in range(1, 10):
        writer, other = (one, two) if ms % 2 else (two, one)
        stream.add(writer.keyspace, KEY, (ms, 0), [b"f", b"%d" % ms])
        send(writer, other)
    return one, held(one)


@pytest.mark.rule("STM-1")
def test_ranges_merge_the_origins() -> None:
    _, value = filled()
    assert [entry[0] for entry in value.forward()] == list(range(1, 10))
    assert [entry[0] for entry in value.forward((3, 0), (5, 0))] == [3, 4, 5]
    assert [entry[0] for entry in value.backward((3, 1), (6, 5))] == [6, 5, 4]
    assert value.count_between((3, 0), (5, 0)) == 3
    assert value.count_between((5, 0), (3, 0)) == 0
    assert value.rank((4, 0)) == 3
    behind = value.behind((7, 0))
    assert [entry[0] for entry in value.from_places(behind)] == [8, 9]
    assert value.count_from(behind) == 2
    assert list(value.from_places({})) == []
    value.check()


def test_edges_and_marks() -> None:
    one, value = filled()
    first, last = value.first_entry(), value.last_entry()
    assert first is not None
    assert last is not None
    assert (first[0], last[0], value.last_id()) == (1, 9, (9, 0))
    assert Stream().first_entry() is Stream().last_entry() is None
    before = value.change_mark()
    stream.remove(one.keyspace, KEY, [(4, 0)])
    assert value.change_mark() != before
    assert value.entries_added() == 9


def test_large_content_is_handed_out() -> None:
    value = Stream(2)
    assert value.take_content() is None
    assert value.take_dropped() is None
    observed = Replica(1).keyspace.local
    for number in range(1, 6):
        value.apply((11, 0, KEY, number, 0, number, b"f", b"v"), 7 << 40 | number, observed)
    content = value.take_content()
    assert content is not None
    assert len(content.blocks) == 3
    value.remove(observed, ())
    dropped = value.take_dropped()
    assert dropped is not None
    assert len(dropped.blocks) == 3


def test_observed_sequence_numbers() -> None:
    observed = Observed({3: 7}, 4, 9, 0)
    assert [observed_seq(observed, origin) for origin in (3, 4, 5)] == [7, 8, 0]
