"""The table of a sink's states: forbidden frames and forbidden moves are refused."""

from __future__ import annotations

from itertools import product

import pytest

from replication.machines.receiving.sink_states import MOVES, TRANSITIONS, SinkState
from replication.protocol.frames import Frame, SnapshotBegin
from tests.replication.ends import EXAMPLES, check_transition, sink_in_state

S = SinkState


@pytest.mark.parametrize(("state", "kind"), list(product(S, Frame.__args__)))
def test_frames_follow_table_of_states(state: SinkState, kind: type[Frame]) -> None:
    sink = sink_in_state(state)
    if kind is SnapshotBegin:
        sink.incoming = None
    check_transition(sink, EXAMPLES[kind], TRANSITIONS.get((state, kind)))


@pytest.mark.parametrize(("before", "after"), list(product(S, S)))
def test_moves_are_those_of_table(before: SinkState, after: SinkState) -> None:
    sink = sink_in_state(before)
    if (before, after) in MOVES:
        sink.move(after)
        assert sink.state is after
    else:
        with pytest.raises(AssertionError):
            sink.move(after)
