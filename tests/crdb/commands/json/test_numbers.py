"""JSON.NUMINCRBY and JSON.NUMMULTBY."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crdb.commands.json.examples import Documents, replies

TEXT = '{"a":1,"b":[2,"x",0.5],"big":9223372036854775807,"s":"t"}'


@pytest.mark.parametrize(
    ("request_line", "second", "third"),
    [
        ("JSON.NUMINCRBY k $.a 2", b"[3]", [3]),
        ("JSON.NUMINCRBY k .a 2", b"3", [3]),
        ("JSON.NUMINCRBY k .a 0.5", b"1.5", [1.5]),
        ("JSON.NUMINCRBY k $.a 1.0", b"[2.0]", [2.0]),
        ("JSON.NUMINCRBY k $.b[*] 1", b"[3,null,1.5]", [3, None, 1.5]),
        ("JSON.NUMINCRBY k .b[*] 1", b"1.5", [3, None, 1.5]),
        ("JSON.NUMINCRBY k $.b[0,0] 1", b"[3]", [3]),
        ("JSON.NUMMULTBY k $.b[*] 2", b"[4,null,1.0]", [4, None, 1.0]),
        ("JSON.NUMMULTBY k .a -3", b"-3", [-3]),
        ("JSON.NUMINCRBY k $.none 1", b"[]", []),
        (
            "JSON.NUMINCRBY k .s 1",
            "ERR Path '$.s' does not exist or does not contains a number",
            [None],
        ),
        ("JSON.NUMINCRBY k $.big 1", "ERR numeric overflow", "ERR numeric overflow"),
        ("JSON.NUMMULTBY k $.a 1e308", b"[1e308]", [1e308]),
        (
            "JSON.NUMINCRBY k $.a x",
            "expected value at line 1 column 1",
            "expected value at line 1 column 1",
        ),
        ("JSON.NUMINCRBY k $.a '\"1\"'", "bad input number", "bad input number"),
    ],
)
def test_replies_of_both_protocols(request_line: str, second: Any, third: Any) -> None:
    assert replies(TEXT, request_line) == second
    assert replies(TEXT, request_line, 3) == third


def test_missing_key_is_refused() -> None:
    refused = "ERR could not perform this operation on a key that doesn't exist"
    assert replies("", "JSON.NUMINCRBY k $ 1") == refused


def test_infinite_result_changes_nothing() -> None:
    documents = Documents()
    documents.line("JSON.SET k $ '[1e308,1]'")
    assert documents.line("JSON.NUMMULTBY k $.* 10") == "ERR result is not a number"
    assert documents.get() == b"[1e308,1]"


@pytest.mark.rule("JSN-12")
def test_increments_of_regions_add_up() -> None:
    documents = Documents()
    documents.line("JSON.SET k $ '{\"n\":1}'")
    documents.sync()
    documents.line("JSON.NUMINCRBY k $.n 5")
    documents.line("JSON.NUMINCRBY k $.n 0.5", region=2)
    documents.sync()
    assert documents.everywhere("JSON.GET", "k", ".n") == b"6.5"
