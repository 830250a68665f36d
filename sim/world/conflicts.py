"""The invariant `conflicts`: rare conflicts between two regions over one key are resolved right.

In a quiet world, regions write to new keys so that each of these happens in some runs:

* A transaction of another region changes a watched key, and then writes to it again without a
  change. EXEC is refused. If nothing is changed, EXEC is not refused (`optimistic locking` judges
  both). A client that blocks for the key is served.
* A command writes a whole value (SET, COPY, RENAME, and those that store a result) while another
  region sets a deadline. The new value has no deadline (EXP-2).
* Two regions give a key values of different types. A command that removes all elements of the one
  that is shown leaves the other as it was, which is shown now (KEY-1, KEY-5).
"""

from __future__ import annotations

from typing import Final, cast

from sim.checkers.clients.commands import plain
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.client import Reply
from sim.nodes.region import SimRegion
from sim.schedule.step import Words
from sim.world.freshness import arrival_limit_ns
from sim.world.world import SimWorld

PROMISE: Final = "conflicts"
RUNS: Final = 3  # in one of so many runs this is checked
ARRIVAL_NS_MAX: Final = 2 * SECOND
CONVERGE_NS: Final = 20 * SECOND  # earlier commands can exceed a backlog; then snapshots travel
"""The greatest time limit of an arrival with which this is checked. Others cost too much time."""
SESSION: Final = 9100
CONTENT: Final = {
    "string": "SET k 10",
    "list": "RPUSH k a b a",
    "set": "SADD k a b c",
    "hash": "HSET k a 1 b 2",
    "zset": "ZADD k 1 a 2 b",
}
"""A command for each type that gives a key a value."""
READ: Final = {
    "list": "LRANGE k 0 -1",
    "set": "SMEMBERS k",
    "hash": "HGETALL k",
    "zset": "ZRANGE k 0 -1 WITHSCORES",
}
CHANGING: Final = {
    "string": ("SET k 11", "INCR k", "APPEND k x"),
    "list": ("RPUSH k new", "LPOP k", "LSET k 0 new"),
    "set": ("SADD k new", "SREM k a"),
    "hash": ("HSET k new 1", "HSET k a 2", "HDEL k a", "HINCRBY k a 1"),
    "zset": ("ZADD k 3 new", "ZADD k 3 a", "ZREM k a", "ZINCRBY k 1 a"),
}
NEUTRAL: Final = {
    "string": ("PERSIST k",),
    "list": ("PERSIST k",),
    "set": ("PERSIST k", "SADD k b", "SADD k c"),
    "hash": ("PERSIST k", "HSET k b 2"),
    "zset": ("PERSIST k", "ZADD k 2 b"),
}
"""Commands that write and change nothing, also after the changing ones."""
SERVING: Final = {
    "BLPOP k 600": ("RPUSH k x y", "LPUSH k x"),
    "BZPOPMIN k 600": ("ZADD k 1 x", "ZADD k 1 x 2 y"),
}
WHOLE: Final = {
    "string": ("SET k new", "GETSET k new", "MSET k new", "BITOP OR k j"),
    "list": ("SORT j ALPHA STORE k",),
    "set": ("SUNIONSTORE k j", "SINTERSTORE k j j"),
    "hash": (),
    "zset": ("ZUNIONSTORE k 1 j", "ZRANGESTORE k j 0 -1"),
}
"""Commands that write a whole value under `k`, some of them from `j`, besides those of COPYING."""
COPYING: Final = ("COPY j k REPLACE", "RENAME j k")
DEADLINES: Final = ("EXPIRE k 600", "PEXPIRE k 600000", "EXPIRE k 600 NX")
EMPTYING: Final = {
    "list": ("LPOP k 9", "RPOP k 9", "LTRIM k 1 0", "LMPOP 1 k LEFT COUNT 9", "LTRIM k 9 20"),
    "set": ("SPOP k 9", "SREM k a b c"),
    "hash": ("HDEL k a b",),
    "zset": (
        *("ZPOPMIN k 9", "ZPOPMAX k 9", "ZREM k a b", "ZREMRANGEBYRANK k 0 -1"),
        *("ZREMRANGEBYSCORE k -inf +inf", "ZREMRANGEBYLEX k - +", "ZMPOP 1 k MIN COUNT 9"),
    ),
}
"""Commands that remove all elements of the value that CONTENT makes."""


def check_conflicts(world: SimWorld) -> None:
    """Let regions write to the same keys, in some runs. Raises Violation."""
    rng = SeededRandom(world.seed, "conflicts")
    if len(world.sites) == 1 or arrival_limit_ns(world) > ARRIVAL_NS_MAX:
        return
    if rng.happens_in(1, RUNS) and world.converge(CONVERGE_NS):  # `liveness` reports others
        world.count_probe(PROMISE)
        probe = ConflictProbe(world, rng)
        probe.check_transaction()
        probe.check_deadline()
        probe.check_types()


