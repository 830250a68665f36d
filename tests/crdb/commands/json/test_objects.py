"""JSON.OBJKEYS and JSON.OBJLEN."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crdb.commands.json.examples import replies

TEXT = '{"a":{"x":1,"ü":2},"b":[],"c":{}}'
NO_KEY = "ERR could not perform this operation on a key that doesn't exist"


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("JSON.OBJKEYS k", [b"a", b"b", b"c"]),
        ("JSON.OBJKEYS k $.*", [[b"x", "ü".encode()], None, []]),
        ("JSON.OBJKEYS k .b", "ERR Path '$.b' does not exist or not an object"),
        ("JSON.OBJKEYS k .none", None),
        ("JSON.OBJKEYS none", None),
        ("JSON.OBJKEYS none $", NO_KEY),
        ("JSON.OBJLEN k", 3),
        ("JSON.OBJLEN k $.*", [2, None, 0]),
        (
            "JSON.OBJLEN k .b",
            "WRONGTYPE wrong type of path value - expected object but found array",
        ),
        ("JSON.OBJLEN k .none", None),
        ("JSON.OBJLEN none", None),
        ("JSON.OBJLEN none $", "ERR Path '$' does not exist or not an object"),
    ],
)
def test_replies_are_those_of_redisjson(request_line: str, expected: Any) -> None:
    assert replies(TEXT, request_line) == expected
