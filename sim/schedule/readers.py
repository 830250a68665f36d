"""The steps of client sessions: read, watch, block, scan, subscribe, and move between regions.

Each region has several sessions, and each session does only one of these. One session of the world
*roams*: it moves between regions and takes its vector along (see `session`). One session of each
region sends unusual commands (see `edges`), and one works off streams (see `streams`).

A session of a region has the number `10 * region + slot`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from crdt.structures.places import CURSOR_MARK
from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.session import CURSOR, LEAVE
from sim.schedule.connections import ConnectionClients
from sim.schedule.edges import EdgeClient
from sim.schedule.messages import draw_subscriber_steps
from sim.schedule.step import ScheduleStep, Words
from sim.schedule.streams import StreamClients
from sim.schedule.writes import FIELDS, LARGE, THIRDS, TYPE_OF, Load, key_name

READER, WITNESS, WATCHER, SCANNER, WAITER = range(5)
WAITERS: Final = 3
ARRIVAL: Final = WAITER + WAITERS
EDGE: Final = ARRIVAL + 1
"""The edge session of a region. The next number is that of the session that it serves."""
OPERATOR: Final = ARRIVAL
"""The session that asks a follower for its role. No session of a follower awaits arrivals."""
ROLE_NS: Final = 400 * MS
"""The average time between two requests of an operator for the role of a follower."""
EXPIRED_NS: Final = 3 * MS
"""The time after which a key has expired whose deadline was 1 ms ahead."""
ROAMER: Final = 1000
FOLLOWER: Final = 30
"""The number of the first follower, in place of a region number."""
SHORTEST_WAIT: Final = "0.0004"
"""A timeout in seconds that is less than a millisecond, and not none."""
STAY_MAX: Final = 12  # requests of the roaming session in one region

# The reading commands for a key, by its type. A command's word "name" is replaced by a name.
QUESTIONS: Final[dict[str, tuple[Words, ...]]] = {
    "string": (("GET",), ("GET",), ("STRLEN",)),
    "set": (("SMEMBERS",), ("SMEMBERS",), ("SCARD",), ("SISMEMBER", "name")),
    "hash": (("HGETALL",), ("HGETALL",), ("HLEN",), ("HGET", "name")),
    "sorted set": (("ZRANGE", "0", "-1", "WITHSCORES"), ("ZCARD",), ("ZSCORE", "name")),
    "list": (("LRANGE", "0", "-1"), ("LRANGE", "0", "-1"), ("LLEN",)),
}
DOCUMENT_QUESTIONS: Final[tuple[Words, ...]] = (("JSON.GET",), ("JSON.GET", "$..*"), ("JSON.TYPE",))
OF_ALL: Final[tuple[Words, ...]] = (("EXISTS",), ("TYPE",), ("PTTL",), ("PEXPIRETIME",))
EMPTIED: Final = {"queue": ("BLPOP", "BRPOP", "BLMOVE"), "ranks": ("BZPOPMIN",)}
SCANNED: Final = {"set": "SSCAN", "hash": "HSCAN", "sorted set": "ZSCAN"}
LATER_PAGE: Final = str(CURSOR_MARK)
"""The cursor of a later page that begins at the first place of a scan's order."""
TYPES: Final = ("string", "set", "hash", "zset", "list")
PATTERNS: Final = ("*", "u*", "*1", "u?.*[0-4]", "[^a-u]*", "*:*", "\\u1*", "edge:*t?", "a*:0.[01]")
"""Patterns, some of which fit the names of keys and others those of elements."""
COUNTS: Final = ("1", "3", "10", "100")


