"""The steps of edge sessions: commands of all types, with all options and unusual arguments.

Each region has one such session. It writes to a few keys, most of which no other client uses. So
the replies are exactly those of a single Redis (`sim.redis`), and short names, equal scores,
indexes out of range, missing keys and keys of another type are frequent. Deadlines are drawn around
the present time and around the deadline that a key already has. Some requests come exactly when a
key expires, or one ms later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.engine.events import MS
from sim.engine.rng import SeededRandom
from sim.schedule.arguments import ARGUMENTS, CommandDrawer, declared_commands
from sim.schedule.step import ScheduleStep, Words
from sim.schedule.writes import PERIOD_NS, Load

FAMILY: Final = "edge"
KEYS: Final = 2
"""The number of keys of each type that a region has for itself."""
SHARED: Final = "szl"
"""The types of which one more key is shared by all regions. Numbers are not shared: the sum of
several regions' increments can exceed 64 bits, which has no equivalent in Redis."""
KINDS: Final = "shzlt"
"""The types of the keys: set, hash, sorted set, list and text. A key may hold another one."""
MEAN_NS: Final = 1500 * MS
"""The average time between two visits of a key, each of which is one to three requests."""
COMMANDS_MIN: Final = 3
COMMANDS_MAX: Final = 10
LARGE_TEXT: Final = "large" * 220
"""A text of more than 1,024 bytes: later writes of it in the same turn replace the first."""

