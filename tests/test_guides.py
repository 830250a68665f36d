"""The guides in `docs/how-to/` hold what they say: their commands exist, their files can be read,
and what they show of a served database is run against a real `crdb up`."""

from __future__ import annotations

import re
from collections.abc import Generator

import pytest

from crdb.cli.command_line import parser
from crdb.commands.table import build_table
from crdb.deployment.config import Config
from sim.campaign import command as simulation
from tests.crdb.processes import ask, eventually
from tests.documents import ROOT, blocks, commands, redis_calls, shell_lines, text_of, with_ports
from tests.served_documents import replies_as_shown, served

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own

PAGES = ["README.md", *(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))]
TABLE = build_table().by_name
KNOWN = {"crdb", "make", "pip", "python", "python3", "redis-cli", "."}


@pytest.fixture
def ports() -> Generator[dict[str, int]]:
    """Two regions, named as those of the guides."""
    with served(["up", "--regions", "us,eu"], 2) as found:
        yield found


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_is_understood(page: str) -> None:
    text = text_of(page)
    for line in commands(text, "crdb"):
        if line != ["--version"]:
            parser().parse_args(line)
    for line in commands(text, "python -m sim"):
        simulation.parser("").parse_args(line)
    rules = text_of("Makefile")
    for target, *_ in commands(text, "make"):
        assert re.search(rf"^{target}:", rules, re.MULTILINE)
    for line in commands(text, "pip install"):
        assert set(line) <= {".", ".[server]", ".[demo]", "-v"}
    programs = {line[1] if "=" in line[0] else line[0] for line in shell_lines(text)}
    assert programs <= KNOWN


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_redis_cli_exist(page: str) -> None:
    for line in commands(text_of(page), "redis-cli"):
        assert line[line.index("-p") + 2].upper().encode() in TABLE


def test_cut_and_heal_reply_as_shown(ports: dict[str, int]) -> None:
    assert replies_as_shown(text_of("docs/how-to/administer.md"), ports) == 4


def test_reading_own_writes_elsewhere_runs(ports: dict[str, int]) -> None:
    (program,) = blocks(text_of("docs/how-to/administer.md"), "python")
    exec(compile(with_ports(program, ports), "administer.md", "exec"), {})


def test_commands_of_administration_exist() -> None:
    named = re.findall(
        r"`(CRDB\.\w+|INFO)( [A-Z]+\b)?", text_of("docs/how-to/administer.md").partition("\n## ")[0]
    )
    assert len(named) > 8
    for name, child in named:
        command = TABLE[name.encode()]
        assert not child or child.strip().lower().encode() in command.subcommands
    ours = {name.upper() for name in TABLE if name.lower().startswith(b"crdb.")}
    assert ours == {name.encode() for name, _ in named if name != "INFO"}


def test_file_for_three_hosts_can_be_read() -> None:
    text = text_of("docs/how-to/run-three-hosts.md")
    (file,) = blocks(text, "toml")
    config = Config.from_toml(file, "run-three-hosts.md")
    served_regions = [
        parser().parse_args(["serve", *line]) for line in commands(text, "crdb serve")
    ]
    assert [options.region for options in served_regions] == [it.name for it in config.regions]
    assert {region.link_port for region in config.regions} == {17001}
    assert config.link.delay == "none"
    assert config.secret
    assert config.requirepass


def test_copy_follows_and_is_promoted_as_shown(ports: dict[str, int]) -> None:
    text = text_of("docs/how-to/follow-another-database.md")
    (file,) = blocks(text, "toml")
    (copy,) = Config.from_toml(file, "follow-another-database.md").regions
    assert copy.replica_of == (("127.0.0.1", 7001),)
    ask(ports["7001"], "SET", "greeting", "hello")
    with served(["up", "--regions", "copy"], 1) as near:
        port = near["7001"]
        for _, shown_words, shown in redis_calls(text):
            words = [word.replace("7001", str(ports["7001"])) for word in shown_words]
            reply = ask(port, *words).decode()
            assert reply[1:].startswith(shown), words
            if words[:2] == ["REPLICAOF", "127.0.0.1"]:
                eventually(lambda: ask(port, "GET", "greeting") == b"$5\r\nhello\r\n")
        assert ask(port, "GET", "greeting") == b"$5\r\nhello\r\n", "the data stays"
