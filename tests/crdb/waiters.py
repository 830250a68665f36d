"""Clients that block, beside the one that each region of `Regions` has.

waiters = Waiters(regions)
first = waiters.send(1, "BLPOP", "l", "0")     # a client of region 1, which now waits
regions.run(1, "RPUSH", "l", "a")
assert waiters.replies(first) == [[b"l", b"a"]]
"""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.executor import receive
from crdb.resp.decoder import Reply
from tests.crdb.redis_peer import Reader, Word, encode, request
from tests.crdb.regions import Regions


class Waiters:
    """More clients of the same regions."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions

    def connect(self, region: int, protocol: int = 2) -> Client:
        """A client that does nothing yet."""
        instance = self.regions.instances[region]
        instance.advance(self.regions.now)
        client = Client(instance)
        client.protocol = protocol
        return client

    def send(self, region: int, *words: Word, protocol: int = 2) -> Client:
        """A new client's first command, which is to block."""
        client = self.connect(region, protocol)
        assert self.say(client, *words) == b""
        assert client.blocked
        return client

    def say(self, client: Client, *words: Word) -> bytes:
        """One more command of a client; what it is sent for it at once."""
        return receive(client, request(encode(words)))

    def replies(self, client: Client) -> list[Reply]:
        """What the client has been sent since it was asked last."""
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
        """Time passes."""
        self.regions.now += milliseconds
        instance = self.regions.instances[region]
        instance.advance(self.regions.now)
        instance.tick()
