"""The commands that `bench/server.py` measures, the data that they need, and their bars.

A collection that is read has ten elements, as many as a page of a result. Ids and members are
numbers, which `redis-benchmark` draws (`__rand_int__`). JSON is not here, as Debian's redis-server
has none to compare with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Final

import attrs

from driver import request
from places import VALUE, additions
from requests_by_benchmark import KEYS

RANDOM: Final = "__rand_int__"
ELEMENTS: Final = 10
COLLECTIONS: Final = 1_000
PLACES: Final = 1_000
READ_AT_ONCE: Final = 10

ENTRIES_PER_SCRIPT: Final = 100
APPEND_SCRIPT: Final = """
for number = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  redis.call('XADD', KEYS[1], '1-' .. number, 'field', ARGV[3])
end
return 1
"""
DELIVER_SCRIPT: Final = """
redis.call('XREADGROUP', 'GROUP', 'group', 'consumer', 'STREAMS', KEYS[1], '>')
return 1
"""

GET_SCRIPT: Final = "return redis.call('GET', KEYS[1])"
LIMIT_SCRIPT: Final = """
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return used <= tonumber(ARGV[2]) and 1 or 0
"""
"""A rate limiter: it counts the calls of a time window."""
LIBRARY: Final = f"""#!lua name=bench
redis.register_function('bench_get', function(KEYS, ARGV) {GET_SCRIPT} end)
"""

Data = Callable[[int], Iterator[bytes]]
Request = tuple[str, ...]


def numbered(key: str, count: int) -> Iterator[str]:
    """Yield the names that redis-benchmark draws."""
    return (f"{key}:{number:012d}" for number in range(count))


def keys_to_expire(_requests: int) -> Iterator[bytes]:
    """Yield SETs of all keys."""
    return (request("SET", key, VALUE) for key in numbered("key", KEYS))


def to_pop(kind: str, key: str) -> Data:
    """Return what yields the requests that add an element to a collection for each request."""

    def data(requests: int) -> Iterator[bytes]:
        return additions(kind, key, 0, requests)

    return data


def small(command: str, prefix: str, element: Callable[[int], list[str]]) -> Data:
    """Return what yields the requests that make collections of ten elements."""

    def data(_requests: int) -> Iterator[bytes]:
        elements = [word for number in range(ELEMENTS) for word in element(number)]
        return (request(command, key, *elements) for key in numbered(prefix, COLLECTIONS))

    return data


def places_on_map(_requests: int) -> Iterator[bytes]:
    """Yield the requests that add places around a point."""
    for number in range(PLACES):
        longitude, latitude = 13 + number % 32 * 0.01, 38 + number // 32 * 0.01
        yield request("GEOADD", "places", f"{longitude}", f"{latitude}", f"place:{number}")


def entries(stream: str, count: int) -> Iterator[bytes]:
    """Yield the requests that append entries with the ids 1-1, 1-2 and so on. Each is a script, as
    the reply of XADD has two lines."""
    for first in range(1, count + 1, ENTRIES_PER_SCRIPT):
        last = min(first + ENTRIES_PER_SCRIPT - 1, count)
        yield request("EVAL", APPEND_SCRIPT, "1", stream, f"{first}", f"{last}", VALUE)


def page_to_read(_requests: int) -> Iterator[bytes]:
    """Yield the requests that append entries to read again and again."""
    return entries("page", 1_000)


def entries_to_read(requests: int) -> Iterator[bytes]:
    """Yield the requests that append ten entries for each request."""
    return entries("queue", READ_AT_ONCE * requests)


def entries_to_acknowledge(_requests: int) -> Iterator[bytes]:
    """Yield the requests that append entries and deliver them to a consumer."""
    yield from entries("pending", KEYS)
    yield request("EVAL", DELIVER_SCRIPT, "1", "pending")


def values_to_count(_requests: int) -> Iterator[bytes]:
    """Yield the requests that add elements to a HyperLogLog."""
    return (request("PFADD", "visitors", f"visitor:{number}") for number in range(KEYS // 10))


@attrs.frozen
class Measured:
    """A measured command: the arguments of redis-benchmark, its data, and the range of keys."""

    what: list[str]
    data: Data | None = None
    keys: int = KEYS
    cost: int = 1
    """The number of usual commands that take as much time."""
    setup: tuple[Request, ...] = ()
    """The requests that precede the data."""
    subscribers: int = 0
    """The clients that subscribe to the channel `news` meanwhile."""


def reading(*words: str, data: Data, cost: int = 2) -> Measured:
    """Return a command that reads collections of ten elements."""
    return Measured(list(words), data, COLLECTIONS, cost)


def sha1(script: str) -> str:
    """Return the name of a script."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


HASH: Final = small("HSET", "hash", lambda number: [f"f{number}", VALUE])
LIST: Final = small("RPUSH", "list", lambda number: [f"e{number}"])
SET: Final = small("SADD", "set", lambda number: [f"m{number}"])
SORTED_SET: Final = small("ZADD", "zset", lambda number: [f"{number}", f"m{number}"])
NEW_HASH: Final = [word for number in range(ELEMENTS) for word in (f"f{number}", VALUE)]
GROUP: Final = ["GROUP", "group", "consumer"]