class ReaderClients:
    """Draws the steps of the sessions of one region, or of the roaming session."""

    def __init__(self, rng: SeededRandom, load: Load, regions: Sequence[str], number: int) -> None:
        self.rng = rng
        self.load = load
        self.regions = tuple(regions)
        self.number = number
        self.count = 0
        self.families = tuple(name for name in load.families if name != "pair")
        self.mean = SECOND * 100 // max(1, load.requests * load.writes_per_second)

    def draw_times(self, mean: int, end: int) -> Iterator[int]:
        """Yield random times until `end`, `mean` ns apart on average."""
        at = self.rng.exponential(mean)
        while at < end:
            yield at
            at += 1 + self.rng.exponential(mean)

    def make_step(self, at: int, slot: int, *commands: Words) -> ScheduleStep:
        """Return a step in which the session `slot` of the region sends commands."""
        return ScheduleStep(
            at, "client", self.regions[:1], value=10 * self.number + slot, commands=commands
        )

    def draw_key(self, family: str, at: int) -> str:
        """Draw a key of `family` that is in use at the time `at`."""
        return key_name(family, at, self.rng.integer_below(self.load.keys))

    def unique_name(self) -> str:
        """Return a name that is used once in the run."""
        self.count += 1
        return f"u{self.number}{self.rng.name[-1]}.{self.count}"

    # -- what sessions do ------------------------------------------------------------------

    def read_values(self, end: int) -> Iterator[ScheduleStep]:
        """Yield steps that read values, read both keys of a pair, or try SETNX."""
        rng = self.rng
        for at in self.draw_times(3 * self.mean, end):
            if "pair" in self.load.families and rng.happens_in(1, 4):
                yield self.make_step(at, READER, *self.draw_pair_query(at))
            elif rng.happens_in(1, 8):
                key = key_name("once", at, rng.integer_below(self.load.keys))
                yield self.make_step(at, READER, ("SETNX", key, self.unique_name()))
            else:
                family = rng.choose_one(self.families)
                yield self.make_step(at, READER, self.draw_query(family, self.draw_key(family, at)))

    def draw_query(self, family: str, key: str) -> Words:
        """Draw a reading command for a key of a family."""
        kind = TYPE_OF.get(family) or self.rng.choose_one(tuple(QUESTIONS))
        questions = QUESTIONS.get(kind, DOCUMENT_QUESTIONS)
        questions = OF_ALL if self.rng.happens_in(1, 4) else questions
        name, *rest = self.rng.choose_one(questions)
        some = (
            f"f{self.rng.integer_below(FIELDS)}" if family in {"free", "field", "score"} else "t0"
        )
        return (name, key, *(some if word == "name" else word for word in rest))

    def draw_pair_query(self, at: int) -> tuple[Words, ...]:
        """Draw the same query of both keys of a pair, in a transaction or in one request."""
        number = self.rng.integer_below(self.load.keys)
        name = {0: "SMEMBERS", 1: "GET", 2: "GET"}[number % 3]
        keys = (key_name("pair", at, number), key_name("twin", at, number))
        both = ((name, keys[0]), (name, keys[1]))
        return (("MULTI",), *both, ("EXEC",)) if self.rng.happens_in(1, 2) else both

    def read_growing_sets(self, end: int) -> Iterator[ScheduleStep]:
        """Yield steps that add to grow-only sets, and read them."""
        for at in self.draw_times(4 * self.mean, end):
            yield self.make_step(at, WITNESS, self.draw_growing_set_command(at))

    def draw_growing_set_command(self, at: int) -> Words:
        key = self.draw_key("all", at)
        return ("SADD", key, self.unique_name()) if self.rng.happens_in(1, 3) else ("SMEMBERS", key)

    def watch_keys(self, end: int) -> Iterator[ScheduleStep]:
        """Yield steps that watch one key or two, and later run a transaction that depends on it."""
        rng = self.rng
        for at in self.draw_times(8 * self.mean, end):
            later = at + rng.exponential(500 * MS)
            family = rng.choose_one(self.families)
            key = self.draw_key(family, at)
            watch: Words = ("WATCH", key)
            if rng.happens_in(1, 4):
                watch = ("WATCH", self.draw_key(rng.choose_one(self.families), at), key, key)
            ends = ("PEXPIRE", key, str(rng.integer_between(1, 900)))
            may_end = family not in THIRDS and self.load.expiry > 0 and rng.happens_in(1, 4)
            begin = (*((ends,) if may_end else ()), watch, ("EXISTS", key))
            name = self.unique_name()
            if (self.load.flushes and rng.happens_in(1, 8)) or (may_end and rng.happens_in(1, 2)):
                steps = self.watch_vanishing_key(at, key, expires=may_end)
                yield from (step for step in steps if step.at < end)
                continue
            if rng.happens_in(1, 8):  # one request that changes its watched key itself
                key = key_name("all", at, 0)
                change = ("SADD", key, name)
                ask = ("EXISTS", key)
                yield self.make_step(
                    at, WATCHER, ("WATCH", key), change, ("MULTI",), ask, ("EXEC",)
                )
                continue
            if rng.happens_in(1, 2):  # EXEC is sent in a later request than the queued commands
                queued: tuple[Words, ...] = (("SADD", key_name("set", at, 0), name),)
                queued = (*queued, rng.choose_one((("EXISTS", key), ("ECHO", name))))
                yield self.make_step(at, WATCHER, *begin, ("MULTI",), *queued)
                if later < end:
                    yield self.make_step(later, WATCHER, ("EXEC",))
                continue
            yield self.make_step(at, WATCHER, *begin)
            if later < end:
                change = ("SADD", key_name("all", at, 0), name) if rng.happens_in(2, 3) else ()
                queue = (change,) if change else ()
                yield self.make_step(later, WATCHER, ("MULTI",), *queue, ("EXISTS", key), ("EXEC",))

    def watch_vanishing_key(self, at: int, key: str, *, expires: bool) -> Iterator[ScheduleStep]:
        """Yield steps that watch a key that has just expired and is not yet deleted, or one that is
        then flushed. Only in the second case must the transaction fail."""
        watch = (("WATCH", key), ("EXISTS", key))
        if expires:
            yield self.make_step(at, WATCHER, ("PEXPIRE", key, "1"))
            yield self.make_step(at + EXPIRED_NS, WATCHER, *watch)
        else:
            yield self.make_step(at, WATCHER, *watch)
            yield self.make_step(at + EXPIRED_NS, READER, ("FLUSHALL",))
        later = at + EXPIRED_NS + self.rng.exponential(SECOND)
        yield self.make_step(later, WATCHER, ("MULTI",), ("EXISTS", key), ("EXEC",))

    def watch_copied_keys(self, end: int) -> Iterator[ScheduleStep]:
        """Yield steps that watch a key of a follower, and later run a transaction that reads it."""
        for at in self.draw_times(8 * self.mean, end):
            key = self.draw_key(self.rng.choose_one(self.families), at)
            yield self.make_step(at, WATCHER, ("WATCH", key), ("EXISTS", key))
            later = at + self.rng.exponential(SECOND)
            if later < end:
                yield self.make_step(later, WATCHER, ("MULTI",), ("EXISTS", key), ("EXEC",))

    def ask_for_role(self, end: int) -> Iterator[ScheduleStep]:
        """Yield steps that ask for the role of a follower."""
        for at in self.draw_times(ROLE_NS, end):
            yield self.make_step(at, OPERATOR, ("ROLE",))

    def wait_for_elements(self, session: int, end: int) -> Iterator[ScheduleStep]:
        """Yield steps that block for elements of queues, or run WAIT."""
        rng = self.rng
        emptied = [name for name in EMPTIED if name in self.load.families]
        for at in self.draw_times(12 * self.mean, end) if emptied else ():
            family = rng.choose_one(emptied)
            name = rng.choose_one(EMPTIED[family])
            keys = tuple(dict.fromkeys((self.draw_key(family, at), self.draw_key(family, at))))
            seconds = rng.choose_one(("0.3", "1", "3", SHORTEST_WAIT))
            words: Words = (name, *keys, seconds)
            if name == "BLMOVE":
                words = (name, keys[0], self.draw_key(family, at), "LEFT", "RIGHT", seconds)
            if rng.happens_in(1, 8):
                words = ("WAIT", rng.choose_one(("1", "2")), rng.choose_one(("1", "100", "500")))
            yield ScheduleStep(at, "client", self.regions[:1], value=session, commands=(words,))
            later = at + rng.exponential(500 * MS)
            if later < end and rng.happens_in(1, 4):
                yield ScheduleStep(
                    later, "client", self.regions[:1], value=session, commands=(LEAVE,)
                )

    def wait_for_arrival(
        self, end: int, others: Sequence[tuple[int, str]] = ()
    ) -> Iterator[ScheduleStep]:
        """Yield steps that wait until all writes have arrived, or enough regions have the last.

        Often one of the `others`, regions with their numbers, gets a write just before.
        """
        last = 0
        for drawn in self.draw_times(10 * self.mean, end):
            at = max(drawn, last)
            ms = self.rng.choose_one(("100", "1000"))
            acknowledged: Words = ("WAIT", self.rng.choose_one(("1", "2")), ms)
            words = self.rng.choose_one((("CRDB.SETTLE", ms), acknowledged))
            if others and words is not acknowledged and self.rng.happens_in(2, 3):
                yield self.write_elsewhere(at, others)
                at += self.rng.integer_below(20 * MS)
            last = at
            yield self.make_step(at, ARRIVAL, words)

    def write_elsewhere(self, at: int, others: Sequence[tuple[int, str]]) -> ScheduleStep:
        """Return a step that adds to a grow-only set in another region."""
        number, region = self.rng.choose_one(others)
        change: Words = ("SADD", self.draw_key("all", at), self.unique_name())
        return ScheduleStep(
            at, "client", (region,), value=10 * number + WITNESS, commands=(change,)
        )

    def scan_keys(self, end: int) -> Iterator[ScheduleStep]:
        """Yield steps that scan all keys, or the elements of large values.

        Some continue a scan that began when the value was large. Then also a small value gets an
        order, which has to divide as the value grows.
        """
        rng = self.rng
        large = [name for name in LARGE if name in self.load.families and TYPE_OF[name] in SCANNED]
        for at in self.draw_times(5 * self.mean, end):
            options = self.draw_scan_options()
            if large and rng.happens_in(1, 2):
                family = rng.choose_one(large)
                name = SCANNED[TYPE_OF[family]]
                key = key_name(family, at, 0)
                cursor = LATER_PAGE if rng.happens_in(1, 4) else CURSOR
                yield self.make_step(at, SCANNER, (name, key, cursor, *options))
            elif rng.happens_in(1, 6):
                yield self.make_step(at, SCANNER, self.draw_key_query())
            else:
                types = ("TYPE", rng.choose_one(TYPES)) if rng.happens_in(1, 8) else ()
                yield self.make_step(at, SCANNER, ("SCAN", CURSOR, *options, *types))

    def draw_scan_options(self) -> Words:
        """Draw the size of a page, and now and then a pattern."""
        rng = self.rng
        count = ("COUNT", rng.choose_one(COUNTS)) if rng.happens_in(7, 8) else ()
        matched = ("MATCH", rng.choose_one(PATTERNS)) if rng.happens_in(1, 6) else ()
        return (*matched, *count)

    def draw_key_query(self) -> Words:
        """Draw a question about all keys."""
        name = self.rng.choose_one(("KEYS", "DBSIZE", "RANDOMKEY"))
        return (name, self.rng.choose_one(PATTERNS)) if name == "KEYS" else (name,)

    def move_between_regions(self, end: int) -> Iterator[ScheduleStep]:
        """Yield the steps of the roaming session: grow-only sets, in one region after another."""
        rng = self.rng
        region, left = rng.choose_one(self.regions), 0
        for at in self.draw_times(4 * self.mean, end):
            if not left:
                region, left = rng.choose_one(self.regions), rng.integer_between(2, STAY_MAX)
            left -= 1
            commands: tuple[Words, ...] = (self.draw_growing_set_command(at), ("CRDB.VECTOR",))
            if not left:  # the session leaves this region while it watches a key
                commands = (*commands, ("WATCH", self.draw_key("all", at)))
            yield ScheduleStep(at, "client", (region,), value=ROAMER, commands=commands)


