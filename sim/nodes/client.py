"""A simulated client, whose connection to its region has no delay.

A delay would hide differences between regions, so there is none. Requests and replies are bytes in
the Redis protocol, so a run covers the whole path of a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import attrs

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.resp import decoder
from crdb.resp.decoder import ErrorReply, Status, decode_replies

Word: TypeAlias = str | bytes | int | float
Reply: TypeAlias = Any
"""bytes, str (a status), int, float, None, `Refusal`, or a list, tuple or dict of these."""


@attrs.frozen
class Refusal:
    """An error reply."""

    text: str


def encode_request(words: Sequence[Word]) -> bytes:
    """Return a command as the bytes of a request."""
    return decoder.encode_request(
        [it if isinstance(it, bytes) else str(it).encode() for it in words]
    )


def parse_replies(data: bytes) -> list[Reply]:
    """Return the replies in `data`. Statuses become str, and errors become `Refusal`.

    The last reply must be complete.
    """
    return [_as_text(reply) for reply in decode_replies(data)]


def parse_fields(line: str, separator: str | None = None) -> dict[str, str]:
    """Return the fields of a line like `id=3 name=x`. They are separated by white space, or by
    `separator`."""
    return dict(field.split("=", 1) for field in line.split(separator))


def _as_text(reply: Reply) -> Reply:
    """Return a status as str and an error as `Refusal`, also inside lists."""
    if isinstance(reply, Status):
        return reply.text.decode()
    if isinstance(reply, ErrorReply):
        return Refusal(reply.text.decode(errors="replace"))
    if isinstance(reply, list):
        return [_as_text(item) for item in cast("list[Reply]", reply)]
    return reply


class SimClient:
    """A client's connection to an instance."""

    def __init__(self, instance: Instance) -> None:
        self.client = Client(instance)
        self.late = b""
        """The bytes of replies to commands that had blocked."""

    def send_commands(self, *commands: Sequence[Word]) -> list[Reply]:
        """Send commands together. Return a reply for each that does not block."""
        return parse_replies(receive(self.client, b"".join(map(encode_request, commands))))
