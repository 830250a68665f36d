"""JSON.ARRAPPEND and similar commands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crdb.commands.json.examples import Documents

TEXT = '{"a":[1,2,3],"b":{"a":[]},"n":1,"d":[1,"1",1.0,[1],{"x":1},1]}'
NO_KEY = "ERR could not perform this operation on a key that doesn't exist"


@pytest.mark.parametrize(
    ("request_line", "expected", "after"),
    [
        ("JSON.ARRAPPEND k $.a 4 '\"5\"'", [5], [1, 2, 3, 4, "5"]),
        ("JSON.ARRAPPEND k .a 4", 4, [1, 2, 3, 4]),
        ("JSON.ARRAPPEND k $..a 4", [4, 1], [1, 2, 3, 4]),
        ("JSON.ARRAPPEND k $.* 4", [4, None, None, 7], [1, 2, 3, 4]),
        ("JSON.ARRAPPEND k .n 4", "ERR Path '$.n' does not exist or not an array", [1, 2, 3]),
        ("JSON.ARRAPPEND k $.a x", "expected value at line 1 column 1", [1, 2, 3]),
        ("JSON.ARRAPPEND none $.a 4", NO_KEY, [1, 2, 3]),
        ("JSON.ARRINSERT k $.a 1 8 9", [5], [1, 8, 9, 2, 3]),
        ("JSON.ARRINSERT k .a 0 8 9", 5, [8, 9, 1, 2, 3]),
        ("JSON.ARRINSERT k .a -1 8 9", 5, [1, 2, 8, 9, 3]),
        ("JSON.ARRINSERT k .a 3 8", 4, [1, 2, 3, 8]),
        ("JSON.ARRINSERT k $.a 4 8", "ERR index out of bounds", [1, 2, 3]),
        ("JSON.ARRINSERT k $.a -4 8", "ERR index out of bounds", [1, 2, 3]),
        ("JSON.ARRINSERT k $..a 1 8", "ERR index out of bounds", [1, 2, 3]),
        ("JSON.ARRINSERT k $.a x 8", "Couldn't parse as integer", [1, 2, 3]),
        ("JSON.ARRPOP k $.a", [b"3"], [1, 2]),
        ("JSON.ARRPOP k .a 0", b"1", [2, 3]),
        ("JSON.ARRPOP k $.a -2", [b"2"], [1, 3]),
        ("JSON.ARRPOP k $.a 99", [b"3"], [1, 2]),
        ("JSON.ARRPOP k $.a -99", [b"1"], [2, 3]),
        ("JSON.ARRPOP k $.a last", [b"3"], [1, 2]),
        ("JSON.ARRPOP k $..a", [b"3", None], [1, 2]),
        ("JSON.ARRPOP k $.*", [b"3", None, None, b"1"], [1, 2]),
        ("JSON.ARRPOP k .b.a", None, [1, 2, 3]),
        ("JSON.ARRPOP k", "ERR Path '$' does not exist or not an array", [1, 2, 3]),
        ("JSON.ARRTRIM k $.a 1 1", [1], [2]),
        ("JSON.ARRTRIM k .a 1 99", 2, [2, 3]),
        ("JSON.ARRTRIM k $.a -2 -1", [2], [2, 3]),
        ("JSON.ARRTRIM k $.a 0 -2", [2], [1, 2]),
        ("JSON.ARRTRIM k $.a -99 0", [1], [1]),
        ("JSON.ARRTRIM k $.a 5 7", [0], []),
        ("JSON.ARRTRIM k $.a 2 1", [0], []),
        ("JSON.ARRTRIM k $..a 0 0", [1, 0], [1]),
        ("JSON.ARRTRIM k .n 0 0", "ERR Path '$.n' does not exist or not an array", [1, 2, 3]),
        ("JSON.ARRLEN k .a", 3, [1, 2, 3]),
        ("JSON.ARRLEN k $.*", [3, None, None, 6], [1, 2, 3]),
        ("JSON.ARRLEN k .n", "ERR Path '.n' does not exist or not an array", [1, 2, 3]),
        ("JSON.ARRLEN k .none", "ERR Path '.none' does not exist", [1, 2, 3]),
        ("JSON.ARRLEN none", None, [1, 2, 3]),
        ("JSON.ARRLEN none $", NO_KEY, [1, 2, 3]),
        ("JSON.ARRINDEX k $.d 1", [0], [1, 2, 3]),
        ("JSON.ARRINDEX k .d '\"1\"'", 1, [1, 2, 3]),
        ("JSON.ARRINDEX k .d 1.0", 2, [1, 2, 3]),
        ("JSON.ARRINDEX k .d '{\"x\":1}'", 4, [1, 2, 3]),
        ("JSON.ARRINDEX k .d [1]", 3, [1, 2, 3]),
        ("JSON.ARRINDEX k .d 1 1", 5, [1, 2, 3]),
        ("JSON.ARRINDEX k .d 1 1 5", -1, [1, 2, 3]),
        ("JSON.ARRINDEX k .d 1 -1 0", 5, [1, 2, 3]),
        ("JSON.ARRINDEX k .d 1 1 -1", -1, [1, 2, 3]),
        ("JSON.ARRINDEX k $.* 2", [1, None, None, -1], [1, 2, 3]),
        (
            "JSON.ARRINDEX k .n 2",
            "WRONGTYPE wrong type of path value - expected array but found integer",
            [1, 2, 3],
        ),
        ("JSON.ARRINDEX k .none 2", "ERR Path '$.none' does not exist", [1, 2, 3]),
        ("JSON.ARRINDEX none .a 2", "ERR Path '.a' does not exist", [1, 2, 3]),
    ],
)
def test_replies_are_those_of_redisjson(request_line: str, expected: Any, after: list[Any]) -> None:
    documents = Documents()
    documents.run(1, "JSON.SET", "k", "$", TEXT)
    assert documents.line(request_line) == expected
    text = str(after).replace(" ", "").replace("'", '"').encode()
    assert documents.run(1, "JSON.GET", "k", ".a") == text
    documents.sync()
    assert documents.run(2, "JSON.GET", "k", ".a") == text


def test_nested_arrays_are_changed_from_the_inside() -> None:
    documents = Documents()
    documents.line("JSON.SET k $ '{\"a\":[[1,2,3],[4,5,6]]}'")
    assert documents.line("JSON.ARRPOP k $..*") == [b"[4,5]", b"3", b"6", *[None] * 6]
    assert documents.get() == b'{"a":[[1,2]]}'


def test_long_arrays_are_trimmed_and_searched_in_slices() -> None:
    documents = Documents()
    documents.run(1, "JSON.SET", "k", "$", str(list(range(6000))).replace(" ", ""))
    assert documents.line("JSON.ARRINDEX k . 5999") == 5999
    assert documents.line("JSON.ARRTRIM k . 2000 3999") == 2000
    assert documents.line("JSON.ARRINDEX k . 3999") == 1999
    documents.sync()
    assert documents.run(2, "JSON.ARRLEN", "k") == 2000
