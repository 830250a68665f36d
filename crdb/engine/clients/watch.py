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
RELEASED_AT_ONCE: Final = 1000
"""So many watches end at once: about a millisecond."""


class Watching:
    """The watched keys of an instance."""

    __slots__ = ("by_key", "ended", "watched_keys", "keyspace")

    def __init__(self, keyspace: Keyspace, watched_keys: WatchedKeys) -> None:
        self.keyspace = keyspace
        self.watched_keys = watched_keys
        self.by_key: dict[bytes, dict[int, Session]] = {}
        """The sessions that watch a key, each by the identity of the dictionary of its watches."""
        self.ended: list[dict[bytes, int]] = []
        """The watches of many keys that have ended. They are released in slices."""

    def watch(self, session: Session, key: bytes) -> None:
        """Let the next EXEC of `session` fail if `key` changes from now on."""
        if key in session.watched:
            return
        session.watched[key] = self._state(key)
        self.by_key.setdefault(key, {})[id(session.watched)] = session
        self.watched_keys.hold(key)

    def unwatch(self, session: Session) -> None:
        """Remove all watches of `session`. Many are released in slices."""
        watches = session.watched
        session.dirty = False
        if len(watches) > RELEASED_AT_ONCE:
            self.ended.append(watches)
            session.watched = {}
        else:
            self._release(watches, len(watches))

    def release_slice(self, count: int) -> None:
        """Release `count` watches of those that have ended."""
        watches = self.ended[-1]
        self._release(watches, count)
        if not watches:
            self.ended.pop()

    def _release(self, watches: dict[bytes, int], count: int) -> None:
        """Release up to `count` watches."""
        ident = id(watches)
        while watches and count > 0:
            count -= 1
            key, _ = watches.popitem()
            sessions = self.by_key[key]
            del sessions[ident]
            if not sessions:
                del self.by_key[key]
            self.watched_keys.release(key)

    def touch(self, key: bytes) -> None:
        """Mark the sessions that watch `key`, which has changed."""
        sessions = self.by_key.get(key)
        if sessions is None:
            return
        gone = self.keyspace.lookup(key) is None
        for ident, session in sessions.items():
            if ident != id(session.watched):
                continue  # it has ended
            if gone and session.watched[key] == EXPIRED:
                session.watched[key] = ABSENT
            else:
                session.dirty = True

    def expired(self, session: Session) -> bool:
        """Return whether a key that `session` watches has run out of time since."""
        return any(self.is_expired(key, state) for key, state in session.watched.items())

    def is_expired(self, key: bytes, state: int) -> bool:
        """Return whether a watched key was in this state and has run out of time since."""
        return state == ALIVE and self.keyspace.lookup(key) is None

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
