"""The error of a client that breaks the protocol."""

from __future__ import annotations


class ProtocolError(Exception):
    """Bytes that are not RESP. Send `text` as an error, then close the connection.

    Complete requests before the fault have been carried out. Nothing after it was read.
    """

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = b"ERR Protocol error: " + text
