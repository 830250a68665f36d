"""Client sessions that read, watch, block and scan, and that can move between regions.

A step of kind `client` names a region, a session number, and commands that are sent together. The
word `$cursor` stands for the session's latest cursor of the same scan command and key. Other words
stand for times: `$now` and `$seconds` for the latest reply to TIME, in ms and in s, and `$end` for
the latest deadline in a reply to PEXPIRETIME. A number may follow, as in `$now-1`. The word
`$entry-0` stands for the id of the latest entry that the session has added to a stream, or got from
it, and `$entry-1` for the one before.

A session that has moved to another region first sends CRDB.AWAIT with its latest reply to
CRDB.VECTOR. It is *adrift* until CRDB.AWAIT replies 1: the region may lack effects that the session
has seen, so its session guarantees do not hold yet.

A session with a number in CONNECTIONS uses the state of its connection, such as CLIENT PAUSE. Its
replies may come later or never. The word `$id2` stands for the connection number of the session of
the same region whose number ends in 2.

A step for a blocked session does nothing. There are two exceptions: QUIT closes the connection
immediately, and sessions in CONNECTIONS also send commands while they are blocked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol, cast

from sim.nodes.client import Reply, SimClient
from sim.schedule.step import Words

AWAIT_MS: Final = "2000"
SCANS: Final = frozenset({"SCAN", "SSCAN", "HSCAN", "ZSCAN"})
CURSOR: Final = "$cursor"
SLOTS: Final = 10
"""The number of sessions for each region that use the state of their connection."""
CONNECTIONS: Final = range(10_000, 10_000 + 100 * SLOTS)
"""The numbers of all such sessions."""
SUBSCRIBERS: Final = range(7_100, 7_200)
"""The numbers of the sessions that receive messages. They are not judged by their replies."""
ID_WORD: Final = re.compile(r"\$id(\d)")
ENTRY_WORD: Final = re.compile(r"\$entry-(\d)")
NO_ENTRY: Final = "0-1"
"""The id that stands for an entry that a session does not know."""
ENTRIES_MAX: Final = 20
TIME_WORD: Final = re.compile(r"\$(now|seconds|end)([+-]\d+)?")
LEAVE: Final = ("QUIT",)
"""The command that closes a session's connection, also while the session is blocked."""


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

    def run_connection(self, session: SimSession, commands: Sequence[Words]) -> list[Reply]:
        """Run commands whose replies may come later or never. Return those that have come."""
        ...


