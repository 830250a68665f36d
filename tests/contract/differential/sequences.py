"""Random sequences of requests by several clients, for comparing an instance with Redis.

Two clients run commands of the families that are chosen, some of them inside transactions, behind a
WATCH, or through a script. A third one subscribes and receives messages. Each request is drawn from
a number of its own, so that Hypothesis can leave out any of them.

`SequencePeer` sends a sequence to both sides. After each request the replies must mean the same,
and in the end also what the subscriber has received and all that is left.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, Final, cast

import attrs

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.resp.decoder import Reply, Status, decode_replies
from crdt.causality.op import Op
from sim.engine.rng import SeededRandom
from sim.schedule.arguments import CommandDrawer, declared_commands
from tests.contract.convergence.random_commands import (
    GROUPS,
    LISTS,
    MOVES,
    POPS,
    POSITIONS,
    RANGES,
    SEARCHES,
    SORTED_SETS,
    STREAMS,
    Draw,
    Source,
)
from tests.crdb.redis_peer import (
    MILLISECONDS_SLACK,
    Ours,
    Peer,
    Reader,
    Server,
    alike,
    decode,
    encode,
    request,
    wall_clock,
)

SUBSCRIBER: Final = 2
WORKERS: Final = 2
KEYS: Final = ("x", "y", "z")
CHANNELS: Final = ("news", "nova", "other")
QUEUED: Final = Status(b"QUEUED")
MARK: Final = b"behind all messages"
SECONDS_MAX: Final = 10
RANDOM: Final = frozenset(
    {"SPOP", "SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER", "RANDOMKEY", "SSCAN", "HSCAN"}
)
"""Commands that choose elements at random, or by an order that nobody promises."""
EXPIRING: Final = frozenset({"EXPIRE", "PEXPIRE", "SETEX", "PSETEX"})
LATE: Final = 1_000_000
"""A time in s or ms after which no sequence still runs."""
COUNTER_MAX: Final = "576460752303423487"
"""A number that only Redis adds something to (D-05)."""
ORDERLESS: Final = frozenset({"SORT", "SORT_RO"})
"""Commands whose replies have no order for some types, and that store them."""
ELSEWHERE: Final = frozenset({"WAIT", "MOVE", "SWAPDB", "TOUCH", "FLUSHDB"})
"""Commands that wait, or that concern what an instance has not."""
COPYING: Final = frozenset({"COPY", "RENAME", "RENAMENX"})
TIMES: Final = frozenset({b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME"})
"""Commands whose replies differ by the time between both sides."""
KINDS: Final = {"strings": "t", "hashes": "h", "sets": "s"}
CALL: Final = "return redis.call(unpack(ARGV))"
PCALL: Final = "return redis.pcall(unpack(ARGV))"
TWICE: Final = "redis.pcall(unpack(ARGV)) return redis.pcall(unpack(ARGV))"


def from_table(kind: str, without: frozenset[str] = frozenset()) -> list[Draw]:
    """Return draws of the commands that the command table declares for a type, or for all types."""
    return [
        lambda source, each=each: draw_declared(source, each)
        for each in declared_commands(kind)
        if each.name.upper() not in RANDOM | ORDERLESS | ELSEWHERE | without
        and "blocking" not in each.flags
        and (each.group != "generic" or not kind)
    ]


def draw_declared(source: Source, declaration: Any) -> list[str]:
    """Draw a command with arguments as its declaration has them."""
    rng = SeededRandom(source.rng.getrandbits(32), "command")
    drawer = CommandDrawer(rng, declaration, lambda: rng.choose_one(KEYS))
    return list(without_short_times(drawer.draw_words()))


def without_short_times(words: Sequence[str]) -> Iterator[str]:
    """Yield the words of a command. What would expire soon expires late, or is in the past."""
    is_time = False
    for index, word in enumerate(words):
        is_short = word.isdigit() and 0 < int(word) < LATE
        if word.startswith("$") or word == COUNTER_MAX:
            yield "1"
        elif is_short and (is_time or (index == 2 and words[0] in EXPIRING)):
            yield str(LATE)
        else:
            yield word
        is_time = word.upper() in {"EX", "PX"}


def estimate(source: Source) -> list[str]:
    """Draw a command on HyperLogLogs. They have keys of their own, as string commands do not work
    on them here (rule HLL-5)."""
    name = source.rng.choice(["PFADD", "PFADD", "PFCOUNT", "PFMERGE"])
    key = source.rng.choice("pq")
    return [name, key, *(source.members() if name == "PFADD" else ["p"])]


FAMILIES: Final[dict[str, list[Draw]]] = {
    **{name: from_table(kind) for name, kind in KINDS.items()},
    "generic": from_table(""),
    "sorted sets": [*SORTED_SETS, *RANGES, *POPS],
    "lists": [*LISTS, *MOVES],
    "positions": [*POSITIONS, *SEARCHES],
    "streams": [*STREAMS, *GROUPS],
    "estimates": [estimate],
}
"""The commands by family."""
WITHOUT_COPIES: Final = from_table("", COPYING)
"""The commands for all types where streams occur, whose groups are not copied (rule STM-26)."""


@attrs.frozen
class Request:
    """A command of a client."""

    client: int
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.client} {' '.join(self.words)}"


def draw_requests(families: Sequence[str], seeds: Sequence[int]) -> Iterator[Request]:
    """Yield a request for each of the numbers `seeds`."""
    source = Source(Random(0))
    draws = [FAMILIES[name] for name in families]
    if {"generic", "streams"} <= set(families):
        draws[families.index("generic")] = WITHOUT_COPIES
    for seed in seeds:
        source.rng = Random(seed)
        yield draw_request(source, draws)


def draw_request(source: Source, draws: Sequence[list[Draw]]) -> Request:
    """Draw one request."""
    rng = source.rng
    if source.is_rare(0.05):
        return Request(SUBSCRIBER, draw_subscription(source))
    client = rng.randrange(WORKERS)
    if source.is_rare(0.25):
        return Request(client, draw_around(source))
    words = rng.choice(rng.choice(draws))(source)
    if source.is_rare(0.15):
        script = rng.choice((CALL, PCALL, TWICE))
        words = ["EVAL", script, "0", *words]
    return Request(client, tuple(words))


def draw_around(source: Source) -> tuple[str, ...]:
    """Draw a command of a transaction, or one that publishes."""
    return source.rng.choice(
        (
            ("MULTI",),
            ("MULTI",),
            ("EXEC",),
            ("EXEC",),
            ("EXEC",),
            ("DISCARD",),
            ("WATCH", source.key(), source.key()),
            ("UNWATCH",),
            ("PUBLISH", source.rng.choice(CHANNELS), source.member()),
            ("PUBLISH", source.rng.choice(CHANNELS), source.member()),
            ("SPUBLISH", source.rng.choice(CHANNELS), source.member()),
            ("GET",),
        )
    )


def draw_subscription(source: Source) -> tuple[str, ...]:
    """Draw a command of the subscriber."""
    name = source.rng.choice(("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"))
    channel = source.rng.choice(("n*", "o?her") if name[0] == "P" else CHANNELS)
    if source.is_rare(0.3):
        return (name.replace("SUBSCRIBE", "UNSUBSCRIBE"), channel)
    return (name, channel)


class SequencePeer:
    """The connections of all clients to a server and to an instance."""

    def __init__(self, server: Server) -> None:
        address = server.socket.getpeername()[:2]
        self.peer = Peer(server, Ours())
        self.peer.clear()
        ours = self.peer.ours
        self.clients = [Client(ours.instance) for _ in range(WORKERS + 1)]
        self.sockets = [socket.create_connection(address, SECONDS_MAX) for _ in self.clients]
        self.readers = [Reader(partial(each.recv, 1 << 16)) for each in self.sockets]
        self.queued: list[list[list[bytes]] | None] = [None] * WORKERS
        """By worker: the commands that wait for EXEC."""

    def close(self) -> None:
        """Close the connections to the server."""
        for each in self.sockets:
            each.close()

    def play(self, requests: Iterable[Request], protocol: int) -> None:
        """Send all requests, and compare everything."""
        for number in range(WORKERS):
            self.ask(number, ("HELLO", str(protocol)))
        for each in requests:
            if each.client == SUBSCRIBER:
                self.subscribe(each)
            else:
                self.work(each)
        self.compare_messages("the end")
        for number in range(WORKERS):
            self.work(Request(number, ("DISCARD",)))
        self.peer.same_content()

    def ask(self, number: int, words: Sequence[str]) -> tuple[bytes, bytes]:
        """Send a command. Return the raw replies of the server and of the instance."""
        args = encode(words)
        self.sockets[number].sendall(request(args))
        theirs = self.readers[number].next()[0]
        ours = self.peer.ours
        ours.instance.advance(wall_clock())
        raw = receive(self.clients[number], request(args))
        op = ours.replica.seal()
        if op is not None:
            ours.mirror.accept(Op.from_bytes(op.to_bytes()))
        return theirs, raw

    def work(self, each: Request) -> None:
        """Let a worker run a command. Compare the replies."""
        args = encode(each.words)
        theirs, ours = (decode(raw) for raw in self.ask(each.client, each.words))
        queue = self.queued[each.client]
        name = args[0].upper()
        if name == b"EXEC" and isinstance(theirs, list) and isinstance(ours, list):
            pairs = zip(flat(theirs), flat(ours), strict=True)
            for command, (one, other) in zip(queue or (), pairs, strict=True):
                compare(command, one, other)
        else:
            compare(args, theirs, ours)
        if name in {b"EXEC", b"DISCARD"}:
            self.queued[each.client] = None
        elif name == b"MULTI" and queue is None:
            self.queued[each.client] = []
        elif theirs == QUEUED and queue is not None:
            queue.append(args)

    def subscribe(self, each: Request) -> None:
        """Let the subscriber subscribe, or not any more. Compare all that it has received."""
        self.compare_messages(each, request(encode(each.words)))

    def compare_messages(self, where: object, before: bytes = b"") -> None:
        """Compare what the subscriber has received since the last time, and replies to `before`."""
        data = before + request([b"PING", MARK])
        ours = decode_replies(receive(self.clients[SUBSCRIBER], data))
        self.sockets[SUBSCRIBER].sendall(data)
        theirs: list[Reply] = []
        while not theirs or MARK not in flat(theirs[-1]):
            theirs.append(self.readers[SUBSCRIBER].next()[1])
        assert ours == theirs, f"{where}\n  redis: {theirs!r}\n  ours:  {ours!r}"


def flat(reply: Reply) -> list[Reply]:
    """Return the items of a reply."""
    return cast("list[Reply]", reply) if isinstance(reply, list) else [reply]


def compare(args: list[bytes], theirs: Reply, ours: Reply) -> None:
    """Fail unless two replies to a command mean the same."""
    if args[0].upper() == b"EVAL":
        args = args[3:]
    if args[0].upper() in TIMES and isinstance(theirs, int) and isinstance(ours, int):
        assert abs(theirs - ours) < MILLISECONDS_SLACK, args
    elif theirs != ours and not alike(args, theirs, ours):
        raise AssertionError(f"{args}\n  redis: {theirs!r}\n  ours:  {ours!r}")
