"""One turn of a server: read, execute, seal, append, flush, push. Pure.

All sockets that are ready are served in one turn, and its phases have one order:

1. *read*: the driver reads each socket that is ready.
2. *execute*: the executor runs the requests. Replies gather in the `out` of each session.
3. *seal*: the effects in the outbox become one op, if `SealPacing` says that they are due.
4. *append*: the journal gets every op that is new here, and syncs if its policy asks for that.
5. *flush*: the replies that were held are sent.
6. *push*: the links send the op to the other regions.

A driver does the first two phases and calls `Turn.finish` for the others.

Without a journal no reply has to wait for a disk. The driver sends a client's replies as soon as
its requests have run, and effects gather for about a millisecond before they become an op. So it is
with a journal of the policy `everysec` or `no`.

With the policy `always` each turn seals its effects, and all replies of the turn are held: also
those of commands that only read, as they may show what another client has just written. They are
sent when the journal has returned from one sync for the whole turn. Ops are not pushed earlier
either.

A journal that raises OSError is not used again, since nobody knows what a failed sync has left on
the disk. Clients whose replies were held are disconnected without them: their writes are applied
here but may be lost in a crash. All further writes are refused (`guard_journal`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol

from crdb.engine.sealing import SealPacing
from crdb.engine.session import Session
from crdt.embed.replica import Replica

SYNC_SECONDS: Final = 1.0
"""The time between two syncs of a journal with the policy `everysec`."""
SENDING: Final = "sending to other regions"
APPENDING: Final = "appending to the journal"


class SyncPolicy(Enum):
    """When a journal writes to the disk what was appended to it, as `appendfsync` of Redis."""

    ALWAYS = "always"
    """Once per turn, before any reply of the turn is sent."""
    EVERY_SECOND = "everysec"
    NO = "no"
    """Whenever the operating system does so."""


class Journal(Protocol):
    """A log of ops on a disk, as the turn uses it."""

    def append(self, group: int, op: bytes) -> None:
        """Append an encoded op of a slot group.

        Raises OSError if the op may not have been written as a whole. After a MemoryError nothing
        of it was written.
        """
        ...

    def sync(self) -> None:
        """Return when everything that was appended is on the disk. Raises OSError if it is not."""
        ...


class Turn:
    """The turns of one instance. A driver sets `clock`, `pacing`, `send`, `push` and `set_timer`.

    `on_exhausted` is called with the place where there was no memory, and `on_journal_failed` with
    the reason for which the journal is not used any more.
    """

    __slots__ = (
        "clock",
        "held",
        "holds_replies",
        "is_synced",
        "journal",
        "on_exhausted",
        "on_journal_failed",
        "pacing",
        "policy",
        "push",
        "replica",
        "seal",
        "send",
        "set_timer",
        "synced_at",
    )

    def __init__(
        self,
        replica: Replica,
        on_exhausted: Callable[[str], None],
        on_journal_failed: Callable[[str], None],
    ) -> None:
        self.replica = replica
        self.on_exhausted = on_exhausted
        self.on_journal_failed = on_journal_failed
        self.clock: Callable[[], float] = stopped_clock
        """Returns seconds."""
        self.pacing: SealPacing | None = None
        """Without it each turn seals."""
        self.seal: Callable[[], object] = replica.seal
        self.send: Callable[[Session], None] = ignore_session
        """Sends the replies of a session, or closes its connection if it was killed."""
        self.push: Callable[[], None] = do_nothing
        """Lets the links send what was sealed."""
        self.set_timer: Callable[[float], None] = ignore_time
        """Lets the driver call `finish` at this time, although it sleeps."""
        self.journal: Journal | None = None
        self.policy = SyncPolicy.NO
        self.is_synced = True
        self.synced_at: float = 0.0
        self.holds_replies = False
        """True if replies have to wait for the journal: a driver calls `hold` instead of sending
        them."""
        self.held: dict[int, Session] = {}

    def use_journal(self, journal: Journal, policy: SyncPolicy) -> None:
        """Append every op that is applied or written from now on to `journal`."""
        self.journal = journal
        self.policy = policy
        self.holds_replies = policy is SyncPolicy.ALWAYS
        self.replica.history.begin_journal()

    def hold(self, session: Session) -> None:
        """Keep the replies of a session until the journal has returned."""
        self.held[session.id] = session

    # -- the phases ------------------------------------------------------------------------

    def finish(self) -> float:
        """Do the phases that follow the execution. Return in how many seconds effects that stay in
        the outbox are due; infinity if none stay."""
        left = self.seconds_left()
        is_due = left <= 0.0
        if is_due or self.journal is not None or self.holds_replies:
            self.run_phases(seals=is_due)
        return math.inf if is_due else left

    def before_sleep(self) -> None:
        """Do the same before the driver sleeps. Effects that are not due are left to its timer."""
        pacing = self.pacing
        if pacing is None or self.holds_replies or not self.replica.keyspace.pending_count():
            self.finish()
            return
        due = pacing.due_at(self.replica.keyspace)
        is_due = self.clock() >= due - pacing.early_seconds
        self.run_phases(seals=is_due)
        if not is_due:
            self.set_timer(due)

    def seal_large_outbox(self) -> None:
        """Seal, append and push during the execution, as the outbox is too large to wait."""
        if self.seal_outbox():
            self.append_ops()
            self.push_op()

    def run_phases(self, *, seals: bool) -> None:
        """Seal, append, flush and push, in this order."""
        is_sealed = seals and self.seal_outbox()
        self.append_ops()
        self.flush_replies()
        if is_sealed:
            self.push_op()

    def seconds_left(self) -> float:
        """Return in how many seconds the outbox is due; infinity if it is empty."""
        if not self.replica.keyspace.pending_count():
            return math.inf
        if self.pacing is None or self.holds_replies:
            return 0.0
        return self.pacing.seconds_left(self.replica.keyspace, self.clock())

    def seal_outbox(self) -> bool:
        """Seal the outbox into an op. What cannot be encoded for want of memory stays there; then
        return False."""
        try:
            if self.pacing is not None:
                self.pacing.record_seal(self.replica.keyspace, self.clock())
            self.seal()
        except MemoryError:
            self.on_exhausted(SENDING)
            return False
        return True

    def append_ops(self) -> None:
        """Append the ops that are new here to the journal, and sync it if its policy says so."""
        journal = self.journal
        if journal is None:
            return
        try:
            self.append_each(journal)
            if not self.is_synced and self.must_sync():
                journal.sync()
                self.is_synced = True
                self.synced_at = self.clock()
        except MemoryError:
            self.on_exhausted(APPENDING)
        except OSError as fault:
            self.journal = None
            self.replica.history.end_journal()
            self.on_journal_failed(fault.strerror or str(fault))

    def append_each(self, journal: Journal) -> None:
        """Append the ops that are new here. Those that were not appended remain."""
        ops = self.replica.history.unjournaled
        assert ops is not None
        count = 0
        try:
            for op in ops:
                journal.append(self.replica.keyspace.group, op)
                count += 1
        finally:
            del ops[:count]
            self.is_synced = self.is_synced and count == 0

    def must_sync(self) -> bool:
        """Return whether the journal has to be synced in this turn."""
        if self.policy is SyncPolicy.EVERY_SECOND:
            return self.clock() >= self.synced_at + SYNC_SECONDS
        return self.policy is SyncPolicy.ALWAYS

    def flush_replies(self) -> None:
        """Send the replies that were held. If the journal lacks something that they could confirm,
        disconnect their clients instead."""
        if not self.holds_replies:
            return
        is_durable = self.is_durable()
        self.holds_replies = self.journal is not None
        held = list(self.held.values())
        self.held.clear()
        for session in held:
            if not is_durable:
                session.kill()
            self.send(session)

    def is_durable(self) -> bool:
        """Return whether the journal has every effect on the disk."""
        is_appended = (
            not self.replica.keyspace.pending_count() and not self.replica.history.unjournaled
        )
        return self.journal is not None and is_appended and self.is_synced

    def push_op(self) -> None:
        """Let the links send what was sealed."""
        try:
            self.push()
        except MemoryError:
            self.on_exhausted(SENDING)


def stopped_clock() -> float:
    """Return 0: there is no driver."""
    return 0.0


def do_nothing() -> None:
    """Stand in for links: there are none."""


def ignore_session(_session: Session) -> None:
    """Stand in for a driver: replies stay in the session's `out`."""


def ignore_time(_due: float) -> None:
    """Stand in for a timer: the next turn seals."""
