"""Check that the generated pages are current."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from crdb.commands.family import CommandFamily
from crdb.commands.table import COMMANDS
from geo import Catalog
from tools import reference
from tools.reference import DOCS, pages

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name: str) -> None:
    stored = (DOCS / name).read_text(encoding="utf-8")
    assert stored == PAGES[name], "run `python -m tools.reference`"


def test_every_command_is_listed() -> None:
    for command in COMMANDS:
        assert f"`{command.name.decode().upper()}" in PAGES["commands.md"]


def test_every_place_goes_by_name_that_means_it_alone() -> None:
    catalog = Catalog.shipped()
    names = re.findall(r"^\| `(.+?)`", PAGES["places.md"], re.MULTILINE)
    assert {catalog.find(name) for name in names} == set(catalog.regions)
    assert len(names) == len(catalog.regions)


def test_pictures_are_well_formed_and_self_contained() -> None:
    pictures = [text for name, text in PAGES.items() if name.endswith(".svg")]
    assert len(pictures) == 2
    for picture in pictures:
        assert ET.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
        assert "href" not in picture


def test_new_group_of_commands_has_section(monkeypatch: pytest.MonkeyPatch) -> None:
    family = CommandFamily("time-series", since="0.1.0")
    family.declare("crdb.sample", "key value", "write", summary="Adds a value.")(print_nothing)
    monkeypatch.setattr(reference, "COMMANDS", (*COMMANDS, *family))
    section = reference.commands_page().partition("\n## Time series\n")[2]
    assert section.splitlines()[3] == "| `CRDB.SAMPLE key value` | write | Adds a value. |"


def print_nothing(_client: object, _args: list[bytes]) -> None:
    """A handler without an effect."""
