"""What tests of long scripts share: clients whose scripts are paused, and the turns of a server."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import Instance
from crdb.engine.session import WORKING
from crdb.resp.decoder import Reply
from tests.crdb.redis_peer import Word, decode, encode, request

FOREVER = "while true do end"


def ask(client: Client, *words: Word) -> Reply:
    """Send one request. Return the reply, decoded."""
    return decode(receive(client, request(encode(words))))


def send(client: Client, *words: Word) -> bytes:
    """Send one request. Return what was replied in this turn."""
    run(client, request(encode(words)))
    return take(client)


def take(client: Client) -> bytes:
    """Return what a client has got."""
    replies = b"".join(client.out)
    client.out.clear()
    client.output_bytes = client.counted = 0
    return replies


def begin(database: Instance, script: str, *keys: str) -> Client:
    """Send a script that does not end in its first slice."""
    client = Client(database)
    assert send(client, "EVAL", script, len(keys), *keys) == b""
    assert client.flags & WORKING
    return client


def turn(database: Instance, ms: int = 0) -> None:
    """Let some time pass, and run a slice. Serve the clients that are woken."""
    database.advance(database.now + ms)
    database.slices.run_slice()
    while database.woken:
        client = database.woken.pop()
        assert isinstance(client, Client)
        run(client, b"")


def finish(database: Instance, client: Client) -> bytes:
    """Run turns until the client's script has ended. Return its reply."""
    while client.flags & WORKING:
        turn(database)
    return take(client)
