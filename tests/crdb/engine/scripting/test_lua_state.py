"""What scripts can reach and use up. Each attack ends in an error, and the next script runs."""

from __future__ import annotations

import pytest

from crdb.commands.scripting.calls import Calls
from crdb.engine.client import Client
from crdb.resp.decoder import ErrorReply
from tests.crdb.commands.scripting.running_scripts import ask
from tests.crdb.raw import instance

UNREACHABLE = (
    *("python", "io", "package", "require", "module", "debug", "dofile", "loadfile", "print"),
    *("newproxy", "getfenv", "setfenv", "os.execute", "os.exit", "os.getenv", "os.remove"),
    *("string.dump and loadstring(string.dump(function() end))",),
)
MEMORY_BYTES = 32 << 20
MEMORY = (
    "return #string.rep('x', 1e9)",
    "local s = 'x' while true do s = s .. s end",
    "local t = {} while true do t[#t + 1] = string.rep('x', 1e6) .. #t end",
    "local t = {} while true do t[#t + 1] = {} end",
    "local s = string.rep('x', 9 * 2 ^ 20) return struct.pack('sss', s, s, s)",
    "local s = string.rep('x', 11 * 2 ^ 20) return redis.call('echo', s)",
    "return ('x'):rep(300):gsub('.', {x = string.rep('y', 2e5)})",
    "local t = {} while true do pcall(redis.call, 'ping') t[#t + 1] = ('x'):rep(1e5) .. #t end",
)
STACK = (
    "local function f() return 1 + f() end return f()",
    "local function f() f() end f()",
    "local function f() return pcall(f) end return f()",
    "return string.find(string.rep('a', 20000), string.rep('a?', 20000))",
    "return string.gsub(string.rep('a', 20000), string.rep('a?', 20000), '')",
    "return cjson.decode(string.rep('[', 100000))",
    "local t = {} for i = 1, 100000 do t = {t} end return cjson.encode(t)",
    "return cmsgpack.unpack(string.rep('\\145', 1e6))",
    "return loadstring('return ' .. string.rep('(', 5e4) .. string.rep(')', 5e4))()",
    "return unpack({}, 1, 1e8)",
    "return tostring(setmetatable({}, {__tostring = function(t) return tostring(t) end}))",
)


@pytest.fixture(scope="module")
def client() -> Client:
    """Return a client whose instance lives through all attacks."""
    database = instance()
    database.scripting.memory_bytes = MEMORY_BYTES
    return Client(database)


def is_alive(client: Client) -> bool:
    """Return whether scripts run as ever, with all of their memory."""
    script = "return #string.rep('x', 5e6) + #redis.call('echo', ARGV[1])"
    return ask(client, "EVAL", script, 0, "abc") == 5_000_003


@pytest.mark.parametrize("what", UNREACHABLE)
def test_scripts_reach_nothing_outside(client: Client, what: str) -> None:
    script = f"return {{pcall(function() return type({what}) end)}}"
    reply = ask(client, "EVAL", script, 0)
    assert reply == [1, b"nil"] or b"nonexistent global variable" in reply[1]


@pytest.mark.parametrize("script", MEMORY)
def test_memory_is_limited(client: Client, script: str) -> None:
    reply = ask(client, "EVAL", script, 0)
    assert isinstance(reply, ErrorReply)
    assert b"not enough memory" in reply.text
    assert client.instance.scripting.interpreter_bytes() < MEMORY_BYTES + (8 << 20)
    assert is_alive(client)


@pytest.mark.parametrize("script", STACK)
def test_stack_is_limited(client: Client, script: str) -> None:
    ask(client, "EVAL", script, 0)
    assert not client.closing
    assert is_alive(client)


def test_binary_code_is_refused(client: Client) -> None:
    reply = ask(client, "EVAL", b"\x1bLuaQ\x00\x01", 0)
    assert reply.text.startswith(b"ERR Error compiling script (new function): user_script:1:")
    for load in ("loadstring(code)", "load(function() local c = code code = nil return c end)"):
        script = f"local code = string.dump(function() return 1 end) return {{(type(({load})))}}"
        assert ask(client, "EVAL", script, 0) == [b"nil"]


def test_addresses_are_not_shown(client: Client) -> None:
    script = "return tostring({}) .. ' ' .. tostring(redis.call) .. ' ' .. tostring(cjson.null)"
    assert b"0x7" not in ask(client, "EVAL", script, 0)


def test_objects_of_python_are_not_seen_in_errors(client: Client) -> None:
    body = "function() redis.call('nosuch') end"
    for call in (f"pcall({body})", f"coroutine.resume(coroutine.create({body}))"):
        kind = ask(client, "EVAL", f"local ok, e = {call} return type(e)", 0)
        assert kind in (b"string", b"table")
    handled = "return {xpcall(function() redis.call('nosuch') end, function(e) return type(e) end)}"
    assert ask(client, "EVAL", handled, 0) == [None, b"table"]


def test_scripts_leave_nothing_behind(client: Client) -> None:
    for script in ("table.insert(_G, 1)", "rawset(redis, 'x', 1)", "string.x = 1", "KEYS = 1"):
        reply = ask(client, "EVAL", script, 0)
        assert b"Attempt to modify a readonly table" in reply.text
    assert ask(client, "EVAL", "return {#_G, rawget(redis, 'x'), #KEYS}", 0) == [0, None, 0][:1]


def test_garbage_collection_cannot_be_stopped(client: Client) -> None:
    script = "collectgarbage('stop') for i = 1, 1e6 do local t = {i} end return collectgarbage()"
    ask(client, "EVAL", script, 0)
    assert client.instance.scripting.interpreter_bytes() < MEMORY_BYTES // 2


def test_bug_of_a_command_closes_the_client() -> None:
    database = instance()
    client = Client(database)

    def fail(_client: object, _args: list[bytes]) -> None:
        raise ValueError("a bug")

    command = database.commands.require([b"echo"])
    kept, command.handler = command.handler, fail
    try:
        reply = ask(client, "EVAL", "return redis.pcall('echo', 'x')", 0)
    finally:
        command.handler = kept
    assert reply.text.startswith(b"ERR internal error")
    assert client.closing


def test_interpreter_is_made_when_it_is_needed() -> None:
    database = instance()
    assert database.scripting.interpreter_bytes() == 0
    ask(Client(database), "EVAL", "return 1", 0)
    assert isinstance(database.scripting.calls, Calls)
    assert database.scripting.interpreter_bytes() > 0
