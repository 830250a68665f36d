"""Run the same commands on a real redis-server and on an instance, and compare.

`peer.same("SET", "k", "v")` sends one command to both, compares the raw replies and returns ours,
decoded. `peer.play(commands)` does that for many commands, and compares the whole keyspace at the
end.

The writes of the instance are also sealed, encoded, decoded and applied to a mirror, which must
show the same keys. So every comparison with Redis is also a replication test.

`DIFFERENCES` lists the intended differences from the server, each with the rule that asks for it.
The server is Redis 7.0 or newer. Changes of 7.2 are listed there as well.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.resp.decoder import (
    ErrorReply,
    Reply,
    ReplyDecoder,
    decode_replies,
    encode_request,
)
from crdt.causality.op import Op
from crdt.embed.replica import Replica
from crdt.store.keyspace import Keyspace
from tests.ports import free_ports

Word = str | bytes | int | float

START_SECONDS_MAX = 30
EVERY_KEY = [b"KEYS", b"*"]
CLOCKS = [[b"TIME"], [b"INFO", b"server"]]
LRU_CLOCK = re.compile(rb"lru_clock:([0-9]+)")
PLAYS_MAX = 50
"""The number of times that commands are played whose replies differ while a clock ticks."""


@attrs.frozen
class Difference:
    """An intended difference between our reply and the server's, required by `rule`."""

    rule: str
    why: str
    applies: Callable[[list[bytes], Reply, Reply], bool]
    """Takes the command, the server's reply and ours."""


def encode(words: Sequence[Word]) -> list[bytes]:
    """Return the arguments of a command as bytes."""
    return [word if isinstance(word, bytes) else str(word).encode() for word in words]


def request(args: Iterable[bytes]) -> bytes:
    """Return a command as a client sends it."""
    return encode_request(list(args))