OF_KIND: Final[dict[str, tuple[str, ...]]] = {
    "t": (
        *("GET k", "SET k v", "SET k v NX", "SET k v XX", "SET k v GET", "SET k v NX GET"),
        *("SET k v XX GET", "SET k v KEEPTTL", "SET k v PX t", "SET k v EX u", "SET k v PXAT w"),
        *("SET k v KEEPTTL XX", "SET k v NX PX t", "SETNX k v", "SETEX k u v", "PSETEX k t v"),
        *("GETSET k v", "GETDEL k", "GETEX k", "GETEX k PX t", "GETEX k PXAT w", "GETEX k PERSIST"),
        *("GETEX k EX u", "SET k v EXAT y", "GETEX k EXAT y"),
        *("APPEND k v", "STRLEN k", "GETRANGE k i i", "SUBSTR k i i", "SETRANGE k o v"),
        *("INCR k", "DECR k", "INCRBY k n", "DECRBY k n", "INCRBYFLOAT k d", "MGET k j x"),
        *(
            "MSET k v j v",
            "MSETNX k v j v",
            "GETBIT k o",
            "SETBIT k 2 1",
            "SETBIT k 9 1",
            "SETBIT k 7 0",
        ),
        *(
            "BITCOUNT k",
            "BITCOUNT k i i",
            "SET k 5",
            "SET k 10",
            "SET k 7 KEEPTTL",
            "SET k 9223372036854775807",
        ),
    ),
    "h": (
        *("HSET k f v", "HSET k f v f v", "HMSET k f v f v", "HSETNX k f v", "HGET k f"),
        *("HMGET k f f f", "HGETALL k", "HKEYS k", "HVALS k", "HLEN k", "HEXISTS k f"),
        *("HSTRLEN k f", "HDEL k f", "HDEL k f f f", "HINCRBY k f n", "HINCRBYFLOAT k f d"),
        *("HRANDFIELD k", "HRANDFIELD k n", "HRANDFIELD k n WITHVALUES", "HSET k f 5"),
    ),
    "s": (
        *("SADD k f", "SADD k f f", "SADD j f f f", "SREM k f", "SREM k f f f", "SCARD k"),
        *("SISMEMBER k f", "SMISMEMBER k f f", "SMEMBERS k", "SMOVE k j f", "SPOP k", "SPOP k n"),
        *("SRANDMEMBER k", "SRANDMEMBER k n", "SUNION k j", "SINTER k j", "SDIFF k j"),
        *("SUNIONSTORE j k x", "SUNIONSTORE k k j", "SINTERSTORE k k j", "SDIFFSTORE j k j"),
        *("SINTERCARD 2 k j", "SINTERCARD 2 k j LIMIT o", "SADD k f f f f"),
    ),
    "z": (
        *("ZADD k p f", "ZADD k p f p f", "ZADD j p f p f", "ZADD k NX p f", "ZADD k XX p f"),
        *("ZADD k GT p f", "ZADD k LT p f", "ZADD k CH p f p f", "ZADD k XX GT CH p f p f"),
        *("ZADD k LT CH p f p f", "ZADD k INCR p f", "ZADD k NX INCR p f", "ZADD k XX INCR p f"),
        *("ZADD k GT INCR p f", "ZADD k LT INCR p f", "ZADD k NX GT p f", "ZADD k NX CH p f p f"),
        *("ZINCRBY k p f", "ZREM k f", "ZREM k f f f", "ZCARD k", "ZSCORE k f", "ZMSCORE k f f f"),
        *("ZRANK k f", "ZREVRANK k f", "ZRANK k f WITHSCORE", "ZREVRANK k f WITHSCORE"),
        *("ZPOPMIN k", "ZPOPMAX k", "ZPOPMIN k n", "ZPOPMAX k n", "ZRANDMEMBER k"),
        *("ZRANDMEMBER k n", "ZRANDMEMBER k n WITHSCORES", "ZMPOP 2 k j MIN", "ZMPOP 1 k MAX"),
        *("ZMPOP 2 j k MAX COUNT c", "ZUNION 2 k j WITHSCORES", "ZINTER 2 k j WITHSCORES"),
        *("ZDIFF 2 k j WITHSCORES", "ZUNION 2 k j WEIGHTS 2 3 AGGREGATE MIN WITHSCORES"),
        *("ZINTER 2 k j AGGREGATE MAX WITHSCORES", "ZUNIONSTORE k 2 k j", "ZINTERSTORE j 2 k j"),
        *("ZUNIONSTORE j 2 k x WEIGHTS 1 3 AGGREGATE MAX", "ZDIFFSTORE j 2 k j", "ZUNION 2 k j"),
        *("ZINTERSTORE k 2 k j WEIGHTS 2 2 AGGREGATE MIN", "ZINTERCARD 2 k j"),
        *("ZINTERCARD 2 k j LIMIT o", "ZRANGE k i i", "ZRANGE k i i WITHSCORES"),
        *("ZRANGE k i i REV", "ZRANGE k b b BYSCORE WITHSCORES", "ZRANGE k b b BYSCORE REV"),
        *("ZRANGE k b b BYSCORE LIMIT o n", "ZRANGE k l l BYLEX", "ZRANGE k l l BYLEX REV"),
        *("ZRANGE k l l BYLEX LIMIT o n", "ZREVRANGE k i i WITHSCORES", "ZRANGEBYSCORE k b b"),
        *("ZRANGEBYSCORE k b b WITHSCORES LIMIT o n", "ZREVRANGEBYSCORE k b b LIMIT o n"),
        *("ZREVRANGEBYSCORE k b b WITHSCORES", "ZRANGEBYLEX k l l", "ZRANGEBYLEX k l l LIMIT o n"),
        *("ZREVRANGEBYLEX k l l", "ZREVRANGEBYLEX k l l LIMIT o n", "ZCOUNT k b b"),
        *("ZLEXCOUNT k l l", "ZREMRANGEBYRANK k i i", "ZREMRANGEBYSCORE k b b"),
        *("ZREMRANGEBYLEX k l l", "ZRANGESTORE j k i i", "ZRANGESTORE j k b b BYSCORE LIMIT o n"),
        *("ZADD k 1 a 1 b 1 c 1 d", "ZADD k 0 a 1 b 1 c 2 d"),
    ),
    "l": (
        *("LPUSH k v", "LPUSH k v v", "RPUSH k v", "RPUSH k v v", "RPUSH j v v", "LPUSHX k v"),
        *("RPUSHX k v", "LPOP k", "RPOP k", "LPOP k o", "RPOP k o", "LLEN k", "LINDEX k i"),
        *("LRANGE k i i", "LSET k i v", "LINSERT k BEFORE v v", "LINSERT k AFTER v v"),
        *("LREM k 0 v", "LREM k 1 v", "LREM k -1 v", "LREM k 2 v", "LREM k -2 v", "LTRIM k i i"),
        *("LMOVE k j LEFT RIGHT", "LMOVE k j RIGHT LEFT", "LMOVE k k LEFT RIGHT", "RPOPLPUSH k j"),
        *("LMOVE k k RIGHT RIGHT", "LMOVE k j LEFT LEFT", "LPOS k v", "LPOS k v RANK 2"),
        *("LPOS k v RANK -1", "LPOS k v COUNT o", "LPOS k v RANK -2 COUNT 0", "LPOS k v MAXLEN o"),
        *("LPOS k v RANK -1 COUNT 2 MAXLEN 3", "LMPOP 1 k LEFT", "LMPOP 2 k j RIGHT COUNT c"),
        *("RPUSH k a b a c", "RPUSH k a b c", "SORT k", "SORT k ALPHA", "SORT k ALPHA DESC"),
        *("SORT k ALPHA LIMIT o n", "SORT k ALPHA STORE j", "SORT_RO k ALPHA LIMIT 1 2"),
        *("LSET k i a", "LINSERT k BEFORE a b", "LINSERT k AFTER a b", "LREM k 0 a", "LPOS k a"),
        *(
            "LREM k -1 a",
            "LREM k -2 a",
            "LREM k 2 a",
            "LPOS k a RANK -1",
            "LPOS k a RANK 2 COUNT 2",
        ),
    ),
}
"""The commands by type. `k`, `j` are keys of the type, `x` is a key of any type."""

