"""Scripts that run for long: slices, BUSY, and how they are ended."""

from __future__ import annotations

import pytest

from crdb.commands.scripting.running import BUSY_EVAL, BUSY_FUNCTION
from crdb.commands.scripting.script import NOT_BUSY, UNKILLABLE
from crdb.engine.client import Client
from crdb.engine.command import DENY_STALE, WRITE
from crdb.engine.events.event_bases import RegionEvent
from crdb.engine.instance import Instance
from crdb.engine.metrics.memory import Memory
from crdb.resp.decoder import ErrorReply, Status
from crdt.causality.op import Op
from crdt.embed.replica import Outcome, Replica
from tests.crdb.commands.scripting.running_scripts import (
    FOREVER,
    ask,
    begin,
    finish,
    send,
    take,
    turn,
)
from tests.crdb.raw import instance

COUNT = "local n = 0 for i = 1, 3000000 do n = n + 1 end return n"
KILLED = b"-ERR Script killed by user with SCRIPT KILL... script: "
ENDLESS = (
    FOREVER,
    "while true do pcall(function() while true do end end) end",
    "while true do pcall(pcall, error) end",
    "xpcall(function() while true do end end, function() while true do end end)",
    "coroutine.wrap(function() while true do end end)()",
    "local c = coroutine.wrap(function() while 1 do coroutine.yield() end end) while c do c() end",
    "string.gsub(('x'):rep(1000), 'x', function() while true do end end)",
    "local t = {} for i = 1, 9 do t[i] = i end table.sort(t, function() while true do end end)",
    "local function f() return f() end f()",
    "return setmetatable({}, {__index=function() while true do end end}).x",
    "while true do redis.call('ping') end",
    "while true do redis.pcall('nosuch') end",
    "while true do pcall(redis.call, 'nosuch') end",
    "while true do pcall(cjson.decode, '[') end",
    "while true do cjson.encode({1, {2}}) end",
)


@pytest.fixture
def database() -> Instance:
    return instance()


def test_long_script_lets_others_be_served(database: Instance) -> None:
    client, other = begin(database, COUNT), Client(database)
    assert send(other, "PING") == b"+PONG\r\n"
    assert send(other, "GET", "k") == b"", "it waits, as the script may write any key"
    assert finish(database, client) == b":3000000\r\n"
    turn(database)
    assert take(other) == b"$-1\r\n"


def test_other_script_waits(database: Instance) -> None:
    client, other = begin(database, COUNT), Client(database)
    assert send(other, "EVAL_RO", "return 5", 0) == b""
    assert finish(database, client) == b":3000000\r\n"
    turn(database)
    assert take(other) == b":5\r\n"


@pytest.mark.parametrize("script", ENDLESS)
def test_every_script_can_be_killed(database: Instance, script: str) -> None:
    client = begin(database, script)
    assert ask(Client(database), "SCRIPT", "KILL") == Status(b"OK")
    turn(database)
    assert take(client).startswith(KILLED)
    assert ask(client, "EVAL", "return pcall(error)", 0) is None, "the next script runs as ever"
    assert ask(client, "EVAL", COUNT, 0) == 3_000_000


def test_script_that_has_written_cannot_be_killed(database: Instance) -> None:
    begin(database, "redis.call('set', 'k', 1) " + FOREVER)
    assert ask(Client(database), "SCRIPT", "KILL") == ErrorReply(UNKILLABLE)


def test_nothing_to_kill(database: Instance) -> None:
    for container in ("SCRIPT", "FUNCTION"):
        assert ask(Client(database), container, "KILL") == ErrorReply(NOT_BUSY)


def test_function_is_killed_by_its_own_command(database: Instance) -> None:
    client, other = Client(database), Client(database)
    body = f"redis.register_function('f', function() {FOREVER} end)"
    ask(client, "FUNCTION", "LOAD", f"#!lua name=l\n{body}")
    send(client, "FCALL", "f", 0)
    turn(database, 30)
    assert ask(other, "SCRIPT", "KILL") == ErrorReply(BUSY_FUNCTION)
    _, running, *_ = ask(other, "FUNCTION", "STATS")
    assert running == [b"name", b"f", b"command", [b"FCALL", b"f", b"0"], b"duration_ms", 30]
    assert ask(other, "FUNCTION", "KILL") == Status(b"OK")
    assert finish(database, client).startswith(KILLED)


def test_script_is_not_killed_as_a_function(database: Instance) -> None:
    begin(database, FOREVER)
    for words in (("FUNCTION", "KILL"), ("FUNCTION", "STATS")):
        assert ask(Client(database), *words) == ErrorReply(BUSY_EVAL)


