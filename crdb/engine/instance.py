"""The database of a region: a replica and its clients. Pure: time comes in.

A driver calls, once per turn, `advance(now, wall)` before it hands requests to the executor and
`turn.finish()` afterwards; `turn.before_sleep()` when no socket is ready, before it waits; and
`tick()` when `deadline` has come. `woken` are sessions for which something is ready although no
request of theirs is under way: a blocked client that was served, a client that was killed.

Whatever surrounds the database attaches itself here and is not known here:

* `turn` seals what was written, gives it to a journal, and lets the links send it.
* `report` takes events that an operator should see.
* `info_sections` add lines to INFO, by name of the section.
* `refuse(bit, error)` lets every command with that bit of its table get an error: writes get
  READONLY while this instance follows another; after a restart most commands get LOADING, or
  writes get STALE (rules STL-1, STL-2).
* `links` is how administrators see and steer the links; `allows_test_clock` is for tests only.
* `surroundings` are what it asks of the process and of the links.
* After effects from elsewhere were applied, whoever applied them calls `serve_dirty_keys()`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from crdb.engine.clients.blocking import Blocked
from crdb.engine.clients.monitors import Monitors
from crdb.engine.clients.pausing import Pause
from crdb.engine.clients.polling import Polling
from crdb.engine.clients.watch import Watching
from crdb.engine.clients.watched_keys import WatchedKeys
from crdb.engine.command import CONTAINER, DENY_BUSY, LOCKABLE, WRITE, CommandTable
from crdb.engine.environment.follow_control import FollowControl
from crdb.engine.environment.link_control import LinkControl
from crdb.engine.environment.surroundings import Surroundings
from crdb.engine.errors import journal_failed
from crdb.engine.events.event_bases import RegionEvent, Report
from crdb.engine.events.operator_events import (
    ClockSteppedEvent,
    JournalFailedEvent,
    OutOfMemoryEvent,
)
from crdb.engine.eviction.backlog import bound_backlog
from crdb.engine.eviction.eviction import Eviction
from crdb.engine.execution.slices import SLICE_ITEMS, Slices
from crdb.engine.metrics.clock_steps import ClockSteps
from crdb.engine.metrics.memory import Memory
from crdb.engine.metrics.statistics import RESTING_SAMPLE_MS, SAMPLE_MS, ServerStatistics
from crdb.engine.metrics.timing import Timing
from crdb.engine.parameters.table import OutputLimit, ParameterTable
from crdb.engine.pubsub.hub import MessageHub
from crdb.engine.pubsub.key_events import KeyEvents
from crdb.engine.scripting.scripting import ENDED, Scripting
from crdb.engine.session import OBSERVED, OUTPUT_UNLIMITED, PAUSED, SUBSCRIBED, Session
from crdb.engine.tracking.tracking import Tracking
from crdb.engine.turns.turn import Turn
from crdb.security.access_control import AccessControl
from crdt.embed.replica import RUN_BYTES_MAX, Replica

GREEDY_BYTES_MIN: Final = 1 << 20
"""A client that takes less is not closed when memory is full."""
REDIS_VERSION: Final = "7.2.6"
"""The version whose behaviour clients meet here; some look at it before they speak."""

InfoLines = Callable[[], list[tuple[str, object]]]


class Instance:
    """The database of a region and its clients."""

    next_sample: int = 0
    allows_test_clock: bool = False
    refused_bits: int = 0
    """The bits of `refusals`."""
    guarded_bits: int = CONTAINER
    """A command with one of these bits has to pass the guards, all others only where their client
    is in a special state."""
    is_stale: bool = False
    """True if what was written before a restart is not back (rule STL-1)."""
    stale_released_with_merge: bool = False
    """True if a full sync brought back, after the latest restart, what had been lost."""
    started_at: int = 0
    role: bytes = b"master"
    """`replica` while it follows another instance."""
    test_clock: int | None = None
    last_client_id: int = 0
    slice_items: int = SLICE_ITEMS
    """The number of items in one slice of a long command. `Slices.items` sets it."""
    journal_error: bytes | None = None
    """The error that writes get because the journal cannot be written."""

    def __init__(
        self,
        replica: Replica,
        commands: CommandTable,
        *,
        name: str = "",
        config: ParameterTable | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """`commands` are those that clients may call. `rng` makes ids and random replies."""
        self.replica = replica
        self.keyspace = replica.keyspace
        self.commands = commands
        self.name = name
        self.config = ParameterTable() if config is None else config
        self.random = random.Random(0) if rng is None else rng
        self.report: Report = ignore
        self.run_id = f"{self.random.getrandbits(160):040x}"
        self.statistics = ServerStatistics()
        self.memory = Memory(self.combine_guards)
        self.timing = Timing(self.statistics)
        self.clients: dict[int, Session] = {}
        self.monitors = Monitors(self.clients, self.wall_ms, self.send)
        self.pause = Pause(self.clients, self.wake)
        self.watched_keys = WatchedKeys(self.keyspace)
        self.woken: list[Session] = []  # sessions that the driver must serve; it removes them
        self.on_wake: Callable[[], None] = do_nothing  # wakes the driver, which may be asleep
        self.blocked = Blocked(
            self.keyspace, self.watched_keys, self.emit_event, self.wake, self.recheck
        )
        self.polling = Polling(self.blocked)
        self.watching = Watching(self.keyspace, self.watched_keys)
        self.hub = MessageHub(self.send)
        self.key_events = KeyEvents(replica, self.watched_keys, self.hub)
        self.access = AccessControl(self)
        self.eviction = Eviction(self.keyspace, self.random)
        self.tracking = Tracking(self.keyspace, self.clients, self.send, self.random)
        self.now = 0  # the monotonic clock in ms, for waiting and ages
        self.wall = 0  # the wall clock in ms, as `keyspace.now` unless a test clock is set
        self.clock_steps = ClockSteps()
        self.links: LinkControl | None = None
        self.following: FollowControl | None = None
        self.refusals: dict[int, bytes] = {}  # errors by a bit of commands (see `refuse`)
        self.turn = Turn(replica, self.memory_exhausted, self.fail_journal)
        self.surroundings = Surroundings()
        self.scripting = Scripting(self.timing)
        self.slices = Slices(self)
        self.info_sections: dict[str, list[InfoLines]] = {}
        self._connect_hub()
        self.config.on_change.append(self._reconfigure)
        self._reconfigure()

    def _connect_hub(self) -> None:
        """Let messages of other regions and keyspace events reach the subscribers."""
        self.replica.watch_messages(self.hub.arrive)
        self.blocked.key_events = self.key_events
        self.eviction.on_evicted = self.key_events.report_evicted

    def refuse(self, bit: int, error: bytes | None) -> None:
        """Let commands with this bit get `error` from now on; None lets them run."""
        if error is None:
            self.refusals.pop(bit, None)
        else:
            self.refusals[bit] = error
        bits = 0
        for each in self.refusals:
            bits |= each
        self.refused_bits = bits
        self.combine_guards()

    def combine_guards(self) -> None:
        """Put the bits of all guards into `guarded_bits`, since one of them has changed."""
        journal_bits = 0 if self.journal_error is None else WRITE
        bits = CONTAINER | self.memory.denied_bits | self.refused_bits | journal_bits
        bits |= self.key_events.bits
        self.guarded_bits = bits | (LOCKABLE if self.slices.may_delay() else 0)

    def end_script(self) -> None:
        """Let the script that runs, if there is one, end with an error."""
        self.scripting.end(ENDED)

    def abandon_script(self, session: Session) -> None:
        """End the script of `session` that is paused, if there is one."""
        if self.scripting.abandon(session):
            self.refuse(DENY_BUSY, None)

    def fail_journal(self, reason: str) -> None:
        """Refuse all writes from now on, since the journal cannot be written."""
        self.journal_error = journal_failed(reason)
        self.combine_guards()
        self.blocked.refuse_waiting(self.journal_error)
        self.report(JournalFailedEvent(reason=reason))

    @property
    def refuse_writes(self) -> bytes | None:
        """The error that writes get, if they get one."""
        return self.refusals.get(WRITE)

    @refuse_writes.setter
    def refuse_writes(self, error: bytes | None) -> None:
        self.refuse(WRITE, error)

    # -- time ------------------------------------------------------------------------------

    def advance(self, now: int, wall: int | None = None) -> None:
        """Set the clocks (ms) until the next call: the monotonic one to `now`, the wall clock to
        `wall`, or to `now` as well. Only the wall clock may go back."""
        if self.started_at == 0:
            self.started_at = now
        self.now = now
        self.keyspace.mark_uses(now // 1000)
        self.wall = now if wall is None else wall
        if self.next_sample - now > SAMPLE_MS and self.statistics.has_input():
            self.next_sample = now + SAMPLE_MS
        if self.clock_steps.record(now, self.wall):
            self.report(ClockSteppedEvent(ms=self.clock_steps.last_ms))
            self.tracking.invalidate_all()  # expired keys may be visible again
        self.keyspace.keep_parts(bool(self.slices.works))
        self.replica.advance(self.wall if self.test_clock is None else self.test_clock)

    def wall_ms(self) -> int:
        """Return the wall clock in ms."""
        return self.wall

    def set_test_clock(self, now: int | None) -> None:
        """Stop this region's clock at `now` (ms), or let it go on; expiry follows, also back."""
        self.test_clock = now
        self.keyspace.restart_expiry()
        self.tracking.invalidate_all()
        self.advance(self.now, self.wall)

    @property
    def deadline(self) -> int:
        """The time (ms, by the clock of `now`) at which `tick` must be called: at the latest when
        the next sample of rates is due."""
        due = [
            self.blocked.deadline,
            self.polling.deadline,
            self.pause.ends_at,
            self.next_sample,
            self.key_events.deadline(self.now),
            self.tracking.deadline(self.now),
        ]
        return min(at for at in due if at is not None)

    def tick(self) -> None:
        """Do what is due: time-outs of blocked, idle and slow clients, samples of rates."""
        self.polling.poll(self.now)
        self.blocked.expire(self.now)
        self.pause.expire(self.now)
        self.tracking.expire(self.now)
        self.tracking.deliver()
        self.key_events.poll(self.now)
        if self.now >= self.next_sample:
            self.statistics.sample(self.now)
            rests = self.statistics.is_quiet() and not self._limits_time()
            self.next_sample = self.now + (RESTING_SAMPLE_MS if rests else SAMPLE_MS)
            self.timing.relax(self.now)
            self._drop_late_clients()
            self.sample_memory()

    # -- clients ---------------------------------------------------------------------------

    def emit_event(self, event: RegionEvent) -> None:
        """Report an event to whoever `report` is now."""
        self.report(event)

    def memory_exhausted(self, where: str) -> None:
        """Report that the process could not get memory, and free its reserve."""
        self.memory.exhausted()
        self.report(OutOfMemoryEvent(where=where))

    def reset_statistics(self) -> None:
        """Set all counters to zero."""
        self.statistics.clear()
        self.keyspace.reset_lookup_counts()
        self.eviction.reset_counts(self.now)

    def wake(self, session: Session) -> None:
        """Let the driver serve `session`."""
        self.woken.append(session)

    def next_client_id(self) -> int:
        """Return a new client id. Ids count up and are never used twice."""
        self.last_client_id += 1
        return self.last_client_id

    def is_full(self) -> bool:
        """Return whether `maxclients` are connected."""
        return len(self.clients) >= self.config.clients_max

    def join(self, session: Session) -> None:
        """Register a client that has connected."""
        self.clients[session.id] = session
        self.statistics.connections += 1
        self._configure(session)
        self.access.begin(session)
        if self.monitors.sessions:
            session.flags |= OBSERVED
        if self.pause.ends_at is not None:
            session.flags |= PAUSED

    def forget(self, session: Session) -> None:
        """Remove a client whose connection is closed."""
        if self.clients.pop(session.id, None) is not None:
            self.slices.drop(session)
            self.blocked.remove(session)
            self.watching.unwatch(session)
            self.tracking.disable(session)
            self.monitors.remove(session)
            self.hub.end(session)
            self.key_events.forget(session)

    def send(self, session: Session, data: bytes) -> None:
        """Send data that is not the reply to a request."""
        if not session.out:
            self.wake(session)
        session.out.append(data)
        session.count_output()
        self.check_output(session)

    def kill(self, session: Session) -> None:
        """Close a client's connection when the driver serves it."""
        session.kill()
        self.wake(session)

    def after_command(self, source: Session | None = None) -> None:
        """Do what a command of `source` has made necessary before the next one runs: serve those
        who watch, track or wait for keys, and send what is too much to wait for the end of the
        turn."""
        if self.keyspace.has_changes():
            self.serve_dirty_keys(source)
        if self.keyspace.waiting_bytes() >= RUN_BYTES_MAX and not self.turn.must_keep_outbox():
            self.turn.seal_large_outbox()

    def serve_dirty_keys(self, source: Session | None = None) -> None:
        """Serve the clients that watch, track or wait for changed keys; serving may change more.
        `source` is the client whose command has changed them, if one has."""
        while keys := self.keyspace.drain_changes():
            for key in keys:
                self.watching.touch(key)
            self.serve_blocked(keys)
        if self.eviction.uses:
            self.eviction.record_uses()
        if self.tracking.has_changes():
            self.tracking.deliver(source)
        self.polling.poll_local()
        if self.hub.queue:
            self.hub.deliver_slice()
        if (self.woken or not self.slices.is_idle()) and not self.turn.defers_push:
            self.on_wake()

    def recheck(self, session: Session, request: list[bytes]) -> bytes | None:
        """Return the error for the request of a blocked client if its user may no longer make it,
        as it is checked again in Redis 7.2."""
        error = self.access.refuse(session, self.commands.require(request), request)
        if error is not None:
            self.statistics.count_error(error)
        return error

    def serve_blocked(self, keys: list[bytes]) -> None:
        """Serve the clients that wait for changed keys, or keep the keys while commands run in
        slices."""
        if self.slices.works:
            self.slices.keep_back(keys)
        else:
            for key in keys:
                self.blocked.serve(key)

    # -- limits ----------------------------------------------------------------------------

    def check_output(self, session: Session) -> None:
        """Close a client whose replies exceed `client-output-buffer-limit`."""
        if self._overflows(session):
            self.statistics.dropped_output += 1
            self.kill(session)

    def _overflows(self, session: Session) -> bool:
        """Return whether it exceeds the hard limit, or has exceeded the soft one for too long."""
        size, limit = session.output_bytes, self.limit_of(session)
        if size >= limit.hard_bytes:
            return True
        if size < limit.soft_bytes:
            session.soft_limit_since = 0
        elif session.soft_limit_since == 0:
            session.soft_limit_since = self.now
        return session.soft_limit_since != 0 and self.now - session.soft_limit_since > limit.soft_ms

    def limit_of(self, session: Session) -> OutputLimit:
        """Return the limit of a client's output buffer."""
        config = self.config
        return config.subscriber_limit if session.flags & SUBSCRIBED else config.output_limit

    def limit_output(self, session: Session) -> None:
        """Apply the limit of the output buffer, since the client may belong to another class."""
        limit = self.limit_of(session)
        session.output_limit = min(limit.hard_bytes, limit.soft_bytes)

    def _limits_time(self) -> bool:
        """Return whether clients that are idle, or slow to read, are closed after some time."""
        config = self.config
        has_subscribers = len(self.hub.subscribers.by_session) > 0
        return (
            bool(config.idle_seconds_max)
            or config.output_limit.soft_bytes != OUTPUT_UNLIMITED
            or (has_subscribers and config.subscriber_limit.soft_bytes != OUTPUT_UNLIMITED)
        )

    def _drop_late_clients(self) -> None:
        """Close clients that have been idle, or slow to read, for too long."""
        idle_ms = self.config.idle_seconds_max * 1000
        if not self._limits_time():
            return
        for session in list(self.clients.values()):
            if session.killed:
                continue
            if session.soft_limit_since and self._overflows(session):
                self.statistics.dropped_output += 1
                self.kill(session)
            elif idle_ms and not session.is_waiting and self.now - session.active_at > idle_ms:
                self.kill(session)

    def sample_memory(self) -> None:
        """Read how much memory is used. If that is too much, evict keys in slices from now on, and
        close greedy clients."""
        self.memory.sample(self.statistics.input_bytes)
        self._review_memory()
        self._drop_greedy_clients()

    def _review_memory(self) -> None:
        """Let keys be evicted if too much memory is used."""
        memory, eviction, place = self.memory, self.eviction, self.place()
        limit = memory.limit_bytes
        memory.uncounted_bytes = bound_backlog(self.replica.history, eviction.policy, limit)
        memory.reserve_percent = self.config.reserve_percent if place[1] > 1 else 0
        eviction.review(memory.counted_bytes(), limit, place, self.now)
        memory.set_evicting(eviction.can_evict())

    def place(self) -> tuple[int, int]:
        """Return the place of this region among the members, by their numbers, and their count."""
        others = self.replica.stability.members or set()
        region = self.replica.region
        return sum([other < region for other in others]), len(others) + 1

    def may_evict(self) -> bool:
        """Return whether keys are to be evicted, and this instance may delete keys now."""
        if not self.eviction.is_due() or self.slices.works:
            return False
        return self.journal_error is None and not self.refused_bits & WRITE

    def evict_slice(self) -> None:
        """Evict some keys, and measure what that has freed. Where no key is left to evict, the next
        sample tries again."""
        self.eviction.run_slice()
        if self.eviction.has_failed:
            self.memory.set_evicting(False)
        else:
            self.memory.measure()
            self._review_memory()
        self.after_command()

    def _drop_greedy_clients(self) -> None:
        """Close the clients that take most memory, until enough would be free.

        Does nothing while memory is not full.
        """
        missing = self.memory.missing_bytes()
        if not missing:
            return
        greedy = [
            s for s in self.clients.values() if not s.no_evict and s.memory_bytes > GREEDY_BYTES_MIN
        ]
        greedy.sort(key=lambda session: session.memory_bytes, reverse=True)
        for session in greedy:
            if missing <= 0:
                return
            missing -= session.memory_bytes
            self.statistics.dropped_memory += 1
            self.kill(session)

    def _configure(self, session: Session) -> None:
        self.limit_output(session)
        session.parser.bulk_bytes_max = self.config.bulk_bytes_max

    def _reconfigure(self) -> None:
        self.eviction.configure(self.config.eviction_options)
        self.memory.set_limit(self.config.memory_bytes_max, self.statistics.input_bytes)
        self._review_memory()
        self.timing.configure(self.config)
        self.access.configure(
            password=self.config.password,
            opens_channels=self.config.opens_channels,
            log_length_max=self.config.acl_log_length_max,
        )
        self.tracking.keys_max = self.config.tracked_keys_max
        self.key_events.configure(self.config.events)
        self.combine_guards()
        for session in self.clients.values():
            self._configure(session)
        self.access.update_all()


def ignore(_event: RegionEvent) -> None:
    """Stand in for an operator: drop the event."""


def do_nothing() -> None:
    """Stand in for a driver that need not be woken."""
