"""The README holds what it says: its Python runs, its commands exist, its file can be read.

What it shows of a served database is run against a real `crdb up`, on ports that are free here.
"""

from __future__ import annotations

import doctest
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import redis

from crdb.cli.command_line import parser
from crdb.commands.table import TABLE
from crdb.deployment.config import Config
from sim.__main__ import main as simulate
from sim.campaign import command as simulation
from tests.ports import free_base

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
STOP_SECONDS_MAX = 60


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


SHELL = [line.partition("#")[0].strip() for text in blocks("sh") for line in text.splitlines()]
PROGRAMS = [text for text in blocks("python") if ">>>" not in text]


def commands(program: str) -> list[list[str]]:
    """The arguments of every line of shell that begins with these words."""
    words = shlex.split(program)
    found = [shlex.split(line) for line in SHELL if line]
    return [line[len(words) :] for line in found if line[: len(words)] == words]


@pytest.fixture
def ports() -> Generator[dict[str, str]]:
    """Three regions as the README starts them; what its ports are here."""
    (arguments,) = (line for line in commands("crdb up") if "--regions" in line)
    base = free_base(3)
    arguments = ["up", *arguments, "--json", "--port", str(base)]
    process = subprocess.Popen(
        [sys.executable, "-m", "crdb", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["event"] != "ready":
            pass
        yield {str(7000 + number): str(base + number) for number in (1, 2, 3)}
        process.terminate()
        assert process.wait(STOP_SECONDS_MAX) == 0
    finally:
        process.kill()
        process.communicate()


def moved(text: str, ports: dict[str, str]) -> str:
    """The same with our ports."""
    return re.sub(r"\b700[123]\b", lambda match: ports[match[0]], text)


def test_the_examples_of_embedding_run() -> None:
    examples = [text for text in blocks("python") if ">>>" in text]
    runner = doctest.DocTestRunner()
    for text in examples:
        runner.run(doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0))
    assert runner.tries > 5
    assert runner.failures == 0


def test_a_type_of_ones_own_is_refuted_as_shown() -> None:
    (program,) = (text for text in PROGRAMS if "check_type" in text)
    assert len([line for line in program.splitlines() if line]) <= 12
    (shown,) = blocks("text")
    with pytest.raises(AssertionError) as caught:
        exec(compile(program, "README.md", "exec"), {})
    law, _, call = shown.strip().partition("\n")
    assert law in str(caught.value)
    assert str(caught.value).endswith(call)


def test_the_client_in_python_runs(ports: dict[str, str]) -> None:
    (program,) = (text for text in PROGRAMS if "import redis" in text)
    names: dict[str, Any] = {}
    try:
        exec(compile(moved(program, ports), "README.md", "exec"), names)
    finally:
        for name in ("us", "eu"):
            names[name].close()


def test_the_commands_of_redis_cli_run_and_reply_as_told(ports: dict[str, str]) -> None:
    clients: dict[str, Any] = {
        told: redis.Redis(port=int(ours), decode_responses=True) for told, ours in ports.items()
    }
    replies = 0
    try:
        for line in TEXT.splitlines():
            call = re.fullmatch(r'redis-cli -p (\d+) ([^#]*?)(?: +# "?(\w+).*)?', line)
            if call is None:
                continue
            reply = clients[call[1]].execute_command(*shlex.split(call[2]))
            if call[3] and call[3].isdigit():
                assert str(reply) == call[3], line
                replies += 1
    finally:
        for client in clients.values():
            client.close()
    assert replies == 4


def test_the_commands_of_administration_exist() -> None:
    section = TEXT.partition("### Administration")[2].partition("\n## ")[0]
    named = re.findall(r"`(CRDB\.\w+|INFO)( [A-Z]+\b)?", section)
    assert len(named) > 8
    for name, child in named:
        command = TABLE[name.encode()]
        assert not child or child.strip().lower().encode() in command.subcommands
    ours = {name.upper() for name in TABLE if name.lower().startswith(b"crdb.")}
    assert ours == {name.encode() for name, _ in named if name != "INFO"}


def test_every_command_line_is_understood() -> None:
    for line in commands("crdb"):
        parser().parse_args(line)
    for line in commands("python -m sim"):
        simulation.parser("").parse_args(line)
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target, *_ in commands("make"):
        assert re.search(rf"^{target}:", rules, re.MULTILINE)
    known = ("crdb", "redis-cli", "python -m sim", "make")
    assert len(SHELL) == sum(len(commands(program)) for program in known)


def test_the_picture_of_a_simulation_is_one_to_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = (line for line in commands("python -m sim") if "--svg" in line)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    assert simulate(line) == 0
    assert capsys.readouterr().out == "", "the story goes as the file says"
    height = re.search(r'height="(\d+)"', (tmp_path / line[-1]).read_text(encoding="utf-8"))
    assert height is not None
    assert int(height[1]) < 1_200, "a picture for one screen: choose another story"


def test_the_file_for_several_hosts_can_be_read() -> None:
    (text,) = blocks("toml")
    config = Config.from_toml(text, "README.md")
    served = [parser().parse_args(["serve", *line]) for line in commands("crdb serve")]
    assert [options.region for options in served] == [region.name for region in config.regions]
    assert {region.link_port for region in config.regions} == {17001}
    assert config.link.delay == "none"


def test_the_two_commands_stand_at_the_top() -> None:
    assert SHELL[:2] == ["make demo", "make test"]
    assert len(TEXT.splitlines()) < 250