@pytest.mark.parametrize("name", ["busy-reply-threshold", "lua-time-limit"])
def test_others_get_busy_after_threshold(database: Instance, name: str) -> None:
    events: list[RegionEvent] = []
    database.report = events.append
    other = Client(database)
    ask(other, "CONFIG", "SET", name, 100)
    client = begin(database, FOREVER)
    turn(database, 99)
    assert send(other, "PING") == b"+PONG\r\n"
    turn(database, 1)
    for words in (("PING",), ("GET", "k"), ("EVAL", "return 1", 0), ("SHUTDOWN",)):
        assert ask(other, *words) == ErrorReply(BUSY_EVAL)
    assert ask(other, "MULTI") == Status(b"OK")
    assert ask(other, "GET", "k") == ErrorReply(BUSY_EVAL)
    assert ask(other, "EXEC") == ErrorReply(
        b"EXECABORT Transaction discarded because of: " + BUSY_EVAL
    )
    assert ask(other, "SCRIPT", "KILL") == Status(b"OK")
    assert finish(database, client).startswith(KILLED)
    assert ask(other, "PING") == Status(b"PONG")
    assert [event.name for event in events] == ["slow script", "script killed"]


def test_threshold_of_zero_lets_others_wait(database: Instance) -> None:
    other = Client(database)
    ask(other, "CONFIG", "SET", "busy-reply-threshold", 0)
    begin(database, FOREVER)
    turn(database, 1_000_000)
    assert ask(other, "PING") == Status(b"PONG")


def test_process_can_be_stopped_meanwhile(database: Instance) -> None:
    stopped: list[str] = []
    database.surroundings.request_stop = stopped.append
    ask(Client(database), "CONFIG", "SET", "busy-reply-threshold", 1)
    begin(database, "redis.call('set', 'k', 1) " + FOREVER)
    turn(database, 5)
    send(Client(database), "SHUTDOWN", "NOSAVE")
    assert stopped
    database.slices.finish_all()
    assert database.slices.is_idle(), "the script does not keep the process from ending"


def test_script_ends_when_the_whole_state_is_needed(database: Instance) -> None:
    client = begin(database, "redis.call('set', 'k', 1) " + FOREVER)
    database.replica.snapshot().close()
    turn(database)
    assert take(client).startswith(b"-ERR Script ended, since the region needs all data")
    assert ask(client, "GET", "k") == b"1"


def test_script_of_a_client_that_is_gone_ends(database: Instance) -> None:
    begin(database, FOREVER).leave()
    assert database.slices.is_idle()
    assert ask(Client(database), "EVAL", "return 1", 0) == 1


def test_writes_of_a_client_that_is_gone_are_completed(database: Instance) -> None:
    script = f"redis.call('set', 'a', 1) {COUNT.replace('return n', '')} redis.call('set', 'b', 1)"
    begin(database, script).leave()
    while not database.slices.is_idle():
        turn(database)
    assert ask(Client(database), "MGET", "a", "b") == [b"1", b"1"]


def test_transaction_with_a_long_script(database: Instance) -> None:
    client, other = Client(database), Client(database)
    for words in (("MULTI",), ("SET", "k", 1), ("EVAL", COUNT, 0), ("GET", "k")):
        send(client, *words)
    assert send(client, "EXEC") == b"*3\r\n+OK\r\n"
    assert send(other, "GET", "k") == b""
    assert finish(database, client) == b":3000000\r\n$1\r\n1\r\n"


def test_long_command_in_a_script_runs_in_slices(database: Instance) -> None:
    other = Client(database)
    database.slices.items = 10
    ask(other, "RPUSH", "l", *range(200))
    client = begin(database, "return #redis.call('lrange', KEYS[1], 0, -1)", "l")
    assert send(other, "PING") == b"+PONG\r\n"
    assert finish(database, client) == b":200\r\n"


@pytest.mark.rule("TXN-2")
@pytest.mark.rule("LUA-1")
def test_effects_of_a_long_script_are_one_operation(database: Instance) -> None:
    mirror = Replica(2, members=[1, 2])
    script = f"redis.call('set', 'a', 1) {COUNT.replace('return n', '')} redis.call('set', 'b', 1)"
    client = begin(database, script)
    database.turn.finish()
    assert database.keyspace.pending_count() == 1, "nothing is sealed yet"
    finish(database, client)
    op = database.replica.seal()
    assert op is not None
    assert mirror.accept(Op.from_bytes(op.to_bytes())) is Outcome.APPLIED
    assert sorted(mirror.keyspace.keys()) == [b"a", b"b"]


