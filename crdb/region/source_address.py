"""Driver: find the link port of an instance to be followed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from crdb.engine.environment.follow_control import Address

ASK_PORT: Final = b"*1\r\n$9\r\nCRDB.PORT\r\n"
ANSWER_BYTES_MAX: Final = 256


def join_address(address: Address) -> str:
    """Return the address as `host:port`, with brackets around an IPv6 address."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def dialler(address: Address) -> Callable[[], Awaitable[trio.abc.Stream]]:
    """Return a function that connects to a source: it asks the client port for the link port."""
    host, port = address

    async def connect() -> trio.abc.Stream:
        return await trio.open_tcp_stream(host, await ask_link_port(host, port))

    return connect


async def ask_link_port(host: str, port: int) -> int:
    """Return the port at which a source serves links. Raises OSError if it does not reply."""
    async with await trio.open_tcp_stream(host, port) as stream:
        await stream.send_all(ASK_PORT)
        answer = b""
        while not answer.endswith(b"\r\n") and len(answer) < ANSWER_BYTES_MAX:
            data = await stream.receive_some()
            if not data:
                break
            answer += data
    digits, is_whole = answer[1:-2], answer[:1] == b":" and answer.endswith(b"\r\n")
    if not is_whole or not digits.isdigit() or not 0 < int(digits) < 65_536:
        shown = answer[:80].decode("latin-1").strip()
        raise OSError(f"{host}:{port} cannot be followed: CRDB.PORT replied {shown!r}")
    return int(digits)
