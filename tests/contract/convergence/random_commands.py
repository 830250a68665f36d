"""Random commands on lists, sorted sets and positions, for comparing with Redis. Most are sensible.

A `Source` draws from a generator that it is given. There are few keys, so commands often find the
results of earlier ones. Some keys hold another type. Scores are binary fractions, so that sums have
no rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

MEMBERS = [*map(str, range(10)), "a", "b", "A", ""]
SCORES = ["1", "2", "-3", "0.5", "2.25", "1e3", "inf", "-inf", "+inf", "0", "3", "4", "0x10"]
NO_SCORES = ["nan", "x", "", " 1", "1 ", "1e400"]
NO_LIMITS = ["(", "", "x", "1e999", "-1e999", "((1", "nan", " 1"]
COMBINED = {"ZUNION": True, "ZINTER": True, "ZDIFF": False}


class Source:
    """Draws commands."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.time = 0
        """The milliseconds of the latest id of an entry."""

    def is_rare(self, share: float = 0.03) -> bool:
        """Return whether a rare case is drawn."""
        return self.rng.random() < share

    def key(self) -> str:
        """Draw one of three keys, or rarely a key that holds a string or is missing."""
        return self.rng.choice(["string", "none"]) if self.is_rare() else self.rng.choice("xyz")

    def keys(self) -> list[str]:
        """Draw a number of keys, seldom a wrong one, and the keys."""
        chosen = [self.key() for _ in range(self.rng.randint(1, 3))]
        count = self.rng.choice(["0", "-1", "9", "x"]) if self.is_rare() else str(len(chosen))
        return [count, *chosen]

    def member(self) -> str:
        """Draw a member or an element."""
        return self.rng.choice(MEMBERS)

    def members(self) -> list[str]:
        """Draw one to three members."""
        return [self.member() for _ in range(self.rng.randint(1, 3))]

    def score(self) -> str:
        """Draw a score."""
        return self.rng.choice(NO_SCORES if self.is_rare() else SCORES)

    def index(self) -> str:
        """Draw an index or a rank, seldom an invalid one."""
        return self.rng.choice(["x", "1.5", ""]) if self.is_rare() else str(self.number(-7, 7))

    def number(self, low: int, high: int) -> int:
        """Draw an integer."""
        return self.rng.randint(low, high)

    def limit(self) -> str:
        """Draw an end of a range of scores."""
        if self.is_rare():
            return self.rng.choice(NO_LIMITS)
        return self.rng.choice(["", "("]) + self.rng.choice([*SCORES, "-inf", "+inf"])

    def name_limit(self) -> str:
        """Draw an end of a range of members."""
        if self.is_rare():
            return self.rng.choice(["x", ""])
        return self.rng.choice(["-", "+", "[" + self.member(), "(" + self.member()])

    def cut(self) -> list[str]:
        """Draw the option LIMIT."""
        return [self.word("LIMIT"), str(self.number(-1, 3)), str(self.number(-2, 4))]

    def word(self, *words: str) -> str:
        """Draw one of these words, in either case."""
        word = self.rng.choice(words)
        return word.lower() if self.is_rare(0.3) else word

    def maybe(self, *words: str, share: float = 0.3) -> list[str]:
        """Draw these words or nothing."""
        return list(words) if self.is_rare(share) else []

    def shuffled(self, options: Sequence[list[str]]) -> list[str]:
        """Draw some of these options in any order."""
        chosen = [option for option in options if self.is_rare(0.4)]
        self.rng.shuffle(chosen)
        return [word for option in chosen for word in option]


def xadd(source: Source) -> list[str]:
    """Draw XADD, nearly always with an id that is greater than all before."""
    source.time += 1
    new = f"{source.time}-{source.rng.choice('01*')}"
    if source.is_rare():
        new = source.rng.choice(["1-1", "x", str(source.time)])
    options = source.maybe("NOMKSTREAM", share=0.1)
    options += source.maybe("MAXLEN", str(source.number(0, 9)), share=0.1)
    return ["XADD", source.key(), *options, new, source.member(), source.member()]


def entry_id(source: Source) -> str:
    """Draw an id that may exist, or the milliseconds of one."""
    ms = source.number(max(0, source.time - 40), source.time)
    return f"{ms}-{source.rng.choice('01')}" if source.is_rare(0.8) else str(ms)


