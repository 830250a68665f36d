"""Client-side caching: clients that track keys learn when the keys change.

The rules are those of Redis 7.2. In the default mode the instance remembers which keys a client has
read. When one of them changes, the client gets one invalidation, and the key is forgotten until the
client reads it again. In the broadcasting mode (BCAST) a client gets an invalidation for each
changed key with one of its prefixes. An invalidation follows the reply of the command that caused
it, and that of EXEC.

Here keys also change by what other regions did. So the changes are not collected from commands: the
keyspace calls `before_change` for each key that is about to change, whatever the cause is. It does
so only while a client tracks keys. A key that runs out of time is no change of the keyspace, so the
deadlines of tracked keys are kept here, and `expire` invalidates them in time.

The keyspace reports a key before an effect that may turn out to change nothing visible. The client
then drops a value that is still right, which is safe.

The number of remembered keys is limited by `tracking-table-max-keys`. Beyond it the holders of some
keys get invalidations although nothing has changed.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final

from crdb.engine.command import READONLY, Command
from crdb.engine.errors import CommandError
from crdb.engine.session import SUBSCRIBED, TRACKING, WORKING, Session
from crdb.engine.tracking.messages import broken_redirect, invalidation
from crdb.engine.tracking.modes import TrackingMode
from crdb.engine.tracking.tracked_keys import TrackedKeys
from crdt.store.bin import DroppedKeys
from crdt.store.keyspace import Keyspace
from crdt.types.components.deadlines import Deadlines

SLICE_KEYS: Final = 500
"""The changed keys whose holders are told at a time."""
LOOK_MS: Final = 100
"""The time between two searches for keys that have run out of time. Redis searches as often."""
SCRIPTS: Final = frozenset({b"eval_ro", b"evalsha_ro", b"fcall_ro"})
"""Commands that only read, and whose keys do not count: those of the script's commands do."""
FORGOTTEN: Final = 100
"""So many keys are forgotten after a command if there are too many."""
UNSTAMPED: Final = 1
"""The dot under which deadlines of tracked keys are kept. It has no meaning."""

Send = Callable[[Session, bytes], None]


