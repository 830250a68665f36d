"""Additional clients for `Regions` that can block.

waiters = Waiters(regions)
first = waiters.block(1, "BLPOP", "l", "0")     # a client of region 1, which now waits
regions.run(1, "RPUSH", "l", "a")
assert waiters.replies(first) == [[b"l", b"a"]]
"""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.resp.decoder import Reply
from tests.crdb.redis_peer import Reader, Word, encode, request
from tests.crdb.regions import Regions


class Waiters:
    """More clients of the same regions."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions

    def connect(self, region: int, protocol: int = 2) -> Client:
        """Return a new client."""
        instance = self.regions.instances[region]
        instance.advance(self.regions.now)
        client = Client(instance)
        client.protocol = protocol
        return client

    def block(self, region: int, *words: Word, protocol: int = 2) -> Client:
        """Run a blocking command by a new client. Return the client."""
        client = self.connect(region, protocol)
        assert self.send(client, *words) == b""
        assert client.blocked
        return client

    def send(self, client: Client, *words: Word) -> bytes:
        """Run another command of a client. Return its immediate reply."""
        return receive(client, request(encode(words)))

    def replies(self, client: Client) -> list[Reply]:
        """Return the replies that the client has received since the last call."""
        raw = receive(client, b"")
        pieces = iter([raw])
        reader = Reader(lambda: next(pieces, b""))
        found: list[Reply] = []
        while raw:
            piece, reply = reader.next()
            raw = raw[len(piece) :]
            found.append(reply)
        return found

    def wait(self, region: int, milliseconds: int) -> None:
        """Let time pass."""
        self.regions.now += milliseconds
        instance = self.regions.instances[region]
        instance.advance(self.regions.now)
        instance.tick()
