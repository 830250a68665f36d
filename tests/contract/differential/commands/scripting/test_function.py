"""Compare FUNCTION and FCALL with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer, decode, encode

GOOD = """#!lua name=good
local count = 0
redis.register_function('f', function(keys, args) return {keys, args} end)
redis.register_function{function_name='g', callback=function(keys) return redis.call('get', keys[1])
  end, description='reads', flags={'no-writes', 'ALLOW-STALE'}}
redis.register_function('count', function() count = count + 1 return count end)
redis.register_function('api', function() return {type(redis.call), type(redis.sha1hex)} end)
redis.register_function('global', function() return xyz end)
redis.register_function('set_global', function() xyz = 1 end)
redis.register_function('keys', function() return KEYS end)
redis.register_function('late', function() redis.register_function('x', function() end) end)
redis.register_function('debugger', function() return redis.breakpoint end)
redis.register_function('fails', function() error('x') end)
redis.register_function('wrong', function() return redis.call('incr', 'k') end)
redis.register_function('protect', function() setmetatable(_G, {}) end)
redis.register_function('libraries', function(k) return math.max(1, 2) + #cjson.encode(k) end)
"""
FUNCTIONS = (
    *("f", "F", "g", "count", "count", "api", "global", "set_global", "keys", "late"),
    *("debugger", "fails", "wrong", "protect", "libraries", "nosuch"),
)
BAD = (
    *("x", "#!", "#!lua", "#!lua\n", "#!lua name=good", "#!lua name=\nx", "#!lua name=a-b\nx"),
    *("#!lua foo=a\nx", "#!lua name=z name=y\nx", "#!js name=z\nx", "#!lua name=good\nx"),
)
BAD_BODIES = (
    *("", "return 1", "x x", "error('boom')", "error({err='E boom'})", "redis.call('ping')"),
    *("return math.random()", "a=1", "return foo", "redis.foo()", "redis.register_function()"),
    *("redis.register_function(1)", "redis.register_function('a','b')"),
    "redis.register_function('a', function() end, 1)",
    "redis.register_function({}, function() end)",
    "redis.register_function('a b', function() end)",
    "redis.register_function('', function() end)",
    "for i = 1, 2 do redis.register_function('q', function() end) end",
    "redis.register_function{function_name='q'}",
    "redis.register_function{callback=function() end}",
    "redis.register_function{function_name={}, callback=function() end}",
    "redis.register_function{function_name='q', callback=1}",
    "redis.register_function{function_name='q', callback=print, bad=1}",
    "redis.register_function{function_name='q', callback=function() end, description={}}",
    "redis.register_function{function_name='q', callback=function() end, flags='x'}",
    "redis.register_function{function_name='q', callback=function() end, flags={'x'}}",
    "redis.register_function{function_name='q', callback=function() end, flags={{}}}",
    "redis.register_function{function_name='q', callback=function() end, bad=1}",
    "redis.register_function{[1]='q'}",
    "redis.register_function{[{}]='q'}",
    "redis.register_function('f', function() end)",
)


@pytest.fixture
def libraries(peer: Peer) -> Peer:
    """Return a server and an instance with the library above and one key."""
    peer.server.run_all([[b"FUNCTION", b"FLUSH"], [b"SCRIPT", b"FLUSH"]])
    peer.same("SET", "k", "v")
    peer.same("FUNCTION", "LOAD", GOOD)
    return peer


@pytest.mark.parametrize("protocol", [2, 3])
def test_functions_have_the_results_of_redis(libraries: Peer, protocol: int) -> None:
    libraries.protocol(protocol)
    for name in FUNCTIONS:
        libraries.same("FCALL", name, 0)
        libraries.same("FCALL_RO", name, 1, "k", "a")
        libraries.same("FCALL", name, 1, "k", "a")
    for count in ("2", "-1", "x", "1"):
        libraries.same("FCALL", "f", count)
    libraries.same("FUNCTION", "STATS")


@pytest.mark.parametrize("code", [*BAD, *(f"#!lua name=z\n{body}" for body in BAD_BODIES)])
def test_library_is_refused_as_in_redis(libraries: Peer, code: str) -> None:
    libraries.same("FUNCTION", "LOAD", code)
    libraries.same("FCALL", "count", 0)


def test_loading_and_deleting(libraries: Peer) -> None:
    same = libraries.same
    other = "#!LUA name='other'\nredis.register_function('o', function() return 1 end)"
    same("FUNCTION", "LOAD", GOOD)
    same("FUNCTION", "LOAD", "REPLACE", GOOD.replace("count = 0", "count = 5"))
    same("FCALL", "count", 0)
    same("FUNCTION", "LOAD", "replace", other.replace("other", "second").replace("'o'", "'f'"))
    for words in (("A", "B"), ("REPLACE",), ()):
        same("FUNCTION", "LOAD", *words)
    same("FUNCTION", "DELETE", "good")
    same("FUNCTION", "DELETE", "good")
    same("FCALL", "f", 0)
    same("FUNCTION", "LOAD", other)
    for words in (
        *((), ("WITHCODE",), ("LIBRARYNAME", "OTH*"), ("LIBRARYNAME", "x"), ("LIBRARYNAME",)),
        *(("WITHCODE", "WITHCODE"), ("wrong",), ("LIBRARYNAME", "a", "LIBRARYNAME", "b")),
    ):
        same("FUNCTION", "LIST", *words)
    same("FUNCTION", "DUMP")
    for words in (("wrong",), ("SYNC", "ASYNC"), ("sync",), ()):
        same("FUNCTION", "FLUSH", *words)
    same("FUNCTION", "DUMP")


def test_dump_of_each_is_restored_by_the_other(libraries: Peer) -> None:
    """Redis compresses long code, and we do not."""
    same, dump = libraries.same, encode(("FUNCTION", "DUMP"))
    for payload in (decode(libraries.server.run(dump)), decode(libraries.ours.run(dump))):
        assert isinstance(payload, bytes)
        for policy in ((), ("append",), ("REPLACE",), ("FLUSH",), ("wrong",), ("FLUSH", "x")):
            same("FUNCTION", "RESTORE", payload, *policy)
        for damaged in (payload[:-1], b"", b"x" * 20, payload[:-3] + b"abc"):
            same("FUNCTION", "RESTORE", damaged)
        same("FUNCTION", "FLUSH")
        same("FUNCTION", "RESTORE", payload)
        same("FCALL", "g", 1, "k")


@pytest.mark.parametrize("words", ["DELETE", "KILL", "NOSUCH", "LOAD", "STATS x"])
def test_wrong_requests(libraries: Peer, words: str) -> None:
    libraries.same("FUNCTION", *words.split())
