"""Scripts of few instructions that take long: other clients are served, and the scripts can be
killed."""

from __future__ import annotations

import pytest

from crdb.engine.client import Client
from crdb.resp.decoder import Status
from tests.crdb.commands.scripting.running_scripts import ask, begin, finish, take, turn
from tests.crdb.raw import instance

LONG = "local s = ('x'):rep(3e5) "
EXPENSIVE = (
    LONG + "for i = 1, 200 do s:upper() end",
    LONG + "for i = 1, 200 do s:reverse() end",
    LONG + "for i = 1, 200 do redis.sha1hex(s) end",
    LONG + "for i = 1, 30 do cjson.encode({s}) end",
    LONG + "for i = 1, 200 do s:find('y', 1, true) end",
    LONG + "for i = 1, 100 do s:gsub('y', '') end",
    LONG + "for i = 1, 2000 do local t = s .. i end",
    "local t = {} for i = 1, 5000 do t[i] = 'x' end for i = 1, 300 do table.concat(t) end",
    "local t = {} for i = 1, 3000 do t[i] = -i end for i = 1, 5 do table.sort(t) end",
)
ENDLESS = (
    "return ('a'):rep(30000):find('.-.-.-b')",
    "return ('a'):rep(30000):match('(.*)(.*)(.*)b')",
    "return ('a'):rep(3000):gsub('a*a*a*a*b', '')",
    "for _ in ('a'):rep(3000):gmatch('.-.-.-.-b') do end",
    "return ('a'):rep(40):find(('a?'):rep(40) .. ('a'):rep(40))",
    "while true do redis.sha1hex(('x'):rep(3e5)) end",
    "local t = {} for i = 1, 9e4 do t[i] = i end while true do table.sort(t) end",
    "local t = {} t[1] = t cjson.encode_max_depth(2500) while true do pcall(cjson.encode, t) end",
)
PATTERNS = (
    ("key=value; k2=v2", "(%w+)=(%w+)"),
    ("  padded  ", "^%s*(.-)%s*$"),
    ("f(a(b)c) g(x)", "%b()()"),
    ("THE (quick) fox", "%f[%a]%a+"),
    ("abab cdcd", "(%a%a)%1"),
    ("a.b-c$", "[%.%-]%a-$?"),
    ("aXbX", "()X"),
    ("", ".-"),
    ("a\0b", "%z.?"),
    ("abc", "x*"),
    ("abc", "(a"),
    ("abc", "%"),
    ("abc", "[a"),
    ("abc", "a)"),
    ("abc", "%1"),
)
USES = (
    "return {pcall(string.find, ARGV[1], ARGV[2])}",
    "return {pcall(string.match, ARGV[1], ARGV[2], -4)}",
    "return {pcall(string.gsub, ARGV[1], ARGV[2], '<%0|%1>')}",
    "return {pcall(string.gsub, ARGV[1], ARGV[2], {a = 'A', key = false}, 2)}",
    "return {pcall(string.gsub, ARGV[1], ARGV[2], function(a, b) return b end)}",
    "local t = {} for a, b in ARGV[1]:gmatch(ARGV[2]) do t[#t + 1] = {a, b} end return t",
)


@pytest.mark.parametrize("script", EXPENSIVE)
def test_expensive_calls_let_others_be_served(script: str) -> None:
    database = instance()
    client = begin(database, script)
    assert ask(Client(database), "PING") == Status(b"PONG")
    assert finish(database, client) == b"$-1\r\n"


@pytest.mark.parametrize("script", ENDLESS)
def test_expensive_script_can_be_killed(script: str) -> None:
    database = instance()
    client = begin(database, script)
    assert ask(Client(database), "SCRIPT", "KILL") == Status(b"OK")
    turn(database)
    assert b"Script killed by user" in take(client)
    assert ask(client, "EVAL", "return ('ab'):upper()", 0) == b"AB"


@pytest.mark.parametrize("use", USES)
def test_own_matcher_finds_what_lua_finds(use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Client(instance())
    expected = [ask(short, "EVAL", use, 0, *words) for words in PATTERNS]
    longer = Client(instance())
    monkeypatch.setattr("crdb.engine.scripting.lua_state.MATCHED_STEPS_MAX", -1)
    assert [str(ask(longer, "EVAL", use, 0, *words)) for words in PATTERNS] == [
        str(each) for each in expected
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("return #('ab'):rep(1e6)", 2_000_000),
        ("return ('ab'):rep(3e5):reverse():sub(1, 3)", b"bab"),
        ("return #('x'):rep(9e5):upper():match('^X*$')", 900_000),
        ("return ('a'):rep(5e5):find(('a'):rep(1e5) .. 'b', 1, true)", None),
        ("return {(('a'):rep(5e5) .. 'bc'):find('bc', 7, true)}", [500_001, 500_002]),
        ("return loadstring('--' .. ('x'):rep(3e5) .. '\\nreturn 7')()", 7),
        ("return #cjson.encode(('\"'):rep(1e5))", 200_002),
        ("return #redis.error_reply(('\\n'):rep(5e4) .. 'x').err", 5),
        ("local t = {} for i = 1, 9e3 do t[i] = i % 10 end return #table.concat(t, ', ')", 26_998),
        ("local t = {} for i = 1, 3e3 do t[i] = -i end table.sort(t) return t[1]", -3000),
        ("return redis.sha1hex(('x'):rep(6e5)) == redis.sha1hex('x')", None),
    ],
)
def test_long_arguments_are_handled_in_pieces(script: str, expected: object) -> None:
    assert ask(Client(instance()), "EVAL", script, 0) == expected


def test_comparison_of_a_long_table_fails_without_a_place() -> None:
    script = "local t = {} for i = 1, 2e3 do t[i] = {} end return {pcall(table.sort, t)}"
    reply = ask(Client(instance()), "EVAL", script, 0)
    assert reply == [None, b"attempt to compare two table values"]
