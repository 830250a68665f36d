"""Keyspace events: messages about changes of keys, for `notify-keyspace-events` (rule PUB-6).

While the parameter is empty, nothing here runs. While it is set, `Instance.guarded_bits` contains
the bits of the commands that may raise events, so that they pass through `dispatch.call`. It calls
`begin` before the handler, which remembers which of the command's keys exist and lets the keyspace
record their changes, as for WATCH. `end` then derives the events (see `event_names`).

Events are published in their own region only, as in Redis. The changes of other regions raise
events here when they are applied. A key that expires raises `expired` within `POLL_MS` in each
region. A full resync raises none, nor does FLUSHALL, as in Redis.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from crdb.engine.clients.watched_keys import WatchedKeys
from crdb.engine.command import READONLY, WRITE, Command
from crdb.engine.errors import CommandError
from crdb.engine.pubsub.event_names import (
    EVICTED,
    EXPIRED,
    GENERIC,
    KEYEVENT,
    KEYSPACE,
    MISS,
    NEW,
    CommandRun,
    Event,
    class_bits,
    effect_event,
)
from crdb.engine.pubsub.hub import MessageHub
from crdb.engine.pubsub.messages import CHANNEL
from crdb.engine.session import Session
from crdt.causality.op import Op
from crdt.embed.replica import Replica

POLL_MS: Final = 100
"""The time between two searches for keys that have expired. Redis searches as often."""
EXPIRED_MAX: Final = 500
"""The keys that are reported as expired in one go."""
AT_ONCE_MAX: Final = 100
"""Events that are published immediately. More of them are published in slices."""


QUIET: Final = frozenset(
    {b"object|encoding", b"object|freq", b"object|idletime", b"object|refcount"}
)
"""Commands that raise no event if they do not find their key."""


class Observation:
    """A command that runs, and what it may change."""

    __slots__ = ("args", "command", "existed", "mark", "misses", "reads", "seq")

    def __init__(self, command: Command, args: list[bytes]) -> None:
        self.command = command
        self.args = args
        self.reads: list[bytes] = []
        """The keys that the command may read, with repetitions."""
        self.existed: dict[bytes, bool] = {}
        self.mark = 0
        """The number of changes that the keyspace had recorded."""
        self.misses = 0
        self.seq = 0


class KeyEvents:
    """The keyspace events of one instance."""

    def __init__(self, replica: Replica, watched_keys: WatchedKeys, hub: MessageHub) -> None:
        self.replica = replica
        self.keyspace = replica.keyspace
        self.watched_keys = watched_keys
        self.hub = hub
        self.setting = ""
        self.classes = 0
        self.bits = 0
        """The bits of the commands that may raise events."""
        self.polled_at = 0
        self.sliced: dict[int, Observation] = {}
        """The commands that work in slices, by id of their session."""
        self.blocked: dict[int, tuple[Command, list[bytes]]] = {}
        """The requests of blocked clients, by id of their session."""
        self.there: dict[bytes, bool] = {}
        """The keys of the operation that is being applied, and whether each was there."""

    def configure(self, setting: str) -> None:
        """Raise the events of these classes from now on (a value of `notify-keyspace-events`)."""
        if setting == self.setting:
            return
        self.setting = setting
        self.classes = class_bits(setting)
        is_on = self.classes & (KEYSPACE | KEYEVENT) and self.classes & ~(KEYSPACE | KEYEVENT)
        self.bits = (WRITE | (READONLY if self.classes & MISS else 0)) if is_on else 0
        self.keyspace.record_expiry(bool(is_on and self.classes & EXPIRED))
        self.replica.watch_ops(self if is_on else None)

    # -- commands --------------------------------------------------------------------------

    def begin(self, command: Command, args: list[bytes]) -> Observation | None:
        """Observe a command that is about to run. Return None if nobody would receive an event."""
        if not self.hub.subscribers.by_session:
            return None
        self.report_expired()
        db = self.keyspace
        seen = Observation(command, args)
        for key, reads in keys_of(command, args):
            if reads:
                seen.reads.append(key)
            if key not in seen.existed:
                seen.existed[key] = db.lookup(key) is not None
                if command.bits & WRITE:
                    self.watched_keys.hold(key)
        seen.mark, seen.misses, seen.seq = db.change_count(), db.misses, db.seq
        return seen

    def end(self, seen: Observation | None, session: Session | None) -> None:
        """Raise the events of a command that has ended. `session` receives its own events behind
        its reply."""
        if seen is None:
            return
        db = self.keyspace
        self.report_misses(seen, session)
        if not seen.command.bits & WRITE:
            return
        run = CommandRun(
            seen.command.full_name, seen.command.declaration.group, seen.args, seen.existed
        )
        run.changed = db.changes_since(seen.mark)
        for key, existed in seen.existed.items():
            self.watched_keys.release(key)
            run.exists[key] = db.lookup(key) is not None
            if existed != run.exists[key]:
                run.changed.add(key)
        if run.changed:
            self.publish(run.events(), session)

    def report_misses(self, seen: Observation, session: Session | None) -> None:
        """Raise an event for each key that a command has looked for in vain, to read it."""
        missing = self.keyspace.misses - seen.misses
        if missing > 0 and self.classes & MISS and seen.command.full_name not in QUIET:
            keys = [key for key in seen.reads if not seen.existed[key]]
            self.publish([(MISS, b"keymiss", key) for key in keys[:missing]], session)

    def keep(self, seen: Observation | None, session: Session) -> None:
        """Remember a command that goes on in slices."""
        if seen is not None:
            self.sliced[session.id] = seen

    def finish(self, session: Session) -> None:
        """Raise the events of a command that has ended in slices, if it was observed."""
        seen = self.sliced.pop(session.id, None)
        if seen is None:
            return
        if seen.seq != self.keyspace.seq:
            seen.mark = 0  # others have served some of the changes meanwhile
        self.end(seen, session)

    def drop(self, seen: Observation | None) -> None:
        """Forget a command that has not run yet, since it must wait."""
        if seen is not None and seen.command.bits & WRITE:
            for key in seen.existed:
                self.watched_keys.release(key)

    def note_blocked(self, session: Session, command: Command, args: list[bytes]) -> None:
        """Remember the request of a client that blocks."""
        self.blocked[session.id] = command, args

    def begin_blocked(self, session: Session) -> Observation | None:
        """Observe a blocked client that is about to be served."""
        request = self.blocked.get(session.id)
        return None if request is None else self.begin(*request)

    def forget(self, session: Session) -> None:
        """Forget a client that is gone."""
        self.blocked.pop(session.id, None)

    # -- other regions ---------------------------------------------------------------------

    def before_op(self, op: Op) -> None:
        """Prepare for an operation of another region."""
        self.report_expired()
        self.there = {}
        if self.hub.subscribers.by_session and self.replica.applies_at_once(op):
            db = self.keyspace
            self.there = {
                key: db.lookup(key) is not None for key in {effect[2] for effect in op.effects}
            }

    def after_op(self, op: Op) -> None:
        """Raise the events of an operation of another region that has been applied. One that is
        carried out in slices raises neither `new` nor a `del` for a value that became empty."""
        if not self.hub.subscribers.by_session:
            return
        events: list[Event] = []
        there, self.there = self.there, {}
        latest: Event | None = None
        for effect in op.effects:
            event = effect_event(self.keyspace.types, effect)
            if event is None or event == latest:
                continue
            key = event[2]
            if event[1] == b"del":
                if there.pop(key, not there):
                    events.append(event)
                    there[key] = False
                latest = event
                continue
            if there.get(key) is False:
                events.append((NEW, b"new", key))
                there[key] = True
            events.append(event)
            latest = event
        for key, was_there in there.items():
            if was_there and self.keyspace.lookup(key) is None:
                events.append((GENERIC, b"del", key))
        self.publish(events, None)

    # -- expiry ----------------------------------------------------------------------------

    def deadline(self, now: int) -> int | None:
        """Return when `poll` must be called (ms of monotonic clock), which is `now`; None if it
        need not."""
        if not self.keyspace.records_expiry():
            return None
        return max(self.polled_at + POLL_MS, now)

    def poll(self, now: int) -> None:
        """Report the keys that have expired since the last call, if it is time."""
        if self.keyspace.records_expiry() and now - self.polled_at >= POLL_MS:
            if not self.report_expired():
                self.polled_at = now

    def report_expired(self) -> bool:
        """Report keys that have expired. Return whether there may be more."""
        if not self.keyspace.records_expiry():
            return False
        keys = self.keyspace.take_expired(EXPIRED_MAX)
        if keys:
            self.publish([(EXPIRED, b"expired", key) for key in keys], None)
        return len(keys) >= EXPIRED_MAX

    def report_evicted(self, key: bytes) -> None:
        """Report a key that was evicted."""
        if self.bits and self.hub.subscribers.by_session:
            self.publish([(EVICTED, b"evicted", key)], None)

    # -- messages --------------------------------------------------------------------------

    def publish(self, events: list[Event], session: Session | None) -> None:
        """Publish events to the subscribers of this region."""
        wanted = [event for event in events if event[0] & self.classes]
        is_short = len(wanted) <= AT_ONCE_MAX
        for _, name, key in wanted:
            for channel, payload in self.messages(name, key):
                if is_short:
                    self.hub.publish(CHANNEL, channel, payload, session)
                else:
                    self.hub.add_arrival(CHANNEL, channel, payload)

    def messages(self, name: bytes, key: bytes) -> list[tuple[bytes, bytes]]:
        """Return the channels and payloads of an event."""
        found: list[tuple[bytes, bytes]] = []
        if self.classes & KEYSPACE:
            found.append((b"__keyspace@0__:" + key, name))
        if self.classes & KEYEVENT:
            found.append((b"__keyevent@0__:" + name, key))
        return found


def keys_of(command: Command, args: list[bytes]) -> list[tuple[bytes, bool]]:
    """Return the keys of a request in order, and whether the command may read each of them. A
    request that is not valid has none."""
    declaration = command.declaration
    found: list[tuple[bytes, bool]] = []
    with suppress(ValueError, CommandError):
        for spec, places in zip(declaration.key_specs, declaration.key_ranges(args), strict=False):
            reads = spec.flags.startswith("RO") or "access" in spec.flags
            found += [(args[place], reads) for place in places]
    return found
