"""Compare the replies of commands on deadlines with those of a real redis-server."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crdb.resp.decoder import ErrorReply, Reply
from tests.crdb.redis_peer import Peer, Word, wall_clock

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
    """Return whether a time to live was refused as too great."""
    return isinstance(answer, ErrorReply) and answer.text.startswith(b"ERR invalid expire time")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", WRITES)
def test_setting_deadline(peer: Peer, name: str, state: str) -> None:
    every_time = product(TIMES, [(), ("NX",), ("NX", "XX"), ("FOO",)])
    every_condition = product(["100", "-1", FAR], CONDITIONS)
    for time, conditions in dict.fromkeys((*every_time, *every_condition)):
        peer.play(STATES[state])
        answer = peer.same(name, "k", time, *conditions)
        if not is_too_late(answer):  # there Redis has set what we refuse (rule EXP-8)
            peer.same_content()
    peer.play([(name, "k"), (name,)])


@pytest.mark.parametrize("state", STATES)
def test_reading_and_ending_deadline(peer: Peer, state: str) -> None:
    # The deadline of `sooner` is set a moment apart, and EXPIRETIME rounds it to seconds.
    rounded = () if state == "sooner" else ("EXPIRETIME",)
    for name in ("TTL", "PTTL", "PERSIST", "EXISTS", *rounded):
        peer.play([*STATES[state], (name, "k"), (name, "k"), ("TTL", "k"), (name,)])
    peer.play([("SET", "k", "v"), ("PEXPIREAT", "k", 1000 * FAR + 499)])
    assert peer.same("PEXPIRETIME", "k") == 1000 * FAR + 499
    assert peer.same("EXPIRETIME", "k") == FAR
    peer.same("PEXPIREAT", "k", 1000 * FAR + 500)
    assert peer.same("EXPIRETIME", "k") == FAR + 1


@pytest.mark.rule("EXP-8")
def test_deadline_after_year_19809_is_refused(peer: Peer) -> None:
    peer.same("SET", "k", "v")
    assert peer.same("PEXPIREAT", "k", 1 << 49) == 1
    too_late = (1 << 49) + 1
    assert peer.same("PEXPIREAT", "k", too_late) == ErrorReply(
        b"ERR invalid expire time in 'pexpireat' command"
    )
    assert isinstance(peer.same("SET", "k", "v", "PXAT", too_late), ErrorReply)


def test_past_deadline_deletes_immediately(peer: Peer) -> None:
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
