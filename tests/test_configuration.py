"""`docs/configuration.md` describes each key and each option, with its default."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import pytest

from crdb.cli.command_line import make_parser
from crdb.deployment.config_file import SCHEMA, read_config

TEXT = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text(encoding="utf-8")
SECTIONS = {
    "": "Keys at the top of the file",
    "region": "Keys of each `[[region]]`",
    "link": "Keys of `[link]`",
}
TABLES = {"region", "link"}  # at the top of the schema, but tables of their own


def rows(title: str) -> dict[str, list[str]]:
    """Return the rows of the table below a title, by their first cell."""
    section = TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", section, re.MULTILINE)
    assert len(found) == len({name for name, _ in found})
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in found}


@pytest.mark.parametrize("table", SCHEMA)
def test_every_key_is_described(table: str) -> None:
    described = rows(SECTIONS[table])
    assert set(described) == set(SCHEMA[table]) - (TABLES if table == "" else set())
    for kind, _, meaning in described.values():
        assert kind
        assert meaning.endswith(".")


def test_defaults_that_are_given_are_those_that_hold() -> None:
    lines: dict[str, list[str]] = {"": [], "region": ['name = "a"'], "link": []}
    for table, title in SECTIONS.items():
        for key, (_, default, _) in rows(title).items():
            value = re.fullmatch(r"`(.*)`", default)
            if value is not None and value[1] not in {"host", "bind"}:
                lines[table].append(f"{key} = {value[1]}")
    assert sum(len(each) for each in lines.values()) > 12
    text = "\n".join([*lines[""], "[[region]]", *lines["region"], "[link]", *lines["link"]])
    assert read_config(text) == read_config('[[region]]\nname = "a"')


def options_of(command: str) -> dict[str, Any]:
    """Return the options of a subcommand, by their names on the page."""
    of_crdb: list[Any] = vars(make_parser())["_actions"]
    commands: Any = next(action for action in of_crdb if action.dest == "command")
    subparser: argparse.ArgumentParser = commands.choices[command]
    actions: list[Any] = vars(subparser)["_actions"]
    return {
        (action.option_strings or [action.dest.upper()])[-1]: action
        for action in actions
        if action.dest != "help"
    }


@pytest.mark.parametrize("command", ["up", "serve"])
def test_every_option_is_described(command: str) -> None:
    described = rows(f"`crdb {command}`")
    taken = options_of(command)
    assert set(described) == set(taken)
    for name, (value, default, meaning) in described.items():
        is_switch = taken[name].nargs == 0
        assert is_switch == (value == ""), name
        assert (default == "off") == is_switch, name
        assert meaning.endswith(".")
        if taken[name].required and name.startswith("-"):
            assert meaning.endswith("Required.")
