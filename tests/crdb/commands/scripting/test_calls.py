"""What scripts call."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.engine.events.event_bases import RegionEvent
from crdb.engine.events.script_events import ScriptLogEvent
from crdb.engine.instance import Instance
from crdb.resp.decoder import ErrorReply
from tests.crdb.commands.scripting.running_scripts import ask
from tests.crdb.raw import instance


@pytest.fixture
def database() -> Instance:
    return instance()


def test_log_is_reported(database: Instance) -> None:
    events: list[RegionEvent] = []
    database.report = events.append
    script = "redis.log(redis.LOG_DEBUG, 'x') redis.log(redis.LOG_WARNING, 'a', 1, {}, '\\255')"
    ask(Client(database), "EVAL", script, 0)
    assert events == [ScriptLogEvent(level="warning", text="a 1 \ufffd")]


def test_processor_time(database: Instance) -> None:
    database.timing.cpu_clock = lambda: 1.5
    assert ask(Client(database), "EVAL", "return tostring(os.clock())", 0) == b"1.5"


def test_commands_of_scripts_are_counted(database: Instance) -> None:
    client = Client(database)
    for script in ("redis.call('get', 'k')", "redis.pcall('get')", "redis.pcall('incr', 's')"):
        ask(client, "EVAL", "redis.call('set', 's', 'x') " + script, 0)
    counts = ask(client, "INFO", "commandstats")
    assert b"cmdstat_get:calls=1," in counts
    assert b"cmdstat_set:calls=3," in counts
    assert counts.count(b"rejected_calls=1,") == 1
    assert b"errorstat_ERR:count=2\r\n" in ask(client, "INFO", "errorstats")


def test_protocol_is_that_of_each_script(database: Instance) -> None:
    client = Client(database)
    kind = "return type(redis.call('hgetall', 'h').map)"
    ask(client, "HSET", "h", "f", "v")
    assert ask(client, "EVAL", "redis.setresp(3) " + kind, 0) == b"table"
    assert ask(client, "EVAL", kind, 0) == b"nil"


def test_effects_are_always_replicated(database: Instance) -> None:
    client = Client(database)
    assert ask(client, "EVAL", "redis.set_repl(redis.REPL_ALL) return 1", 0) == 1
    reply = ask(client, "EVAL", "redis.set_repl(redis.REPL_NONE)", 0)
    assert isinstance(reply, ErrorReply)
    assert reply.text.startswith(b"ERR redis.set_repl() is not supported by crdb")


@pytest.mark.rule("ACL-20")
def test_permissions_hold_in_scripts(database: Instance) -> None:
    client = Client(database)
    ask(client, "SET", "secret", 1)
    ask(client, "ACL", "SETUSER", "default", "resetkeys", "~open*", "-incr")
    for call, outcome in (("'get', 'open'", None), ("'exists', 'open'", 0)):
        assert ask(client, "EVAL", f"return redis.call({call})", 0) == outcome
    for call in ("'get', 'secret'", "'incr', 'open'"):
        reply = ask(client, "EVAL", f"return redis.call({call})", 0)
        assert reply.text.startswith(b"ERR ACL failure in script: ")
        assert ask(client, "EVAL", f"return redis.acl_check_cmd({call})", 0) is None
    assert ask(client, "EVAL", "return 1", 1, "secret").text.startswith(b"NOPERM ")


def test_permissions_can_be_asked_for(database: Instance) -> None:
    client = Client(database)
    assert ask(client, "EVAL", "return redis.acl_check_cmd('get', 'k')", 0) == 1
    for call in ("'nosuch'", "", "{}"):
        reply = ask(client, "EVAL", f"return redis.acl_check_cmd({call})", 0)
        assert isinstance(reply, ErrorReply)


def test_no_command_blocks(database: Instance) -> None:
    client = Client(database)
    for call in ("'blpop', 'l', 0", "'blmove', 'a', 'b', 'left', 'left', 0"):
        assert ask(client, "EVAL", f"return redis.call({call})", 0) is None


def test_large_reply_needs_room(database: Instance) -> None:
    database.scripting.memory_bytes = 16 << 20
    client = Client(database)
    ask(client, "SET", "k", b"x" * (15 << 20))
    ask(client, "RPUSH", "l", *[b"x" * (1 << 20)] * 15)
    for call in ("'get', 'k'", "'lrange', 'l', 0, -1"):
        reply = ask(client, "EVAL", f"return redis.call({call})", 0)
        assert isinstance(reply, ErrorReply)
        assert reply.text.startswith(b"ERR not enough memory script: ")
    assert ask(client, "EVAL", "return redis.call('strlen', 'k')", 0) == 15 << 20


def test_large_arguments_need_room(database: Instance) -> None:
    database.scripting.memory_bytes = 16 << 20
    client = Client(database)
    for words in (("EVAL", "return 1", 0, b"x" * (15 << 20)), ("EVAL", b"--" * (8 << 20), 0)):
        reply = ask(client, *words)
        assert isinstance(reply, ErrorReply)
        assert b"not enough memory" in reply.text