class ConflictProbe:
    """Two regions that write to the same keys."""

    def __init__(self, world: SimWorld, rng: SeededRandom) -> None:
        self.world = world
        self.rng = rng
        names = list(world.sites)
        here = rng.choose_one(names)
        there = rng.choose_one([name for name in names if name != here])
        self.here: SimRegion = world.sites[here]
        self.there: SimRegion = world.sites[there]
        self.count = 0

    def unique_key(self) -> str:
        """Return a key that has not been used before."""
        self.count += 1
        return f"clash:{self.count}"

    def wait(self) -> None:
        """Let each of the two regions receive the other's writes."""
        self.world.wait_for(self.agree, 2 * arrival_limit_ns(self.world))

    def agree(self) -> bool:
        """Return whether the two regions have the same writes."""
        return self.here.replica.keyspace.vector == self.there.replica.keyspace.vector

    def run(self, site: SimRegion, *commands: Words) -> list[Reply]:
        """Run commands in a region."""
        return self.world.run_all(site.name, *commands)

    def violation(self, text: str) -> Violation:
        """Return the violation to raise."""
        return Violation(PROMISE, text)

    def delete(self, *keys: str) -> None:
        """Delete keys."""
        self.run(self.here, ("DEL", *keys))

    # -- transactions ----------------------------------------------------------------------

    def check_transaction(self) -> None:
        """Let a transaction arrive where a client watches its keys, and one blocks for another.
        Raises Violation."""
        rng, world, name = self.rng, self.world, self.there.name
        key, queue = self.unique_key(), self.unique_key()
        kind = rng.choose_one(tuple(CONTENT))
        self.run(self.here, fill(CONTENT[kind], key))
        self.wait()
        blocking = rng.choose_one(tuple(SERVING))
        world.run_session(name, SESSION, ("WATCH", key))
        world.run_session(name, SESSION + 1, fill(blocking, queue))
        change = rng.choose_one(CHANGING[kind]) if rng.happens_in(2, 3) else ""
        words = [change] if change else []
        words += [rng.choose_one(NEUTRAL[kind]) for _ in range(rng.integer_between(1, 2))]
        serving = [rng.choose_one(SERVING[blocking]), "PERSIST k"]
        commands = [fill(each, key) for each in words] + [fill(each, queue) for each in serving]
        self.run(self.here, ("MULTI",), *commands, ("EXEC",))
        self.wait()
        world.run_session(name, SESSION, ("MULTI",), ("EXEC",))
        if world.sessions.by_number[SESSION + 1].waiting is not None:
            raise self.violation(
                f"{name} has got {describe(commands)}, and a client still waits for {queue}"
            )
        world.sessions.close_session(SESSION)
        world.sessions.close_session(SESSION + 1)
        self.delete(key, queue)

    # -- deadlines -------------------------------------------------------------------------

    def check_deadline(self) -> None:
        """Write a whole value while another region sets a deadline. Raises Violation."""
        rng = self.rng
        key, other = self.unique_key(), self.unique_key()
        kind = rng.choose_one(tuple(CONTENT))
        self.run(self.here, fill(CONTENT[kind], key), fill(CONTENT[kind], other))
        self.wait()
        write = fill(rng.choose_one(WHOLE[kind] + COPYING), key, other)
        ends = fill(rng.choose_one(DEADLINES), key)
        self.run(self.here, write)
        self.run(self.there, ends)
        self.wait()
        for site in (self.here, self.there):
            (left,) = self.run(site, ("PTTL", key))
            if left != -1:
                raise self.violation(
                    f"{site.name} lets {key} expire after {left} ms, which {self.there.name} asked"
                    f" for ({' '.join(ends)}) while {self.here.name} ran {' '.join(write)}"
                )
        self.delete(key, other)

    # -- types -----------------------------------------------------------------------------

    def check_types(self) -> None:
        """Give a key values of two types, and remove the elements of one. Raises Violation."""
        rng = self.rng
        key = self.unique_key()
        kinds = list(EMPTYING)
        one = kinds.pop(rng.integer_below(len(kinds)))
        two = rng.choose_one(kinds)
        self.run(self.here, fill(CONTENT[one], key))
        self.run(self.there, fill(CONTENT[two], key))
        expected = {
            one: self.run(self.here, fill(READ[one], key))[0],
            two: self.run(self.there, fill(READ[two], key))[0],
        }
        self.wait()
        site = rng.choose_one((self.here, self.there))
        shown = self.run(site, ("TYPE", key))[0]
        if shown not in expected:
            raise self.violation(f"{site.name} shows {key} as a {shown}, not as one of {expected}")
        hidden = two if shown == one else one
        empty = fill(rng.choose_one(EMPTYING[shown]), key)
        self.run(site, empty)
        found = self.run(site, ("TYPE", key))[0]
        content = self.run(site, fill(READ[hidden], key))[0] if found == hidden else None
        if sort_reply(content) != sort_reply(expected[hidden]):
            raise self.violation(
                f"{site.name} shows {key} as a {found} after {' '.join(empty)}; it also held a"
                f" {hidden}, {plain(expected[hidden])}"
            )
        self.delete(key)


def fill(form: str, key: str, other: str = "") -> Words:
    """Return a command with its keys in place of `k` and `j`."""
    return tuple({"k": key, "j": other}.get(word, word) for word in form.split())


def describe(commands: list[Words]) -> str:
    """Return commands as text."""
    return "; ".join(" ".join(words) for words in commands)


def sort_reply(reply: Reply) -> Reply:
    """Return the items of a reply without their order."""
    return sorted(cast("list[bytes]", reply)) if isinstance(reply, list) else reply
