"""The commands of expiry: replies as a real server's, conflicts as the specification says."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.crdb.redis_peer import Peer, Refusal, Reply, Word, wall_clock
from tests.crdb.regions import START_MS, Regions

FAR = 33177117420
STATES: dict[str, list[tuple[Word, ...]]] = {
    "missing": [],
    "endless": [("SET", "k", "v")],
    "sooner": [("SET", "k", "v"), ("EXPIRE", "k", "50")],
    "later": [("SADD", "k", "v"), ("EXPIREAT", "k", FAR)],
    "expired": [("SET", "k", "v", "PXAT", "1")],
}
TIMES: list[Word] = [
    "100",
    "0",
    "-1",
    "x",
    "",
    "1.5",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775",
    "9223372036854776",
    "-9223372036854775",
    "-9223372036854776",
    "9223372036854775808",
    FAR,
    1000 * FAR,
]
CONDITIONS: list[tuple[Word, ...]] = [
    *[(), ("NX",), ("XX",), ("GT",), ("lt",), ("XX", "GT"), ("LT", "XX"), ("NX", "NX")],
    *[("NX", "XX"), ("NX", "GT"), ("LT", "NX"), ("GT", "LT"), ("FOO",), ("NX", "foo\r\nbar")],
]
WRITES = ["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"]


def is_too_late(answer: Reply) -> bool:
    """Whether a time to live was refused as too great."""
    return isinstance(answer, Refusal) and answer.text.startswith(b"ERR invalid expire time")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", WRITES)
def test_setting_a_deadline(peer: Peer, name: str, state: str) -> None:
    every_time = product(TIMES, [(), ("NX",), ("NX", "XX"), ("FOO",)])
    every_condition = product(["100", "-1", FAR], CONDITIONS)
    for time, conditions in dict.fromkeys((*every_time, *every_condition)):
        peer.play(STATES[state])
        answer = peer.same(name, "k", time, *conditions)
        if not is_too_late(answer):  # there Redis has set what we refuse (rule EXP-8)
            peer.same_content()
    peer.play([(name, "k"), (name,)])


@pytest.mark.parametrize("state", STATES)
def test_reading_and_ending_a_deadline(peer: Peer, state: str) -> None:
    # The deadline of `sooner` is set a moment apart, and EXPIRETIME rounds it to seconds.
    rounded = () if state == "sooner" else ("EXPIRETIME",)
    for name in ("TTL", "PTTL", "PERSIST", "EXISTS", *rounded):
        peer.play([*STATES[state], (name, "k"), (name, "k"), ("TTL", "k"), (name,)])
    peer.play([("SET", "k", "v"), ("PEXPIREAT", "k", 1000 * FAR + 499)])
    assert peer.same("PEXPIRETIME", "k") == 1000 * FAR + 499
    assert peer.same("EXPIRETIME", "k") == FAR
    peer.same("PEXPIREAT", "k", 1000 * FAR + 500)
    assert peer.same("EXPIRETIME", "k") == FAR + 1


def test_exp_8_a_deadline_after_the_year_19809_is_refused(peer: Peer) -> None:
    peer.same("SET", "k", "v")
    assert peer.same("PEXPIREAT", "k", 1 << 49) == 1
    too_late = (1 << 49) + 1
    assert peer.same("PEXPIREAT", "k", too_late) == Refusal(
        b"ERR invalid expire time in 'pexpireat' command"
    )
    assert isinstance(peer.same("SET", "k", "v", "PXAT", too_late), Refusal)


def test_a_deadline_that_has_passed_deletes_at_once(peer: Peer) -> None:
    for key, *command in (("a", "EXPIRE", "-1"), ("b", "PEXPIREAT", wall_clock() - 1)):
        peer.same("SET", key, "v")
        assert peer.same(command[0], key, command[1]) == 1
        assert peer.same("DBSIZE") == 0


STEP = st.one_of(
    st.just(("SET", "k", "v")),
    st.just(("SADD", "k", "v")),
    st.just(("DEL", "k")),
    st.just(("PERSIST", "k")),
    st.just(("SET", "k", "v", "KEEPTTL")),
    st.just(("EXPIRETIME", "k")),
    st.tuples(
        st.sampled_from(["EXPIREAT", "PEXPIREAT"]),
        st.sampled_from([FAR, FAR + 1, FAR * 2, 1]),
        st.sampled_from(CONDITIONS),
    ).map(lambda t: (t[0], "k", t[1], *t[2])),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(commands=st.lists(STEP, max_size=20))
def test_any_commands_reply_as_redis_does(peer: Peer, commands: list[tuple[Word, ...]]) -> None:
    peer.play(commands)


# -- time and conflicts ----------------------------------------------------------------------


def both(
    region_1: tuple[Word, ...], region_2: tuple[Word, ...], *setup: tuple[Word, ...]
) -> Regions:
    """Two regions after a concurrent write of each, and convergence."""
    regions = Regions(2)
    for words in setup:
        regions.run(1, *words)
    regions.sync()
    regions.run(1, *region_1)
    regions.run(2, *region_2)
    regions.sync()
    return regions


SETUPS: list[tuple[Word, ...]] = [("SET", "x", "v"), ("SADD", "x", "v"), ("INCR", "x")]


def test_a_key_ends_at_its_deadline() -> None:
    regions = Regions(2)
    regions.run(1, "SET", "x", "v", "PX", "1000")
    regions.sync()
    regions.now += 400
    assert regions.everywhere("PTTL", "x") == 600
    assert regions.everywhere("TTL", "x") == 1
    assert regions.everywhere("PEXPIRETIME", "x") == START_MS + 1000
    regions.now += 600
    assert regions.everywhere("GET", "x") == b"v"
    assert regions.everywhere("TTL", "x") == 0
    regions.now += 1
    assert regions.everywhere("GET", "x") is None
    assert regions.everywhere("TTL", "x") == -2


def test_exp_6_a_write_to_an_expired_key_begins_anew_everywhere() -> None:
    for write, result in (("APPEND x new", b"new"), ("INCRBY x 7", b"7"), ("SETNX x 1", b"1")):
        regions = Regions(2)
        regions.run(1, "SET", "x", "41", "PX", "1000")
        regions.sync()
        regions.now += 2000
        regions.run(2, *write.split())
        regions.sync()
        assert regions.everywhere("GET", "x") == result
        assert regions.everywhere("TTL", "x") == -1


def test_exp_7_a_write_that_the_expiry_has_not_seen_survives_it() -> None:
    regions = Regions(2)
    regions.run(1, "INCRBY", "x", "41")
    regions.run(1, "PEXPIRE", "x", "1000")
    regions.sync()
    regions.run(1, "INCRBY", "x", "1")
    regions.now += 2000
    regions.run(2, "INCRBY", "x", "5")
    regions.sync()
    assert regions.everywhere("GET", "x") == b"6"
    assert regions.everywhere("TTL", "x") == -1


@pytest.mark.parametrize("setup", SETUPS)
def test_exp_1_the_longest_wins(setup: tuple[Word, ...]) -> None:
    assert both(("EXPIRE", "x", "10"), ("EXPIRE", "x", "50"), setup).everywhere("TTL", "x") == 50
    assert both(("EXPIRE", "x", "50"), ("EXPIRE", "x", "10"), setup).everywhere("TTL", "x") == 50


@pytest.mark.parametrize("setup", SETUPS)
def test_exp_2_and_d_10_persist_wins_also_without_a_time_to_live(setup: tuple[Word, ...]) -> None:
    regions = Regions(3)
    regions.run(1, *setup)
    regions.sync()
    regions.run(1, "EXPIRE", "x", "10")
    regions.run(2, "EXPIRE", "x", "50")
    assert regions.run(3, "PERSIST", "x") == 0
    regions.sync()
    assert regions.everywhere("TTL", "x") == -1


@pytest.mark.parametrize("setup", SETUPS)
def test_exp_2_persist_beats_a_concurrent_expire(setup: tuple[Word, ...]) -> None:
    brief = ("EXPIRE", "x", "100")
    regions = both(("PERSIST", "x"), ("EXPIRE", "x", "50"), setup, brief)
    assert regions.everywhere("TTL", "x") == -1


@pytest.mark.parametrize("setup", SETUPS)
def test_exp_3_a_later_expire_replaces_what_it_has_seen(setup: tuple[Word, ...]) -> None:
    regions = both(("EXPIRE", "x", "50"), ("PERSIST", "x"), setup)
    regions.run(2, "EXPIRE", "x", "10")
    regions.sync()
    assert regions.everywhere("TTL", "x") == 10


@pytest.mark.parametrize("setup", SETUPS)
def test_exp_9_deadlines_are_absolute(setup: tuple[Word, ...]) -> None:
    regions = Regions(2)
    regions.run(1, *setup)
    regions.sync()
    regions.run(1, "PEXPIREAT", "x", START_MS + 500)
    regions.run(2, "PEXPIREAT", "x", START_MS + 700)
    regions.sync()
    regions.now += 650
    assert regions.everywhere("EXISTS", "x") == 1
    regions.now += 100
    assert regions.everywhere("EXISTS", "x") == 0


def test_str_6_a_set_ends_the_time_to_live_and_keepttl_keeps_it() -> None:
    brief = ("SET", "x", "old", "EX", "100")
    assert both(("SET", "x", "a"), ("GET", "x"), brief).everywhere("TTL", "x") == -1
    regions = both(("SET", "x", "a", "KEEPTTL"), ("GET", "x"), brief)
    assert regions.everywhere("TTL", "x") == 100


def test_a_delete_beside_an_expire_leaves_nothing() -> None:
    regions = both(("DEL", "x"), ("EXPIRE", "x", "50"), ("SADD", "x", "v"))
    assert regions.everywhere("EXISTS", "x") == 0
    regions.run(1, "SADD", "x", "new")
    regions.sync()
    assert regions.everywhere("TTL", "x") == -1


def test_getex_is_a_read_and_an_expiry() -> None:
    regions = both(("GETEX", "x", "EX", "10"), ("GETEX", "x", "EX", "50"), ("SET", "x", "v"))
    assert regions.everywhere("TTL", "x") == 50
    regions = both(("GETEX", "x", "PERSIST"), ("GETEX", "x", "EX", "50"), ("SET", "x", "v"))
    assert regions.everywhere("TTL", "x") == -1
