"""The cases of `bench/stalls.py`: what may keep other clients of a server waiting.

A case is a generator. It prepares the data, yields, and then does what is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import cast

import attrs

from driver import Driver, request
from places import SETTLE_MS, Place, additions, sets

Run = Callable[[Place], Iterator[None]]

MANY_WORDS = 10_000
PIPELINE = 16
EXPIRE_SECONDS = 2.0


@attrs.frozen
class Case:
    """A case with its name, and the longest wait in ms that is acceptable."""

    name: str
    run: Run
    is_for_redis: bool
    bar_ms: float


CASES: dict[str, Case] = {}


def case(*, is_for_redis: bool = True, bar_ms: float = 10.0) -> Callable[[Run], Run]:
    """Register the function as the case of its name."""

    def register(run: Run) -> Run:
        name = run.__name__.replace("_", "-")
        CASES[name] = Case(name, run, is_for_redis, bar_ms)
        return run

    return register


@case()
def nothing(_place: Place) -> Iterator[None]:
    """Do nothing: the longest wait is what the machine itself causes."""
    yield
    time.sleep(2)


@case()
def fill(place: Place) -> Iterator[None]:
    """Write all keys in pipelines: the table of keys grows, and memory is allocated."""
    yield
    place.fill()


@case()
def read_all_keys(place: Place) -> Iterator[None]:
    """Execute the commands that look at all keys, or at their number."""
    place.fill()
    yield
    for words in (
        ["KEYS", "nomatch*"],
        ["DBSIZE"],
        ["RANDOMKEY"],
        ["INFO"],
    ):
        place.driver.ask(*words)
    place.here.client().scan(0)


@case(is_for_redis=False)
def digest(place: Place) -> Iterator[None]:
    """Compute the digest of all keys."""
    place.fill()
    yield
    place.driver.ask("CRDB.DIGEST")


@case()
def del_keys(place: Place) -> Iterator[None]:
    """Delete many keys with one command."""
    keys = place.keys("d")
    yield
    place.driver.ask("DEL", *keys)


@case()
def expire_keys(place: Place) -> Iterator[None]:
    """Give many keys a deadline, and wait until it is over."""
    keys = place.keys("e")
    yield
    milliseconds = str(int(EXPIRE_SECONDS * 1_000))
    place.driver.load(request("PEXPIRE", key, milliseconds) for key in keys)
    time.sleep(EXPIRE_SECONDS + 1)


@case()
def multi(place: Place) -> Iterator[None]:
    """Execute a transaction of many writes."""
    yield
    place.driver.ask("MULTI")
    place.driver.load(sets("t", place.sizes.batch))
    place.driver.ask_raw(request("EXEC"), lines_per_item=1)


@case()
def garbage(place: Place) -> Iterator[None]:
    """Count and delete many keys, so that their remains are collected."""
    yield
    names = [f"g{number:08d}" for number in range(place.sizes.batch)]
    place.driver.load(request(*words) for key in names for words in (("INCR", key), ("DEL", key)))
    if place.there is not None:
        place.here.tidy()


@case()
def set_large_value(place: Place) -> Iterator[None]:
    """Write one very large string, read it, and delete it."""
    value = request("SET", "large:string", "x" * place.sizes.value_bytes)
    yield
    place.driver.ask_raw(value)
    place.settle()
    place.driver.ask("GET", "large:string")
    place.driver.ask("DEL", "large:string")


@case()
def zset_rank(place: Place) -> Iterator[None]:
    """Ask for the order of a sorted set, write to it, and ask again."""
    key = place.collection("zset")
    yield
    place.driver.ask("ZRANK", key, "m00000001")
    place.driver.load(additions("zset", key, 0, place.sizes.elements // 5), 20)
    place.driver.ask("ZRANK", key, "m00000001")
    place.driver.ask("ZRANGE", key, "1000", "1010")


@case()
def zset_remove_range(place: Place) -> Iterator[None]:
    """Remove a hundredth of a sorted set by rank."""
    key = place.collection("zset")
    yield
    place.driver.ask("ZREMRANGEBYRANK", key, "0", str(place.sizes.elements // 100))


@case(bar_ms=20.0)
def zset_read(place: Place) -> Iterator[None]:
    """Read all members of a sorted set."""
    key = place.collection("zset")
    yield
    place.driver.ask("ZRANGE", key, "0", "-1")


@case()
def zset_store(place: Place) -> Iterator[None]:
    """Write a sorted set again under another name."""
    key = place.collection("zset")
    yield
    place.driver.ask("ZUNIONSTORE", "other:zset", "1", key)
    place.settle()
    place.driver.ask("UNLINK", "other:zset")


@case()
def del_zset(place: Place) -> Iterator[None]:
    """Delete a sorted set."""
    key = place.collection("zset")
    yield
    place.driver.ask("DEL", key)


@case(bar_ms=20.0)
def set_read(place: Place) -> Iterator[None]:
    """Read all members of a set."""
    key = place.collection("set")
    yield
    place.driver.ask("SMEMBERS", key)


@case()
def set_sample(place: Place) -> Iterator[None]:
    """Draw and scan members of a set."""
    key = place.collection("set")
    yield
    place.driver.ask("SRANDMEMBER", key)
    place.driver.ask("SPOP", key)
    place.here.client().sscan(key)


@case()
def set_store(place: Place) -> Iterator[None]:
    """Write a set again under another name."""
    key = place.collection("set")
    yield
    place.driver.ask("SUNIONSTORE", "other:set", key)
    place.settle()
    place.driver.ask("UNLINK", "other:set")


@case()
def copy_set(place: Place) -> Iterator[None]:
    """Copy a set, and rename the copy."""
    key = place.collection("set")
    yield
    place.driver.ask("COPY", key, "copy:set")
    place.settle()
    place.driver.ask("RENAME", "copy:set", "renamed:set")
    place.settle()
    place.driver.ask("UNLINK", "renamed:set")


@case()
def del_set(place: Place) -> Iterator[None]:
    """Delete a set."""
    key = place.collection("set")
    yield
    place.driver.ask("DEL", key)


@case(bar_ms=20.0)
def hash_read(place: Place) -> Iterator[None]:
    """Read all fields of a hash."""
    key = place.collection("hash")
    yield
    place.driver.ask("HGETALL", key)


@case()
def hash_sample(place: Place) -> Iterator[None]:
    """Draw and scan fields of a hash."""
    key = place.collection("hash")
    yield
    place.driver.ask("HRANDFIELD", key)
    place.here.client().hscan(key)


@case()
def del_hash(place: Place) -> Iterator[None]:
    """Delete a hash."""
    key = place.collection("hash")
    yield
    place.driver.ask("DEL", key)


@case(bar_ms=20.0)
def list_read(place: Place) -> Iterator[None]:
    """Read all elements of a list."""
    key = place.collection("list")
    yield
    place.driver.ask("LRANGE", key, "0", "-1")


@case()
def list_insert(place: Place) -> Iterator[None]:
    """Insert near the head and in the middle of a list, in pipelines."""
    key = place.collection("list")
    yield
    for near in (10, place.sizes.elements // 2):
        insert = request("LINSERT", key, "BEFORE", f"e{near:08d}", "inserted")
        place.driver.load(insert for _ in range(PIPELINE))


@case()
def list_search(place: Place) -> Iterator[None]:
    """Find and remove elements in the middle of a list, and remove its tail."""
    key = place.collection("list")
    middle = f"e{place.sizes.elements // 2 + 1:08d}"
    yield
    place.driver.ask("LPOS", key, middle)
    place.driver.ask("LREM", key, "1", middle)
    place.driver.ask("LTRIM", key, "0", str(-place.sizes.elements // 100))


@case()
def del_list(place: Place) -> Iterator[None]:
    """Delete a list."""
    key = place.collection("list")
    yield
    place.driver.ask("DEL", key)


@case()
def unlink_hash(place: Place) -> Iterator[None]:
    """Delete a hash with UNLINK."""
    key = place.collection("hash")
    yield
    place.driver.ask("UNLINK", key)


def rejoin(place: Place) -> None:
    """Restore the peer's links, and wait until it has everything."""
    place.peer.client().execute_command("CRDB.LINK", "HEAL", "ALL")
    vector = cast("str", place.here.client().execute_command("CRDB.VECTOR"))
    place.peer.client().execute_command("CRDB.AWAIT", vector, SETTLE_MS)
    place.settle()


@case(is_for_redis=False)
def heal(place: Place) -> Iterator[None]:
    """Heal a cut after many new keys were written: the peer merges a snapshot."""
    place.peer.client().execute_command("CRDB.LINK", "CUT", "ALL")
    place.driver.load(sets("h", place.sizes.elements))
    yield
    rejoin(place)


@case(is_for_redis=False)
def merge_both(place: Place) -> Iterator[None]:
    """Heal a cut after both sides wrote the same keys."""
    place.peer.client().execute_command("CRDB.LINK", "CUT", "ALL")
    count = place.sizes.elements * 3 // 10
    place.driver.load(sets("b", count))
    with Driver(place.peer) as there:
        there.load(sets("b", count))
    yield
    rejoin(place)


@case()
def flushall(place: Place) -> Iterator[None]:
    """Delete all keys."""
    place.fill()
    yield
    place.driver.ask("FLUSHALL")
