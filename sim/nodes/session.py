"""Clients that read, watch, wait and scan, each a session that may move between regions.

A step of kind `client` names a region, a session's number and the commands that it sends together.
The word `$cursor` stands for the cursor that the session's scan of this kind and key has come to.

A session that finds itself in another region than before first sends CRDB.AWAIT with the vector
that CRDB.VECTOR gave it last. Until that has been answered with 1, it is *adrift*: what it knows
need not hold where it is. A step for a session that waits for a reply does nothing, except QUIT: it
closes the connection immediately.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, cast

from sim.nodes.client import Reply, SimClient
from sim.schedule.step import Words

AWAIT_MS: Final = "2000"
SCANS: Final = frozenset({"SCAN", "SSCAN", "HSCAN", "ZSCAN"})
CURSOR: Final = "$cursor"
LEAVE: Final = ("QUIT",)
"""The command in whose place a session closes its connection, also while it waits."""


class Server(Protocol):
    """A process that sessions connect to."""

    name: str
    starts: int
    is_up: bool

    def connect_session(self, session: SimSession) -> SimClient:
        """Return a new connection for a session."""
        ...

    def disconnect_session(self, sim_client: SimClient) -> None:
        """Close a connection."""
        ...

    def run_session(self, session: SimSession, commands: Sequence[Words]) -> list[Reply]:
        """Run the commands that a session sends together. Return the immediate replies."""
        ...


class SimSession:
    """A client. `number` is its own in the whole world."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.server: Server | None = None
        self.starts = 0
        self.sim_client: SimClient | None = None
        self.vector = ""
        self.is_adrift = False
        self.cursors: dict[Words, str] = {}
        self.waiting: Words | None = None
        """The command that it waits for."""

    @property
    def is_connected(self) -> bool:
        """Return whether its server has lived since the connection was made."""
        server = self.server
        return server is not None and server.is_up and server.starts == self.starts

    def move_to_server(self, server: Server) -> None:
        """Open a connection to `server`, unless there is one."""
        if self.server is server and self.is_connected:
            return
        if self.server is not None:
            self.is_adrift = self.vector != ""
            if self.is_connected and self.sim_client is not None:
                self.server.disconnect_session(self.sim_client)
        self.server, self.starts = server, server.starts
        self.cursors.clear()
        self.waiting = None
        self.sim_client = server.connect_session(self)

    def fill_in_cursor(self, words: Words) -> Words:
        """Return a command with what the session knows put in."""
        if CURSOR not in words:
            return words
        cursor = self.cursors.get(scan_identity(words), "0")
        return tuple(cursor if word == CURSOR else word for word in words)

    def remember_reply(self, words: Words, reply: Reply) -> None:
        """Remember what a reply says about how to go on."""
        name = words[0]
        if name in SCANS and isinstance(reply, list):
            self.cursors[scan_identity(words)] = str(cast("list[bytes]", reply)[0], "ascii")
        elif name == "CRDB.VECTOR" and isinstance(reply, bytes):
            self.vector = reply.decode()
        elif name == "CRDB.AWAIT":
            self.is_adrift = reply != 1


def scan_identity(words: Words) -> Words:
    """Return which scan a command belongs to: its name, and its key if it has one."""
    return words[:1] if words[0] == "SCAN" else words[:2]


class Sessions:
    """The sessions of a world."""

    def __init__(self) -> None:
        self.by_number: dict[int, SimSession] = {}

    def close_session(self, number: int) -> None:
        """Close the connection of a session, which knows nothing of what came of its commands."""
        session = self.by_number.pop(number, None)
        if session is not None and session.is_connected:
            assert session.server is not None
            assert session.sim_client is not None
            session.server.disconnect_session(session.sim_client)

    def run_step(
        self, server: Server, number: int, commands: Sequence[Words]
    ) -> list[Reply] | None:
        """Let a session send commands to a process that is up. Return the replies that came at
        once, or None if the session waits for an earlier one."""
        if tuple(commands) == (LEAVE,):
            self.close_session(number)
            return []
        session = self.by_number.setdefault(number, SimSession(number))
        if session.waiting is not None and session.is_connected:
            return None
        session.move_to_server(server)
        if session.is_adrift:
            commands = (("CRDB.AWAIT", session.vector, AWAIT_MS),)
        return server.run_session(session, [session.fill_in_cursor(words) for words in commands])
