"""Deadlines of fields: replies, visibility, and conflicts between regions."""

from __future__ import annotations

from typing import Any

import pytest

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.resp.decoder import decode_replies
from tests.crdb.raw import NOW, instance
from tests.crdb.regions import Regions


class Clock:
    """A client of an instance whose clock the test moves."""

    def __init__(self, items: int = 1000) -> None:
        self.client = Client(instance())
        self.client.instance.slices.items = items
        self.now = NOW

    def ask(self, request: str) -> Any:
        """Return the reply to a request. Errors are returned as bytes."""
        [reply] = decode_replies(receive(self.client, request.encode() + b"\r\n"))
        return getattr(reply, "text", reply)

    def wait(self, ms: int) -> None:
        """Let time pass."""
        self.now += ms
        self.client.instance.advance(self.now)


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("HEXPIRE h 10 FIELDS 3 f g missing", [1, 1, -2]),
        ("HEXPIRE missing 10 FIELDS 2 f g", [-2, -2]),
        ("HEXPIRE h 0 FIELDS 2 f f", [2, -2]),
        ("HEXPIRE h 10 NX FIELDS 2 f t", [1, 0]),
        ("HEXPIRE h 10 xx FIELDS 2 f t", [0, 1]),
        ("HEXPIRE h 10 GT FIELDS 2 f t", [0, 0]),
        ("HEXPIRE h 1000 GT FIELDS 2 f t", [0, 1]),
        ("HEXPIRE h 10 LT FIELDS 2 f t", [1, 1]),
        ("HEXPIRE h 1000 LT FIELDS 2 f t", [1, 0]),
        ("HPEXPIRE h 0 GT FIELDS 1 t", [0]),
        ("HPEXPIREAT h 1 FIELDS 1 t", [2]),
        ("HEXPIREAT h 1800000000 FIELDS 1 t", [1]),
        ("HTTL h FIELDS 3 f t missing", [-1, 100, -2]),
        ("HPTTL h FIELDS 1 t", [100_000]),
        ("HEXPIRETIME h FIELDS 1 t", [NOW // 1000 + 100]),
        ("HPEXPIRETIME h FIELDS 2 t f", [NOW + 100_000, -1]),
        ("HPTTL missing FIELDS 1 t", [-2]),
        ("HPERSIST h FIELDS 3 f t missing", [-1, 1, -2]),
        ("HPERSIST missing FIELDS 1 f", [-2]),
        ("HGETDEL h FIELDS 2 f missing", [b"1", None]),
        ("HGETEX h FIELDS 2 f missing", [b"1", None]),
        ("HGETEX h EX 5 FIELDS 1 f", [b"1"]),
        ("HSETEX h EX 5 FIELDS 1 f v", 1),
        ("HSETEX h FNX FIELDS 2 f v new v", 0),
        ("HSETEX h FXX FIELDS 2 f v new v", 0),
        ("HSETEX h FXX PX 5 FIELDS 2 f v t v", 1),
        (
            "HEXPIRE s 10 FIELDS 1 f",
            b"WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        ("HEXPIRE h -1 FIELDS 1 f", b"ERR invalid expire time, must be >= 0"),
        ("HEXPIRE h x FIELDS 1 f", b"ERR value is not an integer or out of range"),
        ("HEXPIRE h 99999999999999 FIELDS 1 f", b"ERR invalid expire time in 'hexpire' command"),
        (
            "HEXPIRE h 10 EX FIELDS 1 f",
            b"ERR Mandatory argument FIELDS is missing or not at the right position",
        ),
        ("HEXPIRE h 10 FIELDS 0 f", b"ERR Parameter `numFields` should be greater than 0"),
        (
            "HEXPIRE h 10 FIELDS 2 f",
            b"ERR The `numfields` parameter must match the number of arguments",
        ),
        ("HTTL h FIELDS 2 f", b"ERR The `numfields` parameter must match the number of arguments"),
        (
            "HTTL h FIELD 1 f",
            b"ERR Mandatory argument FIELDS is missing or not at the right position",
        ),
        ("HTTL h f", b"ERR wrong number of arguments for 'httl' command"),
        ("HSETEX h EX 0 FIELDS 1 f v", b"ERR invalid expire time in 'hsetex' command"),
        ("HSETEX h EX 1 PX 1 FIELDS 1 f v", b"ERR syntax error"),
        ("HSETEX h FIELDS 1 f", b"ERR wrong number of arguments for 'hsetex' command"),
    ],
)
@pytest.mark.parametrize("items", [1, 1000])
def test_replies_are_those_of_the_documentation(
    request_line: str, expected: Any, items: int
) -> None:
    clock = Clock(items)
    for line in ("SET s x", "HSET h f 1 g 2 t 3", "HEXPIRE h 100 FIELDS 1 t"):
        clock.ask(line)
    assert clock.ask(request_line) == expected


def test_expired_field_is_not_visible() -> None:
    clock = Clock()
    clock.ask("HSET h f 1 g 2 n 3")
    clock.ask("HPEXPIRE h 10 FIELDS 2 f n")
    clock.wait(10)
    assert clock.ask("HLEN h") == 3
    clock.wait(1)
    assert clock.ask("HLEN h") == 1
    assert clock.ask("HGET h f") is None
    assert clock.ask("HEXISTS h f") == 0
    assert clock.ask("HKEYS h") == [b"g"]
    assert clock.ask("HGETALL h") == [b"g", b"2"]
    assert clock.ask("HSCAN h 0") == [b"0", [b"g", b"2"]]
    assert clock.ask("HRANDFIELD h 5") == [b"g"]
    assert clock.ask("HTTL h FIELDS 1 f") == [-2]
    assert clock.ask("HDEL h f") == 0
    assert clock.ask("HINCRBY h n 5") == 5
    assert clock.ask("HSETNX h f new") == 1
    assert clock.ask("HTTL h FIELDS 2 f n") == [-1, -1]


def test_hash_of_expired_fields_does_not_exist() -> None:
    clock = Clock()
    clock.ask("HSETEX h PX 10 FIELDS 2 f 1 g 2")
    clock.wait(11)
    assert clock.ask("EXISTS h") == 0
    assert clock.ask("TYPE h") == "none" or clock.ask("TYPE h") == b"none"
    assert clock.ask("DBSIZE") == 0
    assert clock.ask("HSET h f new") == 1
    assert clock.ask("HGETALL h") == [b"f", b"new"]
    assert clock.ask("SADD other x") == 1


def test_large_hash_expires_in_steps() -> None:
    clock = Clock()
    words = " ".join(f"f{number} {number}" for number in range(3000))
    names = " ".join(f"f{number}" for number in range(2900))
    clock.ask(f"HSET h {words}")
    clock.ask(f"HPEXPIRE h 10 FIELDS 2900 {names}")
    clock.wait(11)
    sizes = [clock.ask("HLEN h")]
    for _ in range(3):
        clock.wait(0)
        sizes.append(clock.ask("HLEN h"))
    assert sizes[0] > 100
    assert sizes[-1] == 100


def test_write_ends_time_to_live_and_increment_keeps_it() -> None:
    clock = Clock()
    clock.ask("HSET h f 1 g 2")
    clock.ask("HEXPIRE h 100 FIELDS 2 f g")
    clock.ask("HSET h f 5")
    clock.ask("HINCRBY h g 5")
    assert clock.ask("HTTL h FIELDS 2 f g") == [-1, 100]
    clock.ask("HSETEX h KEEPTTL FIELDS 2 g 9 f 9")
    assert clock.ask("HTTL h FIELDS 2 f g") == [-1, 100]
    assert clock.ask("OBJECT ENCODING h") == b"listpackex"
    clock.ask("HGETEX h PERSIST FIELDS 1 g")
    assert clock.ask("HTTL h FIELDS 2 f g") == [-1, -1]


def test_copies_keep_deadlines() -> None:
    clock = Clock()
    clock.ask("HSET h f 1 g 2")
    clock.ask("HEXPIRE h 100 FIELDS 1 f")
    clock.ask("COPY h c")
    clock.ask("RENAME h r")
    assert clock.ask("HTTL c FIELDS 2 f g") == [100, -1]
    assert clock.ask("HTTL r FIELDS 2 f g") == [100, -1]


def test_clock_that_is_set_back_shows_fields_again() -> None:
    clock = Clock()
    clock.ask("HSET h f 1")
    clock.ask("HPEXPIRE h 10 FIELDS 1 f")
    clock.wait(50_000)
    assert clock.ask("EXISTS h") == 0
    clock.wait(-50_000)
    assert clock.ask("HGETALL h") == [b"f", b"1"]


@pytest.mark.rule("HSH-10")
@pytest.mark.rule("EXP-4")
def test_expired_field_is_removed_everywhere_by_one_region() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "1", "g", "2")
    regions.run(2, "HINCRBY", "h", "n", "3")
    regions.sync()
    regions.run(1, "HPEXPIRE", "h", "100", "FIELDS", "2", "f", "n")
    regions.sync()
    regions.now += 200
    for _ in range(3):
        regions.sync()
        regions.collect()
    assert regions.everywhere("HGETALL", "h") == [b"2", b"g"]
    for replica in regions.replicas.values():
        value = replica.keyspace.lookup(b"h")
        assert value is not None
        assert not value.next_deadline()
        assert not value.hidden_since()
        assert b"f" not in repr(value.state()).encode()


@pytest.mark.rule("HSH-10")
def test_snapshot_carries_deadlines() -> None:
    regions = Regions()
    regions.run(1, "HSET", "h", "f", "1", "g", "2")
    regions.run(1, "HEXPIRE", "h", "100", "FIELDS", "1", "f")
    regions.run(2, "HSET", "h", "n", "3")
    regions.merge(1, 2)
    regions.merge(2, 1)
    assert regions.everywhere("HTTL", "h", "FIELDS", "3", "f", "g", "n") == [-1, -1, 100]


def test_watched_key_changes_with_a_deadline() -> None:
    clock = Clock()
    other = Client(clock.client.instance)
    clock.ask("HSET h f 1")
    clock.ask("WATCH h")
    receive(other, b"HEXPIRE h 100 FIELDS 1 f\r\n")
    clock.ask("MULTI")
    assert clock.ask("EXEC") is None
