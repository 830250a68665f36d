"""The sources in Lua."""

from __future__ import annotations

import re

import pytest

from crdb.engine.scripting.lua_sources import PARTS, source_of

SETS_GLOBAL = re.compile(rb"^(?:[a-z_]+(?:, [a-z_]+)* = |function [a-z_]+\()", re.MULTILINE)
LOCALS = re.compile(rb"^\s*local (?:function )?([a-z_, ]+)", re.MULTILINE)


@pytest.mark.parametrize("name", [*PARTS, "sandbox"])
def test_sources_set_no_globals(name: str) -> None:
    """A global of ours would be missing once the real globals are cleared."""
    source = source_of(name)
    known = {word for found in LOCALS.findall(source) for word in re.findall(rb"[a-z_]+", found)}
    for found in SETS_GLOBAL.findall(source):
        names = re.findall(rb"[a-z_]+", found.removeprefix(b"function "))
        assert known.issuperset(names), found


@pytest.mark.parametrize("name", [*PARTS, "sandbox"])
def test_source_opens_with_its_idea(name: str) -> None:
    assert source_of(name).startswith(b"-- ")
    assert len(source_of(name).splitlines()) < 800
