"""The error of a client that breaks the protocol."""

from __future__ import annotations


class ProtocolError(Exception):
    """The client does not speak RESP: send `text` as an error, then close the connection.

    Requests before the fault were complete and have been carried out; nothing after it was read.
    """

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text = b"ERR Protocol error: " + text
