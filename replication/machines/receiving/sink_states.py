"""The states of a sink, the receiving end of a link.

AWAITING_HELLO  has sent Hello, waits for the Hello of the source
RESUMING        has sent its vector, waits for the reply whether the backlog reaches back that far
STREAMING       receives ops
WAITING         the backlog does not reach back, or another peer's snapshot comes first
LOADING         receives a snapshot, which is merged when it is complete
STALLED         the causal buffer is full; ignores ops and resumes a moment later
CLOSED          the end
"""

from __future__ import annotations

import enum
from typing import Final

from replication.protocol.frames import (
    ConvergenceReply,
    ConvergenceRequest,
    Eof,
    Frame,
    GapRefused,
    Heartbeat,
    Hello,
    Lacking,
    OpPart,
    Ops,
    Present,
    Refuse,
    Resumed,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotPiece,
    Truncated,
)


class SinkState(enum.Enum):
    """The states of a sink. The docstring of the module explains them."""

    AWAITING_HELLO = "awaiting hello"
    RESUMING = "resuming"
    STREAMING = "streaming"
    WAITING = "waiting"
    LOADING = "loading"
    STALLED = "stalled"
    CLOSED = "closed"


S = SinkState

# The states that accept ops and regular messages.
OPEN: Final = (S.RESUMING, S.STREAMING, S.WAITING, S.LOADING, S.STALLED)
STATEMENTS: Final = (Heartbeat, Present, Lacking, GapRefused)
REGULAR: Final = (Ops, OpPart, *STATEMENTS, ConvergenceRequest, ConvergenceReply)

TRANSITIONS: Final[dict[tuple[enum.Enum, type[Frame]], enum.Enum]] = {
    (S.AWAITING_HELLO, Hello): S.RESUMING,
    (S.RESUMING, Resumed): S.STREAMING,
    (S.RESUMING, Truncated): S.WAITING,
    (S.STREAMING, Truncated): S.WAITING,
    (S.STALLED, Truncated): S.WAITING,
    (S.WAITING, Resumed): S.STREAMING,  # a reply to an earlier Resume
    (S.LOADING, Resumed): S.LOADING,
    (S.LOADING, Truncated): S.LOADING,
    (S.WAITING, Truncated): S.WAITING,
    (S.LOADING, SnapshotBegin): S.LOADING,
    (S.LOADING, SnapshotPiece): S.LOADING,
    (S.LOADING, SnapshotEnd): S.STREAMING,
    **{(state, kind): state for state in OPEN for kind in REGULAR},
    **{(state, kind): S.CLOSED for state in S if state is not S.CLOSED for kind in (Refuse, Eof)},
}

# Moves that no frame causes.
MOVES: Final = frozenset(
    {
        (S.WAITING, S.LOADING),
        (S.STREAMING, S.LOADING),
        (S.RESUMING, S.LOADING),
        (S.STALLED, S.LOADING),
        (S.WAITING, S.RESUMING),
        (S.RESUMING, S.WAITING),
        (S.STREAMING, S.STALLED),
        (S.STALLED, S.RESUMING),
    }
)
