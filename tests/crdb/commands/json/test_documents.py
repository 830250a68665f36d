"""JSON.SET, JSON.MSET and JSON.MERGE."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crdb.commands.json.examples import Documents, replies

OK = "OK"


@pytest.mark.parametrize(
    ("before", "request_line", "expected", "after"),
    [
        ("", "JSON.SET k $ '{\"a\": 1}'", OK, b'{"a":1}'),
        ("", "JSON.SET k . 5", OK, b"5"),
        ("", "JSON.SET k $.a 5", "ERR new objects must be created at the root", None),
        ("", "JSON.SET k $ 5 XX", None, None),
        ("", "JSON.SET k $ 5 NX", OK, b"5"),
        ("1", "JSON.SET k $ 5 NX", None, b"1"),
        ("1", "JSON.SET k $ 5 xx", OK, b"5"),
        ("1", "JSON.SET k $ 5 ZZ", "ERR syntax error", b"1"),
        ("1", "JSON.SET k $ 5 NX XX", "ERR syntax error", b"1"),
        ("1", "JSON.SET k $ {", "EOF while parsing a value at line 1 column 2", b"1"),
        ('{"a":1}', "JSON.SET k $.a 2", OK, b'{"a":2}'),
        ('{"a":1}', "JSON.SET k .b 2", OK, b'{"a":1,"b":2}'),
        ('{"a":1}', "JSON.SET k $.a 2 NX", None, b'{"a":1}'),
        ('{"a":1}', "JSON.SET k $.b 2 NX", OK, b'{"a":1,"b":2}'),
        ('{"a":1}', "JSON.SET k $.b 2 XX", None, b'{"a":1}'),
        ('{"a":1}', "JSON.SET k $.a 2 XX", OK, b'{"a":2}'),
        ('{"a":1}', "JSON.SET k $.b.c 2", None, b'{"a":1}'),
        ('{"a":1}', "JSON.SET k $.a.c 2", None, b'{"a":1}'),
        ('{"a":1}', "JSON.SET k $..b 2", "Err wrong static path", b'{"a":1}'),
        ("[1]", "JSON.SET k $[0] 2", OK, b"[2]"),
        ("[1]", "JSON.SET k $[1] 2", "ERR array index out of range", b"[1]"),
        ("[1]", "JSON.SET k $[0] 2 NX", None, b"[1]"),
        ('{"a":{"x":1},"b":{"x":2}}', "JSON.SET k $..x 7", OK, b'{"a":{"x":7},"b":{"x":7}}'),
        ('{"a":[1,2],"b":3}', "JSON.SET k $.* 0", OK, b'{"a":0,"b":0}'),
        ('{"a":{"a":1}}', "JSON.SET k $..a 2", OK, b'{"a":2}'),
        ("", "JSON.MERGE k $ '{\"a\":null}'", OK, b'{"a":null}'),
        ("", "JSON.MERGE k $.a 1", "ERR new objects must be created at the root", None),
        ('{"a":2}', "JSON.MERGE k $ '{\"b\":8}'", OK, b'{"a":2,"b":8}'),
        ('{"a":2}', "JSON.MERGE k $.a 3", OK, b'{"a":3}'),
        ('{"a":2}', "JSON.MERGE k $ '{\"a\":null}'", OK, b"{}"),
        ('{"a":[2,4]}', "JSON.MERGE k $.a [10]", OK, b'{"a":[10]}'),
        ('{"a":2}', "JSON.MERGE k $.b '{\"c\":null}'", OK, b'{"a":2,"b":{"c":null}}'),
        ('{"a":2}', 'JSON.MERGE k $ \'{"b":{"c":null,"d":1}}\'', OK, b'{"a":2,"b":{"d":1}}'),
        ('{"a":1}', 'JSON.MERGE k $.a \'{"c":null,"d":{}}\'', OK, b'{"a":{"d":{}}}'),
        (
            '{"f":{"x":1},"g":{"x":2}}',
            "JSON.MERGE k $..x '{\"n\":4}'",
            OK,
            b'{"f":{"x":{"n":4}},"g":{"x":{"n":4}}}',
        ),
        ('{"a":1}', "JSON.MERGE k $.b.c 2", None, b'{"a":1}'),
        ("1", "JSON.MSET k $ 2 k $ 3", OK, b"3"),
        ('{"a":1}', "JSON.MSET k $.a 2 k $.b 3", OK, b'{"a":2,"b":3}'),
        ("", "JSON.MSET k $.a 2", "ERR new objects must be created at the root", None),
        ("1", "JSON.MSET k $ 2 k $ {", "EOF while parsing a value at line 1 column 2", b"1"),
        ("1", "JSON.MSET k $ 2 k", "ERR wrong number of arguments for 'json.mset' command", b"1"),
    ],
)
def test_writes_and_their_replies(
    before: str, request_line: str, expected: Any, after: Any
) -> None:
    documents = Documents()
    if before:
        documents.run(1, "JSON.SET", "k", "$", before)
    assert documents.line(request_line) == expected
    assert documents.get() == after
    documents.sync()
    assert documents.run(2, "JSON.GET", "k") == after
    documents.merge(1, 2)
    documents.sync()


def test_text_that_is_not_unicode_is_refused() -> None:
    documents = Documents()
    wrong = "Couldn't parse as UTF-8 string"
    for words in (("k", "$", b'"\xff"'), ("k", b"$.\xff", "1")):
        reply = documents.run(1, "JSON.SET", *words)
        assert getattr(reply, "text", None) == wrong.encode()


def test_depth_is_limited() -> None:
    documents = Documents()
    deep = '{"a":' * 127 + "{}" + "}" * 127
    assert documents.run(1, "JSON.SET", "k", "$", deep) is not None
    path = "$" + ".a" * 128
    assert documents.line(f"JSON.SET k {path} 1") == "OK"
    assert documents.line(f"JSON.SET k {path} []") == "ERR recursion limit exceeded"
    assert documents.line(f"JSON.SET k $ {'[' * 200}{']' * 200}") == "recursion limit exceeded"
    documents.sync()


def test_copies_refuse_writes_and_expired_documents_are_gone() -> None:
    documents = Documents()
    documents.line("JSON.SET k $ '{\"a\":1}'")
    documents.line("PEXPIRE k 5")
    documents.now += 10
    assert documents.line("JSON.SET k $.a 2") == "ERR new objects must be created at the root"
    assert documents.line("JSON.GET k") is None
    documents.sync()


def test_watched_document_aborts_transaction() -> None:
    documents = Documents()
    documents.line("JSON.SET k $ '{\"a\":1}'")
    documents.line("WATCH k")
    documents.sync()
    documents.line("JSON.SET k $.a 2", region=2)
    documents.sync()
    assert documents.transaction(1, ["MULTI"], ["JSON.GET", "k"], ["EXEC"])[2] is None


def test_many_places_are_written_in_slices() -> None:
    documents = Documents()
    rows = ",".join(f'{{"n":{number}}}' for number in range(3000))
    documents.run(1, "JSON.SET", "k", "$", f"[{rows}]")
    assert documents.line("JSON.SET k $[*].n 0") == "OK"
    assert documents.line("JSON.MERGE k $[*] '{\"m\":1}'") == "OK"
    documents.sync()
    assert documents.run(2, "JSON.GET", "k", "$[2999]") == b'[{"n":0,"m":1}]'


def test_replies_are_null_in_third_protocol() -> None:
    assert replies("1", "JSON.SET k $ 2 NX", 3) is None
    assert replies("1", "JSON.SET k $ 2", 3) == OK
