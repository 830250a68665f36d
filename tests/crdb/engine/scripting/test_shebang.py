"""The first line of scripts and libraries. The differential tests compare the errors."""

from __future__ import annotations

import pytest

from crdb.engine.errors import CommandError
from crdb.engine.scripting.shebang import (
    ALLOW_OOM,
    COMPATIBLE,
    NO_WRITES,
    is_valid_name,
    read_library,
    read_script,
)


def test_flags_of_a_script() -> None:
    assert read_script(b"return 1") == (COMPATIBLE, b"return 1")
    assert read_script(b"#!lua\nreturn 1") == (0, b"\nreturn 1"), "lines keep their numbers"
    flags, _ = read_script(b"#!lua flags=no-writes,allow-oom\n")
    assert flags == NO_WRITES | ALLOW_OOM


def test_head_of_a_library() -> None:
    head = read_library(b"#!lua NAME=mine\ncode")
    assert (head.name, head.engine, head.code) == (b"mine", b"lua", b"\ncode")


@pytest.mark.parametrize("line", [b"#!lua", b"#!lua name=a name=b\n", b"#! 'x\n", b"x"])
def test_wrong_head_is_refused(line: bytes) -> None:
    with pytest.raises(CommandError):
        read_library(line)


def test_names() -> None:
    assert is_valid_name(b"Az_9")
    assert not any(map(is_valid_name, (b"", b"a b", b"a-b", "ä".encode())))
