"""Libraries of functions."""

from __future__ import annotations

import pytest

from crdb.engine.errors import CommandError
from crdb.engine.scripting.libraries import Libraries, Library
from crdb.engine.scripting.shebang import ALLOW_OOM, NO_WRITES


def library(name: bytes, *functions: bytes) -> Library:
    made = Library(name, b"code of " + name)
    for function in functions:
        assert made.register(function, None, None, b"") is None
    return made


def test_function_is_found_in_any_case() -> None:
    libraries = Libraries()
    libraries.add([library(b"a", b"First")], replaces=False)
    found = libraries.find(b"fIRST")
    assert found is not None
    assert found.name == b"First"
    assert libraries.find(b"second") is None


def test_library_takes_the_place_of_another() -> None:
    libraries = Libraries()
    libraries.add([library(b"a", b"f", b"g")], replaces=False)
    with pytest.raises(CommandError, match="Library a already exists"):
        libraries.add([library(b"a", b"h")], replaces=False)
    libraries.add([library(b"a", b"f", b"h")], replaces=True)
    assert sorted(libraries.functions) == [b"f", b"h"]


def test_taken_name_changes_nothing() -> None:
    libraries = Libraries()
    libraries.add([library(b"a", b"f")], replaces=False)
    with pytest.raises(CommandError, match="Function F already exists"):
        libraries.add([library(b"b", b"g"), library(b"c", b"F")], replaces=True)
    assert list(libraries.by_name) == [b"a"]
    with pytest.raises(CommandError, match="Library 'b' already exists"):
        libraries.replace_all([library(b"b", b"g"), library(b"b", b"h")])
    assert list(libraries.functions) == [b"f"]


def test_removal() -> None:
    libraries = Libraries()
    libraries.add([library(b"a", b"F")], replaces=False)
    assert libraries.used_bytes > 0
    assert libraries.remove(b"a")
    assert not libraries.remove(b"a")
    assert (libraries.functions, libraries.used_bytes) == ({}, 0)


def test_flags_of_functions() -> None:
    made = Library(b"a", b"")
    assert made.register(b"f", None, b"text", b"no-writes ALLOW-OOM") is None
    assert made.functions[b"f"].flags == NO_WRITES | ALLOW_OOM
    assert made.register(b"g", None, None, b"wrong") == b"unknown flag given"
    assert made.register(b"f", None, None, b"") == b"Function already exists in the library"
    assert made.register(b"a-b", None, None, b"")
