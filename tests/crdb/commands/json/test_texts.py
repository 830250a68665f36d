"""JSON.STRAPPEND, JSON.STRLEN and JSON.TOGGLE."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crdb.commands.json.examples import Documents, replies

TEXT = '{"s":"ü","o":{"s":"ab"},"n":1,"t":true,"f":false}'
NO_KEY = "ERR could not perform this operation on a key that doesn't exist"


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("JSON.STRAPPEND k $.s '\"x\"'", [3]),
        ("JSON.STRAPPEND k .s '\"x\"'", 3),
        ("JSON.STRAPPEND k $..s '\"x\"'", [3, 3]),
        ("JSON.STRAPPEND k $.* '\"x\"'", [3, None, None, None, None]),
        ("JSON.STRAPPEND k .n '\"x\"'", "ERR Path '$.n' does not exist or not a string"),
        (
            "JSON.STRAPPEND k $.s 1",
            "WRONGTYPE wrong type of path value - expected string but found 1",
        ),
        ("JSON.STRAPPEND none $.s '\"x\"'", NO_KEY),
        ("JSON.STRLEN k $.s", [2]),
        ("JSON.STRLEN k .s", 2),
        ("JSON.STRLEN k $.*", [2, None, None, None, None]),
        (
            "JSON.STRLEN k .n",
            "WRONGTYPE wrong type of path value - expected string but found integer",
        ),
        ("JSON.STRLEN k .none", "ERR Path '$.none' does not exist"),
        ("JSON.STRLEN none", None),
        ("JSON.STRLEN none $", NO_KEY),
        ("JSON.TOGGLE k $.t", [0]),
        ("JSON.TOGGLE k .f", b"true"),
        ("JSON.TOGGLE k .t", b"false"),
        ("JSON.TOGGLE k $.*", [None, None, None, 0, 1]),
        ("JSON.TOGGLE k .n", "ERR Path '$.n' does not exist or not a bool"),
        ("JSON.TOGGLE none $", NO_KEY),
    ],
)
def test_replies_are_those_of_redisjson(request_line: str, expected: Any) -> None:
    assert replies(TEXT, request_line) == expected


def test_appended_text_is_kept() -> None:
    documents = Documents()
    documents.line("JSON.SET k $ '\"a\"'")
    assert documents.line("JSON.STRAPPEND k '\"b\\n\"'") == 3
    assert documents.get() == b'"ab\\n"'
    documents.sync()
