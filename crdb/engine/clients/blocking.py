"""Clients that wait: BLPOP and its kin for a key, CRDB.SETTLE and its kin for a state of affairs.

A waiting client has an `attempt`, which serves it if it can. When a key changes, its waiters are
tried in the order in which they came, for as long as the key exists; the first that is served
leaves. This happens after the command that changed the key (after the whole EXEC, if it was in
one), or after an operation of another region has been applied (rule LST-10). A client that waits at
several keys is served by the one that changes first; one that waits at none is looked after by
`polling`. Whoever is not served by its deadline gives up.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Final

from crdb.engine.clients.crash_guard import Report, contain_crash
from crdb.engine.clients.watched_keys import WatchedKeys
from crdb.engine.errors import CommandError
from crdb.engine.session import BLOCKED, Session
from crdb.resp import reply
from crdt.store.keyspace import Keyspace

UNBLOCKED: bytes = b"UNBLOCKED client unblocked via CLIENT UNBLOCK"
STALE_MAX: Final = 64
"""Deadlines of clients that wait no more, beyond as many as still wait, before they are dropped."""


class Waiter:
    """One blocked client. `attempt` appends the reply and says True, or does neither; `give_up`
    appends what it gets at `deadline` (ms; None is never). `asks` if an attempt puts questions to
    other regions."""

    __slots__ = ("asks", "attempt", "deadline", "give_up", "keys", "session")

    def __init__(
        self,
        session: Session,
        deadline: int | None,
        attempt: Callable[[], bool],
        give_up: Callable[[], None],
        keys: Iterable[bytes] = (),
    ) -> None:
        self.session = session
        self.deadline = deadline
        self.attempt = attempt
        self.give_up = give_up
        self.keys = list(dict.fromkeys(keys))
        self.asks = False

    def served(self) -> bool:
        """Try to serve it; an error is an answer too."""
        out = self.session.out
        mark = len(out)
        try:
            return self.attempt()
        except CommandError as refusal:
            self.session.drop_replies(mark)
            reply.error(out, refusal.text)
            return True


class Blocked:
    """All blocked clients of an instance. `wake` is told of those whose reply has become ready."""

    __slots__ = (
        "by_client",
        "by_key",
        "deadlines",
        "watched_keys",
        "keyless",
        "keyspace",
        "report",
        "wake",
    )

    def __init__(
        self,
        keyspace: Keyspace,
        watched_keys: WatchedKeys,
        report: Report,
        wake: Callable[[Session], None],
    ) -> None:
        self.keyspace = keyspace
        self.watched_keys = watched_keys
        self.report = report
        self.wake = wake
        self.by_client: dict[int, Waiter] = {}
        self.by_key: dict[bytes, dict[int, Waiter]] = {}
        self.keyless: dict[int, Waiter] = {}
        """Those who wait for no key, by client."""
        self.deadlines: list[tuple[int, int]] = []
        """A heap of (deadline, client id); entries of clients that wait no more are stale."""

    def add(self, waiter: Waiter) -> None:
        """A client begins to wait."""
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

    def remove(self, session: Session) -> None:
        """`session` waits no more."""
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
        """`key` has changed: serve those who wait for it, in order, while it exists."""
        for waiter in list(self.by_key.get(key, {}).values()):
            if self.keyspace.lookup(key) is None:
                return
            self.attempt(waiter)

    def attempt(self, waiter: Waiter) -> None:
        """Serve it if that is possible; a bug in serving it is its end."""
        session = waiter.session
        mark = len(session.out)
        if contain_crash(session, self.report, waiter.served) or session.closing:
            self._end(session, mark)

    def expire(self, now: int) -> None:
        """Let go of those whose deadline has come."""
        while self.deadline is not None and self.deadline <= now:
            self._give_up(self.by_client[self.deadlines[0][1]])

    @property
    def deadline(self) -> int | None:
        """When the next of them gives up."""
        return self.deadlines[0][0] if self.deadlines else None

    def refuse_waiting(self, error: bytes) -> None:
        """Let all who wait for a key go with an error: what comes now is not for them."""
        for waiter in list(self.by_client.values()):
            if waiter.keys:
                mark = len(waiter.session.out)
                reply.error(waiter.session.out, error)
                self._end(waiter.session, mark)

    def unblock(self, identity: int, with_error: bool) -> bool:
        """CLIENT UNBLOCK: let one go as if its time were up, or with an error."""
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
        waiter.give_up()
        self._end(waiter.session, mark)

    def _end(self, session: Session, mark: int) -> None:
        """`session` waits no more: its reply is what stands in `out` from `mark` on."""
        self.remove(session)
        session.mute(mark)
        self.wake(session)

    def _drop_stale(self) -> None:
        """Keep the first deadline a valid one, and stale ones fewer than a few and half of all."""
        if len(self.deadlines) > 2 * len(self.by_client) + STALE_MAX:
            self.deadlines = [entry for entry in self.deadlines if self._is_valid(entry)]
            heapq.heapify(self.deadlines)
        while self.deadlines and not self._is_valid(self.deadlines[0]):
            heapq.heappop(self.deadlines)

    def _is_valid(self, entry: tuple[int, int]) -> bool:
        deadline, identity = entry
        waiter = self.by_client.get(identity)
        return waiter is not None and waiter.deadline == deadline
