"""The table of a source's states: forbidden frames are refused."""

from __future__ import annotations

from itertools import product

import pytest

from replication.machines.sending.source import Source
from replication.machines.sending.source_states import TRANSITIONS, SourceState
from replication.protocol.frames import Frame, Resume
from tests.replication.ends import EXAMPLES, check_transition, hello, make_source, replica

S = SourceState


def source_in_state(state: SourceState) -> Source:
    """Return a source in `state`."""
    source = make_source(replica(1))
    if state is not S.AWAITING_HELLO:
        source.receive(hello(2), 0)
    if state is not S.AWAITING_HELLO and state is not S.READY:
        source.receive(Resume({}, (1,)), 0)
    source.state = state
    return source


@pytest.mark.parametrize(("state", "kind"), list(product(S, Frame.__args__)))
def test_frames_follow_table_of_states(state: SourceState, kind: type[Frame]) -> None:
    source = source_in_state(state)
    check_transition(source, EXAMPLES[kind], TRANSITIONS.get((state, kind)))


def test_source_sends_nothing_after_end() -> None:
    assert not any(state is S.CLOSED for state, _ in TRANSITIONS)
