"""The model of one client connection: replies that are switched off, transactions, and names.

The commands write to keys that no other client uses, and their arguments are used once. So every
reply follows from what the connection has sent before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import attrs

from sim.redis.state import CommandFailure, Words

NOTHING: Final = "nothing"
"""In place of a reply: the command has none."""
BLOCKS: Final = "blocks"
"""In place of a reply: the command waits."""
ANY: Final = "any"
"""In place of a reply: it is not predicted."""
UNQUEUED: Final = frozenset({"MULTI", "EXEC", "DISCARD", "WATCH", "QUIT", "RESET"})
"""The commands that run immediately inside MULTI."""
BLOCKING: Final = frozenset({"BLPOP", "BZPOPMIN"})
WRITING: Final = frozenset({"SADD", "RPUSH", "SETRANGE", *BLOCKING})
UNKNOWN: Final = "NOSUCH"
"""A command that does not exist."""
LACKING: Final = ("GET",)
"""A command without its arguments."""

Expected: TypeAlias = Any
"""The reply of Redis in the form of the model, or NOTHING, BLOCKS or ANY."""


@attrs.define
class ConnectionModel:
    """The state of a connection that decides about its replies."""

    is_muted: bool = False
    """True after CLIENT REPLY OFF."""
    is_skipped: bool = False
    """True if the reply to the present command is dropped, after CLIENT REPLY SKIP."""
    skips_next: bool = False
    is_queueing: bool = False
    is_spoiled: bool = False
    """True if a command could not be queued."""
    queue: list[Words] = attrs.field(factory=list[Words])
    watched: set[str] = attrs.field(factory=set[str])
    is_touched: bool = False
    """True if a watched key has changed."""
    is_unsure: bool = False
    """True if a watched key may have changed."""
    name: str | None = None
    has_quit: bool = False

    @property
    def is_hidden(self) -> bool:
        """True if the reply to the present command is not sent."""
        return self.is_muted or self.is_skipped

    def run(self, words: Words) -> Expected:
        """Run a command. Return its expected reply, also if it is hidden."""
        self.is_skipped, self.skips_next = self.skips_next, False
        try:
            return self.dispatch(words)
        except CommandFailure as failure:
            return failure

    def writes(self, words: Words) -> bool:
        """Return whether a command writes, or is EXEC of a transaction that does."""
        if words[0] == "EXEC":
            return any(queued[0] in WRITING for queued in self.queue)
        return words[0] in WRITING

    def refuses(self, words: Words) -> bool:
        """Return whether a command is refused before it is queued or run."""
        return words[0] == UNKNOWN or tuple(words) == LACKING

    def dispatch(self, words: Words) -> Expected:
        """Refuse, queue or run a command. Raises CommandFailure."""
        if self.refuses(words):
            self.is_spoiled = self.is_spoiled or self.is_queueing
            raise CommandFailure
        if self.is_queueing and words[0] not in UNQUEUED:
            self.queue.append(words)
            return "QUEUED"
        return self.execute(words)

    def execute(self, words: Words) -> Expected:
        """Run a command that is not queued. Raises CommandFailure."""
        match words:
            case ("ECHO", message) | ("PING", message):
                return message
            case ("PING",):
                return "PONG"
            case ("SADD" | "RPUSH", key, _):
                self.is_touched = self.is_touched or key in self.watched
                return 1
            case ("SELECT", "0"):
                return "OK"
            case ("BLPOP" | "BZPOPMIN", *_):
                return BLOCKS
            case ("CLIENT", *rest):
                return self.change_client(rest)
            case ("QUIT",):
                self.has_quit = True
                return "OK"
            case ("RESET",):
                self.leave_transaction()
                self.is_muted, self.skips_next, self.name = False, False, None
                return "RESET"
            case ("INFO" | "CONFIG", *_):
                return ANY
            case ("SELECT" | "SETRANGE", *_):
                raise CommandFailure
            case _:
                return self.change_transaction(words)

    def change_client(self, rest: Sequence[str]) -> Expected:
        """Run CLIENT with a subcommand for the connection itself."""
        match rest:
            case ("REPLY", "ON"):
                self.is_muted = self.is_skipped = False
                return "OK"
            case ("REPLY", "OFF"):
                self.is_muted = True
                return NOTHING
            case ("REPLY", "SKIP"):
                self.skips_next = not self.is_muted
                return NOTHING
            case ("SETNAME", name):
                self.name = name
                return "OK"
            case ("GETNAME",):
                return self.name
            case _:
                return ANY

    def change_transaction(self, words: Words) -> Expected:
        """Run a command about transactions. Raises CommandFailure."""
        match words[0]:
            case "MULTI" if not self.is_queueing:
                self.is_queueing = True
                return "OK"
            case "WATCH" if not self.is_queueing:
                self.watched.update(words[1:])
                return "OK"
            case "UNWATCH":
                self.forget_watched()
                return "OK"
            case "DISCARD" if self.is_queueing:
                self.leave_transaction()
                return "OK"
            case "EXEC" if self.is_queueing:
                return self.run_queue()
            case _:
                raise CommandFailure

    def run_queue(self) -> Expected:
        """Run EXEC. Raises CommandFailure."""
        queue, is_spoiled = self.queue, self.is_spoiled
        is_touched, is_unsure = self.is_touched, self.is_unsure
        self.leave_transaction()
        if is_spoiled:
            raise CommandFailure("EXECABORT")
        if is_touched:
            return None
        replies = [self.run_queued(words) for words in queue]
        return ANY if is_unsure else replies

    def run_queued(self, words: Words) -> Expected:
        """Run a command of a transaction. A blocking one replies immediately."""
        try:
            reply = self.execute(words)
        except CommandFailure as failure:
            return failure
        return None if reply == BLOCKS else reply

    def leave_transaction(self) -> None:
        """Forget the queue and the watched keys."""
        self.queue, self.is_queueing, self.is_spoiled = [], False, False
        self.forget_watched()

    def forget_watched(self) -> None:
        """Forget the watched keys."""
        self.watched.clear()
        self.is_touched = self.is_unsure = False
