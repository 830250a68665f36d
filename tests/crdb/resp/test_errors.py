"""Protocol errors."""

from __future__ import annotations

from crdb.resp.errors import ProtocolError


def test_error_text_is_sent_to_client() -> None:
    assert ProtocolError(b"invalid bulk length").text == b"ERR Protocol error: invalid bulk length"