def entry_range(source: Source) -> list[str]:
    """Draw a range of ids."""
    start = source.rng.choice(["-", "", "("])
    stop = source.rng.choice(["+", "", "("])
    return [
        start if start == "-" else start + entry_id(source),
        stop if stop == "+" else stop + entry_id(source),
    ]


def group(source: Source) -> str:
    """Draw the name of a group."""
    return source.rng.choice("gh")


def consumer(source: Source) -> str:
    """Draw the name of a consumer."""
    return source.rng.choice(["ann", "bob"])


def xreadgroup(source: Source) -> list[str]:
    """Draw XREADGROUP, of new entries or of pending ones."""
    first = ">" if source.is_rare(0.7) else entry_id(source)
    options = [*source.maybe("COUNT", str(source.number(0, 4))), *source.maybe("NOACK", share=0.2)]
    reader = ["XREADGROUP", "GROUP", group(source), consumer(source), *options]
    return [*reader, "STREAMS", source.key(), first]


def zadd(source: Source) -> list[str]:
    """Draw ZADD with any options."""
    options = [source.word("NX", "XX", "GT", "LT", "CH") for _ in range(source.number(0, 2))]
    if source.is_rare(0.1):
        return ["ZADD", source.key(), *options, "INCR", source.score(), source.member()]
    pairs = [word for member in source.members() for word in (source.score(), member)]
    return ["ZADD", source.key(), *(options if source.is_rare(0.5) else []), *pairs]


def fill_equal(source: Source) -> list[str]:
    """Return ZADD to the key whose scores are all equal, for ranges by member."""
    return ["ZADD", "equal", *[word for m in source.members() for word in ("1", m)]]


def zrange(source: Source) -> list[str]:
    """Draw ZRANGE or ZRANGESTORE, of all three kinds."""
    kind = source.rng.choice(["", "BYSCORE", "BYLEX"])
    limit = {"": source.index, "BYSCORE": source.limit, "BYLEX": source.name_limit}[kind]
    options = source.shuffled([["REV"], source.cut(), ["WITHSCORES"]])
    key = "equal" if kind == "BYLEX" else source.key()
    command = ["ZRANGESTORE", source.key()] if source.is_rare(0.3) else ["ZRANGE"]
    return [*command, key, limit(), limit(), *source.maybe(kind, share=bool(kind)), *options]


def older_range(source: Source) -> list[str]:
    """Draw one of the commands that ZRANGE replaces."""
    name = source.rng.choice(["ZRANGEBYSCORE", "ZREVRANGEBYSCORE", "ZRANGEBYLEX", "ZREVRANGEBYLEX"])
    if name.endswith("LEX"):
        return [
            name,
            "equal",
            source.name_limit(),
            source.name_limit(),
            *source.maybe(*source.cut()),
        ]
    options = source.shuffled([["WITHSCORES"], source.cut()])
    return [name, source.key(), source.limit(), source.limit(), *options]


def counted_range(source: Source) -> list[str]:
    """Draw a count or a removal by range."""
    name = source.rng.choice(["ZCOUNT", "ZREMRANGEBYSCORE", "ZLEXCOUNT", "ZREMRANGEBYLEX"])
    if "LEX" in name:
        return [name, "equal", source.name_limit(), source.name_limit()]
    return [name, source.key(), source.limit(), source.limit()]


def combination(source: Source) -> list[str]:
    """Draw ZUNION, ZINTER or ZDIFF, stored or not, with all options; sets are among the inputs."""
    name = source.rng.choice(list(COMBINED))
    keys = source.keys()
    keys[1:] = ["set" if source.is_rare(0.2) else key for key in keys[1:]]
    weights = [source.rng.choice(["1", "2", "0.5", "-2", "inf", "0"]) for _ in keys[1:]]
    if source.is_rare():
        weights[0] = "x"
    options: list[list[str]] = []
    if COMBINED[name] or source.is_rare():
        aggregate = "most" if source.is_rare() else source.word("SUM", "MIN", "MAX")
        options = [["WEIGHTS", *weights], [source.word("AGGREGATE"), aggregate]]
    if source.is_rare(0.3):
        return [name + "STORE", source.key(), *keys, *source.shuffled(options)]
    return [name, *keys, *source.shuffled([*options, ["WITHSCORES"]])]


def count(source: Source) -> list[str]:
    """Draw the option COUNT of pops."""
    return source.maybe(source.word("COUNT"), str(source.number(0, 3)))


