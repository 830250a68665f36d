"""Address a region as the client libraries do: by its port, by a URL, or with redis-py."""

from __future__ import annotations

from typing import Any, Final, cast

import attrs
from redis import Redis

from tests.e2e.processes import WAIT_SECONDS

HOST: Final = "127.0.0.1"
SETTLE_MS: Final = int(WAIT_SECONDS * 1000)


@attrs.frozen
class ClientRegion:
    """A region that client libraries connect to."""

    port: int

    def url(self, protocol: int) -> str:
        """Return the address for a library that is built on redis-py."""
        return f"redis://{HOST}:{self.port}/0?protocol={protocol}"

    def client(self, protocol: int = 3, **options: Any) -> Any:
        """Return a client of redis-py, whose own annotations are partial."""
        options = {"decode_responses": True, "socket_timeout": WAIT_SECONDS, **options}
        return cast("Any", Redis(host=HOST, port=self.port, protocol=protocol, **options))

    def empty(self) -> None:
        """Delete all keys, in all regions. Close the connections that earlier tests have left."""
        with self.client() as client:
            for kind in ("normal", "pubsub"):
                client.client_kill_filter(_type=kind, skipme=True)
            client.flushall()
        self.settle()

    def settle(self) -> None:
        """Wait until the other region has all writes of this one, and this one has all of its."""
        with self.client() as client:
            assert client.execute_command("CRDB.SETTLE", SETTLE_MS) == 1

    def protocols(self) -> set[str]:
        """Return the versions of the protocol that the connected clients speak."""
        with self.client(2) as client:
            own = str(client.client_id())
            rows = client.client_list()
        return {row["resp"] for row in rows if row["id"] != own}
