"""Clients that wait for a key: BLPOP and its kin.

A waiting client has a `retry`, which serves it if it can. When a key changes, its waiters are tried
in the order in which they came, for as long as the key exists; the first that is served leaves.
This happens after the command that changed the key (after the whole EXEC, if it was in one), or
after an operation of another region has been applied (rule LST-10). A client that waits at several
keys is served by the one that changes first.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from crdb.resp import reply
from crdb.server.errors import CommandError
from crdb.server.interest import Interest
from crdb.server.isolation import Report, isolated
from crdb.server.session import BLOCKED, Session
from crdt.keyspace import Keyspace

UNBLOCKED: bytes = b"UNBLOCKED client unblocked via CLIENT UNBLOCK"


class Waiter:
    """One blocked client."""

    __slots__ = ("deadline", "keys", "retry", "session")

    def __init__(
        self, session: Session, keys: list[bytes], deadline: int | None, retry: Callable[[], bool]
    ) -> None:
        self.session = session
        self.keys = keys
        self.deadline = deadline
        self.retry = retry

    def served(self) -> bool:
        """Try to serve it; an error is an answer too."""
        out = self.session.out
        mark = len(out)
        try:
            return self.retry()
        except CommandError as refusal:
            del out[mark:]
            reply.error(out, refusal.text)
            return True


class Waiting:
    """All blocked clients of an instance. `wake` is told of those whose reply has become ready."""

    __slots__ = ("by_client", "by_key", "deadlines", "interest", "keyspace", "report", "wake")

    def __init__(
        self,
        keyspace: Keyspace,
        interest: Interest,
        report: Report,
        wake: Callable[[Session], None],
    ) -> None:
        self.keyspace = keyspace
        self.interest = interest
        self.report = report
        self.wake = wake
        self.by_client: dict[int, Waiter] = {}
        self.by_key: dict[bytes, dict[int, Waiter]] = {}
        self.deadlines: list[tuple[int, int]] = []
        """A heap of (deadline, client id); entries of clients that wait no more are stale."""

    def add(
        self, session: Session, keys: list[bytes], deadline: int | None, retry: Callable[[], bool]
    ) -> None:
        """`session` waits for one of `keys`, until `deadline` in ms if there is one."""
        assert session.id not in self.by_client
        waiter = Waiter(session, list(dict.fromkeys(keys)), deadline, retry)
        session.gate |= BLOCKED
        self.by_client[session.id] = waiter
        for key in waiter.keys:
            self.by_key.setdefault(key, {})[session.id] = waiter
            self.interest.hold(key)
        if deadline is not None:
            heapq.heappush(self.deadlines, (deadline, session.id))

    def remove(self, session: Session) -> None:
        """`session` waits no more."""
        waiter = self.by_client.pop(session.id, None)
        if waiter is None:
            return
        session.gate &= ~BLOCKED
        for key in waiter.keys:
            waiters = self.by_key[key]
            del waiters[session.id]
            if not waiters:
                del self.by_key[key]
            self.interest.release(key)

    def serve(self, key: bytes) -> None:
        """`key` has changed: serve those who wait for it, in order, while it exists."""
        for waiter in list(self.by_key.get(key, {}).values()):
            if self.keyspace.lookup(key) is None:
                return
            session = waiter.session
            mark = len(session.out)
            if isolated(session, self.report, waiter.served) or session.closing:
                self._wake(session, mark)

    def expire(self, now: int) -> None:
        """Let go, with null, of those whose deadline has come."""
        deadline = self.deadline
        while deadline is not None and deadline <= now:
            _, identity = heapq.heappop(self.deadlines)
            self._time_out(self.by_client[identity].session)
            deadline = self.deadline

    @property
    def deadline(self) -> int | None:
        """When the next of them gives up."""
        while self.deadlines:
            deadline, identity = self.deadlines[0]
            waiter = self.by_client.get(identity)
            if waiter is not None and waiter.deadline == deadline:
                return deadline
            heapq.heappop(self.deadlines)
        return None

    def unblock(self, identity: int, with_error: bool) -> bool:
        """CLIENT UNBLOCK: let one go as if its time were up, or with an error."""
        waiter = self.by_client.get(identity)
        if waiter is None:
            return False
        if with_error:
            mark = len(waiter.session.out)
            reply.error(waiter.session.out, UNBLOCKED)
            self._wake(waiter.session, mark)
        else:
            self._time_out(waiter.session)
        return True

    def _time_out(self, session: Session) -> None:
        mark = len(session.out)
        reply.null_array(session.out, session.protocol)
        self._wake(session, mark)

    def _wake(self, session: Session, mark: int) -> None:
        """`session` waits no more: its reply is what stands in `out` from `mark` on."""
        self.remove(session)
        session.mute(mark)
        self.wake(session)
