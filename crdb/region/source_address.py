"""Driver: find the link port of an instance to be followed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from crdb.engine.environment.follow_control import Address
from crdb.resp.decoder import Reply, ReplyDecoder, encode_request
from replication.protocol.handshake import MAGIC

ASK_PORT: Final = encode_request([b"CRDB.PORT"])
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
        raw, link_port = await receive_reply(stream)
    if not isinstance(link_port, int) or not 0 < link_port < 65_536:
        raise OSError(f"{host}:{port} cannot be followed: {unusable_reply(raw)}")
    return link_port


def unusable_reply(raw: bytes) -> str:
    """Return why a reply names no link port. The text of the same mistake is always the same, so
    that it is reported once and then counted: nonces and the later lines of a reply differ."""
    if raw.startswith(MAGIC):
        return "it is a port for links; give the port for clients"
    first = raw.strip().split(b"\n")[0].strip()[:80]
    return f"CRDB.PORT replied {first.decode('latin-1')!r}"


async def receive_reply(stream: trio.abc.Stream) -> tuple[bytes, Reply]:
    """Return one reply, raw and decoded. It is decoded as None if it is too long or is not one."""
    decoder = ReplyDecoder()
    while len(decoder.pending) < ANSWER_BYTES_MAX:
        data = await stream.receive_some()
        decoder.feed(bytes(data))
        try:
            found = decoder.next()
        except ValueError:
            break
        if found is not None:
            return found
        if not data:
            break
    return decoder.pending, None
