"""Compare results of scripts with those of a real redis-server.

Each line of the text files here is a script. Every script runs on both, in RESP2 and RESP3.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.crdb.raw import exchange, ours
from tests.crdb.redis_peer import Peer, encode, request

HERE = Path(__file__).parent
SETUP = (
    ("HSET", "h", "f", "v"),
    ("SADD", "s", "m"),
    ("ZADD", "z", 1.5, "a"),
    ("SET", "k", "v"),
)
FILES = ("cjson", "cmsgpack", "language", "redis_api", "struct_and_bit")


def differences(peer: Peer, requests: list[list[bytes]]) -> list[str]:
    """Return the requests whose raw replies differ, with both replies."""
    theirs = peer.server.run_all(requests)
    found: list[str] = []
    for args, reply in zip(requests, theirs, strict=True):
        ours = peer.ours.run(args)
        if ours != reply:
            found.append(f"{args}\n  redis: {reply!r}\n  ours:  {ours!r}")
    return found


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", FILES)
def test_scripts_have_the_results_of_redis(peer: Peer, name: str, protocol: int) -> None:
    for command in SETUP:
        peer.same(*command)
    peer.protocol(protocol)
    scripts = (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    found = differences(peer, [encode(("EVAL", script, 0)) for script in scripts])
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "script",
    [
        "return 1\n+ nil",
        "local function f()\n error('deep')\nend\nf()",
        "if true then\n return redis.call('incr', 'k')\nend",
        "local x = 1\n\nreturn redis.call('nope')",
        "local x = {\n",
        "\n\nreturn cjson.decode('[')",
        "pcall(error)\nerror({err='MY error'})",
    ],
)
def test_errors_name_the_line(peer: Peer, script: str) -> None:
    peer.same("SET", "k", "v")
    peer.same("EVAL", script, 0)


def test_keys_and_arguments_are_passed_as_bytes(peer: Peer) -> None:
    script = "return {KEYS, ARGV, #KEYS, #ARGV, KEYS[1] == ARGV[1]}"
    every = bytes(range(256))
    peer.same("EVAL", script, 0)
    peer.same("EVAL", script, 1, every, every)
    peer.same("EVAL", script, 2, "a", "", "", every)
    many = [str(number) for number in range(150)]
    peer.same("EVAL", script, 100, *many)
    peer.same("EVAL", script, 0, *many)
    peer.same("EVAL", script, 150, *many)


def test_result_that_is_too_deep_ends_as_in_redis(peer: Peer) -> None:
    for script in ("local a = {} a[1] = a return a", "local a = {} a.map = {x=a} return a"):
        data = request(encode(("EVAL", script, 0)))
        theirs = exchange(peer.server, data).replies
        assert theirs.endswith(b"-ERR reached lua stack limit\r\n")
        assert ours(data).replies == theirs


texts = st.binary(max_size=20)
numbers = st.one_of(
    st.integers(-(1 << 53), 1 << 53),
    st.floats(width=64),
    st.sampled_from([0.5, -0.0, 1e15, 1e16, 1e300, 2.0**62, -(2.0**63)]),
)


def quoted(text: bytes) -> str:
    """Return a string as Lua source."""
    return "'" + "".join(f"\\{byte:03}" for byte in text) + "'"


def number(value: float) -> str:
    """Return a number as Lua source."""
    if value != value:
        return "(-(0/0))"
    if value in (float("inf"), float("-inf")):
        return "(1/0)" if value > 0 else "(-1/0)"
    return f"({value!r})"


values = st.recursive(
    st.one_of(texts.map(quoted), numbers.map(number), st.sampled_from(["true", "false", "nil"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: "{" + ",".join(items) + "}"),
        st.tuples(st.sampled_from(["ok", "err", "big_number", "map", "set"]), inner).map(
            lambda pair: "{" + f"{pair[0]}={pair[1]}" + "}"
        ),
    ),
    max_leaves=8,
)
LIBRARIES = (
    "return {value}",
    "redis.setresp(3) return {value}",
    "return cmsgpack.pack({value})",
    "return pcall(cjson.encode, {value})",
    "return {{pcall(function() return cjson.encode(cjson.decode(cjson.encode({value}))) end)}}",
    "return {{cmsgpack.unpack(cmsgpack.pack({value}))}}",
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.sampled_from(LIBRARIES), value=values, protocol=st.sampled_from([2, 3]))
def test_random_values_are_converted_as_in_redis(
    peer: Peer, script: str, value: str, protocol: int
) -> None:
    peer.protocol(protocol)
    assert not differences(peer, [encode(("EVAL", script.format(value=value), 0))])


arguments = st.one_of(
    texts.map(quoted),
    # Redis 7.0 sends other numbers with 17 digits, later versions with as many as are needed
    st.integers(-(1 << 53), 1 << 53).map(lambda n: number(n / 2)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=arguments)
def test_random_arguments_reach_commands_as_in_redis(peer: Peer, value: str) -> None:
    script = f"redis.call('set', 'k', {value}) return {{redis.call('get', 'k'), tostring({value})}}"
    requests = [encode(("EVAL", script, 0)), encode(("GET", "k"))]
    assert not differences(peer, requests)