FLAGGED = "#!lua flags={}\nreturn redis.call('set', 'k', 1)"
PLAIN = "return redis.call('set', 'k', 1)"


def test_script_on_a_copy_is_refused(database: Instance) -> None:
    client = Client(database)
    database.refuse(WRITE, b"READONLY You can't write against a read only replica.")
    reply = ask(client, "EVAL", FLAGGED.format(""), 0)
    assert reply == ErrorReply(b"READONLY Can not run script with write flag on readonly replica")
    reply = ask(client, "EVAL", PLAIN, 0)
    assert reply.text.startswith(b"READONLY You can't write against a read only replica. script: ")
    assert ask(client, "EVAL", "#!lua flags=no-writes\nreturn 1", 0) == 1


@pytest.mark.rule("LUA-4")
def test_script_that_writes_is_refused_while_stale(database: Instance) -> None:
    client = Client(database)
    database.refuse(WRITE, b"STALE this region has not caught up")
    assert ask(client, "EVAL", PLAIN, 0).text.startswith(b"STALE this region has not caught up")
    assert ask(client, "EVAL", FLAGGED.format(""), 0).text.startswith(b"STALE ")
    assert ask(client, "EVAL", "return redis.call('get', 'k')", 0) is None


def test_stale_copy_runs_only_scripts_that_allow_it(database: Instance) -> None:
    client = Client(database)
    database.refuse(DENY_STALE, b"MASTERDOWN Link with MASTER is down")
    assert ask(client, "EVAL", "return 1", 0).text.startswith(b"MASTERDOWN")
    assert b"'allow-stale' flag is not set" in ask(client, "EVAL", "#!lua\nreturn 1", 0).text
    allowed = "#!lua flags=allow-stale,no-writes\nreturn redis.call('{}')"
    assert ask(client, "EVAL", allowed.format("time"), 0)
    refused = ask(client, "EVAL", allowed.format("dbsize"), 0)
    assert refused.text.startswith(b"ERR Can not execute the command on a stale replica")


def full(memory: Memory) -> None:
    """Let memory be full."""
    memory.probe = lambda: (100, 0)
    memory.set_limit(10, 0)


def test_script_without_memory(database: Instance) -> None:
    client = Client(database)
    ask(client, "SET", "k", 1)
    full(database.memory)
    assert ask(client, "EVAL", PLAIN, 0).text.startswith(b"OOM command not allowed")
    assert ask(client, "EVAL", "return redis.call('del', 'k')", 0) == 1
    assert ask(client, "EVAL", "#!lua\nreturn 1", 0).text.startswith(b"OOM allow-oom flag")
    assert ask(client, "EVAL", "#!lua flags=no-writes\nreturn 1", 0) == 1
    assert ask(client, "EVAL", FLAGGED.format("allow-oom"), 0) == Status(b"OK")
    script = "redis.call('del', 'k') return redis.call('set', 'k', 2)"
    assert ask(client, "EVAL", script, 0) == Status(b"OK"), "it is not ended in the middle"


def test_monitor_shows_script_and_its_commands(database: Instance) -> None:
    monitor, client = Client(database), Client(database, b"127.0.0.1:5")
    ask(monitor, "MONITOR")
    ask(client, "EVAL", "return redis.call('get', KEYS[1])", 1, "k")
    shown = [line.split(b" ", 1)[1] for line in take(monitor).splitlines()]
    script = b'"EVAL" "return redis.call(\'get\', KEYS[1])" "1" "k"'
    assert shown == [b"[0 127.0.0.1:5] " + script, b'[0 lua] "get" "k"']


def test_slow_log_has_the_script_only(database: Instance) -> None:
    client = Client(database)
    ask(client, "CONFIG", "SET", "slowlog-log-slower-than", 0)
    ask(client, "SLOWLOG", "RESET")
    ask(client, "EVAL", "return redis.call('get', 'k')", 0)
    entries = [entry[3][0] for entry in ask(client, "SLOWLOG", "GET")]
    assert entries == [b"EVAL", b"SLOWLOG"]


def test_clients_are_served_that_wait_for_what_a_script_writes(database: Instance) -> None:
    waiting, client = Client(database), Client(database)
    send(waiting, "BLPOP", "l", 0)
    ask(client, "EVAL", "redis.call('rpush', 'l', 'x')", 0)
    turn(database)
    assert take(waiting) == b"*2\r\n$1\r\nl\r\n$1\r\nx\r\n"