class SimSession:
    """A client session. `number` is unique in the world."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.server: Server | None = None
        self.starts = 0
        self.sim_client: SimClient | None = None
        self.vector = ""
        self.has_moved = False
        self.cursors: dict[Words, str] = {}
        self.times = {"now": 1, "seconds": 1, "end": 1}
        """The numbers that `$now`, `$seconds` and `$end` stand for."""
        self.entries: dict[str, list[str]] = {}
        """The ids of the latest entries that the session knows, by stream."""
        self.waiting: Words | None = None
        """The command that is blocked, or None."""

    @property
    def is_connected(self) -> bool:
        """True if the server is up and has not restarted since the connection was made."""
        server = self.server
        if server is None or self.sim_client is None:
            return False
        return server.is_up and server.starts == self.starts

    @property
    def identity(self) -> int:
        """The number of the connection; 0 if there is none."""
        return self.sim_client.client.id if self.is_connected and self.sim_client else 0

    def lose_connection(self) -> None:
        """Note that the server has closed the connection."""
        self.sim_client = None
        self.waiting = None

    def move_to_server(self, server: Server) -> None:
        """Open a connection to `server`, unless there is one."""
        if self.server is server and self.is_connected:
            return
        if self.server is not None:
            self.has_moved = self.vector != ""
            if self.sim_client is not None and self.is_connected:
                self.server.disconnect_session(self.sim_client)
        self.server, self.starts = server, server.starts
        self.cursors.clear()
        self.waiting = None
        self.sim_client = server.connect_session(self)

    def fill_in_words(self, words: Words) -> Words:
        """Return a command with the session's cursor and times in place of words with `$`."""
        if not any(word.startswith("$") for word in words):
            return words
        cursor = self.cursors.get(scan_identity(words), "0")
        known = self.entries.get(words[1], []) if len(words) > 1 else []
        return tuple(
            cursor if word == CURSOR else self.fill_in_time(fill_in_entry(word, known))
            for word in words
        )

    def fill_in_time(self, word: str) -> str:
        """Return the number that a word like `$now-1` stands for, or any other word itself."""
        found = TIME_WORD.fullmatch(word)
        return word if found is None else str(self.times[found[1]] + int(found[2] or 0))

    def remember_reply(self, words: Words, reply: Reply) -> None:
        """Remember the cursor, the vector, the time or the result of CRDB.AWAIT from a reply."""
        name = words[0]
        if name in SCANS and isinstance(reply, list):
            self.cursors[scan_identity(words)] = str(cast("list[bytes]", reply)[0], "ascii")
        elif name == "CRDB.VECTOR" and isinstance(reply, bytes):
            self.vector = reply.decode()
        elif name == "CRDB.AWAIT":
            self.has_moved = reply != 1
        elif name == "TIME" and isinstance(reply, list):
            seconds, microseconds = map(int, cast("list[bytes]", reply))
            self.times |= {"now": 1000 * seconds + microseconds // 1000, "seconds": seconds}
        elif name == "PEXPIRETIME" and isinstance(reply, int) and reply > 0:
            self.times["end"] = reply
        elif name == "XADD" and isinstance(reply, bytes):
            self.remember_entries(words[1], [reply])
        elif name == "XREADGROUP" and isinstance(reply, list):
            ((key, entries),) = cast("list[tuple[bytes, list[list[bytes]]]]", reply)
            self.remember_entries(key.decode(), [entry[0] for entry in entries])

    def remember_entries(self, key: str, ids: Sequence[bytes]) -> None:
        """Remember the ids of entries of a stream."""
        known = self.entries.get(key, []) + [each.decode() for each in ids]
        self.entries[key] = known[-ENTRIES_MAX:]


def fill_in_entry(word: str, known: Sequence[str]) -> str:
    """Return the id that a word like `$entry-1` stands for, or any other word itself."""
    found = ENTRY_WORD.fullmatch(word)
    if found is None:
        return word
    back = int(found[1])
    return known[-1 - back] if back < len(known) else NO_ENTRY


def scan_identity(words: Words) -> Words:
    """Return the identity of a scan: the command's name, and its key if it has one."""
    return words[:1] if words[0] == "SCAN" else words[:2]


class Sessions:
    """The sessions of a world."""

    def __init__(self) -> None:
        self.by_number: dict[int, SimSession] = {}

    def close_session(self, number: int) -> None:
        """Close the connection of a session. It receives no further replies."""
        session = self.by_number.pop(number, None)
        if session is not None and session.is_connected:
            assert session.server is not None
            assert session.sim_client is not None
            session.server.disconnect_session(session.sim_client)

    def run_step(
        self, server: Server, number: int, commands: Sequence[Words]
    ) -> list[Reply] | None:
        """Let a session send commands to a process that is up. Return the immediate replies.

        Return None and send nothing if the session is blocked.
        """
        if tuple(commands) == (LEAVE,):
            self.close_session(number)
            return []
        session = self.by_number.setdefault(number, SimSession(number))
        if session.waiting is not None and session.is_connected:
            return None
        session.move_to_server(server)
        if number in CONNECTIONS:
            return server.run_connection(session, [self.fill_in_ids(w, number) for w in commands])
        if session.has_moved:
            commands = (("CRDB.AWAIT", session.vector, AWAIT_MS),)
        return server.run_session(session, [session.fill_in_words(words) for words in commands])

    def fill_in_ids(self, words: Words, number: int) -> Words:
        """Return a command with the numbers of connections in place of words such as `$id2`."""
        return tuple(self.fill_in_id(word, number) for word in words)

    def fill_in_id(self, word: str, number: int) -> str:
        """Return the number of the connection that a word stands for, or any other word itself."""
        found = ID_WORD.fullmatch(word)
        if found is None:
            return word
        session = self.by_number.get(number - number % SLOTS + int(found[1]))
        return str(0 if session is None else session.identity)