class Reader:
    """Takes replies from a stream, one at a time."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self.receive = receive
        self.decoder = ReplyDecoder()

    def next(self) -> tuple[bytes, Reply]:
        """Wait for one whole reply. Return it raw and decoded."""
        while (found := self.decoder.next()) is None:
            data = self.receive()
            assert data, f"the stream ends within a reply: {self.decoder.pending!r}"
            self.decoder.feed(data)
        return found


def decode(raw: bytes) -> Reply:
    """Return the only reply in `raw`."""
    (reply,) = decode_replies(raw)
    return reply


class Server:
    """A redis-server of our own on a loopback port, without persistence."""

    def __init__(self, binary: str, port: int, directory: Path) -> None:
        options = {
            "databases": "1",
            "port": str(port),
            "bind": "127.0.0.1",
            "save": "",
            "appendonly": "no",
        }
        options |= {"daemonize": "no", "dir": str(directory), "loglevel": "warning"}
        command = [binary] + [word for k, v in options.items() for word in (f"--{k}", v)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.socket = self.connect(port)
        self.reader = Reader(lambda: self.socket.recv(1 << 16))

    def connect(self, port: int) -> socket.socket:
        """Connect as soon as the server listens."""
        give_up = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS_MAX)
            except ConnectionRefusedError:
                assert self.process.poll() is None, "redis-server ended"
                assert time.monotonic() < give_up, "redis-server does not listen"
                time.sleep(0.01)

    def run(self, args: list[bytes]) -> bytes:
        """Run one command. Return its raw reply."""
        return self.run_all([args])[0]

    def run_all(self, commands: list[list[bytes]]) -> list[bytes]:
        """Run many commands in one go. Return their raw replies."""
        self.socket.sendall(b"".join(map(request, commands)))
        return [self.reader.next()[0] for _ in commands]

    def stop(self) -> None:
        """End the process."""
        self.socket.close()
        self.process.terminate()
        self.process.wait()


@contextmanager
def started(directory: Path) -> Generator[Server]:
    """Yield a redis-server that keeps its files in `directory`. `CRDB_REDIS_SERVER` names another
    binary. The test is skipped if there is none."""
    binary = shutil.which(os.environ.get("CRDB_REDIS_SERVER", "redis-server"))
    if binary is None:
        pytest.skip("needs redis-server, which the package of that name installs")
    server = Server(binary, free_ports(1)[0], directory)
    try:
        yield server
    finally:
        server.stop()


def wall_clock() -> int:
    """Return the present time in ms."""
    return time.time_ns() // 1_000_000


class Ours:
    """An instance with one client, and a mirror that sees only what is replicated."""

    def __init__(self) -> None:
        self.replica = Replica(1, members=[1, 2])
        self.mirror = Replica(2, members=[1, 2])
        self.instance = Instance(self.replica, build_table())
        self.instance.config.put("crdt-xadd-id-uniqueness-mode", "liberal")
        self.client = Client(self.instance)
        self.db = self.instance.keyspace

    def run(self, args: list[bytes], now: int | None = None) -> bytes:
        """Run one command at `now` ms of wall clock, or at the present time. Return its raw
        reply."""
        self.instance.advance(wall_clock() if now is None else now)
        raw = receive(self.client, request(args))
        op = self.replica.seal()
        if op is not None:
            self.mirror.accept(Op.from_bytes(op.to_bytes()))
        return raw

    def check_mirror(self) -> None:
        """Check that the mirror shows the same as this instance."""
        self.mirror.advance(self.db.now)
        assert visible(self.mirror.keyspace) == visible(self.db)


def visible(db: Keyspace) -> dict[bytes, tuple[object, int | None]]:
    """Return all that readers can see of a keyspace."""
    shown: dict[bytes, tuple[object, int | None]] = {}
    names = db.keys()
    for key in names:
        value = db.lookup(key)
        assert value is not None
        shown[key] = ((value.code(), value.visible()), db.deadline(key))
    return shown


COUNTER_MAX = (1 << 59) - 1


def is_beyond_deadlines(args: list[bytes], theirs: Reply, ours: Reply) -> bool:
    """Return whether Redis accepts this time to live and we refuse it, since it ends after the year
    19809."""
    is_refused = isinstance(ours, ErrorReply) and ours.text.startswith(b"ERR invalid expire time")
    return is_refused and any(len(arg) > 11 and arg.isdigit() for arg in args)


def is_same_score(theirs: Reply, ours: Reply) -> bool:
    """Return whether two replies are equal, apart from the spelling of numbers."""
    if isinstance(theirs, list) and isinstance(ours, list):
        one, other = cast("list[Reply]", theirs), cast("list[Reply]", ours)
        return len(one) == len(other) and all(map(is_same_score, one, other))
    if isinstance(theirs, bytes) and isinstance(ours, bytes) and theirs != ours:
        is_number = FRACTION.fullmatch(theirs) and FRACTION.fullmatch(ours)
        return is_number is not None and float(theirs) == float(ours)
    return theirs == ours


def is_pending_alike(args: list[bytes], theirs: Any, ours: Any) -> bool:
    """Return whether two replies of XPENDING differ in idle times only, by little."""
    if args[0].upper() != b"XPENDING" or not isinstance(theirs, list):
        return False
    pairs = list(zip(cast("list[Any]", theirs), ours, strict=False))
    return len(pairs) == len(ours) and all(is_entry_alike(*pair) for pair in pairs)


def is_entry_alike(theirs: Any, ours: Any) -> bool:
    """Return whether two pending entries differ in their idle times only, by little."""
    if not isinstance(theirs, list):
        return bool(theirs == ours)
    rows = cast("list[list[Any]]", [theirs, ours])
    if len(rows[0]) != 4:
        return rows[0] == rows[1]
    is_near = abs(rows[0][2] - rows[1][2]) < MILLISECONDS_SLACK
    return is_near and rows[0][:2] == rows[1][:2] and rows[0][3] == rows[1][3]


def is_group_alike(args: list[bytes], theirs: Any, ours: Any) -> bool:
    """Return whether two replies of XINFO GROUPS differ in the number of consumers only. Redis 7.2
    creates a consumer that gets nothing."""
    if [word.upper() for word in args[:2]] != [b"XINFO", b"GROUPS"]:
        return False
    return isinstance(theirs, list) and without_consumers(theirs) == without_consumers(ours)


def without_consumers(groups: Any) -> list[list[list[Any]]]:
    """Return the facts of groups without the numbers of their consumers."""
    found: list[list[list[Any]]] = []
    for group in groups:
        flat = cast("list[Any]", group)
        pairs = [[flat[at], flat[at + 1]] for at in range(0, len(flat) - 1, 2)]
        if isinstance(group, tuple):
            pairs = cast("list[list[Any]]", group[1])
        found.append([pair for pair in pairs if pair[0] != b"consumers"])
    return found


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "Redis 7.2",
        "scores are printed with as few digits as possible",
        lambda args, theirs, ours: args[0][:1] in b"zZ" and is_same_score(theirs, ours),
    ),
    Difference(
        "D-05",
        "counters have 59 bits of magnitude",
        lambda args, theirs, ours: (
            isinstance(theirs, int)
            and abs(theirs) > COUNTER_MAX
            and ours == ErrorReply(b"ERR increment or decrement would overflow")
        ),
    ),
    Difference(
        "Redis 7.2",
        "small sets and lists are packed",
        lambda args, theirs, ours: (
            [word.upper() for word in args[:2]] == [b"OBJECT", b"ENCODING"]
            and theirs in (b"hashtable", b"quicklist")
            and ours == b"listpack"
        ),
    ),
    Difference(
        "Redis 7.2",
        "the error names the command in lower case",
        lambda args, theirs, ours: (
            isinstance(theirs, ErrorReply)
            and isinstance(ours, ErrorReply)
            and theirs.text.startswith(b"ERR Unbalanced XREAD")
            and ours.text.startswith(b"ERR Unbalanced 'xread")
        ),
    ),
    Difference("Redis 7.2", "consumers are created without an entry", is_group_alike),
    Difference("STM-21", "idle times differ by the time of a command", is_pending_alike),
    Difference("EXP-8", "deadlines go up to 2^49 ms", is_beyond_deadlines),
)

FRACTION = re.compile(rb"-?[0-9]+\.[0-9]+(?:e[+-][0-9]+)?|-?[0-9]+e[+-][0-9]+")
UNORDERED = re.compile(
    rb"KEYS|SMEMBERS|SUNION|SINTER|SDIFF|HKEYS|HVALS|SSCAN|SCAN|HSCAN", re.IGNORECASE
)
PAIRS_UNORDERED = re.compile(rb"HGETALL", re.IGNORECASE)
MILLISECONDS = re.compile(rb"PTTL", re.IGNORECASE)
MILLISECONDS_SLACK = 60_000


def normal(value: Reply) -> Reply:
    """Return `value` with sets and arrays in a fixed order."""
    if isinstance(value, tuple):
        kind, members = cast("tuple[str, list[Reply]]", value)
        return (kind, sorted(map(normal, members), key=repr))
    if isinstance(value, list):
        return sorted(map(normal, cast("list[Reply]", value)), key=repr)
    return value


def pairs(value: Reply) -> Reply:
    """Return a flat array of names and values as pairs in a fixed order."""
    if isinstance(value, list):
        flat = cast("list[bytes]", value)
        return sorted(zip(flat[::2], flat[1::2], strict=True))
    return normal(value)


def alike(args: list[bytes], theirs: Reply, ours: Reply) -> bool:
    """Return whether two replies with different bytes have the same meaning."""
    name = args[0]
    if UNORDERED.fullmatch(name) and normal(theirs) == normal(ours):
        return True
    if PAIRS_UNORDERED.fullmatch(name) and pairs(theirs) == pairs(ours):
        return True
    if MILLISECONDS.fullmatch(name) and isinstance(theirs, int) and isinstance(ours, int):
        return theirs > 0 and ours > 0 and abs(theirs - ours) < MILLISECONDS_SLACK
    return any(difference.applies(args, theirs, ours) for difference in DIFFERENCES)


def difference(args: list[bytes], theirs: bytes, ours: bytes) -> str:
    """Return how our raw reply differs from the server's; empty if it has the same meaning."""
    if ours == theirs or alike(args, decode(theirs), decode(ours)):
        return ""
    return f"{args}\n  redis: {theirs!r}\n  ours:  {ours!r}"