class Tracking:
    """The clients of one instance that track keys, and what they must learn."""

    __slots__ = (
        "changed",
        "clients",
        "db",
        "ends",
        "is_flushed",
        "keys_max",
        "looked_at",
        "named",
        "prefixes",
        "rng",
        "send",
        "sessions",
        "steps_seen",
        "tracked",
    )

    def __init__(
        self, db: Keyspace, clients: Mapping[int, Session], send: Send, rng: random.Random
    ) -> None:
        """`clients` are all clients of the instance. `send` sends bytes to one of them."""
        self.db = db
        self.rng = rng
        self.clients = clients
        self.send = send
        self.keys_max = 0
        """The largest number of remembered keys; 0 is no limit."""
        self.sessions: dict[int, Session] = {}
        """The clients that track keys."""
        self.tracked = TrackedKeys()
        self.prefixes: dict[bytes, dict[int, Session]] = {}
        """The clients in broadcasting mode, by prefix."""
        self.changed: deque[tuple[bytes, Iterable[int]]] = deque()
        """Keys that have changed, each with the clients that may hold it and must be told."""
        self.named: dict[bytes, None] = {}
        """Keys that have changed and that clients in broadcasting mode must learn of."""
        self.is_flushed = False
        """True if a FLUSHALL, or a change of the empty key, has been noted."""
        self.ends = Deadlines()
        """The deadlines of keys that are tracked, or that have changed and have a prefix."""
        self.looked_at = 0
        """When all keys that had run out of time were last noted (ms of monotonic clock)."""
        self.steps_seen = 0

    # -- modes -----------------------------------------------------------------------------

    def enable(self, session: Session, mode: TrackingMode) -> None:
        """Let `session` track keys in this mode. If it does so already, the prefixes add up."""
        if not self.sessions:
            self.db.add_reader(self)
            self.steps_seen = self.db.steps_begun()
        self.sessions[session.id] = session
        if session.tracking is not None:
            mode.prefixes = session.tracking.prefixes | mode.prefixes
            mode.is_caching_set = session.tracking.is_caching_set
        session.tracking = mode
        session.flags |= TRACKING
        for prefix in mode.prefixes:
            self.prefixes.setdefault(prefix, {})[session.id] = session

    def disable(self, session: Session) -> None:
        """End the tracking of `session`, if it tracks keys. What is remembered for it is dropped
        when the key changes, or when the last client ends its tracking."""
        mode = session.tracking
        if mode is None:
            return
        for prefix in mode.prefixes:
            del self.prefixes[prefix][session.id]
            if not self.prefixes[prefix]:
                del self.prefixes[prefix]
        session.tracking = None
        session.flags &= ~TRACKING
        del self.sessions[session.id]
        if not self.sessions:
            self.db.remove_reader(self)
            self.forget_all()

    def forget_all(self) -> None:
        """Forget all keys."""
        table = self.tracked.take_all()
        if table:
            self.db.discard(DroppedKeys(table))
        self.changed.clear()
        self.named.clear()
        self.is_flushed = False
        self.ends = Deadlines()

    # -- reads -----------------------------------------------------------------------------

    def remember(self, session: Session, command: Command, args: list[bytes]) -> None:
        """Remember the keys that `session`, which tracks keys, has read by a command."""
        for _ in self.remember_in_slices(session, command, args):
            pass

    def remember_in_slices(
        self, session: Session, command: Command, args: list[bytes]
    ) -> Iterator[None]:
        """Remember the keys of a command. Yield after each `SLICE_KEYS` of them. Nobody may change
        the keys before the iterator has ended."""
        mode = session.tracking
        if mode is None or not command.bits & READONLY or not mode.tracks_reads():
            return
        if command.name in SCRIPTS:
            return
        ranges: list[range] = []
        with suppress(ValueError, CommandError):
            ranges = command.declaration.key_ranges(args)
        for places in ranges:
            for start in range(0, len(places), SLICE_KEYS):
                if start:
                    yield
                part = places[start : start + SLICE_KEYS]
                self.add_keys(args[part.start : part.stop : part.step], session.id)
        if self.keys_max and len(self.tracked) > self.keys_max:
            self.limit_keys()

    def limit_keys(self) -> None:
        """Forget random keys, as if they had changed, while there are too many."""
        for _ in range(min(FORGOTTEN, len(self.tracked) - self.keys_max)):
            key = self.tracked.holders.pick(self.rng)
            if self.ends.table:
                self.ends.put(key, ())
            self.tell_holders(key, self.tracked.pop(key), None)

    def add_keys(self, keys: Sequence[bytes], client: int) -> None:
        """Remember that a client has read these keys."""
        for key in keys:
            if self.tracked.add(key, client):
                self.note_end(key)

    def note_end(self, key: bytes) -> None:
        """Keep the deadline of a key, if it has one that is not over."""
        deadline = self.db.deadline(key)
        if deadline is not None and deadline >= self.db.expiry_clock:
            self.ends.put(key, (UNSTAMPED, deadline))

    def end_command(self, session: Session, name: bytes) -> None:
        """Record that a command of `session`, which tracks keys, has run: CLIENT CACHING concerns
        the next command that is not another CLIENT."""
        if session.tracking is not None and name != b"client":
            session.tracking.is_caching_set = False

    # -- changes ---------------------------------------------------------------------------

    def before_change(self, key: bytes) -> None:
        """Note a key that is about to change, if clients must learn of it. A FLUSHALL has the empty
        key."""
        is_noted = self.note_change(key)
        if not key:
            is_noted = self.is_flushed = True
        if is_noted:
            self.db.report_change(key)

    def before_flush(self, key: bytes) -> None:
        """Do nothing: clients have learned of the FLUSHALL that removes `key` now."""

    def note_change(self, key: bytes) -> bool:
        """Note that clients must learn of a change of `key`, and forget who has read it. Return
        False if nobody must."""
        is_noted = False
        if key in self.tracked:
            self.changed.append((key, self.tracked.pop(key)))
            is_noted = True
        if self.prefixes and self.has_prefix(key):
            self.named[key] = None
            is_noted = True
        if is_noted and self.ends.table:
            self.ends.put(key, ())
        return is_noted

    def has_prefix(self, key: bytes) -> bool:
        """Return whether some client in broadcasting mode must learn of a change of `key`."""
        return key.startswith(tuple(self.prefixes))

    def deadline(self, now: int) -> int | None:
        """Return when `expire` must be called (ms of monotonic clock), which is `now`; None if it
        need not."""
        return max(self.looked_at + LOOK_MS, now) if self.ends.table else None

    def expire(self, now: int) -> None:
        """Note keys that have run out of time. There may be more after `SLICE_KEYS` of them."""
        keys = self.ends.due(self.db.expiry_clock, SLICE_KEYS)
        for key in keys:
            self.note_change(key)
        if len(keys) < SLICE_KEYS:
            self.looked_at = now

    def has_changes(self) -> bool:
        """Return whether clients must learn of changed keys."""
        return bool(self.changed) or bool(self.named) or self.is_flushed

    def deliver(self, source: Session | None = None) -> None:
        """Tell clients of some changed keys; of all if they are few. `source` is the client whose
        command has changed them, if one has."""
        begun, seen = self.db.steps_begun(), self.steps_seen
        self.steps_seen = begun
        if self.is_flushed and begun != seen:
            self.invalidate_all()
            return
        self.is_flushed = False
        for _ in range(min(SLICE_KEYS, len(self.changed))):
            key, holders = self.changed.popleft()
            self.tell_holders(key, holders, source)
        if self.named:
            names = list(islice(self.named, SLICE_KEYS))
            for name in names:
                del self.named[name]
            self.broadcast(names, source)

    def invalidate_all(self) -> None:
        """Let all clients that track keys drop everything, since all keys may have changed."""
        self.forget_all()
        for session in list(self.sessions.values()):
            self.tell(session, None)

    def tell_holders(self, key: bytes, holders: Iterable[int], source: Session | None) -> None:
        """Send the invalidation of a key to the clients that may hold it."""
        for identity in holders:
            session = self.sessions.get(identity)
            mode = None if session is None else session.tracking
            if session is None or mode is None or mode.is_broadcast:
                continue
            if not (mode.skips_own and session is source):
                self.tell(session, (key,))

    def broadcast(self, keys: Sequence[bytes], source: Session | None) -> None:
        """Send changed keys to the clients in broadcasting mode with a prefix of theirs."""
        for prefix, sessions in self.prefixes.items():
            found = sorted([key for key in keys if key.startswith(prefix)])
            for key in found:
                self.note_end(key)
            for session in list(sessions.values()) if found else ():
                mode = session.tracking
                if mode is not None and not (mode.skips_own and session is source):
                    self.tell(session, found)

    # -- messages --------------------------------------------------------------------------

    def tell(self, session: Session, keys: Sequence[bytes] | None) -> None:
        """Send an invalidation to a client that tracks keys, or to the one that it names. None
        stands for all keys. A client of RESP2 that subscribes to something gets a message for
        another client. Others that use RESP2 get nothing: they would take it for a reply."""
        mode = session.tracking
        assert mode is not None
        receiver: Session | None = session
        if mode.redirect:
            receiver = self.clients.get(mode.redirect)
            if receiver is None:
                mode.is_redirect_broken = True
                if session.protocol == 3:
                    self.push(session, broken_redirect(mode.redirect))
                return
        assert receiver is not None
        if receiver.protocol == 3 or (mode.redirect and receiver.flags & SUBSCRIBED):
            self.push(receiver, invalidation(keys, receiver.protocol))

    def push(self, session: Session, data: bytes) -> None:
        """Send a push, behind the reply that the client receives now."""
        if session.in_exec or session.flags & WORKING:
            session.pushes.append(data)
        elif not session.closing:
            self.send(session, data)
