"""The states of a source, the sending end of a link.

AWAITING_HELLO  waits for the Hello of the sink
READY           both ends have sent Hello; waits for the sink's vector
SENDING         sends ops, first from the backlog, then as they are written
TRUNCATED       the backlog does not reach back to the sink; waits for its request
SNAPSHOT        sends the whole state; ops follow
CLOSED          the end
"""

from __future__ import annotations

import enum
from typing import Final

from replication.protocol.frames import (
    Ack,
    ConvergenceReply,
    ConvergenceRequest,
    Eof,
    Frame,
    GapEnd,
    GapRequest,
    Hello,
    Lacking,
    Present,
    Refuse,
    Resume,
    SnapshotRequest,
)


class SourceState(enum.Enum):
    """The states of a source. The docstring of the module explains them."""

    AWAITING_HELLO = "awaiting hello"
    READY = "ready"
    SENDING = "sending"
    TRUNCATED = "truncated"
    SNAPSHOT = "snapshot"
    CLOSED = "closed"


S = SourceState

TRANSITIONS: Final[dict[tuple[enum.Enum, type[Frame]], enum.Enum]] = {
    (S.AWAITING_HELLO, Hello): S.READY,
    (S.READY, Resume): S.SENDING,
    (S.TRUNCATED, Resume): S.SENDING,
    (S.SENDING, Resume): S.SENDING,
    (S.TRUNCATED, SnapshotRequest): S.SNAPSHOT,
    (S.SENDING, SnapshotRequest): S.SNAPSHOT,
    **{(state, GapRequest): state for state in (S.SENDING, S.TRUNCATED, S.SNAPSHOT)},
    **{(state, GapEnd): state for state in (S.SENDING, S.TRUNCATED, S.SNAPSHOT)},
    **{
        (state, kind): state
        for state in (S.READY, S.SENDING, S.TRUNCATED, S.SNAPSHOT)
        for kind in (Ack, ConvergenceRequest, ConvergenceReply, Present, Lacking)
    },
    **{(state, kind): S.CLOSED for state in S if state is not S.CLOSED for kind in (Refuse, Eof)},
}

# Moves that no frame causes: the backlog ran out, the snapshot has been sent.
MOVES: Final = frozenset({(S.SENDING, S.TRUNCATED), (S.SNAPSHOT, S.SENDING)})
