"""SCRIPT. The differential tests compare it with Redis."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.scripting.script_cache import EVAL_SCRIPTS_MAX
from crdb.resp.decoder import ErrorReply, Status
from tests.crdb.commands.scripting.running_scripts import ask
from tests.crdb.raw import instance


def test_there_is_no_debugger() -> None:
    client = Client(instance())
    for mode in ("YES", "sync"):
        reply = ask(client, "SCRIPT", "DEBUG", mode)
        assert isinstance(reply, ErrorReply)
        assert reply.text.endswith(b"is not supported by crdb: there is no debugger")
    assert ask(client, "SCRIPT", "DEBUG", "no") == Status(b"OK")


def test_scripts_of_eval_do_not_fill_the_memory() -> None:
    client = Client(instance())
    loaded = ask(client, "SCRIPT", "LOAD", "return 'loaded'")
    for number in range(EVAL_SCRIPTS_MAX + 10):
        assert ask(client, "EVAL", f"return {number}", 0) == number
    figures = ask(client, "INFO", "memory")
    assert b"number_of_cached_scripts:%d\r\n" % (EVAL_SCRIPTS_MAX + 1) in figures
    assert ask(client, "EVALSHA", loaded, 0) == b"loaded"


def test_figures_of_scripts() -> None:
    client = Client(instance())
    code = "#!lua name=l\nredis.register_function('f', function() end)"
    assert ask(client, "FUNCTION", "LOAD", code) == b"l"
    ask(client, "EVAL", "return 1", 0)
    lines = ask(client, "INFO", "memory").decode().split("\r\n")
    figures = dict(line.split(":") for line in lines if ":" in line)
    assert int(figures["used_memory_vm_eval"]) > 100_000
    assert int(figures["used_memory_scripts"]) > len(code)
    names = ("number_of_cached_scripts", "number_of_functions", "number_of_libraries")
    assert [figures[name] for name in names] == ["1", "1", "1"]
    ask(client, "SCRIPT", "FLUSH")
    ask(client, "FUNCTION", "FLUSH")
    assert b"used_memory_scripts:0\r\n" in ask(client, "INFO", "memory")


def test_help() -> None:
    client = Client(instance())
    for container in ("FUNCTION", "SCRIPT"):
        first = ask(client, container, "HELP")[0]
        assert first.text.startswith(container.encode() + b" <subcommand>")
