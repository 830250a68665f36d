"""A command replies, and does where it is sent, what it would do in a single Redis.

Whatever other regions do, a client is served by its region alone: the reply to its write follows
from what readers saw there before, and afterwards they see what the write has made of it. A small
model (`model`) says both, for every write that comes alone in its request.

Not checked: writes that are refused, transactions, scripts of several keys, options.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, cast

from crdt.contested import Contested
from sim.checkers.checker import Checker, Watched
from sim.client import Refusal, Reply
from sim.ledger import Ledger
from sim.model import FORMS, Held, Outcome, carry_out, held
from sim.step import Words
from sim.workload import LARGE

LARGE_KEYS: Final = tuple(f"{family}:" for family in LARGE)
LARGE_SAMPLE: Final = 4  # of so many writes to large values one is looked at


class Commands(Checker):
    """Served by the region alone."""

    promise: ClassVar[str] = "commands"

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.expected: Outcome | None = None
        self.before: Held = None
        self.large = 0
        self.is_awaited = False
        """Whether somebody waits for an element of a key."""

    def asking(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """Work out what is to come of a command."""
        self.expected = None
        self.is_awaited = region.has_waiters
        words = commands[0]
        if len(commands) == 1 and (words[0] == "SET" or words[0] in FORMS):
            if words[1].startswith(LARGE_KEYS):
                self.large += 1
                if self.large % LARGE_SAMPLE:
                    return
            if isinstance(region.replica.keyspace.data.get(words[1].encode()), Contested):
                return  # behind what it removes, another type may come to light
            self.before = held(region.replica.keyspace, words[1])
            self.expected = carry_out(self.before, words)

    def replied(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Compare."""
        if self.expected is None or not replies:
            return
        words, found = commands[0], plain(replies[0])
        expected, after = self.expected
        if found == "ERR" != expected:
            return  # refused: stale, a copy, out of memory
        self.looked += 1
        if found != expected:
            raise self.broken(
                f"{region.name} answers {' '.join(words)} with {found!r}, not {expected!r},"
                f" where {words[1]} was {self.before!r}"
            )
        if self.is_awaited:
            return  # somebody may have been waiting for it
        shown = held(region.replica.keyspace, words[1])
        if shown != after:
            raise self.broken(
                f"{region.name} shows {shown!r} under {words[1]} after {' '.join(words)},"
                f" not {after!r}, where it was {self.before!r}"
            )


def plain(reply: Reply) -> Any:
    """Return a reply in the words of the model."""
    if isinstance(reply, Refusal):
        return "ERR"
    if isinstance(reply, bytes):
        return reply.decode("latin-1")
    if isinstance(reply, list):
        return [plain(item) for item in cast("list[Reply]", reply)]
    return reply
