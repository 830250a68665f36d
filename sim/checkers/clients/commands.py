"""Sequential semantics: in its own region, a command behaves like in a single Redis.

A client is served by its region alone. The reply to a write and the new value follow from the value
that was visible in the region before. For each write that is alone in its request, a small model
(`model`) predicts both, and also the key's deadline. A transaction in one request must get as many
replies as it has commands.

Not checked: refused writes, the content of transactions, scripts of several keys, most options.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, cast

from crdt.store.keyspace import Keyspace
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Refusal, Reply
from sim.nodes.run_history import RunHistory
from sim.schedule.model import FORMS, Held, Outcome, execute_command, held_value
from sim.schedule.step import Words
from sim.schedule.writes import LARGE

LARGE_KEYS: Final = tuple(f"{family}:" for family in LARGE)
LARGE_SAMPLE: Final = 4  # one in so many writes to large values is checked


class CommandChecker(Checker):
    """Checks each write against the model of a single Redis."""

    promise: ClassVar[str] = "commands"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.expected: Outcome | None = None
        self.before: Held = None
        self.large = 0
        self.ends: tuple[Any, int | None] | None = None
        """The expected reply to a change of a time to live, and the key's deadline afterwards."""
        self.is_awaited = False
        """True if a client of the region is blocked."""

    def before_commands(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """Predict the outcome of a command."""
        self.expected = None
        self.ends = None
        if len(commands) == 1:
            self.ends = expected_deadline(region.replica.keyspace, commands[0])
        self.is_awaited = region.has_waiters
        words = commands[0]
        if len(commands) == 1 and (words[0] == "SET" or words[0] in FORMS):
            if words[1].startswith(LARGE_KEYS):
                self.large += 1
                if self.large % LARGE_SAMPLE:
                    return
            if region.replica.keyspace.is_contested(words[1].encode()):
                return  # a removal can make the value of another type visible
            self.before = held_value(region.replica.keyspace, words[1])
            self.expected = execute_command(self.before, words)

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Compare the reply and the new value with the prediction."""
        if self.ends is not None and replies:
            self.compare_final_value(region, commands[0], plain(replies[0]))
        if commands[0] == ("MULTI",) and commands[-1] == ("EXEC",):
            self.compare_transaction(region, len(commands) - 2, replies)
        if self.expected is None or not replies:
            return
        words, found = commands[0], plain(replies[0])
        expected, after = self.expected
        if found == "ERR" != expected:
            return  # refused: the region is stale, a follower, or out of memory
        self.looked += 1
        if found != expected:
            raise self.violation(
                f"{region.name} answers {' '.join(words)} with {found!r}, not {expected!r},"
                f" where {words[1]} was {self.before!r}"
            )
        if self.is_awaited:
            return  # a blocked client may have popped the element
        shown = held_value(region.replica.keyspace, words[1])
        if shown != after:
            raise self.violation(
                f"{region.name} shows {shown!r} under {words[1]} after {' '.join(words)},"
                f" not {after!r}, where it was {self.before!r}"
            )

    def compare_final_value(self, region: Watched, words: Words, found: Any) -> None:
        """Compare the reply to a change of a time to live, and the key's new deadline."""
        assert self.ends is not None
        expected, deadline = self.ends
        if found == "ERR":
            return
        self.looked += 1
        end = region.replica.keyspace.deadline(words[1].encode())
        if found != expected or end != deadline:
            raise self.violation(
                f"{region.name} answers {' '.join(words)} with {found!r}, and the key ends at"
                f" {end}, not with {expected!r} and at {deadline}"
            )

    def compare_transaction(self, region: Watched, count: int, replies: Sequence[Reply]) -> None:
        """Compare the number of replies to an executed transaction with that of its commands."""
        is_first = not isinstance(replies[0], Refusal)  # MULTI is refused inside a transaction
        reply = replies[-1] if is_first and len(replies) == count + 2 else ()
        if isinstance(reply, list):
            self.looked += 1
            found = len(cast("list[Reply]", reply))
            if found != count:
                raise self.violation(
                    f"{region.name} answers a transaction of {count} commands with {found} replies"
                )


def expected_deadline(db: Keyspace, words: Words) -> tuple[Any, int | None] | None:
    """Return the expected reply and deadline for a command that changes a time to live.

    Return None for other commands.
    """
    name, key = words[0], words[1].encode() if len(words) > 1 else b""
    is_there = db.lookup(key) is not None
    before = db.deadline(key) if is_there else None
    match name, words[2:]:
        case "PEXPIRE", (ms,) if is_there:
            return 1, db.expiry_clock + int(ms)
        case "PEXPIRE", (ms, condition) if is_there:
            after = db.expiry_clock + int(ms)
            return (1, after) if is_allowed(condition, before, after) else (0, before)
        case "PERSIST", () if is_there:
            return int(before is not None), None
        case "SET", (_,):
            return "OK", None
        case "SET", (_, "PX", ms):
            return "OK", db.expiry_clock + int(ms)
        case "SET", (_, "KEEPTTL"):
            return "OK", before
        case _:
            return None


def is_allowed(condition: str, before: int | None, after: int) -> bool:
    """Return whether a condition of PEXPIRE lets a deadline replace another one, if any."""
    match condition:
        case "NX":
            return before is None
        case "XX":
            return before is not None
        case "GT":
            return before is not None and after > before
        case _:
            return before is None or after < before


def plain(reply: Reply) -> Any:
    """Return a reply in the form that the model uses."""
    if isinstance(reply, Refusal):
        return "ERR"
    if isinstance(reply, bytes):
        return reply.decode("latin-1")
    if isinstance(reply, list):
        return [plain(item) for item in cast("list[Reply]", reply)]
    return reply
