"""Tables of a file: values by type, and mistakes that name the place and the remedy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.deployment.toml_table import ConfigError, Table, hint, shown

SCHEMA = {"": ("colour", "list", "part", "size"), "part": ("depth", "open")}


def table(text: str) -> Table:
    return Table.parse(text, SCHEMA, source="file.toml")


def test_values_come_out_by_type() -> None:
    top = table('colour = "red"\nsize = 3\nlist = [1, "a"]\n[part]\nopen = true')
    assert top.text("colour", "") == "red"
    assert top.integer("size", 1, low=0, high=9) == 3
    assert top.items("list", "things") == [1, "a"]
    assert top.table("part").flag("open", False) is True


def test_what_is_missing_gives_the_default() -> None:
    top = table("")
    assert top.text("colour", "blue") == "blue"
    assert top.integer("size", 7, low=0, high=9) == 7
    assert top.items("list", "things") == []
    assert top.table("part").flag("open", False) is False


def take_all(text: str) -> None:
    top = table(text)
    top.text("colour", "")
    top.integer("size", 0, low=0, high=9)
    top.items("list", "things")
    top.table("part").flag("open", False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "file.toml: colour must be a string, not 1"),
        ("size = '3'", 'file.toml: size must be a whole number, not "3"'),
        ("size = true", "file.toml: size must be a whole number, not true"),
        ("size = 1.5", "file.toml: size must be a whole number, not 1.5"),
        ("size = 10", "file.toml: size 10 is not 0..9"),
        ("size = -1", "file.toml: size -1 is not 0..9"),
        ("list = 1", "file.toml: list must be a list of things, not 1"),
        ("part = 1", "file.toml: part must be a table, not 1"),
        ("part = {open = 1}", "file.toml: part: open must be true or false, not 1"),
        ("part = {opne = 1}", 'file.toml: part: unknown key "opne"; did you mean "open"?'),
        ("zzzz = 1", 'file.toml: unknown key "zzzz"'),
        ("depth = 1", 'file.toml: unknown key "depth"; it belongs under "part"'),
        (
            "part = {size = 1}",
            'file.toml: part: unknown key "size"; it belongs at the top, before the first [table]',
        ),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        take_all(text)
    assert str(caught.value) == message


def test_a_secret_of_the_wrong_type_is_not_shown() -> None:
    top = table("colour = 4711")
    with pytest.raises(ConfigError) as caught:
        top.secret("colour")
    assert str(caught.value) == 'file.toml: colour must be a string: put it between quotes (")'
    assert top.secret("size") == ""


@pytest.mark.parametrize(
    "text",
    ["colour", "size = " + "9" * 5_000, "list = " + "[" * 5_000],
    ids=["plain", "huge", "deep"],
)
def test_what_is_not_toml_says_so(text: str) -> None:
    with pytest.raises(ConfigError, match=r"file\.toml: not TOML: ."):
        table(text)


def test_a_number_that_cannot_be_printed_is_refused_all_the_same() -> None:
    with pytest.raises(ConfigError, match="size a huge number is not"):
        table("size = 0x" + "f" * 5_000).integer("size", 0, low=0, high=9)


def test_a_place_is_named_even_without_a_file() -> None:
    inner = Table({}, SCHEMA, source="").inner({}, place="part 2")
    assert str(inner.error("broken")) == "part 2: broken"


@given(st.recursive(st.text() | st.integers() | st.booleans() | st.floats(), st.lists))
def test_whatever_is_shown_is_one_short_line(value: object) -> None:
    text = shown(value)
    assert len(text) <= 60
    assert text.isprintable()


def test_a_hint_is_there_only_if_something_is_near() -> None:
    assert hint("prot", ["port", "host"]) == '; did you mean "port"?'
    assert hint("zzzz", ["port", "host"]) == ""
