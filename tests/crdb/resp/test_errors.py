"""Protocol errors."""

from __future__ import annotations

from crdb.resp.errors import ProtocolError


def test_text_is_what_goes_to_client() -> None:
    assert ProtocolError(b"invalid bulk length").text == b"ERR Protocol error: invalid bulk length"
