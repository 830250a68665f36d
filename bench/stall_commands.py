"""More cases of `bench/stalls.py`: commands whose arguments make them long."""

from __future__ import annotations

import time
from collections.abc import Iterator

from driver import Driver, request
from places import ADDING, COUNTING, WORDS, Place, additions
from stall_cases import CASES, case, rejoin

__all__ = ["CASES"]

LCS_BYTES = 11_000
PAUSE_SECONDS = 0.01


def half(place: Place) -> str:
    """Return a count of half of the elements."""
    return str(place.sizes.elements // 2)


def ask_integers(driver: Driver, *words: str) -> None:
    """Send a request whose reply is an array of integers."""
    driver.ask_raw(request(*words), lines_per_item=1)


@case()
def many_arguments(place: Place) -> Iterator[None]:
    """Create collections with one command each."""
    requests = [
        request(ADDING[kind], f"at-once:{kind}", *(w for n in range(count) for w in WORDS[kind](n)))
        for kind, count in ((kind, place.sizes.elements) for kind in WORDS)
    ]
    yield
    for each in requests:
        place.driver.ask_raw(each)
        place.settle()
    place.driver.ask("UNLINK", *(f"at-once:{kind}" for kind in WORDS))


@case()
def many_lookups(place: Place) -> Iterator[None]:
    """Look up many members, fields and keys with one command each."""
    keys = place.keys("d")
    numbers = range(place.sizes.batch)
    names, fields = [f"m{n:08d}" for n in numbers], [f"f{n:08d}" for n in numbers]
    for kind in ("set", "hash", "zset"):
        place.collection(kind)
    yield
    ask_integers(place.driver, "SMISMEMBER", "large:set", *names)
    place.driver.ask("HMGET", "large:hash", *fields)
    place.driver.ask("ZMSCORE", "large:zset", *names)
    place.driver.ask("MGET", *keys)
    place.driver.ask("EXISTS", *keys)


@case(is_for_redis=False)
def watch(place: Place) -> Iterator[None]:
    """Watch many keys, and forget them. Redis takes minutes for this."""
    keys = place.keys("d")
    yield
    place.driver.ask("WATCH", *keys)
    place.driver.ask("UNWATCH")


@case(bar_ms=20.0)
def samples(place: Place) -> Iterator[None]:
    """Draw half of the members of each collection."""
    for kind in ("set", "hash", "zset"):
        place.collection(kind)
    yield
    place.driver.ask("SRANDMEMBER", "large:set", half(place))
    place.driver.ask("SRANDMEMBER", "large:set", f"-{half(place)}")
    place.driver.ask("HRANDFIELD", "large:hash", half(place))
    place.driver.ask("ZRANDMEMBER", "large:zset", half(place))


@case(bar_ms=20.0)
def pages(place: Place) -> Iterator[None]:
    """Read each collection, and all keys, as one page."""
    for kind in ("set", "hash", "zset"):
        place.collection(kind)
    place.fill()
    yield
    client, count = place.here.client(), 2 * max(place.sizes.elements, place.sizes.keys)
    client.sscan("large:set", count=count)
    client.hscan("large:hash", count=count)
    client.zscan("large:zset", count=count)
    client.scan(0, count=count)


@case(bar_ms=20.0)
def pops(place: Place) -> Iterator[None]:
    """Pop half of the members of each collection."""
    for kind in ("set", "list", "zset"):
        place.collection(kind)
    yield
    place.driver.ask("SPOP", "large:set", half(place))
    place.driver.ask("LPOP", "large:list", half(place))
    place.driver.ask("ZPOPMIN", "large:zset", half(place))


@case()
def list_trim(place: Place) -> Iterator[None]:
    """Keep ten elements of a list."""
    key = place.collection("list")
    yield
    place.driver.ask("LTRIM", key, "-10", "-1")


@case(bar_ms=20.0)
def sort(place: Place) -> Iterator[None]:
    """Sort a set, and store it."""
    key = place.collection("set")
    yield
    place.driver.ask("SORT", key, "ALPHA")
    place.driver.ask("SORT", key, "ALPHA", "STORE", "sorted:list")
    place.settle()
    place.driver.ask("UNLINK", "sorted:list")


@case()
def zset_algebra(place: Place) -> Iterator[None]:
    """Intersect and subtract sorted sets and sets, and store ranges."""
    key, other = place.collection("zset"), place.collection("set")
    yield
    place.driver.ask("ZINTERCARD", "2", key, other)
    place.driver.ask("SINTERCARD", "2", other, other)
    for words in (
        ("ZINTERSTORE", "other:zset", "2", key, other),
        ("ZDIFFSTORE", "other:zset", "2", key, "none"),
        ("ZRANGESTORE", "other:zset", key, "0", "-1"),
    ):
        place.driver.ask(*words)
        place.settle()
    place.driver.ask("UNLINK", "other:zset")


@case()
def bits(place: Place) -> Iterator[None]:
    """Count, find and combine the bits of a very long string."""
    place.driver.ask("SETRANGE", "large:bits", str(place.sizes.value_bytes), "x")
    place.settle()
    yield
    place.driver.ask("BITCOUNT", "large:bits")
    place.driver.ask("BITPOS", "large:bits", "1")
    place.driver.ask("BITOP", "NOT", "other:bits", "large:bits")
    place.settle()
    place.driver.ask("DEL", "large:bits", "other:bits")


@case()
def lcs(place: Place) -> Iterator[None]:
    """Compare two strings of the greatest length for which that is possible."""
    for number, text in enumerate(("abcd" * (LCS_BYTES // 4), "bdac" * (LCS_BYTES // 4))):
        place.driver.ask("SET", f"text:{number}", text)
    yield
    place.driver.ask("LCS", "text:0", "text:1")
    place.driver.ask("LCS", "text:0", "text:1", "LEN")


@case()
def memory_usage(place: Place) -> Iterator[None]:
    """Measure a large collection."""
    key = place.collection("hash")
    yield
    place.driver.ask("MEMORY", "USAGE", key, "SAMPLES", "0")


def cut_and_change(place: Place, kind: str) -> str:
    """Cut the links, and let both regions change a collection of the size of the large ones.
    Return its key."""
    key = f"both:{kind}"
    place.peer.client().execute_command("CRDB.LINK", "CUT", "ALL")
    half = place.sizes.elements // 2
    place.driver.load(additions(kind, key, 0, half), 20)
    with Driver(place.peer) as there:
        there.load(additions(kind, key, half, 2 * half), 20)
    return key


def rejoin_large(place: Place, kind: str) -> Iterator[None]:
    """Heal a cut after both sides changed a collection. Then ask the peer for its size at once, and
    write to it."""
    key = cut_and_change(place, kind)
    yield
    rejoin(place)
    with Driver(place.peer) as there:
        there.ask(COUNTING[kind], key)
    place.driver.ask("UNLINK", key)


@case(is_for_redis=False)
def merge_set(place: Place) -> Iterator[None]:
    """Heal a cut after both sides changed a set."""
    return rejoin_large(place, "set")


@case(is_for_redis=False)
def merge_zset(place: Place) -> Iterator[None]:
    """Heal a cut after both sides changed a sorted set."""
    return rejoin_large(place, "zset")


@case(is_for_redis=False)
def merge_hash(place: Place) -> Iterator[None]:
    """Heal a cut after both sides changed a hash."""
    return rejoin_large(place, "hash")


@case(is_for_redis=False)
def merge_list(place: Place) -> Iterator[None]:
    """Heal a cut after both sides changed a list."""
    return rejoin_large(place, "list")


@case()
def read_early(place: Place) -> Iterator[None]:
    """Ask for the size of a set at the peer, again and again, while it is being copied."""
    key = place.collection("set")
    yield
    place.driver.ask("COPY", key, "early:set")
    if place.there is not None:
        with Driver(place.there) as there:
            while there.integer("SCARD", "early:set") < place.sizes.elements * 0.9:
                time.sleep(PAUSE_SECONDS)
    place.settle()
    place.driver.ask("UNLINK", "early:set")
