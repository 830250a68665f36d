"""Clients that wait for a state of affairs, not for a key: CRDB.SETTLE and CRDB.AWAIT.

Each has a function that looks, and answers if it sees what it waits for. It looks every few
milliseconds, since what other regions hold changes without a sign here. One that is about this
region alone also looks whenever operations from elsewhere have been applied; one that asks others
does not, or questions and answers would chase each other over the links.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from crdb.resp import reply
from crdb.server.blocking import UNBLOCKED
from crdb.server.isolation import Report, isolated
from crdb.server.session import BLOCKED, Session

LOOK_MS: Final = 2
LOOKS_SOON: Final = 50
LATER_MS: Final = 20
"""Who has waited for LOOKS_SOON looks is not in a hurry; looking asks every peer."""


class Waiter:
    """One client. `look` appends the reply and says True, or does neither; `give_up` replies.
    `asks` if looking puts questions to other regions."""

    __slots__ = ("asks", "deadline", "give_up", "look", "session")

    def __init__(
        self,
        session: Session,
        deadline: int,
        look: Callable[[], bool],
        give_up: Callable[[], None],
        *,
        asks: bool = False,
    ) -> None:
        self.session = session
        self.deadline = deadline
        self.look = look
        self.give_up = give_up
        self.asks = asks

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

    __slots__ = ("by_client", "looked_at", "looks", "report", "wake")

    def __init__(self, report: Report, wake: Callable[[Session], None]) -> None:
        self.report = report
        self.wake = wake
        self.by_client: dict[int, Waiter] = {}
        self.looked_at = 0
        self.looks = 0

    def add(self, waiter: Waiter, now: int) -> None:
        """A client begins to wait."""
        assert waiter.session.id not in self.by_client
        waiter.session.gate |= BLOCKED
        self.by_client[waiter.session.id] = waiter
        self.looked_at = now
        self.looks = 0

    def remove(self, session: Session) -> None:
        """`session` waits no more."""
        if self.by_client.pop(session.id, None) is not None:
            session.gate &= ~BLOCKED

    def look(self, now: int) -> None:
        """Serve those who can be served, and let go of those whose time is up at `now` (ms)."""
        self.looked_at = now
        self.looks += 1
        self.look_of(list(self.by_client.values()), now)

    def look_again(self, now: int) -> None:
        """Something has come from elsewhere: serve those who wait for that."""
        self.look_of([waiter for waiter in self.by_client.values() if not waiter.asks], now)

    def look_of(self, waiters: list[Waiter], now: int) -> None:
        """Serve those of `waiters` who can be served, or whose time is up."""
        for waiter in waiters:
            session = waiter.session
            mark = len(session.out)
            served = isolated(session, self.report, partial(waiter.served, now))
            if served or session.closing:
                self.remove(session)
                session.mute(mark)
                self.wake(session)

    def unblock(self, identity: int, with_error: bool) -> bool:
        """CLIENT UNBLOCK: let one go as if its time were up, or with an error."""
        waiter = self.by_client.get(identity)
        if waiter is None:
            return False
        session = waiter.session
        mark = len(session.out)
        if with_error:
            reply.error(session.out, UNBLOCKED)
        else:
            waiter.give_up()
        self.remove(session)
        session.mute(mark)
        self.wake(session)
        return True

    @property
    def deadline(self) -> int | None:
        """When to look next, in ms; None while nobody waits."""
        pause = LOOK_MS if self.looks < LOOKS_SOON else LATER_MS
        return self.looked_at + pause if self.by_client else None
