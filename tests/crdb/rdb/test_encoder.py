"""The bytes that are written."""

from __future__ import annotations

from crdb.rdb.encoder import encode_header, encode_items


def test_bytes_are_those_of_plain_types() -> None:
    assert encode_header(b"string", 0) + encode_items([b"ab"]) == b"\x00\x02ab"
    assert encode_header(b"list", 1) + encode_items([b"ab"]) == b"\x01\x01\x02ab"
    scored = encode_header(b"zset", 1) + encode_items([b"m", 1.0])
    assert scored == b"\x05\x01\x01m" + b"\0\0\0\0\0\0\xf0\x3f"