FILLING: Final = {
    "t": "SET k 10",
    "h": "HSET k a 1 b 2 c x",
    "s": "SADD k a b c",
    "z": "ZADD k 1 a 1 b 2 c 3 d",
    "l": "RPUSH k a b a c a",
}
"""A command for each type that lets most others find something. Elements occur several times."""
ONES: Final = "BITFIELD k SET i16 0 -1"
"""A command that sets all bits of a string."""
ON_KEYS: Final = (
    *("DEL k", "DEL k j x", "UNLINK k j", "EXISTS k j", "EXISTS k k", "TOUCH k x", "TYPE k"),
    *("RENAME k j", "RENAME k x", "RENAMENX k j", "RENAMENX k x", "COPY k j", "COPY k x REPLACE"),
    *("COPY k j REPLACE", "ECHO v"),
)
ON_DEADLINES: Final = (
    *("PEXPIRE k t", "EXPIRE k u", "PEXPIREAT k w", "PEXPIREAT k w NX", "PEXPIREAT k w XX"),
    *("PEXPIREAT k w GT", "PEXPIREAT k w LT", "PEXPIREAT k w XX GT", "PEXPIREAT k w XX LT"),
    *("PEXPIRE k t NX", "PEXPIRE k t XX", "PEXPIRE k t GT", "PEXPIRE k t LT", "PEXPIRE k t GT LT"),
    *("PEXPIREAT k $end GT", "PEXPIREAT k $end LT", "EXPIREAT k y", "EXPIREAT k y GT"),
    *("PEXPIREAT k $now", "PEXPIREAT k $now-1", "PERSIST k", "PERSIST k", "TTL k", "PTTL k"),
    *("EXPIRETIME k", "PEXPIRETIME k", "PTTL k", "PTTL j", "TTL x"),
)
DECLARED: Final = {kind: declared_commands(kind) for kind in KINDS}
"""The commands of the command table by the type of their keys."""
PROMPT: Final = {
    kind: tuple(
        each for each in declared if "timeout" not in (argument.name for argument in each.arguments)
    )
    for kind, declared in DECLARED.items()
}
"""The commands of the command table that never block, by the type of their keys."""
BITMAPS: Final = tuple(each for each in PROMPT["t"] if each.group == "bitmap")
BY_MEMBER: Final = frozenset(ARGUMENTS["l"]) - {"-"}
"""The ends of ranges by member."""
EQUAL_SCORES: Final = ("1", "a", "1", "b", "1", "ab", "1", "c")
AT_DEADLINE: Final = (
    *("PEXPIREAT k $end GT", "PEXPIREAT k $end LT", "PEXPIREAT k $end XX GT", "PTTL k"),
    *("PEXPIREAT k $end+1 GT", "PEXPIREAT k $end-1 LT", "PEXPIREAT k $end-1 GT", "PERSIST k"),
    *("PEXPIREAT k $end+1 LT", "PEXPIREAT k $end+1 NX", "PEXPIREAT k $end XX LT", "TTL k"),
    *("TTL k", "EXPIRETIME k", "PEXPIRETIME k"),
)
"""Commands that read the deadline `$end` of a key, or change it to nearly the same."""
AT_PRESENT: Final = (
    *("PEXPIREAT k $now", "PEXPIREAT k $now+1", "PEXPIREAT k $now-1", "PEXPIREAT k $now LT"),
    *("PEXPIREAT k $now GT", "PEXPIREAT k $now XX", "EXPIREAT k $seconds", "PEXPIRE k 0"),
)
"""Commands that let a key expire about now."""
CHANGES: Final = 4
"""The number of changes of a deadline in one request. Before each, the deadline is `$end` again."""
LARGE_WRITES: Final = (
    *("APPEND k L", "APPEND k L", "SETRANGE k o L", "SET k L", "SET k L", "SET k L KEEPTTL"),
    *("SET k L PX 900", "GETSET k L", "PEXPIRE k 900", "PERSIST k", "SETBIT k 7 0", "GETEX k"),
    *("SETRANGE k 5000 L", "SETRANGE k 5003 v", "SETBIT k 40003 1", "BITFIELD k SET u8 5000 7"),
)
"""Writes of a large text `L`, of which a later one replaces an earlier one of the same turn. Some
make a text of which only changes are sent."""
LARGE_WRITES_MIN: Final = 2
LARGE_WRITES_MAX: Final = 5
BLOCKING: Final = {
    "l": (
        *("BLPOP k 1", "BLPOP k j 1", "BRPOP k 1", "BRPOP j k 1", "BLMOVE k j LEFT RIGHT 1"),
        *("BLMOVE k j RIGHT LEFT 1", "BLMOVE k k LEFT RIGHT 1", "BRPOPLPUSH k j 1"),
        *("BLMPOP 1 1 k LEFT", "BLMPOP 1 2 k j RIGHT COUNT c"),
    ),
    "z": (
        *("BZPOPMIN k 1", "BZPOPMIN j k 1", "BZPOPMAX k 1", "BZMPOP 1 1 k MIN COUNT c"),
        *("BZMPOP 1 2 k j MAX COUNT c", "BZPOPMAX k j 1"),
    ),
}
"""The blocking commands by type."""
ADDING: Final = {
    "l": ("RPUSH k a b c", "LPUSH k a b", "RPUSH k v v", "RPUSH j v v", "LPUSH k v"),
    "z": ("ZADD k 1 a 1 b 2 c", "ZADD k p f p f", "ZADD j p f p f", "ZADD k p f"),
}
WITHOUT_BLOCKING: Final = (
    *("BLPOP k j 0", "BRPOP k j 0", "BLMOVE k j LEFT RIGHT 0", "BRPOPLPUSH k j 0"),
    *("BLMPOP 0 2 k j LEFT COUNT c", "BZPOPMIN k j 0", "BZPOPMAX k j 0", "BZMPOP 0 2 k j MIN"),
    *("WAIT 9 0", "WAIT 1 0", "BLPOP x 0", "BZPOPMIN x 0"),
)
"""Commands that reply immediately inside a transaction."""


