"""The turn of a server: read, execute, seal, append, flush, push. Pure.

All sockets that are ready are served in one turn, and its phases have one order:

1. *read*: the driver reads each socket that is ready.
2. *execute*: the executor runs the requests. Replies gather in the `out` of each session.
3. *seal*: the effects in the outbox become one op, if `SealPacing` says that they are due.
4. *append*: the journal gets every change that is new here, and syncs if its policy asks for that.
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

With the policy `everysec` no turn waits for a sync. About once a second the turn calls
`start_sync`. A driver runs the journal's `sync` in a thread and reports its end with `end_sync`.

The journal gets the changes in the order in which they were made here: an op for the writes of
clients, each op of another region, and the whole state if ops do not lead to it, because a snapshot
was merged or all data was replaced. Links pass what they have received to a turn before they send
anything, so an acknowledgement follows the append, and with `always` the sync. It means that the
effects are applied here. It does not promise that they survive a crash: a region that lost its
latest effects gets them back from its peers.

A journal that raises OSError is not used again, since nobody knows what a failed sync has left on
the disk. Clients whose replies were held are disconnected without them: their writes are applied
here but may be lost in a crash. All further writes are refused (`guard_journal`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from crdb.engine.session import Session
from crdb.engine.turns.journal import Journal, SyncPolicy
from crdb.engine.turns.sealing import OP_EFFECTS, SealPacing
from crdt.embed.replica import Replica

SYNC_SECONDS: Final = 1.0
"""The time between two syncs of a journal with the policy `everysec`."""
SENDING: Final = "sending to other regions"
APPENDING: Final = "appending to the journal"


class Turn:
    """The turns of one instance. A driver sets `clock`, `pacing`, `send`, `push`, `set_timer` and
    `start_sync`.

    `on_exhausted` is called with the place where there was no memory, and `on_journal_failed` with
    the reason for which the journal is not used any more.
    """

    __slots__ = (
        "appended",
        "clock",
        "defers_push",
        "has_unpushed",
        "held",
        "holds_replies",
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
        "start_sync",
        "sync_at",
        "synced",
        "syncing",
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
        self.start_sync: Callable[[Journal], None] = ignore_journal
        """Lets the driver sync the journal in a thread, and call `end_sync` afterwards."""
        self.journal: Journal | None = None
        self.policy = SyncPolicy.NO
        self.appended = 0
        """The number of records that were appended to the journal."""
        self.synced = 0
        """The number of them that are on the disk."""
        self.syncing: int | None = None
        """The number that will be there when the thread has synced; None if none does."""
        self.sync_at: float = 0.0
        """The time from which the policy `everysec` asks for the next sync."""
        self.holds_replies = False
        """True if replies have to wait for the journal: a driver calls `hold` instead of sending
        them."""
        self.held: dict[int, Session] = {}
        self.defers_push = False
        """True while a link that is sending has commands in slices run to their end, since it needs
        the whole state. Links that were pushed meanwhile could need it too."""
        self.has_unpushed = False
        """True if the next turn has to push."""

    def use_journal(self, journal: Journal, policy: SyncPolicy) -> None:
        """Append every change from now on to `journal`, which holds all earlier ones."""
        self.journal = journal
        self.policy = policy
        self.appended = self.synced = 0
        self.syncing = None
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
        if is_due or self.has_unpushed or self.journal is not None or self.holds_replies:
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
            self.append_changes()
            self.push_op()

    def seal_full_outbox(self) -> None:
        """Do so if the outbox makes a full operation."""
        if self.replica.keyspace.pending_count() >= OP_EFFECTS and not self.must_keep_outbox():
            self.seal_large_outbox()

    def run_phases(self, *, seals: bool) -> None:
        """Seal, append, flush and push, in this order."""
        is_sealed = (seals or self.must_seal_for_state()) and self.seal_outbox()
        self.append_changes()
        self.flush_replies()
        if is_sealed or self.has_unpushed:
            self.push_op()

    def seconds_left(self) -> float:
        """Return in how many seconds the outbox is due; infinity if it is empty, or is kept."""
        if not self.replica.keyspace.pending_count() or self.must_keep_outbox():
            return math.inf
        if self.pacing is None or self.holds_replies:
            return 0.0
        return self.pacing.seconds_left(self.replica.keyspace, self.clock())

    def must_keep_outbox(self) -> bool:
        """Return whether nothing may be sealed now, since a command writes in slices."""
        return self.replica.is_writing_in_slices()

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

    # -- the journal -----------------------------------------------------------------------

    def append_changes(self) -> None:
        """Append what is new here to the journal, and sync it if its policy says so."""
        journal = self.journal
        if journal is None:
            return
        try:
            self.append_state(journal)
            self.append_ops(journal)
            if self.policy is SyncPolicy.ALWAYS and self.synced < self.appended:
                journal.sync()
                self.synced = self.appended
        except MemoryError:
            self.on_exhausted(APPENDING)
        except OSError as fault:
            self.fail_journal(fault)
            return
        if self.policy is SyncPolicy.EVERY_SECOND:
            self.ask_for_sync(journal)

    def must_seal_for_state(self) -> bool:
        """Return whether effects that are not due must be sealed, since the state is appended."""
        replica = self.replica
        needs_state = self.journal is not None and replica.history.needs_state_journaled()
        return needs_state and replica.keyspace.pending_count() > 0

    def append_state(self, journal: Journal) -> None:
        """Append the whole state if ops do not lead to it. It waits for an outbox that could not be
        sealed."""
        replica = self.replica
        history = replica.history
        if history.needs_state_journaled() and not replica.keyspace.pending_count():
            snapshot = replica.snapshot()
            try:
                journal.append_state(replica.group, snapshot)
            finally:
                snapshot.close()
            history.record_journaled_state()
            self.appended += 1

    def append_ops(self, journal: Journal) -> None:
        """Append the ops that are new here. Those that were not appended remain."""
        count = 0
        try:
            for op in self.replica.history.unjournaled_ops():
                journal.append(self.replica.group, op)
                count += 1
        finally:
            self.replica.history.record_journaled_ops(count)
            self.appended += count

    def ask_for_sync(self, journal: Journal) -> None:
        """Let the driver sync the journal now, or later if the latest sync is less than a second
        old. While a sync runs, its end asks for the next one."""
        if self.synced == self.appended or self.syncing is not None:
            return
        now = self.clock()
        if now < self.sync_at:
            self.set_timer(self.sync_at)
            return
        self.syncing = self.appended
        self.sync_at = now + SYNC_SECONDS
        self.start_sync(journal)

    def end_sync(self, journal: Journal, fault: OSError | None) -> None:
        """Record that a sync of `journal` which `start_sync` asked for has ended, with an error if
        it has failed."""
        if self.journal is not journal or self.syncing is None:
            return
        if fault is not None:
            self.fail_journal(fault)
            return
        self.synced = self.syncing
        self.syncing = None
        self.ask_for_sync(journal)

    def fail_journal(self, fault: OSError) -> None:
        """Stop using the journal, and report the reason."""
        self.journal = None
        self.syncing = None
        self.replica.history.end_journal()
        self.on_journal_failed(fault.strerror or str(fault))

    # -- replies and links -----------------------------------------------------------------

    def flush_replies(self) -> None:
        """Send the replies that were held. If the journal lacks something that they could confirm,
        disconnect their clients instead. While a command writes in slices, they stay held."""
        if not self.holds_replies or self.must_keep_outbox():
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
            not self.replica.keyspace.pending_count() and self.replica.history.is_journaled()
        )
        return self.journal is not None and is_appended and self.synced == self.appended

    def push_op(self) -> None:
        """Let the links send what was sealed."""
        self.has_unpushed = self.defers_push
        if self.defers_push:
            return
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


def ignore_journal(_journal: Journal) -> None:
    """Stand in for a thread: the journal is not synced."""
