"""Compare EVAL and its variants with those of a real redis-server."""

from __future__ import annotations

import pytest

from tests.crdb.redis_peer import Peer

SHEBANGS = (
    *("#!lua\nreturn 1", "#!lua flags=no-writes\nreturn 1", "#!lua flags=\nreturn 1"),
    *("#!lua flags=x\nreturn 1", "#!lua flags=no-writes,allow-oom\nreturn 1"),
    *("#!lua flags=no-writes,\nreturn 1", "#!lua foo=1\nreturn 1", "#!js\nreturn 1", "#!lua"),
    *("#!\nreturn 1", "#! lua\nreturn 1", "#!lua 'a\nreturn 1", "#!lua\n\nerror('x')"),
    "#!lua flags=no-writes\nreturn redis.call('set', 'a', 'b')",
    "#!lua flags=allow-stale,no-cluster,allow-cross-slot-keys\nreturn redis.call('get', 'k')",
    "#!lua\n\nreturn redis.call('nope')",
)
COMMANDS = (
    *("redis.call('set', 'a', 'b')", "redis.pcall('set', 'a', 'b')", "redis.call('get', 'k')"),
    *("redis.call('flushall')", "redis.call('dbsize')", "redis.call('keys', '*')"),
    *("redis.call('hset', 'k', 'f', 1)", "redis.call('time') and 1", "redis.call('client', 'id')"),
)
SHA_OF_ONE = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db"


@pytest.fixture
def scripts(peer: Peer) -> Peer:
    """Return a server and an instance without scripts and with one key."""
    peer.server.run([b"SCRIPT", b"FLUSH"])
    peer.same("SET", "k", "v")
    return peer


@pytest.mark.parametrize("script", SHEBANGS)
def test_first_line_is_read_as_in_redis(scripts: Peer, script: str) -> None:
    scripts.same("EVAL", script, 0)
    scripts.same("EVAL_RO", script, 0)
    scripts.same("SCRIPT", "LOAD", script)


def test_read_only_scripts(scripts: Peer) -> None:
    for command in COMMANDS:
        scripts.same("EVAL_RO", f"return {command}", 0)
        scripts.same("EVAL", f"return {command}", 0)


def test_scripts_by_digest(scripts: Peer) -> None:
    same = scripts.same
    same("EVALSHA", SHA_OF_ONE, 0)
    same("EVAL", "return 1", 0)
    same("SCRIPT", "EXISTS", SHA_OF_ONE, "x", SHA_OF_ONE.upper())
    for name in (SHA_OF_ONE, SHA_OF_ONE.upper(), "x", "0" * 40):
        same("EVALSHA", name, 0)
        same("EVALSHA_RO", name, 0)
        same("EVALSHA", name, 1)
        same("EVALSHA", name, "x")
    same("SCRIPT", "FLUSH")
    same("EVALSHA", SHA_OF_ONE, 0)
    for words in ("LOAD x-x-", "LOAD", "DEBUG no", "DEBUG x", "EXISTS", "FLUSH x", "FLUSH ASYNC"):
        same("SCRIPT", *words.split())
    for words in ("FLUSH SYNC ASYNC", "KILL", "NOSUCH"):
        same("SCRIPT", *words.split())


@pytest.mark.parametrize("count", ["-1", "1", "x", "", "9999999999999999999"])
def test_wrong_number_of_keys(scripts: Peer, count: str) -> None:
    scripts.same("EVAL", "return 1", count)
    scripts.same("EVAL", "return 1")


def test_scripts_in_transactions(scripts: Peer) -> None:
    same = scripts.same
    same("WATCH", "w")
    same("EVAL", "redis.call('set', 'w', 1)", 0)
    for words in (("MULTI",), ("PING",), ("EXEC",), ("MULTI",), ("SET", "n", 1)):
        same(*words)
    same("EVAL", "return redis.call('incr', 'n')", 0)
    same("EVAL", "redis.call('incr', 'n') error('in the middle')", 0)
    same("EVALSHA", "x", 0)
    same("SCRIPT", "LOAD", "return 5")
    same("EVAL", "return redis.call('get', 'n')", 0)
    same("EXEC")
    same("GET", "n")


def test_error_in_the_middle_keeps_earlier_writes(scripts: Peer) -> None:
    script = "redis.call('set', 'a', 1) redis.call('incr', 'k') redis.call('set', 'b', 1)"
    scripts.same("EVAL", script, 0)
    scripts.same("MGET", "a", "b", "k")


def test_counters_of_errors(scripts: Peer) -> None:
    for script in ("return redis.call('incr', 'k')", "return {err='MINE x'}", "error('x')"):
        scripts.same("EVAL", script, 0)
    scripts.same("COMMAND", "GETKEYS", "EVAL", "x", 2, "a", "b", "c")
    scripts.same("COMMAND", "GETKEYS", "FCALL", "x", 0)
    scripts.same("COMMAND", "GETKEYS", "EVALSHA", "x", 1)


RATE_LIMITER = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count <= tonumber(ARGV[2]) and 1 or 0, count}
"""


def test_rate_limiter(scripts: Peer) -> None:
    for _ in range(5):
        scripts.same("EVAL", RATE_LIMITER, 1, "calls", 60_000, 3)
    scripts.same_content()
