"""DUMP and RESTORE: a real redis-server reads our payloads, and ours reads those of the server."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crdb.rdb.crc64 import crc64
from crdb.rdb.encoder import encode_length
from crdb.rdb.payload import seal
from crdb.resp.decoder import ErrorReply
from tests.crdb.commands.generic.filled import FILLED, NAMES
from tests.crdb.rdb import packing
from tests.crdb.redis_peer import Peer, Word, decode, encode

SETTINGS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
LARGE: list[tuple[Word, ...]] = [
    ("SET", "string", "x" * 5000),
    ("SET", "counter", "-2147483649"),
    ("SADD", "set", *map(str, range(600))),
    ("SADD", "integers", "5", "70000", "-3", "5000000000"),
    ("RPUSH", "list", "y" * 9000, *map(str, range(900)), "z" * 300),
    ("HSET", "hash", *[word for n in range(600) for word in (f"f{n}", "v" * (n % 70))]),
    ("ZADD", "zset", *[word for n in range(200) for word in (f"{n / 4}", f"m{n}")]),
]


def exchange(peer: Peer, keys: Sequence[Word]) -> None:
    """Restore each key of the server here, and ours there. Compare all keys."""
    for key in keys:
        theirs = decode(peer.server.run(encode(("DUMP", key))))
        mine = decode(peer.ours.run(encode(("DUMP", key))))
        if theirs is None:
            assert mine is None
            continue
        ttl = decode(peer.server.run(encode(("PTTL", key))))
        words = ("RESTORE", key, max(ttl, 0), theirs, "REPLACE")
        assert decode(peer.ours.run(encode(words))).text == b"OK"
        words = ("RESTORE", key, max(ttl, 0), mine, "REPLACE")
        assert decode(peer.server.run(encode(words))).text == b"OK"
    peer.same_content()


@pytest.mark.parametrize("commands", [FILLED, LARGE])
def test_values_of_all_types_go_both_ways(peer: Peer, commands: list[tuple[Word, ...]]) -> None:
    peer.play(commands)
    exchange(peer, NAMES)


@pytest.mark.parametrize("count", [1, 30, 5000])
@pytest.mark.rule("HLL-5")
def test_hyperloglogs_go_both_ways(peer: Peer, count: int) -> None:
    """The server stores few elements in the sparse form, and many in the dense one."""
    peer.play([("PFADD", "log", *map(str, range(count)))])
    exchange(peer, ["log"])
    peer.play([("PFADD", "log", "more", "still more"), ("PFCOUNT", "log"), ("TYPE", "log")])
    peer.play([("PFMERGE", "other", "log"), ("PFCOUNT", "other")])


def test_restore_exchanges_strings_and_hyperloglogs(peer: Peer) -> None:
    peer.play([("PFADD", "log", "a", "b"), ("SET", "string", "v", "EX", "100")])
    for key, other in (("log", "string"), ("string", "log")):
        payload = decode(peer.ours.run(encode(("DUMP", key))))
        peer.play([("RESTORE", "copy", "0", payload, "REPLACE"), ("PFCOUNT", "copy")])
        peer.play([("RESTORE", other, "90000", payload, "REPLACE"), ("PFCOUNT", other)])
        peer.play([("GET", "string"), ("EXPIRE", "log", "50", "NX"), ("EXPIRE", "log", "50", "GT")])
        peer.play([("SET", "string", "v"), ("DEL", "log"), ("PFADD", "log", "c")])


ITEM = st.one_of(
    st.binary(max_size=70),
    st.integers(-(1 << 63), (1 << 63) - 1).map(lambda number: b"%d" % number),
    st.sampled_from([b"a" * 64, b"b" * 300, b"-0", b"1.5", b"01"]),
)
SCORE = st.integers(-4000, 4000).map(lambda number: repr(number / 4))


@SETTINGS
@given(
    text=ITEM,
    elements=st.lists(ITEM, min_size=1, max_size=20),
    pairs=st.dictionaries(ITEM, ITEM, min_size=1, max_size=20),
    scores=st.dictionaries(ITEM, SCORE, min_size=1, max_size=20),
)
def test_any_values_go_both_ways(
    peer: Peer,
    text: bytes,
    elements: list[bytes],
    pairs: dict[bytes, bytes],
    scores: dict[bytes, str],
) -> None:
    peer.play(
        [
            ("SET", "string", text),
            ("RPUSH", "list", *elements),
            ("SADD", "set", *elements),
            ("HSET", "hash", *[word for pair in pairs.items() for word in pair]),
            ("ZADD", "zset", *[word for name, score in scores.items() for word in (score, name)]),
        ]
    )
    exchange(peer, ["string", "list", "set", "hash", "zset"])


def string(data: bytes) -> bytes:
    """Return a serialised string."""
    return encode_length(len(data)) + data


OLD = [
    bytes([3]) + b"\x02\x01m\x031.5\x01n\xfe",
    bytes([9]) + string(packing.zipmap([(b"f", b"v"), (b"g" * 300, b"w" * 300)])),
    bytes([10]) + string(packing.ziplist([b"a", 5, -70000, b"b" * 100])),
    bytes([11]) + string(packing.intset([3, -1, 500], 4)),
    bytes([12]) + string(packing.ziplist([b"m", 2, b"n", b"2.5"])),
    bytes([13]) + string(packing.ziplist([b"f", b"v", b"g", 1 << 40])),
    bytes([14]) + b"\x02" + string(packing.ziplist([b"a", 1])) + string(packing.ziplist([b"c"])),
]


@pytest.mark.parametrize("value", OLD)
def test_forms_of_older_versions_are_read_alike(peer: Peer, value: bytes) -> None:
    peer.play([("RESTORE", "k", "0", seal([value])), ("TYPE", "k"), ("DUMP", "missing")])


PAYLOAD = seal([b"\x00\x05hello"])
REQUESTS: list[tuple[Word, ...]] = [
    ("RESTORE", "k", "0", PAYLOAD),
    ("RESTORE", "k", "0", PAYLOAD, "REPLACE"),
    ("RESTORE", "k", "100000", PAYLOAD, "replace"),
    ("RESTORE", "k", "1", PAYLOAD, "REPLACE", "ABSTTL"),
    ("RESTORE", "new", "1", PAYLOAD, "ABSTTL"),
    ("RESTORE", "k", "99999999999999", PAYLOAD, "REPLACE", "ABSTTL"),
    ("RESTORE", "k", "-1", PAYLOAD),
    ("RESTORE", "new", "-1", PAYLOAD),
    ("RESTORE", "new", "x", PAYLOAD),
    ("RESTORE", "new", "0", "short"),
    ("RESTORE", "new", "0", PAYLOAD[:-1] + b"x"),
    ("RESTORE", "new", "0", seal([b"\x02\x00"])),
    ("RESTORE", "new", "0", seal([b"\x02\x02\x01a\x01a"])),
    ("RESTORE", "new", "0", seal([b"\xfe\x00"])),
    ("RESTORE", "new", "0", PAYLOAD, "IDLETIME", "1000"),
    ("RESTORE", "new", "0", PAYLOAD, "IDLETIME", "-1"),
    ("RESTORE", "new", "0", PAYLOAD, "IDLETIME"),
    ("RESTORE", "new", "0", PAYLOAD, "IDLETIME", "5", "IDLETIME", "7"),
    ("RESTORE", "new", "0", PAYLOAD, "FREQ", "255"),
    ("RESTORE", "new", "0", PAYLOAD, "FREQ", "256"),
    ("RESTORE", "new", "0", PAYLOAD, "FREQ", "5", "IDLETIME", "5"),
    ("RESTORE", "new", "0", PAYLOAD, "IDLETIME", "5", "FREQ", "5"),
    ("RESTORE", "new", "0", PAYLOAD, "SOMETHING"),
    ("RESTORE", "k", "0", "short"),
    ("RESTORE", "k", "x", PAYLOAD),
    ("RESTORE", "k", "0"),
    ("RESTORE", "k"),
    ("DUMP",),
    ("DUMP", "a", "b"),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_options_and_errors_equal_redis(peer: Peer, request_: tuple[Word, ...]) -> None:
    peer.play(
        [
            ("SET", "k", "v"),
            request_,
            ("OBJECT", "IDLETIME", "new"),
            ("PTTL", "missing"),
            ("MULTI",),
            request_,
            ("GET", "k"),
            ("EXEC",),
        ]
    )


def test_version_of_payload_is_checked(peer: Peer) -> None:
    new = b"\x00\x01a" + (99).to_bytes(2, "little")
    peer.play([("RESTORE", "k", "0", new + crc64(new).to_bytes(8, "little"))])


@SETTINGS
@given(st.data())
def test_damaged_payloads_leave_no_key(peer: Peer, draw: st.DataObject) -> None:
    """The server is not asked, since some damage ends the process of a real one."""
    value = bytearray(draw.draw(st.sampled_from([*OLD, b"\x02\x02\x01a\x01b"])))
    for _ in range(draw.draw(st.integers(1, 4))):
        value[draw.draw(st.integers(0, len(value) - 1))] = draw.draw(st.integers(0, 255))
    peer.clear()
    reply = decode(peer.ours.run(encode(("RESTORE", "k", "0", seal([bytes(value)])))))
    if isinstance(reply, ErrorReply):
        assert reply.text == b"ERR Bad data format"
        assert peer.ours.db.keys() == []
    else:
        assert peer.ours.db.keys() == [b"k"]
    peer.ours.check_mirror()
