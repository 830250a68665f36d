"""The steps of sessions: read, watch, wait, scan, try, and move between regions.

Each region has some sessions of its own; each does one thing only. One session in the whole world
*roams*: it moves to another region now and then and carries its vector along (see `session`).

A session of a region has the number `10 * region + slot`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sim.engine.events import MS, SECOND
from sim.engine.rng import Dice
from sim.nodes.session import CURSOR, LEAVE
from sim.schedule.step import Step, Words
from sim.schedule.writes import FIELDS, LARGE, THIRDS, TYPE_OF, Load, key_name

READER, WITNESS, WATCHER, SCANNER, WAITER = range(5)
WAITERS: Final = 3
ROAMER: Final = 1000
STAY_MAX: Final = 12  # requests of the roaming session in one region

# What a session asks of a key by its type.
QUESTIONS: Final[dict[str, tuple[Words, ...]]] = {
    "string": (("GET",), ("GET",), ("STRLEN",)),
    "set": (("SMEMBERS",), ("SMEMBERS",), ("SCARD",), ("SISMEMBER", "name")),
    "hash": (("HGETALL",), ("HGETALL",), ("HLEN",), ("HGET", "name")),
    "sorted set": (("ZRANGE", "0", "-1", "WITHSCORES"), ("ZCARD",), ("ZSCORE", "name")),
    "list": (("LRANGE", "0", "-1"), ("LRANGE", "0", "-1"), ("LLEN",)),
}
OF_ALL: Final[tuple[Words, ...]] = (("EXISTS",), ("TYPE",), ("PTTL",), ("PEXPIRETIME",))
EMPTIED: Final = {"queue": ("BLPOP", "BRPOP", "BLMOVE"), "ranks": ("BZPOPMIN",)}
SCANNED: Final = {"set": "SSCAN", "hash": "HSCAN", "sorted set": "ZSCAN"}
COUNTS: Final = ("1", "3", "10", "100")


class Reader:
    """The sessions of one region, or the one that roams."""

    def __init__(self, dice: Dice, load: Load, regions: Sequence[str], number: int) -> None:
        self.dice = dice
        self.load = load
        self.regions = tuple(regions)
        self.number = number
        self.count = 0
        self.families = tuple(name for name in load.families if name != "pair")
        self.mean = SECOND * 100 // max(1, load.requests * load.writes_per_second)

    def times(self, mean: int, end: int) -> Iterator[int]:
        """Moments until `end`, `mean` ns apart on average."""
        at = self.dice.exponential(mean)
        while at < end:
            yield at
            at += 1 + self.dice.exponential(mean)

    def step(self, at: int, slot: int, *commands: Words) -> Step:
        """A request of one of the region's sessions."""
        return Step(
            at, "client", self.regions[:1], value=10 * self.number + slot, commands=commands
        )

    def key(self, family: str, at: int) -> str:
        """A key that is written to at that time."""
        return key_name(family, at, self.dice.below(self.load.keys))

    def unique(self) -> str:
        """A name that is used once in the whole run."""
        self.count += 1
        return f"u{self.number}{self.dice.name[-1]}.{self.count}"

    # -- what sessions do ------------------------------------------------------------------

    def read(self, end: int) -> Iterator[Step]:
        """Ask for values, and for both keys of a pair at once."""
        dice = self.dice
        for at in self.times(3 * self.mean, end):
            if "pair" in self.load.families and dice.chance(1, 4):
                yield self.step(at, READER, *self.ask_for_pair(at))
            elif dice.chance(1, 8):
                key = key_name("once", at, dice.below(self.load.keys))
                yield self.step(at, READER, ("SETNX", key, self.unique()))
            else:
                family = dice.pick(self.families)
                yield self.step(at, READER, self.ask(family, self.key(family, at)))

    def ask(self, family: str, key: str) -> Words:
        """A question about a key of a family."""
        kind = TYPE_OF.get(family) or self.dice.pick(tuple(QUESTIONS))
        questions = OF_ALL if self.dice.chance(1, 4) else QUESTIONS[kind]
        name, *rest = self.dice.pick(questions)
        some = f"f{self.dice.below(FIELDS)}" if family in {"free", "field", "score"} else "t0"
        return (name, key, *(some if word == "name" else word for word in rest))

    def ask_for_pair(self, at: int) -> tuple[Words, ...]:
        """The same question about both keys of a pair, in a transaction or in one go."""
        number = self.dice.below(self.load.keys)
        name = {0: "SMEMBERS", 1: "GET", 2: "GET"}[number % 3]
        keys = (key_name("pair", at, number), key_name("twin", at, number))
        both = ((name, keys[0]), (name, keys[1]))
        return (("MULTI",), *both, ("EXEC",)) if self.dice.chance(1, 2) else both

    def witness(self, end: int) -> Iterator[Step]:
        """Add to sets that only grow, and read them."""
        for at in self.times(4 * self.mean, end):
            yield self.step(at, WITNESS, self.grow_or_look(at))

    def grow_or_look(self, at: int) -> Words:
        key = self.key("all", at)
        return ("SADD", key, self.unique()) if self.dice.chance(1, 3) else ("SMEMBERS", key)

    def watch(self, end: int) -> Iterator[Step]:
        """Watch a key, and change something a while later unless it has changed."""
        dice = self.dice
        for at in self.times(8 * self.mean, end):
            later = at + dice.exponential(500 * MS)
            family = dice.pick(self.families)
            key = self.key(family, at)
            watch: Words = ("WATCH", key, key) if dice.chance(1, 4) else ("WATCH", key)
            ends = ("PEXPIRE", key, str(dice.between(1, 900)))
            may_end = family not in THIRDS and self.load.expiry and dice.chance(1, 4)
            begin = (*((ends,) if may_end else ()), watch, ("EXISTS", key))
            name = self.unique()
            if dice.chance(1, 8):  # all at once, and the change is its own
                key = key_name("all", at, 0)
                change = ("SADD", key, name)
                ask = ("EXISTS", key)
                yield self.step(at, WATCHER, ("WATCH", key), change, ("MULTI",), ask, ("EXEC",))
                continue
            if dice.chance(1, 2):  # what is queued is carried out in another request
                queued: tuple[Words, ...] = (("SADD", key_name("set", at, 0), name),)
                queued = (*queued, dice.pick((("EXISTS", key), ("ECHO", name))))
                yield self.step(at, WATCHER, *begin, ("MULTI",), *queued)
                if later < end:
                    yield self.step(later, WATCHER, ("EXEC",))
                continue
            yield self.step(at, WATCHER, *begin)
            if later < end:
                change = ("SADD", key_name("all", at, 0), name) if dice.chance(2, 3) else ()
                queue = (change,) if change else ()
                yield self.step(later, WATCHER, ("MULTI",), *queue, ("EXISTS", key), ("EXEC",))

    def wait(self, session: int, end: int) -> Iterator[Step]:
        """Wait for elements of queues."""
        dice = self.dice
        emptied = [name for name in EMPTIED if name in self.load.families]
        for at in self.times(12 * self.mean, end) if emptied else ():
            family = dice.pick(emptied)
            name = dice.pick(EMPTIED[family])
            keys = tuple(dict.fromkeys((self.key(family, at), self.key(family, at))))
            seconds = dice.pick(("0.3", "1", "3"))
            words: Words = (name, *keys, seconds)
            if name == "BLMOVE":
                words = (name, keys[0], self.key(family, at), "LEFT", "RIGHT", seconds)
            if dice.chance(1, 8):
                words = ("WAIT", dice.pick(("1", "2")), dice.pick(("1", "100", "500")))
            yield Step(at, "client", self.regions[:1], value=session, commands=(words,))
            later = at + dice.exponential(500 * MS)
            if later < end and dice.chance(1, 4):
                yield Step(later, "client", self.regions[:1], value=session, commands=(LEAVE,))

    def scan(self, end: int) -> Iterator[Step]:
        """Walk over all keys, or over the elements of large values."""
        dice = self.dice
        large = [name for name in LARGE if name in self.load.families and TYPE_OF[name] in SCANNED]
        for at in self.times(5 * self.mean, end):
            count = ("COUNT", dice.pick(COUNTS))
            if large and dice.chance(1, 2):
                family = dice.pick(large)
                name = SCANNED[TYPE_OF[family]]
                key = key_name(family, at, 0)
                yield self.step(at, SCANNER, (name, key, CURSOR, *count))
            else:
                yield self.step(at, SCANNER, ("SCAN", CURSOR, *count))

    def roam(self, end: int) -> Iterator[Step]:
        """Do as a witness does, in one region after another."""
        dice = self.dice
        region, left = dice.pick(self.regions), 0
        for at in self.times(4 * self.mean, end):
            if not left:
                region, left = dice.pick(self.regions), dice.between(2, STAY_MAX)
            left -= 1
            commands: tuple[Words, ...] = (self.grow_or_look(at), ("CRDB.VECTOR",))
            if not left:  # it hangs up while it watches
                commands = (*commands, ("WATCH", self.key("all", at)))
            yield Step(at, "client", (region,), value=ROAMER, commands=commands)


def readers(dice: Dice, load: Load, names: Sequence[str], end: int) -> list[Iterator[Step]]:
    """Draw all steps of the sessions of all regions until `end`. Each session draws from a stream
    of its own."""
    if not load.requests:
        return []
    roamer = Reader(dice.child("roamer"), load, names, ROAMER)
    streams = [roamer.roam(end)]
    for number, name in enumerate(names, 1):
        acts = (Reader.read, Reader.witness, Reader.watch, Reader.scan)
        for slot, act in enumerate(acts):
            reader = Reader(dice.child(f"{name}/{slot}"), load, (name,), number)
            streams.append(act(reader, end))
        for slot in range(WAITER, WAITER + WAITERS):
            reader = Reader(dice.child(f"{name}/{slot}"), load, (name,), number)
            streams.append(reader.wait(10 * number + slot, end))
    return streams
