"""Compare the replies of commands on counters with those of a real redis-server."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crdb.resp.decoder import ErrorReply
from tests.crdb.redis_peer import COUNTER_MAX, Peer, Word

OVERFLOW = ErrorReply(b"ERR increment or decrement would overflow")
VALUES: list[str] = [
    "0",
    "7",
    "-7",
    "07",
    "+7",
    "-0",
    " 7",
    "7 ",
    "",
    "x",
    "1.5",
    "-1.50",
    "1e3",
    "5.0",
    ".5",
    "5.",
    "inf",
    "-Infinity",
    "nan",
    "1_000",
    "0x",
    "--1",
    "1e-5",
    "3.0e2",
]
DELTAS = ["1", "-1", "0", "", "x", "1.5", "0.1", "-0.30", "1e2", "inf", "-inf", "nan", "5."]


@pytest.mark.parametrize("value", VALUES)
def test_initial_values_that_are_numbers(peer: Peer, value: str) -> None:
    start = ("SET", "k", value)
    for name in ("INCR", "DECR"):
        peer.play([start, (name, "k"), ("GET", "k"), (name, "k")])
    for delta in DELTAS:
        for name in ("INCRBY", "DECRBY", "INCRBYFLOAT"):
            peer.play([start, (name, "k", delta), ("GET", "k"), ("INCR", "k")])


@pytest.mark.parametrize("name", ["INCR", "DECR", "INCRBY", "DECRBY", "INCRBYFLOAT"])
def test_without_key_with_another_type_and_with_wrong_arity(peer: Peer, name: str) -> None:
    arguments = () if name in ("INCR", "DECR") else ("5",)
    peer.play([(name, "k", *arguments), ("GET", "k"), (name, "k", *arguments)])
    peer.play([("SADD", "k", "x"), (name, "k", *arguments)])
    peer.play([(name,), (name, "k", "1", "2")])
    peer.play([("SET", "k", "1", "PXAT", "1"), (name, "k", *arguments), ("TTL", "k")])
    peer.play([("SET", "k", "1", "EX", "100"), (name, "k", *arguments), ("TTL", "k")])


@pytest.mark.parametrize("name", ["INCRBY", "DECRBY"])
def test_limits_of_64_bits(peer: Peer, name: str) -> None:
    for value in ("9223372036854775807", "-9223372036854775808"):
        for delta in ("9223372036854775807", "-9223372036854775808", "9223372036854775808"):
            peer.play([("SET", "k", value), (name, "k", delta), ("GET", "k")])
    peer.play([("DECRBY", "k", "-9223372036854775808")])


@pytest.mark.rule("D-05")
def test_counter_keeps_59_bits_of_magnitude(peer: Peer) -> None:
    peer.same("SET", "k", COUNTER_MAX - 1)
    assert peer.same("INCR", "k") == COUNTER_MAX
    assert peer.same("INCR", "k") == OVERFLOW  # Redis goes on
    assert peer.ours.run([b"GET", b"k"]) == b"$18\r\n%d\r\n" % COUNTER_MAX
    peer.clear()
    peer.same("SET", "k", 1 - COUNTER_MAX)
    assert peer.same("DECR", "k") == -COUNTER_MAX
    assert peer.same("INCRBY", "k", 2 * COUNTER_MAX) == COUNTER_MAX
    assert peer.same("INCRBY", "k", 1) == OVERFLOW


def test_fractions_are_added_as_people_write_them(peer: Peer) -> None:
    commands: list[tuple[Word, ...]] = [("SET", "k", "10.50"), ("INCRBYFLOAT", "k", "0.1")]
    commands += [("INCRBYFLOAT", "k", "-5"), ("SET", "k", "5.0e3"), ("INCRBYFLOAT", "k", "2.0e2")]
    commands += [("INCRBYFLOAT", "k", "0.1")] * 20 + [("INCRBYFLOAT", "k", "-0.000001")]
    commands += [("SET", "k", "3"), ("INCRBYFLOAT", "k", "1.1"), ("INCRBYFLOAT", "k", "-4.1")]
    commands += [("INCRBYFLOAT", "k", "1e17"), ("INCRBYFLOAT", "new", "1e-17"), ("GET", "new")]
    commands += [
        ("INCRBYFLOAT", "new", "1e-18"),
        ("GET", "new"),
    ]
    commands += [("INCRBYFLOAT", "h2", "0x10"), ("GET", "h2")]
    peer.play(commands)


def spelt(random: Random) -> str:
    """Draw a number in a notation that somebody might use, or nearly a number."""
    whole = random.randrange(-(2**64), 2**64)
    small = random.uniform(-1000, 1000)
    written = [
        f"{whole}",
        f"{whole // 2 ** random.randrange(64)}.{random.randrange(10**17):017}",
        f"{small!r}",
        f"{small:.{random.randrange(30)}f}",
        f"{small:e}",
        f"{random.randrange(-99, 99)}e{random.randrange(-30, 40)}",
        f"{random.randrange(-9, 9)}e{random.randrange(-4960, 4940)}",
        f"{random.choice('-+')}0x{random.randrange(2**70):x}.8p{random.randrange(-99, 99)}",
        f"{random.choice([1, -1]) * (2 ** random.randrange(60, 70) + random.randrange(-3, 4))}",
        random.choice(["0.1", "0.2", "1e-18", "1e-400", "5e-324", "0.3333333333333333333", "-0"]),
        random.choice(
            ["inf", "-inf", "nan", "", " 1", "1 ", "1.", ".5", "+5", "5.0e3", "0x10", "x"]
        ),
    ]
    return random.choice(written)


@pytest.mark.no_cover
def test_fractions_have_digits_of_redis(peer: Peer) -> None:
    """Compare thousands of sums of long doubles, in strings and in fields."""
    random = Random(1)
    commands: list[tuple[Word, ...]] = []
    for _ in range(1500):
        if random.random() < 0.4:
            commands.append(("SET", "k", spelt(random)))
            commands.append(("HSET", "h", "f", spelt(random)))
        commands += [("INCRBYFLOAT", "k", spelt(random)), ("HINCRBYFLOAT", "h", "f", spelt(random))]
        commands += [("GET", "k"), ("HGET", "h", "f")]
    peer.play(commands)


DECIMALS = st.decimals(
    min_value=-1000, max_value=1000, allow_nan=False, allow_infinity=False, places=3
).map(str)
STEP = st.one_of(
    st.tuples(st.just("INCRBYFLOAT"), st.just("k"), DECIMALS),
    st.tuples(st.just("SET"), st.just("k"), DECIMALS),
    st.tuples(st.just("INCRBY"), st.just("k"), st.integers(-1000, 1000).map(str)),
    st.just(("GET", "k")),
    st.just(("DEL", "k")),
    st.just(("DECR", "k")),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(STEP, max_size=20))
def test_any_commands_reply_as_redis_does(peer: Peer, commands: list[tuple[Word, ...]]) -> None:
    peer.play(commands)


@pytest.mark.parametrize("large", [9223372036854775807, -9223372036854775808])
@pytest.mark.rule("D-05")
def test_counter_beyond_59_bits_may_come_back(peer: Peer, large: int) -> None:
    back, away = ("DECR", "INCRBY") if large > 0 else ("INCR", "DECRBY")
    peer.same("SET", "k", large)
    peer.same(back, "k")
    assert peer.same(f"{back}BY", "k", 9_000_000_000_000_000_000) != OVERFLOW
    peer.same("SET", "k", large)
    assert peer.same(away, "k", 1) == OVERFLOW
    peer.same("HSET", "h", "f", large)
    peer.same("HINCRBY", "h", "f", -1 if large > 0 else 1)
    peer.same("GET", "k")
