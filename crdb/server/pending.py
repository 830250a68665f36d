"""Clients that wait for a state of affairs, not for a key: CRDB.SETTLE and CRDB.AWAIT.

Each has a function that looks, and answers if it sees what it waits for. It looks whenever
operations from elsewhere have been applied and every few milliseconds besides, since what other
regions hold changes without a sign here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from crdb.server.isolation import Report, isolated
from crdb.server.session import BLOCKED, Session

LOOK_MS: Final = 2


class Waiter:
    """One client. `look` appends the reply and says True, or does neither; `give_up` replies."""

    __slots__ = ("deadline", "give_up", "look", "session")

    def __init__(
        self,
        session: Session,
        deadline: int,
        look: Callable[[], bool],
        give_up: Callable[[], None],
    ) -> None:
        self.session = session
        self.deadline = deadline
        self.look = look
        self.give_up = give_up

    def served(self, now: int) -> bool:
        """Whether it has its reply."""
        if self.look():
            return True
        if now >= self.deadline:
            self.give_up()
            return True
        return False


class Pending:
    """All such clients of an instance. `wake` is told of those whose reply has become ready."""

    __slots__ = ("by_client", "looked_at", "report", "wake")

    def __init__(self, report: Report, wake: Callable[[Session], None]) -> None:
        self.report = report
        self.wake = wake
        self.by_client: dict[int, Waiter] = {}
        self.looked_at = 0

    def add(self, waiter: Waiter, now: int) -> None:
        """A client begins to wait."""
        assert waiter.session.id not in self.by_client
        waiter.session.gate |= BLOCKED
        self.by_client[waiter.session.id] = waiter
        self.looked_at = now

    def remove(self, session: Session) -> None:
        """`session` waits no more."""
        if self.by_client.pop(session.id, None) is not None:
            session.gate &= ~BLOCKED

    def look(self, now: int) -> None:
        """Serve those who can be served, and let go of those whose time is up at `now` (ms)."""
        self.looked_at = now
        for waiter in list(self.by_client.values()):
            session = waiter.session
            mark = len(session.out)
            served = isolated(session, self.report, partial(waiter.served, now))
            if served or session.closing:
                self.remove(session)
                session.mute(mark)
                self.wake(session)

    @property
    def deadline(self) -> int | None:
        """When to look next, in ms; None while nobody waits."""
        return self.looked_at + LOOK_MS if self.by_client else None