def draw_reader_steps(
    rng: SeededRandom, load: Load, names: Sequence[str], end: int
) -> list[Iterator[ScheduleStep]]:
    """Draw all steps of the sessions of all regions until `end`, one iterator per session.

    Each session has its own random stream.
    """
    if not load.requests:
        return []
    roamer = ReaderClients(rng.substream("roamer"), load, names, ROAMER)
    streams = [roamer.move_between_regions(end)]
    for number, name in enumerate(names, 1):
        acts = (
            ReaderClients.read_values,
            ReaderClients.read_growing_sets,
            ReaderClients.watch_keys,
            ReaderClients.scan_keys,
        )
        for slot, act in enumerate(acts):
            reader = ReaderClients(rng.substream(f"{name}/{slot}"), load, (name,), number)
            streams.append(act(reader, end))
        for slot in range(WAITER, WAITER + WAITERS):
            reader = ReaderClients(rng.substream(f"{name}/{slot}"), load, (name,), number)
            streams.append(reader.wait_for_elements(10 * number + slot, end))
        arrival = ReaderClients(rng.substream(f"{name}/{ARRIVAL}"), load, (name,), number)
        others = [each for each in enumerate(names, 1) if each[1] != name]
        streams.append(arrival.wait_for_arrival(end, others))
        client = EdgeClient(
            rng.substream(f"{name}/{EDGE}"), load, name, session=10 * number + EDGE, number=number
        )
        streams.append(client.draw_steps(end))
        connections = ConnectionClients(rng.substream(f"{name}/connections"), load, name, number)
        streams.append(connections.draw_steps(end))
        streams += draw_receiver_steps(rng, load, name, number, end)
    return streams