def agree(args: list[bytes], theirs: bytes, ours: bytes) -> None:
    """Fail unless our raw reply equals the server's, or has the same meaning."""
    if differs := difference(args, theirs, ours):
        raise AssertionError(differs)


def read_clocks(time_there: bytes, info: bytes) -> tuple[int, int]:
    """Return what the server's clocks show: its time in ms, and the clock of idle times in s."""
    seconds, microseconds = map(int, decode(time_there))
    found = LRU_CLOCK.search(info)
    assert found is not None
    return seconds * 1000 + microseconds // 1000, int(found[1])


class Peer:
    """A redis-server and an instance."""

    def __init__(self, server: Server, ours: Ours) -> None:
        self.server = server
        self.ours = ours

    def same(self, *words: Word) -> Reply:
        """Send one command to both, and compare. Return our reply, decoded."""
        args = encode(words)
        theirs, ours = self.server.run(args), self.ours.run(args)
        agree(args, theirs, ours)
        return decode(ours)

    def play(self, commands: Iterable[Sequence[Word]], protocol: int = 2) -> None:
        """Send many commands to both, starting empty. Compare all replies and the keyspaces at the
        end.

        The server gets all commands in one go, since most of the time of a round trip is spent on
        waiting. Our instance runs all of them at the server's time, so no second begins in between.

        A clock of the server may tick between two commands, and then idle times and times to live
        differ. So commands whose replies differ are played again if a clock has ticked.
        """
        sent = [encode(words) for words in commands]
        differs, has_ticked, keys = self.play_once(sent, protocol)
        plays = 1
        while differs and has_ticked and plays < PLAYS_MAX:
            differs, has_ticked, keys = self.play_once(sent, protocol)
            plays += 1
        if differs:
            raise AssertionError(differs)
        self.same_under(keys)

    def play_once(self, sent: list[list[bytes]], protocol: int) -> tuple[str, bool, Reply]:
        """Send commands to both, starting empty. Return the first difference of replies, whether a
        clock of the server has ticked meanwhile, and the server's keys."""
        self.renew()
        self.ours.client.protocol = protocol
        begin = [[b"FLUSHALL"], [b"HELLO", b"%d" % protocol], *CLOCKS]
        replies = self.server.run_all([*begin, *sent, EVERY_KEY, *CLOCKS])
        _, _, time_before, info_before, *theirs, keys, time_after, info_after = replies
        before, after = read_clocks(time_before, info_before), read_clocks(time_after, info_after)
        differences = [
            difference(args, reply, self.ours.run(args, before[0]))
            for args, reply in zip(sent, theirs, strict=True)
        ]
        return next(filter(None, differences), ""), before != after, decode(keys)

    def same_content(self) -> None:
        """Compare all keys, their contents and deadlines, also with those of the mirror."""
        self.same_under(decode(self.server.run(EVERY_KEY)))

    def same_under(self, keys: Reply) -> None:
        """Compare these keys, which are those of the server. Check that the instance has no
        others."""
        names = sorted(self.ours.db.keys())
        assert sorted(keys) == names
        asked = [[[b"TYPE", name], self.reading(name), [b"PEXPIRETIME", name]] for name in names]
        replies = iter(self.server.run_all([args for three in asked for args in three]))
        for name, (kind, reading, _) in zip(names, asked, strict=True):
            agree(kind, next(replies), self.ours.run(kind))
            agree(reading, next(replies), self.ours.run(reading))
            deadline = decode(next(replies))
            ours = self.ours.db.deadline(name)
            assert abs(deadline - (-1 if ours is None else ours)) < MILLISECONDS_SLACK, name
        self.ours.check_mirror()

    def reading(self, key: bytes) -> list[bytes]:
        """Return the command that reads everything under a key of our instance."""
        value = self.ours.db.lookup(key)
        assert value is not None
        return {
            1: [b"GET", key],
            2: [b"SMEMBERS", key],
            3: [b"HGETALL", key],
            4: [b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
            5: [b"LRANGE", key, b"0", b"-1"],
            12: [b"PFCOUNT", key],
            11: [b"XRANGE", key, b"-", b"+"],
        }[value.code()]

    def protocol(self, version: int) -> None:
        """Switch both connections to version `version` of RESP."""
        self.server.run([b"HELLO", str(version).encode()])
        self.ours.client.protocol = version

    def clear(self) -> None:
        """Empty the server, and replace the instance."""
        self.server.run_all([[b"FLUSHALL"], [b"HELLO", b"2"]])
        self.renew()

    def renew(self) -> None:
        """Replace the instance, after a last check of the mirror of the old one."""
        self.ours.check_mirror()
        self.ours = Ours()
