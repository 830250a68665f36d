"""JSON.GET, JSON.MGET, JSON.TYPE, JSON.RESP and JSON.DEBUG."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crdb.commands.json.examples import Documents, replies

TEXT = '{"a":2,"b":[1,{"c":"x"},2.5],"s":"hi","t":true,"n":null}'


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("JSON.GET k", TEXT.encode()),
        ("JSON.GET k $", f"[{TEXT}]".encode()),
        ("JSON.GET k .", TEXT.encode()),
        ("JSON.GET k .b[1].c", b'"x"'),
        ("JSON.GET k b[0]", b"1"),
        ("JSON.GET k $..c", b'["x"]'),
        ("JSON.GET k $.none", b"[]"),
        ("JSON.GET k .none", "ERR Path '$.none' does not exist"),
        ("JSON.GET k $.a $.s", b'{"$.a":[2],"$.s":["hi"]}'),
        ("JSON.GET k a s", b'{"a":2,"s":"hi"}'),
        ("JSON.GET k a $.s", b'{"a":[2],"$.s":["hi"]}'),
        ("JSON.GET k a none", "ERR Path 'none' does not exist"),
        ("JSON.GET k $.a $[", b'{"$.a":[2]}'),
        ("JSON.GET k $[", 'Error occurred on position 2, "$[ <<<<----", parsing error.'),
        ("JSON.GET k INDENT", "ERR wrong number of arguments for 'json.get' command"),
        ("JSON.GET k noescape SPACE _ $.b[1]", b'[{"c":_"x"}]'),
        ("JSON.GET k INDENT ' ' NEWLINE '|' b", b'[| 1,|  {|   "c":"x"|  },|  2.5|]'),
        ("JSON.GET none", None),
        ("JSON.GET none $", None),
        ("JSON.MGET k none $.a", [b"[2]", None]),
        ("JSON.MGET k none .a", [b"2", None]),
        ("JSON.MGET k k .none", [None, None]),
        ("JSON.MGET k $.none", [b"[]"]),
        ("JSON.TYPE k", b"object"),
        ("JSON.TYPE k $.*", [b"integer", b"array", b"string", b"boolean", b"null"]),
        ("JSON.TYPE k .b[2]", b"number"),
        ("JSON.TYPE k .none", None),
        ("JSON.TYPE k $.none", []),
        ("JSON.TYPE none $", None),
        ("JSON.RESP k .b", ["[", 1, ["{", b"c", b"x"], b"2.5"]),
        ("JSON.RESP k $.t", ["true"]),
        ("JSON.RESP k .n", None),
        ("JSON.RESP k .none", "ERR Path '$.none' does not exist"),
        ("JSON.RESP none", None),
        ("JSON.DEBUG MEMORY none", 0),
        ("JSON.DEBUG MEMORY none $", []),
        ("JSON.DEBUG MEMORY k .none", "ERR Path '$.none' does not exist"),
    ],
)
def test_replies_are_those_of_redisjson(request_line: str, expected: Any) -> None:
    indented = b'[|  1,|  {|    "c":"x"|  },|  2.5|]'
    if "INDENT ' '" in request_line:
        request_line, expected = request_line.replace("INDENT ' '", "INDENT '  '"), indented
    assert replies(TEXT, request_line) == expected


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("JSON.GET k $.a", b"[2]"),
        ("JSON.GET none", None),
        ("JSON.TYPE k", [b"object"]),
        ("JSON.TYPE k $.*", [[b"integer", b"array", b"string", b"boolean", b"null"]]),
        ("JSON.TYPE k .none", [None]),
        ("JSON.TYPE none", [None]),
        ("JSON.RESP k .b[2]", 2.5),
        ("JSON.MGET k none $.a", [b"[2]", None]),
    ],
)
def test_replies_of_third_protocol(request_line: str, expected: Any) -> None:
    assert replies(TEXT, request_line, 3) == expected


def test_keys_of_other_types_are_refused() -> None:
    documents = Documents()
    documents.line("SET s text")
    wrong = "Existing key has wrong Redis type"
    assert documents.line("JSON.GET s") == documents.line("JSON.TYPE s") == wrong
    assert documents.line("JSON.MGET s .") == [None]
    documents.line("JSON.SET k $ 1")
    assert documents.line("GET k") == (
        "WRONGTYPE Operation against a key holding the wrong kind of value"
    )


def test_keys_can_be_looked_at_and_copied() -> None:
    documents = Documents()
    documents.run(1, "JSON.SET", "k", "$", TEXT)
    assert documents.line("TYPE k") == "ReJSON-RL"
    assert documents.line("OBJECT ENCODING k") == b"raw"
    size = documents.line("MEMORY USAGE k")
    assert isinstance(size, int)
    assert size > 200
    inner = documents.line("JSON.DEBUG MEMORY k $.b")
    assert isinstance(inner, list)
    assert documents.line("COPY k other") == 1
    assert documents.line("RENAME other third") == "OK"
    assert documents.get("third") == TEXT.encode()
    documents.line("JSON.SET third .a 3")
    documents.sync()
    assert documents.get() == TEXT.encode()


def test_large_documents_are_read_in_slices() -> None:
    documents = Documents()
    numbers = list(range(20_000))
    documents.run(1, "JSON.SET", "k", "$", str(numbers).replace(" ", ""))
    assert documents.line("JSON.GET k $[?(@>19997)]") == b"[19998,19999]"
    assert documents.line("JSON.TYPE k $..[0]") == [b"integer"]
    found = documents.line("JSON.GET k $.*")
    assert isinstance(found, bytes)
    assert len(found) > 100_000


def test_reads_in_transaction_are_answered() -> None:
    documents = Documents()
    documents.run(1, "JSON.SET", "k", "$", TEXT)
    found = documents.transaction(
        1, ["MULTI"], ["JSON.GET", "k", "$..c"], ["JSON.NUMINCRBY", "k", "$.a", "1"], ["EXEC"]
    )
    assert found[3] == [b'["x"]', b"[3]"]