def lpos(source: Source) -> list[str]:
    """Draw LPOS with any options."""
    options = [
        ["RANK", str(source.number(-3, 3))],
        ["COUNT", str(source.number(-1, 3))],
        ["MAXLEN", str(source.number(-1, 6))],
    ]
    return ["LPOS", source.key(), source.member(), *source.shuffled(options)]


def end(source: Source) -> str:
    """Draw an end of a list."""
    return "UP" if source.is_rare() else source.word("LEFT", "RIGHT")


def insertion(source: Source) -> list[str]:
    """Draw LINSERT."""
    where = "BESIDE" if source.is_rare() else source.word("BEFORE", "AFTER")
    return ["LINSERT", source.key(), where, source.member(), source.member()]


def position(source: Source) -> list[str]:
    """Draw a longitude and a latitude, seldom one that is not on the map."""
    if source.is_rare():
        return source.rng.choice([["181", "0"], ["0", "x"], ["180", "85.05112878"], ["nan", "1"]])
    return [str(source.number(-8, 8)), str(source.number(-8, 8))]


def geoadd(source: Source) -> list[str]:
    """Draw GEOADD with any options."""
    options = [source.word("NX", "XX", "CH") for _ in range(source.number(0, 2))]
    places = [word for member in source.members() for word in (*position(source), member)]
    return ["GEOADD", source.key(), *(options if source.is_rare(0.5) else []), *places]


def area(source: Source) -> list[str]:
    """Draw the centre and the shape of GEOSEARCH."""
    centre = ["FROMLONLAT", *position(source)]
    if source.is_rare(0.5):
        centre = ["FROMMEMBER", source.member()]
    unit = "parsec" if source.is_rare() else source.word("M", "KM", "FT", "MI")
    size = [str(source.number(0, 900)), str(source.number(-1, 900)), unit]
    return [*centre, *(["BYBOX", *size] if source.is_rare(0.5) else ["BYRADIUS", *size[1:]])]


def geosearch(source: Source) -> list[str]:
    """Draw GEOSEARCH or GEOSEARCHSTORE. Nothing is cut off, as equal distances have no order."""
    options = source.shuffled([["WITHDIST"], ["WITHHASH"], ["WITHCOORD"]])
    if source.is_rare(0.3):
        stored = ["GEOSEARCHSTORE", source.key(), source.key()]
        return [*stored, *area(source), *source.maybe("STOREDIST"), *source.maybe("WITHDIST")]
    return ["GEOSEARCH", source.key(), *area(source), *options]


def georadius(source: Source) -> list[str]:
    """Draw a command that GEOSEARCH replaces."""
    stored = source.shuffled([["STORE", source.key()], ["STOREDIST", source.key()]])
    options = source.shuffled([["WITHDIST"], ["COUNT", "3", "ANY"], stored])
    size = [str(source.number(0, 900)), source.word("KM", "MI")]
    if source.is_rare(0.5):
        name = source.rng.choice(["GEORADIUS", "GEORADIUS_RO"])
        return [name, source.key(), *position(source), *size, *options]
    name = source.rng.choice(["GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"])
    return [name, source.key(), source.member(), *size, *options]


Draw = Callable[[Source], list[str]]