class EdgeClient:
    """Draws the steps of the edge session of one region."""

    def __init__(
        self, rng: SeededRandom, load: Load, region: str, *, session: int, number: int
    ) -> None:
        self.rng = rng
        self.region = region
        self.session = session
        self.number = number
        self.mean = MEAN_NS * 100 // max(1, load.requests)
        self.at = 0
        self.kind = ""
        self.on_bits = False
        """True if the present request is about bits of strings."""

    def draw_steps(self, end: int) -> Iterator[ScheduleStep]:
        """Yield all steps of the session until `end`."""
        rng = self.rng
        period = 0
        at = rng.exponential(self.mean)
        while at < end:
            self.at = at
            if at // PERIOD_NS > period:
                period = at // PERIOD_NS
                yield self.make_step(at, (("DEL", *all_keys(self.number, period - 1)),))
            self.kind = rng.choose_one(KINDS)
            key = self.draw_key(self.kind)
            match rng.integer_below(11):
                case 0:
                    yield from self.draw_expiring(at, key)
                case 1 | 2:
                    yield from self.draw_deadline_changes(at, key)
                case 3:
                    yield from self.draw_blocking(at)
                case 4:
                    yield from self.draw_watching(at, key)
                case 5:
                    yield self.make_step(at, self.draw_large_writes())
                case _:
                    yield self.make_step(at, (("TIME",), ("PEXPIRETIME", key)))
                    yield self.make_step(at, self.draw_request(key))
            at += 10 * MS + rng.exponential(self.mean)

    def make_step(self, at: int, commands: tuple[Words, ...]) -> ScheduleStep:
        """Return a step in which the session sends commands."""
        return ScheduleStep(at, "client", (self.region,), value=self.session, commands=commands)

    def draw_expiring(self, at: int, key: str) -> Iterator[ScheduleStep]:
        """Yield requests on a key before it expires, at its deadline, and 1 ms later."""
        ms = self.rng.integer_between(1, 5)
        make = self.draw_words(self.rng.choose_one(OF_KIND[self.kind]), key)
        yield self.make_step(at, (("TIME",), make, ("PEXPIRE", key, str(ms)), ("PTTL", key)))
        for later in (ms, ms + 1):
            yield self.make_step(at + later * MS, self.draw_request(key))

    def draw_deadline_changes(self, at: int, key: str) -> Iterator[ScheduleStep]:
        """Yield requests that set a deadline, and change it to nearly the same or to the present
        time."""
        make = self.draw_words(self.rng.choose_one(OF_KIND[self.kind]), key)
        ends = ("PEXPIRE", key, self.rng.choose_one(("2", "700", "5500")))
        yield self.make_step(at, (make, ends, ("TIME",), ("PEXPIRETIME", key)))
        changes: list[Words] = []
        for _ in range(CHANGES):
            change = self.rng.choose_one(AT_DEADLINE).replace(" k", f" {key}")
            changes += [tuple(change.split()), ("PEXPIREAT", key, "$end")]
        change = self.rng.choose_one(AT_PRESENT).replace(" k", f" {key}")
        yield self.make_step(at, (*changes, tuple(change.split()), ("EXISTS", key)))

    def draw_blocking(self, at: int) -> Iterator[ScheduleStep]:
        """Yield a blocking command of a second session, and a request that may serve it."""
        rng = self.rng
        self.kind = rng.choose_one(tuple(BLOCKING))
        key, other = (edge_key(at // PERIOD_NS, self.number, self.kind, i) for i in range(KEYS))
        words = self.draw_words(rng.choose_one(BLOCKING[self.kind]), key)
        yield self.make_step(at, (("DEL", key, other),))
        yield ScheduleStep(at, "client", (self.region,), value=self.session + 1, commands=(words,))
        add = self.draw_words(rng.choose_one(ADDING[self.kind]), key)
        request = (add, *self.draw_request(key)) if rng.happens_in(1, 2) else self.draw_request(key)
        yield self.make_step(at, request if rng.happens_in(1, 2) else (add,))

    def draw_watching(self, at: int, key: str) -> Iterator[ScheduleStep]:
        """Yield requests that watch a key, change it, and give up watching before the EXEC."""
        rng = self.rng
        change = self.draw_words(rng.choose_one(OF_KIND[self.kind]), key)
        give_up: tuple[Words, ...] = (("MULTI",), change, ("DISCARD",))
        if rng.happens_in(1, 2):
            give_up = (("UNWATCH",),)
        yield self.make_step(at, (("WATCH", key), change, *give_up))
        yield self.make_step(at, (("MULTI",), change, ("EXISTS", key), ("EXEC",)))

    def draw_large_writes(self) -> tuple[Words, ...]:
        """Draw writes of a large text under one key, which mostly has a deadline."""
        rng = self.rng
        self.kind = "t"
        key = self.draw_key(self.kind)
        begin: tuple[Words, ...] = (("SET", key, "", "PX", "5000"),) if rng.happens_in(2, 3) else ()
        count = rng.integer_between(LARGE_WRITES_MIN, LARGE_WRITES_MAX)
        forms = (rng.choose_one(LARGE_WRITES) for _ in range(count))
        return (*begin, *(self.draw_words(form, key) for form in forms), ("PTTL", key))

    def draw_request(self, key: str) -> tuple[Words, ...]:
        """Draw a request whose commands mostly concern `key`. Some are transactions."""
        rng = self.rng
        is_transaction = rng.happens_in(1, 3)
        self.on_bits = self.kind == "t" and rng.happens_in(1, 3)
        fill = ONES if self.on_bits else FILLING[self.kind]
        commands = () if rng.happens_in(1, 3) else (self.draw_words(fill, key),)
        for _ in range(rng.integer_between(COMMANDS_MIN, COMMANDS_MAX)):
            if rng.happens_in(1, 2 if self.on_bits else 8):
                commands += (self.draw_words(fill, key),)
            commands += self.draw_commands(key, is_transaction)
        return (("MULTI",), *commands, ("EXEC",)) if is_transaction else commands

    def draw_commands(self, key: str, is_transaction: bool) -> tuple[Words, ...]:
        """Draw one command. A range by member follows commands that make all scores equal."""
        rng = self.rng
        if is_transaction and rng.happens_in(1, 6):
            words = self.draw_words(rng.choose_one(WITHOUT_BLOCKING), key)
        elif rng.happens_in(1, 2):
            words = self.draw_declared(key, may_block=is_transaction)
        else:
            of_kind = OF_KIND[self.kind]
            form = rng.choose_one(
                rng.choose_one((of_kind, of_kind, of_kind, ON_DEADLINES, ON_KEYS))
            )
            words = self.draw_words(form, key)
        if not BY_MEMBER.intersection(words) or words[0] in {"SET", "APPEND"}:
            return (words,)
        at = 2 if words[0] == "ZRANGESTORE" else 1
        return (("DEL", words[at]), ("ZADD", words[at], *EQUAL_SCORES), words)

    def draw_declared(self, key: str, *, may_block: bool) -> Words:
        """Draw a command of the command table. Inside a transaction it may be a blocking one,
        which replies immediately there."""
        rng = self.rng
        declared = (DECLARED if may_block else PROMPT)[self.kind]
        declaration = rng.choose_one(BITMAPS if self.on_bits else declared)
        return CommandDrawer(rng, declaration, lambda: self.draw_any_key(key)).draw_words()

    def draw_any_key(self, key: str) -> str:
        """Draw a key for an argument: mostly `key`, at times another one, also of another type."""
        rng = self.rng
        if rng.happens_in(5, 8):
            return key
        return self.draw_key(self.kind if rng.happens_in(5, 6) else rng.choose_one(KINDS))

    def draw_words(self, form: str, key: str) -> Words:
        """Return a command with drawn arguments in place of the placeholders.

        The placeholder `k` nearly always stands for `key`.
        """
        rng = self.rng
        name, *rest = form.split()
        words = [name]
        for word in rest:
            if word == "k":
                words.append(key if rng.happens_in(7, 8) else self.draw_key(self.kind))
            elif word == "j":
                words.append(self.draw_key(self.kind))
            elif word == "x":
                words.append(self.draw_key(rng.choose_one(KINDS)))
            elif word == "L" or (word == "v" and self.kind == "t" and rng.happens_in(1, 16)):
                words.append(LARGE_TEXT + rng.choose_one("ab"))
            elif word in ARGUMENTS:
                words.append(rng.choose_one(ARGUMENTS[word]))
            else:
                words.append(word)
        return tuple(words)

    def draw_key(self, kind: str) -> str:
        """Draw a key for values of a type. Some are shared by all regions."""
        rng = self.rng
        owner = 0 if kind in SHARED and rng.happens_in(1, 8) else self.number
        return edge_key(self.at // PERIOD_NS, owner, kind, rng.integer_below(KEYS if owner else 1))


def edge_key(period: int, owner: int, kind: str, index: int) -> str:
    """Return a key. `owner` is the number of the region that uses it, or 0 if it is shared."""
    return f"{FAMILY}:{period}.{owner}{kind}{index}"


def all_keys(number: int, period: int) -> list[str]:
    """Return all keys of a period that a region uses."""
    own = [edge_key(period, number, kind, index) for kind in KINDS for index in range(KEYS)]
    return own + [edge_key(period, 0, kind, 0) for kind in SHARED]
