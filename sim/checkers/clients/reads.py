"""The invariant `reads`: replies to reads follow from the ops that the region has applied.

The specification of the keyspace (`crdt.testing.builtin_types.specifications`) computes the
expected value from the effects of these ops. The reply must match it. Commands read the value, its
size, a part of it, its type, or its deadline.

Not checked: requests with reads and writes, keys with a long history, parts and the order of lists
and sorted sets, and keys that may end too early after a loss of memory (see `uninformed`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, TypeAlias, cast

from crdt.causality.dots import Vector
from crdt.store.keyspace import Keyspace
from crdt.testing.builtin_types.specifications import Shown, visible_state
from crdt.types.registry import DEFINITIONS
from sim.checkers.clients.meaning import SKETCH
from sim.checkers.replicas.explain import describe_effect
from sim.checkers.replicas.uninformed import UninformedChecker
from sim.engine.checker import Followed, Watched
from sim.nodes.client import Refusal, Reply
from sim.schedule.exchange import executed_commands
from sim.schedule.step import Words

HISTORY_MAX: Final = 45  # effects on one key; more would take too long

Expect: TypeAlias = Callable[[Any, Words], Reply]

REFUSED: Final = ("LOADING", "STALE", "MASTERDOWN")
"""The error codes of a region that refuses reads until it has caught up, or while its peers seem to
be linked with another process of it; see `refusals`. A follower refuses them while a source is
away; see `promotion` and `figures`."""
NOT_THERE: Final = -2
NO_EXPIRY: Final = -1


def pairs_of(shown: Any) -> dict[Any, Any]:
    return dict(cast("list[tuple[Any, Any]]", shown))


WITH_SCORES: Final = "ZRANGE WITHSCORES"

# By command: its type, the reply for a missing key, and the reply for a value.
OF_VALUE: Final[dict[str, tuple[str, Reply, Expect]]] = {
    "GET": ("string", None, lambda value, _: value),
    "STRLEN": ("string", 0, lambda value, _: len(value)),
    "SMEMBERS": ("set", [], lambda value, _: sorted(value)),
    "SCARD": ("set", 0, lambda value, _: len(value)),
    "SISMEMBER": ("set", 0, lambda value, words: int(words[2] in value)),
    "HGETALL": ("hash", {}, lambda value, _: pairs_of(value)),
    "HLEN": ("hash", 0, lambda value, _: len(value)),
    "HGET": ("hash", None, lambda value, words: pairs_of(value).get(words[2])),
    "ZRANGE": ("sorted set", [], lambda value, _: sorted(pairs_of(value))),
    WITH_SCORES: ("sorted set", {}, lambda value, _: pairs_of(value)),
    "ZCARD": ("sorted set", 0, lambda value, _: len(value)),
    "ZSCORE": ("sorted set", None, lambda value, words: pairs_of(value).get(words[2])),
    "LRANGE": ("list", [], lambda value, _: sorted(value)),
    "LLEN": ("list", 0, lambda value, _: len(value)),
}
TYPES: Final = {
    each.name: each.redis_name.decode() for each in DEFINITIONS if each.redis_name is not None
}
"""The replies of TYPE by the names of the types."""
OF_KEY: Final = ("EXISTS", "TYPE", "PEXPIRETIME", "PTTL")
READS: Final = frozenset({*OF_VALUE, *OF_KEY})
RANGES: Final[dict[str, tuple[Words, ...]]] = {
    "LRANGE": (("0", "-1"),),
    "ZRANGE": (("0", "-1"), ("0", "-1", "WITHSCORES")),
}
"""The arguments with which a range command reads all elements."""
AS_TEXT: Final = "HYLL"
"""The beginning of what GET replies for a HyperLogLog (rule HLL-5)."""
AROUND: Final = frozenset({"MULTI", "EXEC", "CRDB.VECTOR"})


class ReadsChecker(UninformedChecker):
    """Checks replies to reads."""

    promise: ClassVar[str] = "reads"

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Check a region's replies to reads."""
        self.check_replies(region, region.replica.keyspace.vector, commands, replies)

    def on_follower_replies(
        self, copy: Followed, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Check the replies of a follower of a single source."""
        claims = list(copy.claims().values())
        if copy.is_following and not copy.holds_old and len(claims) == 1:
            self.check_replies(copy, claims[0], commands, replies)

    def check_replies(
        self,
        region: Watched | Followed,
        vector: Vector,
        commands: Sequence[Words],
        replies: Sequence[Reply],
    ) -> None:
        """Check the replies to reads of a replica at `vector`."""
        if any(words[0] not in READS and words[0] not in AROUND for words in commands):
            return
        for words, reply in executed_commands(commands, replies):
            if words[0] in READS and is_complete(words):
                self.check_read(region, vector, words, reply)

    def check_read(
        self, region: Watched | Followed, vector: Vector, words: Words, reply: Reply
    ) -> None:
        """Compare the reply to one read with the specification. Raises Violation."""
        db = region.replica.keyspace
        key = words[1]
        book = self.run_history.book
        history = book.history_within(key.encode(), vector, db.expiry_clock)
        if history is None or len(history) > HISTORY_MAX:
            return
        self.looked += 1
        expected = expected_reply(visible_state(history, key), words, db)
        found = plain(reply_form(words), reply)
        if expected == AS_TEXT and isinstance(found, str):
            found = found[: len(AS_TEXT)]
        if found != expected and found not in REFUSED and not self.may_lack_deadline(history):
            raise self.violation(
                f"{region.name} answers {' '.join(words)} with {found!r}, not {expected!r},"
                f" after {describe_effect(history, self.run_history)}"
            )


def reply_form(words: Words) -> str:
    """Return the name of a command, with WITHSCORES, which changes the form of the reply."""
    return WITH_SCORES if words[0] == "ZRANGE" and "WITHSCORES" in words else words[0]


def is_complete(words: Words) -> bool:
    """Return whether a command reads all elements, or an attribute of one key.

    Other reads of ranges, and of several keys, are not checked.
    """
    if words[0] in OF_KEY:
        return len(words) == 2
    return words[0] not in RANGES or words[2:] in RANGES[words[0]]


def expected_reply(shown: Shown | None, words: Words, db: Keyspace) -> Reply:
    """Return the reply to a read, given the value that the specification predicts."""
    name = reply_form(words)
    if name in OF_VALUE:
        kind, without, of_value = OF_VALUE[name]
        if shown is None:
            return without
        if name == "GET" and shown[0] == SKETCH:
            return AS_TEXT
        return of_value(shown[1], words) if shown[0] == kind else "WRONGTYPE"
    if name == "EXISTS":
        return int(shown is not None)
    if name == "TYPE":
        return TYPES[shown[0]] if shown is not None else "none"
    if shown is None:
        return NOT_THERE
    if shown[2] is None:
        return NO_EXPIRY
    return shown[2] if name == "PEXPIRETIME" else max(0, shown[2] - max(db.now, db.expiry_clock))


def plain(name: str, reply: Reply) -> Reply:
    """Return a reply in the form that the specification uses."""
    if isinstance(reply, Refusal):
        return reply.text.partition(" ")[0]
    if name == "ZSCORE" and reply is not None:
        return float(reply)
    if isinstance(reply, bytes):
        return reply.decode("latin-1")
    if not isinstance(reply, list):
        return reply
    items = [item.decode("latin-1") for item in cast("list[bytes]", reply)]
    if name == "HGETALL":
        return dict(zip(items[::2], items[1::2], strict=True))
    if name == WITH_SCORES:
        return dict(zip(items[::2], map(float, items[1::2]), strict=True))
    return sorted(items)
