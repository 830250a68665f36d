"""The write load: commands of all types on a few keys, drawn in advance.

Every added value is unique, so that a reader can tell which write it came from. Keys belong to
families. The commands of a family determine its invariant:

    count:    only INCRBY and DECRBY: the value is the sum of all
    word:     only SET: the last writer wins
    tag:      SADD and SREM of a few members: an add wins over a concurrent remove
    all:      only SADD: no element is ever lost
    log:      only RPUSH: no element is lost, and each region's elements keep their order
    set: hash: zset: list:    elements with names used once: a removed element does not return
    sum: field: score:        increments and resets: no increment counts twice
    queue: ranks:             elements used once, which other clients block for and move
    pair:     only transactions and scripts, which do the same to a key `twin:`: both are equal
    crowd: table: board: tape:    hundreds of elements: values that fill several blocks
    retry:    only SADD, sent twice because the first reply was lost (see `faults.connections`)
    doc: stream:              edits of JSON documents, and of streams (see `documents`, `streams`)
    sketch:   only PFADD: the estimate is near the number of different elements
    place:    only GEOADD: the last writer of each member wins, and scores are positions
    news:     only PUBLISH and SPUBLISH, which change no key (see `messages`)
    free:     all commands of all types under few names: conflicts of all kinds

Names used once begin with `u`. Each period of time writes to new keys. Some families change keys
three times per period, because their checker computes the value from all commands on a key. Each
new period deletes the keys of the period before the last, so that long runs hold no more data than
short ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import attrs

from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.schedule.any_commands import FIELDS, FOR_ALL_KEYS, change_any
from sim.schedule.documents import change_document
from sim.schedule.messages import draw_message
from sim.schedule.step import ScheduleStep, Words
from sim.schedule.streams import change_stream

PERIOD_NS: Final = 60 * SECOND
THIRDS: Final = ("count", "word", "tag", "all", "log", "sketch", "place")
LIFE: Final = 2  # periods after which keys are deleted
LARGE: Final = ("crowd", "table", "board", "tape")
MANY: Final = 40  # elements that are added to a large value by one command
TYPE_OF: Final = {
    **dict.fromkeys(("count", "word", "sum", "once"), "string"),
    **dict.fromkeys(("tag", "all", "set", "crowd"), "set"),
    **dict.fromkeys(("hash", "field", "table"), "hash"),
    **dict.fromkeys(("zset", "score", "ranks", "board"), "sorted set"),
    **dict.fromkeys(("log", "list", "queue", "tape"), "list"),
    "doc": "JSON",
    "stream": "stream",
    "sketch": "HyperLogLog",
    "place": "positions",
}
"""The type of each family's keys; those of `free` may have any."""
CONDITIONS: Final = ("NX", "XX", "GT", "LT")
CONDITION_SHARE: Final = 12
"""The number of times to live of which one is set under each condition."""
NAMES_MAX: Final = 40  # names remembered per key, which later commands can remove


@attrs.frozen
class Load:
    """The write load of a run. `families` are the families of keys that are written to."""

    writes_per_second: int = 5
    """The average number of requests per second and region, without bursts."""
    keys: int = 4
    """The number of keys in each family."""
    families: Words = (
        *("count", "word", "tag", "all", "log", "set", "hash", "zset", "list", "free"),
        *("sum", "field", "score", "queue", "ranks", "pair", *LARGE),
        *("doc", "stream", "sketch", "place", "news"),
    )
    expiry: int = 10
    """The percentage of commands that set or remove the time to live of a recent key."""
    deletes: int = 3
    """The percentage of commands that delete a recent key."""
    transactions: int = 5
    """The percentage of requests that are transactions."""
    flushes: int = 0
    """The number of requests in 10,000 that are FLUSHALL."""
    requests: int = 100
    """The number of requests per 100 writes that reading sessions make (see `readers`)."""


def key_name(family: str, at: int, number: int) -> str:
    """Return the key `number` of a family that is in use at the time `at`."""
    time = 3 * at // PERIOD_NS if family in THIRDS else at // PERIOD_NS
    return f"{family}:{time}.{number}"


