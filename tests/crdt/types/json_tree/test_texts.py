"""Texts of JSON: what is refused, and how values are printed."""

from __future__ import annotations

from typing import Any

import pytest

from crdt.types.json_tree.texts import (
    DEPTH_MAX,
    InvalidJson,
    Layout,
    depth_of,
    longest_array,
    number_text,
    parse,
    print_value,
    text_of,
)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b"[1,]", b'{"a":1,}', b"nul", b"NaN", b"-Infinity", b"1 2", b"{1:2}", b"'a'"),
        *(b'"a', b'"\x01"', b'"\\ud800"', b"1e999", b"9" * 400, b"\xff", b"01", b"[" * 100000),
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
    ],
)
def test_parse_refuses_what_is_not_json(text: bytes) -> None:
    with pytest.raises(InvalidJson):
        parse(text)


def test_errors_name_the_place() -> None:
    with pytest.raises(InvalidJson, match="EOF while parsing a value at line 1 column 2"):
        parse(b"{")
    with pytest.raises(InvalidJson, match="trailing characters at line 2 column 1"):
        parse(b"1\n2")


def test_parse_returns_plain_values() -> None:
    assert parse(b' {"a": [1, 2.5, null, true], "a": "\\u00fc\\n"} ') == {"a": "ü\n"}
    assert parse(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX) is not None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", float(2**64)),
        (b"-9223372036854775809", -float(2**63)),
        (b"100000000000000000000000", 1e23),
    ],
)
def test_integers_beyond_64_bits_become_floats(text: bytes, value: float) -> None:
    found = parse(text)
    assert (found, type(found)) == (value, type(value))


def test_depth_and_length_are_those_of_the_deepest_and_longest() -> None:
    nested: list[Any] = [1, [], {}, [[]], {"a": [{}]}, {"a": [1, [1, 2, 3]]}]
    assert [depth_of(value) for value in nested] == [0, 1, 1, 2, 3, 3]
    assert [longest_array(value) for value in nested] == [0, 0, 0, 1, 1, 3]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((7, "7"), (-0.5, "-0.5"), (2.0, "2.0"), (1e15, "1000000000000000.0"), (1e16, "1e16")),
        *((1e-5, "0.00001"), (-1.25e-5, "-0.0000125"), (1e-6, "1e-6"), (1.5e-7, "1.5e-7")),
        *((1e100, "1e100"), (0.0001, "0.0001"), (123456789.125, "123456789.125")),
    ],
)
def test_numbers_are_printed_as_by_redisjson(number: float, text: str) -> None:
    assert number_text(number) == text
    assert print_value([number]) == f"[{text}]".encode()


def test_layout_is_put_between_parts() -> None:
    value: dict[str, Any] = {"a": [1, {}], "ü": {"b": None}, "c": True, "d": [], "e": "1e-7"}
    assert print_value(value) == '{"a":[1,{}],"ü":{"b":null},"c":true,"d":[],"e":"1e-7"}'.encode()
    lines = b'{\n  "a": [\n    1,\n    2.0\n  ]\n}'
    assert print_value({"a": [1, 2.0]}, Layout("  ", "\n", " ")) == lines
    assert print_value([1, 2], Layout(newline="|")) == b"[|1,|2|]"


def test_text_of_is_shortest_and_may_be_sorted() -> None:
    assert text_of({"b": 1, "a": [1.0, "x"]}) == b'{"b":1,"a":[1.0,"x"]}'
    assert text_of({"b": 1, "a": 2}, is_sorted=True) == b'{"a":2,"b":1}'
