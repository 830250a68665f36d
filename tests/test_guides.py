"""Check the guides in `docs/how-to/`: their commands exist, and their files can be read."""

from __future__ import annotations

import re

import pytest

from crdb.cli.command_line import make_parser
from crdb.commands.table import build_table
from crdb.deployment.config_file import read_config
from sim.campaign import command as simulation
from sim.scenarios.scenario import perform_block
from tests.documents import ROOT, blocks, commands, shell_lines, text_of

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own

PAGES = ["README.md", *(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))]
TABLE = build_table().by_name
KNOWN = {"crdb", "make", "pip", "python", "python3", "redis-cli", "."}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_is_understood(page: str) -> None:
    text = text_of(page)
    for line in commands(text, "crdb"):
        if line != ["--version"]:
            make_parser().parse_args(line)
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


def test_scenario_plays_as_written() -> None:
    (story,) = blocks(text_of("docs/how-to/model-a-topology.md"), "text")
    assert perform_block(story).text == story


def test_file_for_three_hosts_can_be_read() -> None:
    text = text_of("docs/how-to/run-three-hosts.md")
    (file,) = blocks(text, "toml")
    config = read_config(file, "run-three-hosts.md")
    served_regions = [
        make_parser().parse_args(["serve", *line]) for line in commands(text, "crdb serve")
    ]
    assert [options.region for options in served_regions] == [it.name for it in config.regions]
    assert {region.link_port for region in config.regions} == {17001}
    assert config.link.delay == "none"
    assert config.secret
    assert config.requirepass
