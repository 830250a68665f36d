"""JSON.DEL, JSON.FORGET and JSON.CLEAR."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crdb.commands.json.examples import Documents

TEXT = '{"a":{"x":1,"y":[1,2]},"b":[[1],[],{}],"n":5,"z":0,"s":"t"}'


@pytest.mark.parametrize(
    ("request_line", "expected", "after"),
    [
        ("JSON.DEL none", 0, TEXT),
        ("JSON.DEL k", 1, None),
        ("JSON.DEL k $", 1, None),
        ("JSON.FORGET k .", 1, None),
        ("JSON.DEL k $.none", 0, TEXT),
        ("JSON.DEL k $.a", 1, '{"b":[[1],[],{}],"n":5,"z":0,"s":"t"}'),
        ("JSON.DEL k .a.x", 1, '{"a":{"y":[1,2]},"b":[[1],[],{}],"n":5,"z":0,"s":"t"}'),
        ("JSON.DEL k $.b[0,2]", 2, '{"a":{"x":1,"y":[1,2]},"b":[[]],"n":5,"z":0,"s":"t"}'),
        ("JSON.DEL k $.b[-1]", 1, '{"a":{"x":1,"y":[1,2]},"b":[[1],[]],"n":5,"z":0,"s":"t"}'),
        ("JSON.DEL k $.a..*", 2, '{"a":{},"b":[[1],[],{}],"n":5,"z":0,"s":"t"}'),
        ("JSON.DEL k $.*", 5, None),
        (
            "JSON.CLEAR none",
            "ERR could not perform this operation on a key that doesn't exist",
            TEXT,
        ),
        ("JSON.CLEAR k", 1, "{}"),
        ("JSON.CLEAR k $.a", 1, '{"a":{},"b":[[1],[],{}],"n":5,"z":0,"s":"t"}'),
        ("JSON.CLEAR k $.*", 3, '{"a":{},"b":[],"n":0,"z":0,"s":"t"}'),
        ("JSON.CLEAR k $.b.*", 1, '{"a":{"x":1,"y":[1,2]},"b":[[],[],{}],"n":5,"z":0,"s":"t"}'),
        ("JSON.CLEAR k $.s", 0, TEXT),
        ("JSON.CLEAR k $..*", 9, '{"a":{},"b":[],"n":0,"z":0,"s":"t"}'),
    ],
)
def test_removals_and_their_replies(request_line: str, expected: Any, after: str | None) -> None:
    documents = Documents()
    documents.run(1, "JSON.SET", "k", "$", TEXT)
    assert documents.line(request_line) == expected
    assert documents.get() == (None if after is None else after.encode())
    documents.sync()
    assert documents.run(2, "EXISTS", "k") == int(after is not None)


def test_many_elements_are_removed_in_slices() -> None:
    documents = Documents()
    documents.run(1, "JSON.SET", "k", "$", str([[1]] * 5000).replace(" ", ""))
    assert documents.line("JSON.CLEAR k $[0:4000]") == 4000
    assert documents.line("JSON.DEL k $[?(@[0]==1)]") == 1000
    assert documents.line("JSON.ARRLEN k") == 4000
    documents.sync()
    assert documents.run(2, "JSON.DEL", "k", "$[*]") == 4000
    assert documents.run(2, "EXISTS", "k") == 0
