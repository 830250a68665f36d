"""WATCH: the clients whose EXEC must fail because a watched key has changed.

Any effect on a watched key dirties its watchers, wherever it came from (D-16). Two cases of Redis
are kept: a key that runs out of time between WATCH and EXEC counts as changed although nothing
touched it, and a key that had run out before WATCH may be removed for good without that counting.
Where such a key is back because the clock was set back, the keyspace counts that as a change.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.clients.watched_keys import WatchedKeys
from crdb.engine.session import IN_TRANSACTION, Session
from crdt.store.keyspace import Keyspace

ALIVE: Final = 1
ABSENT: Final = 2
EXPIRED: Final = 3


class Watching:
    """The watched keys of an instance."""

    __slots__ = ("by_key", "watched_keys", "keyspace")

    def __init__(self, keyspace: Keyspace, watched_keys: WatchedKeys) -> None:
        self.keyspace = keyspace
        self.watched_keys = watched_keys
        self.by_key: dict[bytes, dict[int, Session]] = {}

    def watch(self, session: Session, key: bytes) -> None:
        """Let the next EXEC of `session` fail if `key` changes from now on."""
        if key in session.watched:
            return
        session.watched[key] = self._state(key)
        self.by_key.setdefault(key, {})[session.id] = session
        self.watched_keys.hold(key)

    def unwatch(self, session: Session) -> None:
        """Remove all watches of `session`."""
        for key in session.watched:
            sessions = self.by_key[key]
            del sessions[session.id]
            if not sessions:
                del self.by_key[key]
            self.watched_keys.release(key)
        session.watched.clear()
        session.dirty = False

    def touch(self, key: bytes) -> None:
        """Mark the sessions that watch `key`, which has changed."""
        sessions = self.by_key.get(key)
        if sessions is None:
            return
        gone = self.keyspace.lookup(key) is None
        for session in sessions.values():
            if gone and session.watched[key] == EXPIRED:
                session.watched[key] = ABSENT
            else:
                session.dirty = True

    def expired(self, session: Session) -> bool:
        """Return whether a key that `session` watches has run out of time since."""
        return any(
            state == ALIVE and self.keyspace.lookup(key) is None
            for key, state in session.watched.items()
        )

    def _state(self, key: bytes) -> int:
        if self.keyspace.lookup(key) is not None:
            return ALIVE
        return ABSENT if self.keyspace.deadline(key) is None else EXPIRED


def discard(session: Session, watching: Watching) -> None:
    """Leave MULTI: forget the queue and what was watched."""
    session.queue = []
    session.queue_bytes = 0
    session.queued_bits = 0
    session.queued_keys = set()
    session.queued_mode = 0
    session.spoiled = False
    session.flags &= ~IN_TRANSACTION
    watching.unwatch(session)