def draw_receiver_steps(
    rng: SeededRandom, load: Load, name: str, number: int, end: int
) -> Iterator[Iterator[ScheduleStep]]:
    """Yield the steps of the session of a region that works off streams, and of its subscribers."""
    if "stream" in load.families:
        stream = rng.substream(f"{name}/stream")
        yield StreamClients(stream, name, number, load.writes_per_second).draw_steps(end)
    for slot in range(2) if "news" in load.families else ():
        subscriber = rng.substream(f"{name}/subscriber/{slot}")
        yield draw_subscriber_steps(subscriber, name, number, slot, end)


def draw_follower_reader_steps(
    rng: SeededRandom, load: Load, names: Sequence[str], end: int
) -> list[Iterator[ScheduleStep]]:
    """Draw all steps of the sessions that read, scan and watch followers until `end`."""
    streams: list[Iterator[ScheduleStep]] = []
    acts = (
        ReaderClients.read_values,
        ReaderClients.scan_keys,
        ReaderClients.watch_copied_keys,
        ReaderClients.ask_for_role,
    )
    for number, name in enumerate(names, FOLLOWER) if load.requests else ():
        for slot, act in enumerate(acts):
            reader = ReaderClients(rng.substream(f"{name}/{slot}"), load, (name,), number)
            streams.append(act(reader, end))
    return streams
