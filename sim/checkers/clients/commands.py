"""Sequential semantics: in its own region, a command behaves like in a single Redis.

A client is served by its region alone. The replies to a request and the new values follow from the
values that were visible in the region before. A model of a single Redis (`sim.redis`) predicts
them, for each command of a request or a transaction, and also the deadlines of the keys. A
transaction in one request must get as many replies as it has commands.

A request that changes nothing must not make an effect, because every region would have to carry it.
A request that changes something must make one. Some commands count as a change even if no value
changes here, because they win against concurrent commands of other regions: SADD of a member that
is there, PERSIST of a key that does not expire, and all that write a value again.

If one client is blocked for the keys of a request, the model also predicts whether and with what
this client is served. That happens after each command, or after EXEC.

Not checked: refused requests, requests with a command that the model does not know, keys that hold
values of several types, and values that one of several blocked clients may have popped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, cast

import attrs

from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.subjects import NAMES
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Refusal, Reply
from sim.nodes.effects import latin_text
from sim.nodes.run_history import RunHistory
from sim.redis.commands import COMMANDS, FIRST_TWO, execute, is_expected, keys_of
from sim.redis.state import (
    HASH,
    LIST,
    SET,
    SORTED_SET,
    TYPE_NAMES,
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
BLOCKING: Final = {
    **dict.fromkeys(("BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP"), LIST),
    **dict.fromkeys(("BZPOPMIN", "BZPOPMAX", "BZMPOP"), SORTED_SET),
}
"""The commands that block for keys, with the type of the values that serve them."""
JUDGED_ERRORS: Final = frozenset({"ERR", "WRONGTYPE"})
"""The codes of errors that are due to the command. Others are due to the state of the region."""


@attrs.define
class BlockedClient:
    """A client that is blocked for keys of the present request."""

    session: int
    command: Words
    is_served: bool = False
    reply: Any = None
    """The expected reply, if the client is served."""

    @property
    def awaited_keys(self) -> list[str]:
        """The keys from which the client pops."""
        keys = keys_of(self.command)
        return keys[:1] if self.command[0] in FIRST_TWO else keys

    def serve_if_ready(self, model: RedisModel) -> None:
        """Pop from the first key that has a value of the right type, if there is one.

        Raises UndefinedReply if another key has a value of another type.
        """
        kinds = {model.items[key].kind for key in self.awaited_keys if key in model.items}
        wanted = BLOCKING[self.command[0]]
        if self.is_served or wanted not in kinds:
            return
        if kinds != {wanted}:
            raise UndefinedReply
        self.is_served = True
        self.reply = execute(model, self.command, None)


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
        self.is_rewritable = False
        """True if a write of a large string may replace the latest of these effects."""
        self.hidden = 0
        """The number of keys of the request that have expired, or of which only a deadline is left.
        A write deletes such a key by an effect of its own."""
        self.large = 0
        self.is_awaited = False
        """True if the request may serve clients in a way that is not predicted."""
        self.blocked: dict[str, dict[int, Words]] = {}
        """The command of each client that is blocked for keys, by region and session."""
        self.waiter: BlockedClient | None = None
        """The only client that is blocked for keys of the present request."""

    def on_region_started(self, region: Watched) -> None:
        self.blocked[region.name] = {}

    def on_client_left(self, region: Watched, session: int) -> None:
        self.blocked[region.name].pop(session, None)

    def before_commands(self, region: Watched, session: int, commands: Sequence[Words]) -> None:
        """Read the keys that a request uses."""
        self.model = self.waiter = None
        judged = [words for words in commands if words[0] in COMMANDS]
        if len(judged) + sum(words[0] in NEUTRAL for words in commands) < len(commands):
            return
        self.keys = list(dict.fromkeys(key for words in judged for key in keys_of(words)))
        if any(key.startswith(LARGE_KEYS) for key in self.keys):
            self.large += 1
            if self.large % LARGE_SAMPLE:
                return
        db = region.replica.keyspace
        self.find_waiter(region, commands)
        if any(db.is_contested(key.encode()) for key in self.keys):
            return  # a removal can make the value of another type visible
        if not all(is_modelled(db, key) for key in self.keys):
            return
        items = {key: item for key in self.keys if (item := read_item(db, key)) is not None}
        self.model = RedisModel(items, db.expiry_clock)
        self.seq = db.seq
        self.is_rewritable = db.is_rewritable()
        self.hidden = sum(
            db.held(key.encode()) is not None or bool(db.deadline_siblings(key.encode()))
            for key in self.keys
            if key not in items
        )

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Compare the replies and the new values with the prediction."""
        if session and len(replies) < len(commands) and commands[len(replies)][0] in BLOCKING:
            self.blocked[region.name][session] = commands[len(replies)]
        if commands[0] == ("MULTI",) and commands[-1] == ("EXEC",):
            self.compare_transaction(region, len(commands) - 2, replies)
        model = self.model
        executed = executed_commands(commands, replies)
        if model is None or (self.is_awaited and len(executed) > 1 and commands[0][0] != "MULTI"):
            return
        found = [(words, plain(reply)) for words, reply in executed if words[0] in COMMANDS]
        if not all(is_judged(reply) for _, reply in found) or len(replies) < len(commands):
            return  # refused: the region is stale, a follower, or out of memory
        if has_earlier_queue(commands, replies):
            return
        try:
            for words, reply in found:
                self.compare_reply(region, model, words, reply)
                if self.waiter is not None and commands[0][0] != "MULTI":
                    self.waiter.serve_if_ready(model)
            if self.waiter is not None:
                self.waiter.serve_if_ready(model)
        except UndefinedReply:
            self.waiter = None
            return
        if self.keys and not self.is_awaited:
            self.compare_values(region, model, commands)
            self.count_effects(region, model, commands)

    def find_waiter(self, region: Watched, commands: Sequence[Words]) -> None:
        """Find the client that is blocked for keys of the request, if it is the only one.

        It is served after each command, or after EXEC. Requests that have both are not predicted.
        """
        keys = set(self.keys)
        is_mixed = ("MULTI",) in commands[1:]
        waiters = [
            BlockedClient(session, words)
            for session, words in self.blocked[region.name].items()
            if keys.intersection(keys_of(words))
        ]
        self.is_awaited = len(waiters) > 1 or (bool(waiters) and is_mixed)
        if len(waiters) == 1:
            self.waiter = waiters[0]
            self.keys = list(dict.fromkeys([*self.keys, *keys_of(self.waiter.command)]))
            others = len(self.blocked[region.name]) - 1
            if others and self.waiter.command[0] in FIRST_TWO:
                self.is_awaited = True  # what it moves may serve the next client

    def on_late_reply(self, region: Watched, session: int, command: Words, reply: Reply) -> None:
        """Compare the reply to a client that was blocked with the prediction."""
        self.blocked[region.name].pop(session, None)
        waiter, self.waiter = self.waiter, None
        if waiter is None or self.is_awaited or waiter.session != session or not waiter.is_served:
            return
        self.looked += 1
        if not is_expected(waiter.reply, plain(reply)):
            raise self.violation(
                f"{region.name} serves {' '.join(command)} with {plain(reply)!r},"
                f" not {waiter.reply!r}"
            )

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
        if model.sent and not made and not self.is_rewritable:
            raise self.violation(
                f"{region.name} makes no effect for {describe_commands(commands)}, so no other"
                " region learns of it"
            )

    def compare_transaction(self, region: Watched, count: int, replies: Sequence[Reply]) -> None:
        """Compare the number of replies to an executed transaction with that of its commands."""
        if not replies:
            return  # it waits for keys, or for the end of a pause
        is_first = not isinstance(replies[0], Refusal)  # MULTI is refused inside a transaction
        reply = replies[-1] if is_first and len(replies) == count + 2 else ()
        if isinstance(reply, list):
            self.looked += 1
            found = len(cast("list[Reply]", reply))
            if found != count:
                raise self.violation(
                    f"{region.name} answers a transaction of {count} commands with {found} replies"
                )


def is_modelled(db: Keyspace, key: str) -> bool:
    """Return whether the model has the type of the value under a key. It lacks types that users
    have added."""
    value = db.lookup(key.encode())
    return value is None or NAMES.get(value.code()) in TYPE_NAMES


def read_item(db: Keyspace, key: str) -> ModelItem | None:
    """Return the visible value of a key for the model; None if the key does not exist."""
    value = db.lookup(key.encode())
    if value is None:
        return None
    kind, content = NAMES[value.code()], latin_text(value.visible())
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


def has_earlier_queue(commands: Sequence[Words], replies: Sequence[Reply]) -> bool:
    """Return whether an earlier request began the transaction whose commands are queued here."""
    begins = any(
        words[0] == "MULTI" and reply == "OK"
        for words, reply in zip(commands, replies, strict=True)
    )
    return "QUEUED" in replies and not begins


def plain(reply: Reply) -> Any:
    """Return a reply in the form that the model uses."""
    if isinstance(reply, Refusal):
        return CommandFailure(reply.text.partition(" ")[0])
    if isinstance(reply, bytes):
        return reply.decode("latin-1")
    if isinstance(reply, list):
        return [plain(item) for item in cast("list[Reply]", reply)]
    return reply