class WriterClients:
    """Draws the write steps of the clients of one region."""

    def __init__(self, rng: SeededRandom, load: Load, region: str, number: int) -> None:
        self.rng = rng
        self.load = load
        self.region = region
        self.number = number
        self.at = 0
        self.count = 0
        self.recent: list[str] = []
        self.added: dict[str, list[str]] = {}
        self.alone = tuple(name for name in load.families if name != "pair")
        """The families whose commands can be sent without a transaction."""
        self.makers: dict[str, Callable[[], Words]] = {
            "count": self.change_count,
            "word": self.set_word,
            "tag": self.change_tag,
            "all": self.add_to_all,
            "log": self.push_to_log,
            "set": self.change_set,
            "hash": self.change_hash,
            "zset": self.change_zset,
            "list": self.change_list,
            "free": self.change_freely,
            "sum": self.change_sum,
            "field": self.change_field,
            "score": self.change_score,
            "queue": self.fill_queue,
            "ranks": self.fill_ranks,
            "crowd": self.change_crowd,
            "table": self.change_table,
            "board": self.change_board,
            "tape": self.change_tape,
            "doc": self.edit_document,
            "stream": self.edit_stream,
            "sketch": self.add_to_sketch,
            "place": self.move_place,
            "news": self.publish,
        }

    def draw_steps(self, begin: int, end: int) -> Iterator[ScheduleStep]:
        """Yield all steps of this region's clients from `begin` to `end`."""
        mean = SECOND // max(1, self.load.writes_per_second)
        at = begin + self.rng.exponential(mean)
        period = begin // PERIOD_NS
        while at < end:
            if at // PERIOD_NS > period:
                period = at // PERIOD_NS
                yield ScheduleStep(
                    at, "write", (self.region,), commands=self.delete_period(period - LIFE)
                )
            yield ScheduleStep(at, "write", (self.region,), commands=self.draw_request(at))
            at += 1 + self.rng.exponential(mean)

    def delete_period(self, period: int) -> tuple[Words, ...]:
        """Return the command that deletes all keys of a period."""
        self.added.clear()
        families = [*self.load.families, "once", "twin", "retry"]
        keys = [
            f"{family}:{time}.{number}"
            for family in families
            for time in (range(3 * period, 3 * period + 3) if family in THIRDS else (period,))
            for number in range(self.load.keys)
        ]
        return (("DEL", *keys),)

    def draw_request(self, at: int) -> tuple[Words, ...]:
        """Draw the commands of one request."""
        rng = self.rng
        if rng.happens_in(self.load.flushes, 10_000):
            return (("FLUSHALL",),)
        if rng.happens_in(self.load.transactions):
            inner = tuple(self.draw_command(at) for _ in range(rng.integer_between(1, 4)))
            return (("MULTI",), *inner, ("EXEC",))
        self.at = at
        if "pair" in self.load.families and rng.happens_in(1, len(self.load.families)):
            return self.change_pair()
        if "queue" in self.load.families and rng.happens_in(1, 3 * len(self.load.families)):
            key = self.draw_key("queue")
            return (("RPUSH", key, f"q{self.unique_name()}"), ("LPOP", key))
        return (self.draw_command(at),)

    def draw_command(self, at: int) -> Words:
        """Draw one command."""
        rng = self.rng
        if self.recent and rng.happens_in(self.load.expiry):
            return self.draw_expiry(rng.choose_one(self.recent))
        if self.recent and rng.happens_in(self.load.deletes):
            return ("DEL", rng.choose_one(self.recent))
        self.at = at
        return self.makers[rng.choose_one(self.alone)]()

    def draw_key(self, family: str) -> str:
        """Draw a key of a family. Keys that later commands can delete or expire are remembered."""
        key = key_name(family, self.at, self.rng.integer_below(self.load.keys))
        if family not in THIRDS and key not in self.recent:
            self.recent = [*self.recent[-8:], key]
        return key

    def unique_name(self) -> str:
        """Return a name that is used once in the run."""
        self.count += 1
        return f"u{self.number}.{self.count}"

    def add_name(self, key: str) -> str:
        """Return a unique name for a key. It is remembered, so that it can be removed later."""
        name = self.unique_name()
        self.added[key] = [*self.added.get(key, [])[-NAMES_MAX:], name]
        return name

    def draw_known_name(self, key: str) -> str:
        """Draw a name that this region, or with equal chance any region, may have added."""
        names = self.added.get(key)
        if names and self.rng.happens_in(1, 2):
            return self.rng.choose_one(names)
        return f"u{self.rng.integer_between(1, 5)}.{self.rng.integer_between(1, self.count + 1)}"

    # -- families --------------------------------------------------------------------------

    def change_count(self) -> Words:
        command = "DECRBY" if self.rng.happens_in(1, 4) else "INCRBY"
        return (command, self.draw_key("count"), str(self.rng.integer_between(1, 1000)))

    def set_word(self) -> Words:
        return ("SET", self.draw_key("word"), self.unique_name())

    def change_tag(self) -> Words:
        command = "SREM" if self.rng.happens_in(2, 5) else "SADD"
        return (command, self.draw_key("tag"), f"t{self.rng.integer_below(FIELDS)}")

    def add_to_all(self) -> Words:
        return ("SADD", self.draw_key("all"), self.unique_name())

    def push_to_log(self) -> Words:
        return ("RPUSH", self.draw_key("log"), self.unique_name())

    def change_set(self) -> Words:
        key = self.draw_key("set")
        match self.rng.integer_below(5):
            case 0 | 1:
                return ("SADD", key, self.add_name(key), self.add_name(key))
            case 2:
                return ("SPOP", key, "2")
            case _:
                return ("SREM", key, self.draw_known_name(key))

    def change_hash(self) -> Words:
        key = self.draw_key("hash")
        match self.rng.integer_below(4):
            case 0 | 1:
                return ("HSET", key, self.add_name(key), self.unique_name())
            case _:
                return ("HDEL", key, self.draw_known_name(key))

    def change_zset(self) -> Words:
        key = self.draw_key("zset")
        match self.rng.integer_below(6):
            case 0 | 1 | 2:
                return ("ZADD", key, str(self.rng.integer_below(1000)), self.add_name(key))
            case 3:
                return ("ZPOPMIN", key)
            case 4:
                return ("ZREMRANGEBYRANK", key, "-2", "-1")
            case _:
                return ("ZREM", key, self.draw_known_name(key))

    def change_list(self) -> Words:
        key = self.draw_key("list")
        match self.rng.integer_below(8):
            case 0 | 1:
                return ("RPUSH", key, self.add_name(key), self.add_name(key))
            case 2:
                return ("LPUSH", key, self.add_name(key))
            case 3:
                return ("LINSERT", key, "AFTER", self.draw_known_name(key), self.add_name(key))
            case 4:
                return ("LSET", key, str(self.rng.integer_below(4)), f"s{self.count}")
            case 5:
                return ("LREM", key, "0", self.draw_known_name(key))
            case 6:
                return ("LTRIM", key, "0", "11")
            case _:
                return (self.rng.choose_one(("LPOP", "RPOP")), key)

    def change_sum(self) -> Words:
        key, number = self.draw_key("sum"), str(self.rng.integer_between(1, 1000))
        match self.rng.integer_below(6):
            case 0:
                return ("DEL", key)
            case 1:
                return ("SET", key, number)
            case _:
                return ("INCRBY", key, number)

    def change_field(self) -> Words:
        key, number = self.draw_key("field"), str(self.rng.integer_between(1, 1000))
        field = f"f{self.rng.integer_below(2)}"
        match self.rng.integer_below(6):
            case 0:
                return ("HDEL", key, field)
            case 1:
                return ("HSET", key, field, number)
            case _:
                return ("HINCRBY", key, field, number)

    def change_score(self) -> Words:
        key, number = self.draw_key("score"), str(self.rng.integer_between(1, 1000))
        member = f"f{self.rng.integer_below(2)}"
        match self.rng.integer_below(6):
            case 0:
                return ("ZREM", key, member)
            case 1:
                return ("ZADD", key, number, member)
            case _:
                return ("ZINCRBY", key, number, member)

    def change_freely(self) -> Words:
        key, other = self.draw_key("free"), self.draw_key("free")
        self.count += 1
        return change_any(self.rng, key, other, f"v{self.number}.{self.count}")

    def edit_document(self) -> Words:
        return change_document(self.rng, self.draw_key("doc"), self.unique_name())

    def edit_stream(self) -> Words:
        return change_stream(self.rng, self.draw_key("stream"), self.unique_name())

    def add_to_sketch(self) -> Words:
        names = [self.unique_name() for _ in range(self.rng.choose_one((1, 1, MANY)))]
        return ("PFADD", self.draw_key("sketch"), f"t{self.rng.integer_below(FIELDS)}", *names)

    def move_place(self) -> Words:
        longitude, latitude = self.rng.integer_below(360), self.rng.integer_below(170)
        member = f"t{self.rng.integer_below(FIELDS)}"
        return ("GEOADD", self.draw_key("place"), f"{longitude - 180}", f"{latitude - 85}", member)

    def publish(self) -> Words:
        return draw_message(self.rng, self.unique_name())

    def fill_queue(self) -> Words:
        key, name = self.draw_key("queue"), f"q{self.unique_name()}"
        match self.rng.integer_below(6):
            case 0:
                return (self.rng.choose_one(("LPOP", "RPOP")), key)
            case 1 | 2:
                return ("RPUSH", key, name, f"q{self.unique_name()}")
            case _:
                return (self.rng.choose_one(("LPUSH", "RPUSH")), key, name)

    def fill_ranks(self) -> Words:
        return (
            "ZADD",
            self.draw_key("ranks"),
            str(self.rng.integer_below(100)),
            f"q{self.unique_name()}",
        )

    def change_pair(self) -> tuple[Words, ...]:
        """Return a transaction or a script that does the same to both keys of a pair."""
        number = self.rng.integer_below(self.load.keys)
        member, amount = f"t{self.rng.integer_below(FIELDS)}", str(self.rng.integer_between(1, 100))
        name = self.unique_name()
        changes: tuple[Words, ...] = (
            (("SADD", "", name), ("SREM", "", member), ("SADD", "", member))[
                self.rng.integer_below(3)
            ],
            ("SET", "", name),
            ("INCRBY", "", amount),
        )
        words = changes[number % 3]
        if self.rng.happens_in(1, 10):
            words = (("DEL", ""), ("PEXPIRE", "", str(300 * int(amount))))[
                self.rng.integer_below(2)
            ]
        keys = (key_name("pair", self.at, number), key_name("twin", self.at, number))
        if self.rng.happens_in(1, 3):
            return (("EVAL", FOR_ALL_KEYS, "2", *keys, words[0], *words[2:]),)
        both = [(words[0], key, *words[2:]) for key in keys]
        return (("MULTI",), *both, ("EXEC",))

    def draw_new_names(self, key: str) -> list[str]:
        """Return a random number of unique names for a key."""
        return [self.add_name(key) for _ in range(self.rng.integer_between(MANY // 4, MANY))]

    def change_crowd(self) -> Words:
        key = key_name("crowd", self.at, 0)
        match self.rng.integer_below(4):
            case 0:
                return ("SPOP", key, str(self.rng.choose_one((MANY, 4 * MANY))))
            case 1:
                return ("SREM", key, *(self.draw_known_name(key) for _ in range(4)))
            case _:
                return ("SADD", key, *self.draw_new_names(key))

    def change_table(self) -> Words:
        key = key_name("table", self.at, 0)
        match self.rng.integer_below(4):
            case 0:
                return ("HDEL", key, *(self.draw_known_name(key) for _ in range(MANY // 2)))
            case _:
                pairs = [(name, f"v{self.count}") for name in self.draw_new_names(key)]
                return ("HSET", key, *(word for pair in pairs for word in pair))

    def change_board(self) -> Words:
        key = key_name("board", self.at, 0)
        match self.rng.integer_below(4):
            case 0:
                return ("ZPOPMIN", key, str(MANY))
            case 1:
                return ("ZREM", key, *(self.draw_known_name(key) for _ in range(4)))
            case _:
                pairs = [
                    (str(self.rng.integer_below(1000)), name) for name in self.draw_new_names(key)
                ]
                return ("ZADD", key, *(word for pair in pairs for word in pair))

    def change_tape(self) -> Words:
        key = key_name("tape", self.at, 0)
        match self.rng.integer_below(10):
            case 0:
                return ("LPOP", key, str(MANY))
            case 1:
                return ("LREM", key, "0", self.draw_known_name(key))
            case 2 | 3 | 4:
                return ("LINSERT", key, "BEFORE", self.draw_known_name(key), self.add_name(key))
            case 5:
                return ("LSET", key, str(self.rng.integer_below(4 * MANY)), self.add_name(key))
            case 6:
                return ("LTRIM", key, str(self.rng.integer_below(4)), str(8 * MANY))
            case 7:
                return ("LPUSH", key, *self.draw_new_names(key))
            case _:
                return ("RPUSH", key, *self.draw_new_names(key))

    def draw_expiry(self, key: str) -> Words:
        """Draw a command that changes the time to live of a key."""
        match self.rng.integer_below(4):
            case 0:
                return ("PERSIST", key)
            case 1:
                return expire_words(key, self.rng.integer_between(1, 500))
            case _:
                return expire_words(key, self.rng.integer_between(500, 30_000))


def expire_words(key: str, ms: int) -> Words:
    """Return PEXPIRE, with a condition for some times to live."""
    condition = ms % CONDITION_SHARE
    words = ("PEXPIRE", key, str(ms))
    return (*words, CONDITIONS[condition]) if condition < len(CONDITIONS) else words


def draw_burst(writer: WriterClients, at: int, count: int) -> list[ScheduleStep]:
    """Draw a burst: `count` requests, 0.1 ms apart."""
    return [
        ScheduleStep(at + i * MS // 10, "write", (writer.region,), commands=writer.draw_request(at))
        for i in range(count)
    ]


def make_writers(rng: SeededRandom, load: Load, names: Sequence[str]) -> list[WriterClients]:
    """Return the writing clients of each region."""
    return [WriterClients(rng.substream(name), load, name, i) for i, name in enumerate(names, 1)]
