"""Blocked clients: those of BLPOP wait for a key, those of CRDB.SETTLE for a state of the links.

A waiter has an `attempt`, which serves it if it can. When a key changes, its waiters are tried in
the order in which they came, while the key holds a value of the type that they wait for. This
happens after the command that changed the key (after the whole EXEC, if it was in one), or after an
op of another region has been applied (rule LST-10).

A client that waits for several keys is woken by the one that changes first. As in Redis 7.2, its
command then tries all of its keys in order. If several keys change at once, it may pop from another
than the one that woke it, before a client that has waited longer for that key.

A client that waits for no key is tried by `polling`. A waiter that is not served by its deadline
times out.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Final

from crdb.engine.clients.crash_guard import contain_crash
from crdb.engine.clients.watched_keys import WatchedKeys
from crdb.engine.errors import CommandError
from crdb.engine.events.event_bases import Report
from crdb.engine.pubsub.key_events import KeyEvents
from crdb.engine.session import BLOCKED, RESTRICTED, Session
from crdb.resp import reply
from crdt.store.keyspace import Keyspace
from crdt.types.base import Value

UNBLOCKED: bytes = b"UNBLOCKED client unblocked via CLIENT UNBLOCK"
STALE_MAX: Final = 64
"""Stale deadlines are dropped when they are more than the waiters by this number."""


class Waiter:
    """A blocked client.

    `attempt` appends the reply and returns True, or does neither. `time_out` appends the reply that
    is due at `deadline` (ms; None is never). A key wakes the client only while it holds a value of
    type `kind`, and if `needs_value` is False also when it holds none. `asks_peers` is True if an
    attempt sends convergence queries to other regions.
    """

    __slots__ = (
        "asks_peers",
        "attempt",
        "deadline",
        "keys",
        "kind",
        "needs_value",
        "request",
        "session",
        "time_out",
    )

    def __init__(
        self,
        session: Session,
        deadline: int | None,
        attempt: Callable[[], bool],
        time_out: Callable[[], None],
        keys: Iterable[bytes] = (),
    ) -> None:
        self.session = session
        self.deadline = deadline
        self.attempt = attempt
        self.time_out = time_out
        self.keys = list(dict.fromkeys(keys))
        self.kind: type[Value] = Value
        self.needs_value = True
        self.asks_peers = False
        self.request: list[bytes] | None = None
        """The arguments of the command, to check again whether the user may run it."""

    def try_serve(self) -> bool:
        """Try to serve the client. Return whether it has a reply, which may be an error."""
        out = self.session.out
        mark = len(out)
        try:
            return self.attempt()
        except CommandError as refusal:
            self.session.drop_replies(mark)
            reply.error(out, refusal.text)
            return True


class Blocked:
    """All blocked clients of an instance. `wake` is called with each that has got its reply."""

    __slots__ = (
        "by_client",
        "by_key",
        "deadlines",
        "watched_keys",
        "key_events",
        "keyless",
        "keyspace",
        "recheck",
        "report",
        "wake",
    )

    def __init__(
        self,
        keyspace: Keyspace,
        watched_keys: WatchedKeys,
        report: Report,
        wake: Callable[[Session], None],
        recheck: Callable[[Session, list[bytes]], bytes | None],
    ) -> None:
        """`recheck` returns the error for a request that its client may no longer make."""
        self.keyspace = keyspace
        self.watched_keys = watched_keys
        self.report = report
        self.wake = wake
        self.recheck = recheck
        self.by_client: dict[int, Waiter] = {}
        self.by_key: dict[bytes, dict[int, Waiter]] = {}
        self.keyless: dict[int, Waiter] = {}
        """The waiters for no key, by client."""
        self.deadlines: list[tuple[int, int]] = []
        """A heap of (deadline, client id). Entries of clients that no longer wait are stale."""
        self.key_events: KeyEvents | None = None
        """Raises the events of what blocked clients do."""

    def add(self, waiter: Waiter) -> None:
        """Block a client."""
        session = waiter.session
        assert session.id not in self.by_client
        session.flags |= BLOCKED
        self.by_client[session.id] = waiter
        if not waiter.keys:
            self.keyless[session.id] = waiter
        for key in waiter.keys:
            self.by_key.setdefault(key, {})[session.id] = waiter
            self.watched_keys.hold(key)
        if waiter.deadline is not None:
            heapq.heappush(self.deadlines, (waiter.deadline, session.id))

    def keep_request(self, session: Session, args: list[bytes]) -> None:
        """Keep the arguments of the command that blocks `session`."""
        self.by_client[session.id].request = args

    def remove(self, session: Session) -> None:
        """Unblock `session`, without a reply."""
        waiter = self.by_client.pop(session.id, None)
        if waiter is None:
            return
        session.flags &= ~BLOCKED
        self.keyless.pop(session.id, None)
        for key in waiter.keys:
            waiters = self.by_key[key]
            del waiters[session.id]
            if not waiters:
                del self.by_key[key]
            self.watched_keys.release(key)
        self._drop_stale()

    def serve(self, key: bytes) -> None:
        """Serve the waiters for a key that has changed, in order, while it has their type."""
        for waiter in list(self.by_key.get(key, {}).values()):
            value = self.keyspace.lookup(key)
            if isinstance(value, waiter.kind) or (value is None and not waiter.needs_value):
                self.attempt(waiter)

    def attempt(self, waiter: Waiter) -> None:
        """Serve a waiter if that is possible. A bug in its attempt disconnects it."""
        session = waiter.session
        mark = len(session.out)
        if session.flags & RESTRICTED and waiter.keys and waiter.request is not None:
            error = self.recheck(session, waiter.request)
            if error is not None:
                reply.error(session.out, error)
                self._end(session, mark)
                return
        events = self.key_events
        seen = events.begin_blocked(session) if events is not None and events.bits else None
        if contain_crash(session, self.report, waiter.try_serve) or session.closing:
            self._end(session, mark)
        if events is not None:
            events.end(seen, session)

    def expire(self, now: int) -> None:
        """Time out the waiters whose deadline has come."""
        while self.deadline is not None and self.deadline <= now:
            self._give_up(self.by_client[self.deadlines[0][1]])

    @property
    def deadline(self) -> int | None:
        """The time (ms) at which the next waiter times out, if any does."""
        return self.deadlines[0][0] if self.deadlines else None

    def refuse_waiting(self, error: bytes) -> None:
        """Unblock all waiters for keys with an error."""
        for waiter in list(self.by_client.values()):
            if waiter.keys:
                mark = len(waiter.session.out)
                reply.error(waiter.session.out, error)
                self._end(waiter.session, mark)

    def unblock(self, identity: int, with_error: bool) -> bool:
        """Unblock a client as if it had timed out, or with an error (CLIENT UNBLOCK)."""
        waiter = self.by_client.get(identity)
        if waiter is None:
            return False
        if with_error:
            mark = len(waiter.session.out)
            reply.error(waiter.session.out, UNBLOCKED)
            self._end(waiter.session, mark)
        else:
            self._give_up(waiter)
        return True

    def _give_up(self, waiter: Waiter) -> None:
        mark = len(waiter.session.out)
        waiter.time_out()
        self._end(waiter.session, mark)

    def _end(self, session: Session, mark: int) -> None:
        """Unblock `session`. Its reply begins at the index `mark` of `out`."""
        self.remove(session)
        session.mute(mark)
        self.wake(session)

    def _drop_stale(self) -> None:
        """Drop stale deadlines: those in front, and all if they are more than half."""
        if len(self.deadlines) > 2 * len(self.by_client) + STALE_MAX:
            self.deadlines = [entry for entry in self.deadlines if self._is_valid(entry)]
            heapq.heapify(self.deadlines)
        while self.deadlines and not self._is_valid(self.deadlines[0]):
            heapq.heappop(self.deadlines)

    def _is_valid(self, entry: tuple[int, int]) -> bool:
        deadline, identity = entry
        waiter = self.by_client.get(identity)
        return waiter is not None and waiter.deadline == deadline
