"""Calls of Lua's library that take long: the host is asked in time whether the script must end."""

from __future__ import annotations

import hashlib

import pytest

from crdb.engine.client import Client
from crdb.engine.scripting.fiber import Fiber
from crdb.engine.scripting.scripting import KILLED, Scripting
from crdb.resp.decoder import ErrorReply
from tests.crdb.commands.scripting.running_scripts import ask
from tests.crdb.raw import instance

TEXT = "local s = string.rep('x', 11e5) "
ITEMS = "local t = {} for i = 1, 2e4 do t[i] = 'item ' .. i end "
TIMES = 20
LONG = {
    name: f"{start} for i = 1, {TIMES} do {call} end return 'end'"
    for name, start, call in (
        ("upper", TEXT, "s:upper()"),
        ("reverse", TEXT, "string.reverse(s)"),
        ("find", TEXT, "s:find('y')"),
        ("gsub", TEXT, "s:gsub('y', 'z')"),
        ("gmatch", TEXT, "s:gmatch('y')()"),
        ("rep", TEXT, "s:rep(2)"),
        ("format", TEXT, "string.format('%s', s)"),
        ("join", "local s = string.rep('x', 1e7)", "for j = 1, 30 do local u = s .. i .. j end"),
        ("concat", TEXT, "table.concat({s, s}, ',')"),
        ("concat of many", ITEMS, "for j = 1, 6 do table.concat(t, ',') end"),
        ("sort", ITEMS, "table.sort(t) for j = 1, 6 do t[j] = 'z' end"),
        ("sha1hex", TEXT, "redis.sha1hex(s)"),
        ("cjson.encode", TEXT, "cjson.encode(s)"),
        ("cjson.decode", "local s = cjson.encode(string.rep('x', 11e5))", "cjson.decode(s)"),
        ("cmsgpack.pack", TEXT, "cmsgpack.pack(s)"),
        ("collectgarbage", ITEMS, "collectgarbage()"),
    )
}


@pytest.fixture
def client() -> Client:
    return Client(instance())


@pytest.mark.interpreted("it replaces a method")
@pytest.mark.parametrize("name", LONG)
def test_host_is_asked(client: Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []
    tick = Scripting.tick

    def count(self: Scripting, part: float = 1.0) -> bytes | bool:
        asked.append(None)
        return tick(self, part)

    monkeypatch.setattr(Scripting, "tick", count)
    assert ask(client, "EVAL", LONG[name], 0) == b"end"
    assert len(asked) >= TIMES // 2


def kill(_scripting: Scripting, _part: float = 1.0) -> bytes:
    """Let the script end when the host is asked."""
    return KILLED


@pytest.mark.interpreted("it replaces a method")
@pytest.mark.parametrize("name", LONG)
def test_script_can_be_killed(client: Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scripting, "tick", kill)
    reply = ask(client, "EVAL", f"return pcall(function() {LONG[name]} end)", 0)
    assert isinstance(reply, ErrorReply)
    assert KILLED in reply.text


@pytest.mark.interpreted("it replaces a method")
def test_script_is_paused_after_a_long_command(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock goes on only while a command runs: each look takes a second."""
    times = iter(range(10_000))
    client.instance.timing.clock = lambda: float(next(times))
    pauses: list[None] = []
    pause = Fiber.pause

    def count(self: Fiber) -> bool:
        pauses.append(None)
        return pause(self)

    monkeypatch.setattr(Fiber, "pause", count)
    ask(client, "EVAL", "for i = 1, 5 do redis.call('get', 'k') end", 0)
    assert len(pauses) >= 5


def test_errors_name_the_function(client: Client) -> None:
    for call in ("string.upper()", "string.rep()", "string.format()", "string.find()"):
        reply = ask(client, "EVAL", f"return {call}", 0)
        assert isinstance(reply, ErrorReply)
        name = call.removeprefix("string.").removesuffix("()")
        assert f"user_script:1: bad argument #1 to '{name}'".encode() in reply.text


def test_long_tables_are_joined_like_short_ones(client: Client) -> None:
    script = (
        "local t = {} for i = 1, 25000 do t[i] = i end "
        "return {redis.sha1hex(table.concat(t, ', ', 3, 24000)), #table.concat(t),"
        " select(2, pcall(table.concat, {1, {}})), pcall(table.concat, t, '', 1, 30000)}"
    )
    reply = ask(client, "EVAL", script, 0)
    joined = ", ".join(map(str, range(3, 24001))).encode()
    assert reply[0] == hashlib.sha1(joined).hexdigest().encode()
    assert reply[1] == len("".join(map(str, range(1, 25001))))