COMMANDS: Final = {
    "GET": Measured(["-t", "get"]),
    "SET": Measured(["-t", "set"]),
    "INCR": Measured(["-t", "incr"]),
    "SADD": Measured(["-t", "sadd"]),
    "HSET": Measured(["-t", "hset"]),
    "LPUSH": Measured(["-t", "lpush"]),
    "LPOP": Measured(["-t", "lpop"], to_pop("list", "mylist")),
    "ZADD": Measured(["-t", "zadd"]),
    "MSET": Measured(["-t", "mset"], cost=5),
    "EXPIRE": Measured(["EXPIRE", f"key:{RANDOM}", "10000"], keys_to_expire),
    "SPOP": Measured(["-t", "spop"], to_pop("set", "myset")),
    "ZPOPMIN": Measured(["-t", "zpopmin"], to_pop("zset", "myzset")),
    "HGETALL": reading("HGETALL", f"hash:{RANDOM}", data=HASH),
    "HSET-10": Measured(["HSET", f"new:{RANDOM}", *NEW_HASH], cost=5),
    "LRANGE-10": reading("LRANGE", f"list:{RANDOM}", "0", "9", data=LIST),
    "SMEMBERS-10": reading("SMEMBERS", f"set:{RANDOM}", data=SET),
    "ZRANGE-10": reading("ZRANGE", f"zset:{RANDOM}", "0", "9", data=SORTED_SET),
    "SETBIT": Measured(["SETBIT", f"bits:{RANDOM}", "7", "1"]),
    "XADD": Measured(["XADD", "stream", "*", "field", VALUE], cost=2),
    "XRANGE-10": Measured(["XRANGE", "page", "-", "+", "COUNT", "10"], page_to_read, cost=4),
    "XREADGROUP-10": Measured(
        ["XREADGROUP", *GROUP, "COUNT", str(READ_AT_ONCE), "STREAMS", "queue", ">"],
        entries_to_read,
        cost=20,
        setup=(("XGROUP", "CREATE", "queue", "group", "0", "MKSTREAM"),),
    ),
    "XACK": Measured(
        ["XACK", "pending", "group", f"1-{RANDOM}"],
        entries_to_acknowledge,
        setup=(("XGROUP", "CREATE", "pending", "group", "0", "MKSTREAM"),),
    ),
    "PFADD": Measured(["PFADD", "visitors", f"visitor:{RANDOM}"]),
    "PFCOUNT": Measured(["PFCOUNT", "visitors"], values_to_count),
    "GEOADD": Measured(["GEOADD", "map", f"13.{RANDOM}", "38.115556", f"place:{RANDOM}"]),
    "GEOSEARCH": Measured(
        ["GEOSEARCH", "places", "FROMLONLAT", "13.16", "38.16", "BYRADIUS", "2", "km"],
        places_on_map,
        cost=10,
    ),
    "EVALSHA-GET": Measured(
        ["EVALSHA", sha1(GET_SCRIPT), "1", f"key:{RANDOM}"],
        cost=4,
        setup=(("SCRIPT", "LOAD", GET_SCRIPT),),
    ),
    "EVALSHA-LIMIT": Measured(
        ["EVALSHA", sha1(LIMIT_SCRIPT), "1", f"limit:{RANDOM}", "60", "100"],
        cost=5,
        setup=(("SCRIPT", "LOAD", LIMIT_SCRIPT),),
    ),
    "FCALL": Measured(
        ["FCALL", "bench_get", "1", f"key:{RANDOM}"],
        cost=4,
        setup=(("FUNCTION", "LOAD", "REPLACE", LIBRARY),),
    ),
    "PUBLISH-10": Measured(["PUBLISH", "news", VALUE], cost=10, subscribers=10),
}

# The lowest acceptable ratio of our rate to that of redis-server, by pipeline.
ROWS: Final[dict[tuple[str, ...], dict[int, float]]] = {
    ("GET",): {1: 0.88, 16: 0.82, 64: 0.78},
    ("SET", "INCR", "SADD"): {1: 0.83, 16: 0.60, 64: 0.55},
    ("HSET", "LPUSH", "LPOP"): {1: 0.80, 16: 0.52, 64: 0.45},
    ("ZADD",): {1: 0.80, 16: 0.85, 64: 0.93},
    ("MSET", "EXPIRE", "SPOP", "ZPOPMIN", "HGETALL"): {1: 0.75, 16: 0.50, 64: 0.45},
    ("HSET-10", "LRANGE-10", "SMEMBERS-10", "ZRANGE-10"): {1: 0.75, 16: 0.50, 64: 0.45},
    ("SETBIT", "PFADD", "PFCOUNT"): {1: 0.75, 16: 0.50, 64: 0.45},
    ("XADD", "XRANGE-10", "XREADGROUP-10", "XACK"): {1: 0.75, 16: 0.50, 64: 0.45},
    ("GEOADD", "GEOSEARCH"): {1: 0.75, 16: 0.50, 64: 0.45},
    ("EVALSHA-GET", "EVALSHA-LIMIT", "FCALL"): {1: 0.75, 16: 0.50, 64: 0.45},
    ("PUBLISH-10",): {1: 0.75, 16: 0.50, 64: 0.45},
}
BARS: Final = {command: bars for row, bars in ROWS.items() for command in row}