SORTED_SETS: list[Draw] = [
    zadd,
    zadd,
    zadd,
    fill_equal,
    lambda s: ["ZINCRBY", s.key(), s.score(), s.member()],
    lambda s: [s.rng.choice(["ZREM", "ZMSCORE"]), s.key(), *s.members()],
    lambda s: [s.rng.choice(["ZSCORE", "ZRANK", "ZREVRANK"]), s.key(), s.member()],
    lambda s: [s.rng.choice(["ZCARD", "ZPOPMIN", "ZPOPMAX", "DEL"]), s.key()],
    lambda s: ["ZSCAN", s.key(), "0", *s.maybe("MATCH", "[0-4]"), *s.maybe("COUNT", "3")],
]
RANGES: list[Draw] = [
    zrange,
    zrange,
    older_range,
    counted_range,
    lambda s: [s.rng.choice(["ZREVRANGE", "ZREMRANGEBYRANK"]), s.key(), s.index(), s.index()],
]
POPS: list[Draw] = [
    lambda s: [s.rng.choice(["ZPOPMIN", "ZPOPMAX"]), s.key(), str(s.number(-1, 3))],
    lambda s: ["ZMPOP", *s.keys(), s.word("MIN", "MAX"), *count(s)],
]
POSITIONS: list[Draw] = [
    geoadd,
    geoadd,
    lambda s: [s.rng.choice(["GEOPOS", "GEOHASH", "ZREM"]), s.key(), *s.members()],
    lambda s: ["GEODIST", s.key(), s.member(), s.member(), *s.maybe(s.word("KM", "MI"))],
]
SEARCHES: list[Draw] = [geosearch, geosearch, georadius]
LISTS: list[Draw] = [
    lambda s: [s.rng.choice(["LPUSH", "RPUSH"]), s.key(), *s.members()],
    lambda s: [s.rng.choice(["LPUSH", "RPUSH"]), s.key(), *s.members()],
    lambda s: [s.rng.choice(["LPUSHX", "RPUSHX"]), s.key(), *s.members()],
    lambda s: [s.rng.choice(["LPOP", "RPOP"]), s.key(), *s.maybe(str(s.number(-1, 4)))],
    lambda s: [s.rng.choice(["LRANGE", "LTRIM"]), s.key(), s.index(), s.index()],
    lambda s: ["LREM", s.key(), s.index(), s.member()],
    lambda s: ["LSET", s.key(), s.index(), s.member()],
    lambda s: ["LINDEX", s.key(), s.index()],
    lambda s: [s.rng.choice(["LLEN", "DEL"]), s.key()],
    insertion,
    insertion,
    lpos,
]
STREAMS: list[Draw] = [
    xadd,
    xadd,
    xadd,
    lambda s: ["XRANGE", s.key(), *entry_range(s), *s.maybe("COUNT", str(s.number(-1, 4)))],
    lambda s: ["XREVRANGE", s.key(), *entry_range(s)[::-1]],
    lambda s: ["XDEL", s.key(), entry_id(s), entry_id(s)],
    lambda s: ["XTRIM", s.key(), "MAXLEN", str(s.number(3, 20))],
    lambda s: ["XTRIM", s.key(), "MINID", entry_id(s)],
    lambda s: ["XREAD", "COUNT", str(s.number(0, 4)), "STREAMS", s.key(), entry_id(s)],
    lambda s: [s.rng.choice(["XLEN", "XLEN", "XLEN", "DEL"]), s.key()],
]
GROUPS: list[Draw] = [
    xreadgroup,
    xreadgroup,
    xreadgroup,
    lambda s: ["XGROUP", "CREATE", s.key(), group(s), s.rng.choice(["$", "0", entry_id(s)])],
    lambda s: ["XGROUP", "CREATE", s.key(), group(s), "0", "MKSTREAM"],
    lambda s: ["XGROUP", "SETID", s.key(), group(s), s.rng.choice(["$", "0", entry_id(s)])],
    lambda s: ["XGROUP", "DELCONSUMER", s.key(), group(s), consumer(s)],
    lambda s: ["XACK", s.key(), group(s), entry_id(s), entry_id(s), entry_id(s)],
    lambda s: ["XPENDING", s.key(), group(s)],
    lambda s: ["XPENDING", s.key(), group(s), *entry_range(s), "9", *s.maybe(consumer(s))],
    lambda s: ["XCLAIM", s.key(), group(s), consumer(s), "0", entry_id(s), *s.maybe("JUSTID")],
    lambda s: ["XCLAIM", s.key(), group(s), consumer(s), "0", entry_id(s), "FORCE"],
    lambda s: ["XAUTOCLAIM", s.key(), group(s), consumer(s), "0", entry_id(s), "COUNT", "2"],
    lambda s: ["XINFO", "GROUPS", s.key()],
]
MOVES: list[Draw] = [
    lambda s: ["RPOPLPUSH", s.key(), s.key()],
    lambda s: ["LMOVE", s.key(), s.key(), end(s), end(s)],
    lambda s: ["LMPOP", *s.keys(), end(s), *count(s)],
]


def history(seed: int, families: Sequence[list[Draw]], length: int) -> list[list[str]]:
    """Return a random history on a keyspace that is prepared for it. Each family of commands is
    about as frequent as another."""
    source = Source(Random(seed))
    start = [["SET", "string", "x"], ["SADD", "set", "1", "2", "a"]]
    rng = source.rng
    return start + [rng.choice(rng.choice(families))(source) for _ in range(length)]
