"""Sequential semantics: in its own region, a command behaves like in a single Redis.

A client is served by its region alone. The replies to a request and the new values follow from the
values that were visible in the region before. A model of a single Redis (`sim.redis`) predicts
them, for each command of a request or a transaction, and also the deadlines of the keys. A
transaction in one request must get as many replies as it has commands.

A request that changes nothing must not make an effect, because every region would have to carry it.
A request that changes something must make one. Some commands count as a change even if no value
changes here, because they win against concurrent commands of other regions: SADD of a member that
is there, PERSIST of a key that does not expire, and all that write a value again.

Not checked: refused requests, requests with a command that the model does not know, keys that hold
values of several types, and values that a blocked client may have popped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, cast

from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.subjects import NAMES, text_of
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Refusal, Reply
from sim.nodes.run_history import RunHistory
from sim.redis.commands import COMMANDS, execute, is_expected, keys_of
from sim.redis.state import (
    HASH,
    SET,
    SORTED_SET,
    CommandFailure,
    ModelItem,
    RedisModel,
    UndefinedReply,
)
from sim.schedule.exchange import executed_commands
from sim.schedule.step import Words
from sim.schedule.writes import LARGE

LARGE_KEYS: Final = tuple(f"{family}:" for family in LARGE)
LARGE_SAMPLE: Final = 4  # one in so many requests on large values is checked
NEUTRAL: Final = frozenset({"MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH", "TIME", "CRDB.VECTOR"})
"""Commands that change no key and whose replies other checkers judge."""
JUDGED_ERRORS: Final = frozenset({"ERR", "WRONGTYPE"})
"""The codes of errors that are due to the command. Others are due to the state of the region."""


class CommandChecker(Checker):
    """Checks each request against the model of a single Redis."""

    promise: ClassVar[str] = "commands"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.model: RedisModel | None = None
        """The state before the present request; None if the request is not judged."""
        self.keys: list[str] = []
        """The keys of the present request."""
        self.seq = 0
        """The number of effects that the region has made before the request."""
        self.hidden = 0
        """The number of keys of the request that have expired, or of which only a deadline is left.
        A write deletes such a key by an effect of its own."""
        self.large = 0
        self.is_awaited = False
        """True if a client is blocked for a key of the request."""

    def before_commands(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """Read the keys that a request uses."""
        self.model = None
        judged = [words for words in commands if words[0] in COMMANDS]
        if len(judged) + sum(words[0] in NEUTRAL for words in commands) < len(commands):
            return
        self.keys = list(dict.fromkeys(key for words in judged for key in keys_of(words)))
        if any(key.startswith(LARGE_KEYS) for key in self.keys):
            self.large += 1
            if self.large % LARGE_SAMPLE:
                return
        db, waiters = region.replica.keyspace, region.instance.blocked.by_key
        if any(db.is_contested(key.encode()) for key in self.keys):
            return  # a removal can make the value of another type visible
        self.is_awaited = any(key.encode() in waiters for key in self.keys)
        items = {key: item for key in self.keys if (item := read_item(db, key)) is not None}
        self.model = RedisModel(items, db.expiry_clock)
        self.seq = db.seq
        self.hidden = sum(
            db.held(key.encode()) is not None or bool(db.deadline_siblings(key.encode()))
            for key in self.keys
            if key not in items
        )

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Compare the replies and the new values with the prediction."""
        if commands[0] == ("MULTI",) and commands[-1] == ("EXEC",):
            self.compare_transaction(region, len(commands) - 2, replies)
        model = self.model
        executed = executed_commands(commands, replies)
        if model is None or (self.is_awaited and len(executed) > 1 and commands[0][0] != "MULTI"):
            return
        found = [(words, plain(reply)) for words, reply in executed if words[0] in COMMANDS]
        if not all(is_judged(reply) for _, reply in found) or len(replies) < len(commands):
            return  # refused: the region is stale, a follower, or out of memory
        try:
            for words, reply in found:
                self.compare_reply(region, model, words, reply)
        except UndefinedReply:
            return
        if found and not self.is_awaited:
            self.compare_values(region, model, [words for words, _ in found])
            self.count_effects(region, model, [words for words, _ in found])

    def compare_reply(self, region: Watched, model: RedisModel, words: Words, found: Any) -> None:
        """Compare one reply with that of the model. Raises Violation."""
        self.looked += 1
        before = [f"{key} was {describe_item(model.items.get(key))}" for key in keys_of(words)]
        expected = execute(model, words, found)
        if not is_expected(expected, found):
            raise self.violation(
                f"{region.name} answers {' '.join(words)} with {found!r}, not {expected!r},"
                f" where {' and '.join(dict.fromkeys(before))}"
            )

    def compare_values(self, region: Watched, model: RedisModel, commands: Sequence[Words]) -> None:
        """Compare the values and deadlines of all keys with those of the model."""
        for key in self.keys:
            shown, expected = read_item(region.replica.keyspace, key), model.items.get(key)
            if shown != expected:
                raise self.violation(
                    f"{region.name} shows {describe_item(shown)} under {key} after"
                    f" {describe_commands(commands)}, not {describe_item(expected)}"
                )

    def count_effects(self, region: Watched, model: RedisModel, commands: Sequence[Words]) -> None:
        """Check that a request makes effects exactly if it changes something."""
        made = region.replica.keyspace.seq - self.seq
        if made and not model.sent and made > self.hidden:
            raise self.violation(
                f"{region.name} makes {made} effects for {describe_commands(commands)},"
                " which change nothing"
            )
        if model.sent and not made:
            raise self.violation(
                f"{region.name} makes no effect for {describe_commands(commands)}, so no other"
                " region learns of it"
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


def read_item(db: Keyspace, key: str) -> ModelItem | None:
    """Return the visible value of a key for the model; None if the key does not exist."""
    value = db.lookup(key.encode())
    if value is None:
        return None
    kind, content = NAMES[value.code()], text_of(value.visible())
    if kind == SET:
        content = set(content)
    elif kind in {HASH, SORTED_SET}:
        content = dict(content)
    return ModelItem(kind, content, db.deadline(key.encode()))


def describe_item(item: ModelItem | None) -> str:
    """Return a value as text."""
    if item is None:
        return "None"
    text = f"{(item.kind, item.content)!r}"
    return text if item.deadline is None else f"{text} until {item.deadline}"


def describe_commands(commands: Sequence[Words]) -> str:
    """Return commands as text."""
    return "; ".join(" ".join(words) for words in commands)


def is_judged(reply: Any) -> bool:
    """Return whether the model predicts a reply: it is a value, or an error of the command."""
    return not isinstance(reply, CommandFailure) or reply.code in JUDGED_ERRORS


def plain(reply: Reply) -> Any:
    """Return a reply in the form that the model uses."""
    if isinstance(reply, Refusal):
        return CommandFailure(reply.text.partition(" ")[0])
    if isinstance(reply, bytes):
        return reply.decode("latin-1")
    if isinstance(reply, list):
        return [plain(item) for item in cast("list[Reply]", reply)]
    return reply
