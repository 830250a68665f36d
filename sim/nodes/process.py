"""A simulated process: its clock, clients, turns and pauses.

A turn does the same as `crdb.region.runtime` and `replication.drivers.links`: it receives, serves
clients, seals and sends. After each turn the checkers examine the changes. The connections to other
processes are in `linked_process`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import attrs

from crdb.commands.table import build_table
from crdb.engine.events.event_bases import RegionEvent
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdb.engine.parameters.table import ParameterTable
from crdb.engine.session import OUTPUT_UNLIMITED, PAUSED, Session
from crdb.engine.turns.sealing import SealPacing
from crdt.embed.replica import Replica
from crdt.store.keyspace import CLOCK_SLACK_MS
from crdt.testing.peeking import Peek
from replication.protocol.events import Event
from replication.protocol.secret import NO_SECRET, LinkSecret
from sim.engine.checker import Checker, Violation
from sim.engine.clock import WallClock
from sim.engine.events import MS, SECOND
from sim.engine.hooks import Hooks
from sim.engine.rng import SeededRandom
from sim.engine.trace import Trace
from sim.network.connector import ConnectionContext
from sim.nodes.client import Reply, SimClient, parse_replies
from sim.nodes.run_history import RunHistory
from sim.nodes.session import CONNECTIONS, SUBSCRIBERS, SimSession
from sim.nodes.state_hash import StateHash
from sim.report.report import Recorder
from sim.schedule.plan import Tuning
from sim.schedule.step import Words

CATCH_UP_NS: Final = 100 * MS  # time after a pause in which overdue work is done
NEVER: Final = 1 << 62
NEVER_MS: Final = NEVER // MS
WORK_NS: Final = 7 * MS  # time between two slices of work
OVERDUE_MAX: Final = 1000  # a server would spin: the timer would fire without progress


def earlier(due: int, at: int | None) -> int:
    """Return the earlier of two times; `at` is None for never."""
    return due if at is None or due < at else at


@attrs.frozen
class ProcessContext:
    """The objects that all processes of a world share."""

    exchange: ConnectionContext
    rng: SeededRandom
    trace: Trace
    run_history: RunHistory
    checkers: tuple[Checker, ...]
    hooks: Hooks
    """The same checkers, by hook."""
    on_event: Callable[[str, Event], None]
    """Called with each event that the links of a process report."""
    recorder: Recorder | None = None
    secret: LinkSecret = NO_SECRET


@attrs.frozen
class SessionConnection:
    """A session's connection to a process."""

    session: SimSession
    sim_client: SimClient


class SimProcess:
    """A process. Subclasses define what its links do."""

    instance: Instance
    replica: Replica
    state_hash: StateHash
    steps_begun: int

    def __init__(self, around: ProcessContext, name: str, tuning: Tuning) -> None:
        """Create a process that is down."""
        self.around = around
        self.engine = around.exchange.engine
        self.name = name
        self.tuning = tuning
        self.clock = WallClock()
        self.starts: int = 0
        self.steps_begun: int = 0
        self.is_up = False
        self.paused_until = 0
        self.kept_back: list[Callable[[], None]] = []
        """The calls that arrived while the process was paused, in order."""
        self.clock_sets = 0
        """The number of times that the wall clock was set, since the last start, by more than a
        correction between two turns."""
        self.clock_ahead_ms: int | None = None
        """The wall clock minus the monotonic one at the last turn; None before the first."""
        self.timer_at = 0
        self.is_working = False
        """True if the next slice of work is scheduled."""
        self.worked_at = 0
        """The time of the latest slice, in ns."""
        self.slices = 0
        """The number of slices of work so far."""
        self.overdue = 0
        """The number of consecutive timer runs after which something was still due."""

    # -- for subclasses --------------------------------------------------------------------

    def note_effects(self) -> None:
        """Record the effects that this turn has made. Only the effects of regions are recorded."""

    def show_changes(self) -> None:
        """Pass the changes of this turn to the checkers."""
        raise NotImplementedError

    def wake_links(self) -> None:
        """Let the links send what was sealed."""
        raise NotImplementedError

    def tick_links(self, now: int) -> None:
        """Call `tick` of the links for which it is due."""
        raise NotImplementedError

    def links_deadline(self) -> int:
        """Return the time (ns) at which the links next need `tick`."""
        raise NotImplementedError

    def push(self) -> None:
        """Send what the links have to send, and arm the timer for them."""
        raise NotImplementedError

    def before_commands(self, session: int, commands: Sequence[Words]) -> None:
        """Notify the checkers of the commands that a client is about to send."""

    def after_commands(
        self, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Notify the checkers of a client's replies."""

    def after_late_reply(self, session: int, command: Words, reply: Reply) -> None:
        """Notify the checkers of the reply to a command that had blocked."""

    def after_messages(self, session: int, messages: Sequence[Reply]) -> None:
        """Notify the checkers of what a subscriber has received."""

    def before_connection(self, session: int, identity: int, commands: Sequence[Words]) -> None:
        """Notify the checkers of commands whose replies depend on the connection."""

    def before_late_run(self) -> None:
        """Note the state before commands run that were held."""

    def after_connection(self, session: int, replies: Sequence[Reply]) -> None:
        """Notify the checkers of replies to such commands."""

    def examining(self, hook: str) -> Iterable[Checker]:
        """Return the checkers that listen to a hook. What they examine meanwhile settles no key for
        good."""
        checkers = self.around.hooks.listening(hook)
        if checkers and not self.replica.is_settled():
            return self.peeking(checkers)
        return checkers

    def peeking(self, checkers: tuple[Checker, ...]) -> Iterator[Checker]:
        """Yield checkers that examine copies of the keys that wait."""
        with Peek(self.replica.keyspace):
            yield from checkers

    def note_begun_steps(self) -> None:
        """Let all keys be hashed again if a merge or a FLUSHALL has begun since the last call."""
        begun = self.replica.keyspace.steps_begun()
        if self.steps_begun != begun:
            self.steps_begun = begun
            self.state_hash.mark_all_dirty()

    # -- start and stop --------------------------------------------------------------------

    def install_replica(self, replica: Replica) -> None:
        """Install a replica, with an instance and a client for it."""
        self.replica = replica
        serves_stale = "no" if self.tuning.refuses_stale else "yes"
        self.instance = Instance(
            replica,
            build_table(),
            name=self.name,
            config=ParameterTable({"replica-serve-stale-data": serves_stale}),
            rng=self.around.rng.substream(f"instance/{self.name}").generator,
        )
        self.instance.slices.items = self.tuning.slice_items
        turn = self.instance.turn
        turn.clock = lambda: self.engine.now / SECOND
        turn.pacing = SealPacing()
        turn.push = self.wake_links
        turn.set_timer = lambda due: self.arm_timer(math.ceil(due * SECOND))
        self.sim_client = SimClient(self.instance)
        self.session_connections: dict[int, SessionConnection] = {}
        self.state_hash = StateHash(replica.keyspace)
        self.clock_sets, self.clock_ahead_ms = 0, None
        self.read_to = 0
        self.merges = 0
        self.steps_begun: int = 0
        self.causal_buffer = replica.causal_buffer

    def shut_down(self) -> None:
        """Stop, and lose everything in memory."""
        assert self.is_up
        self.is_up = False
        self.kept_back.clear()
        self.paused_until = 0

    def pause_until(self, until: int) -> None:
        """Pause until `until` (ns), like a stopped process or a long garbage collection."""
        self.add_trace_record("pause", f"{(until - self.engine.now) // MS} ms")
        self.paused_until = max(until, self.paused_until)
        self.engine.at(self.paused_until, self.resume_after_pause)

    @property
    def is_paused(self) -> bool:
        """True while the process is paused."""
        return self.engine.now < self.paused_until

    @property
    def is_responding(self) -> bool:
        """True while the process is up and not paused."""
        return self.is_up and not self.is_paused

    @property
    def now_ms(self) -> int:
        """The monotonic time in ms, as of the present turn."""
        return self.instance.now

    @property
    def has_waiters(self) -> bool:
        """True if a client is blocked."""
        return bool(self.instance.blocked.by_client)

    @property
    def holds_sessions(self) -> bool:
        """True while a CLIENT PAUSE is in force."""
        return self.instance.pause.ends_at is not None

    @property
    def latest_pause_ms(self) -> int:
        """The time in ms at which the latest pause ends or has ended; 0 if there was none."""
        return self.paused_until // MS

    @property
    def was_paused(self) -> bool:
        """True if the process is paused, or was paused within the last CATCH_UP_NS."""
        return self.engine.now < self.paused_until + CATCH_UP_NS

    def resume_after_pause(self) -> None:
        """Make the calls that arrived during the pause."""
        if self.is_responding:
            held, self.kept_back = self.kept_back, []
            for act in held:
                act()

    # -- turns -----------------------------------------------------------------------------

    def advance_clocks(self) -> None:
        """Set the database's clocks to the time of this process."""
        keyspace = self.replica.keyspace
        before = keyspace.expiry_clock
        now, wall = self.engine.now // MS, self.clock.read_ms(self.engine.now)
        self.note_clock(wall - now)
        self.instance.advance(now, wall)
        if keyspace.expiry_clock < before:
            for checker in self.examining("on_expiry_set_back"):
                checker.on_expiry_set_back(self.name, keyspace, before)

    def note_clock(self, ahead_ms: int) -> None:
        """Count it if the wall clock was set. It is ahead of the monotonic one by `ahead_ms`."""
        before = ahead_ms if self.clock_ahead_ms is None else self.clock_ahead_ms
        self.clock_sets += abs(ahead_ms - before) > CLOCK_SLACK_MS
        self.clock_ahead_ms = ahead_ms

    def run_in_turn(self, *commands: Sequence[str]) -> list[Reply]:
        """Run a client's commands. Return the replies. The caller must call `finish_turn`."""
        assert self.is_up
        self.advance_clocks()
        self.sim_client.client.flags &= ~PAUSED  # only sessions wait for the end of a CLIENT PAUSE
        return self.sim_client.send_commands(*commands)

    def connect_session(self, session: SimSession) -> SimClient:
        """Return a new connection for a session."""
        sim_client = SimClient(self.instance)
        self.session_connections[sim_client.client.id] = SessionConnection(session, sim_client)
        return sim_client

    def disconnect_session(self, sim_client: SimClient) -> None:
        """Close a session's connection."""
        del self.session_connections[sim_client.client.id]
        self.instance.forget(sim_client.client)

    def run_session(self, session: SimSession, commands: Sequence[Words]) -> list[Reply]:
        """Run the commands that a session sends together. Return the immediate replies."""
        assert self.is_up
        assert session.sim_client is not None
        self.advance_clocks()
        self.before_commands(session.number, commands)
        replies = session.sim_client.send_commands(*commands)
        for words, reply in zip(commands, replies, strict=False):
            session.remember_reply(words, reply)
        if session.number in SUBSCRIBERS:
            self.after_messages(session.number, replies)
        else:
            session.waiting = commands[len(replies)] if len(replies) < len(commands) else None
            self.after_commands(session.number, commands, replies)
        self.finish_turn()
        return replies

    def run_connection(self, session: SimSession, commands: Sequence[Words]) -> list[Reply]:
        """Run commands whose replies may come later or never. Return those that have come.

        Nothing is sent while the instance refuses some commands because of its own state. The
        connection is open all the same, so that another client can end it."""
        assert self.is_up
        assert session.sim_client is not None
        sim_client = session.sim_client
        if self.instance.refused_bits or self.instance.memory.denied_bits:
            self.before_connection(session.number, sim_client.client.id, ())
            return []
        self.advance_clocks()
        self.before_connection(session.number, sim_client.client.id, commands)
        replies = sim_client.send_commands(*commands)
        self.after_connection(session.number, replies)
        if sim_client.client.closing:
            self.drop_connection(self.session_connections[sim_client.client.id])
        self.finish_turn()
        return replies

    def drop_connection(self, connection: SessionConnection) -> None:
        """Close the connection of a session, because the instance wants that."""
        connection.session.lose_connection()
        self.disconnect_session(connection.sim_client)

    def serve_woken_client(self, woken: Session) -> None:
        """Serve a client that was woken: deliver its late replies, or close its connection."""
        if woken is self.sim_client.client:
            self.sim_client.late += receive(self.sim_client.client, b"")
            if woken.killed:
                self.instance.forget(woken)
                self.sim_client = SimClient(self.instance)
            return
        connection = self.session_connections.get(woken.id)
        if connection is None:
            return
        if connection.session.number in CONNECTIONS and not woken.killed:
            self.before_late_run()
            late = parse_replies(receive(connection.sim_client.client, b""))
            self.after_connection(connection.session.number, late)
        elif connection.session.number in SUBSCRIBERS and not woken.killed:
            received = parse_replies(receive(connection.sim_client.client, b""))
            self.after_messages(connection.session.number, received)
        elif not woken.killed:
            self.deliver_late_replies(connection)
        if woken.closing:
            self.drop_connection(connection)

    def deliver_late_replies(self, connection: SessionConnection) -> None:
        """Deliver the replies to a session's blocked commands."""
        session = connection.session
        for reply in parse_replies(receive(connection.sim_client.client, b"")):
            command, session.waiting = session.waiting, None
            assert command is not None, "one command waits at a time, and no other follows it"
            session.remember_reply(command, reply)
            self.add_trace_record("woken", f"session {session.number}: {' '.join(command)}")
            self.after_late_reply(session.number, command, reply)

    def run_timer(self) -> None:
        """Handle everything that is due now, and arm the timer again."""
        if self.engine.now < self.timer_at:
            return
        if not self.is_up:
            self.timer_at = 0
            return
        if self.is_paused:
            self.timer_at = self.paused_until
            self.engine.at(self.timer_at, self.run_timer)
            return
        self.timer_at = 0
        now = self.engine.now
        self.advance_clocks()
        self.tick_links(now)
        if self.clients_deadline() < NEVER:
            self.instance.tick()
        due = min(self.finish_turn(), self.links_deadline())
        self.overdue = self.overdue + 1 if due <= now else 0
        if self.overdue > OVERDUE_MAX:
            raise Violation("liveness", f"{self.name} is woken for what it does not do")
        self.arm_timer(due)

    def clients_deadline(self) -> int:
        """Return the time (ns) at which the instance must be called for its clients: one that is
        blocked times out or must be polled again, a CLIENT PAUSE ends, a key runs out of time of
        which one must learn, or one may be closed because it is idle, slow to read, or uses memory
        that is short."""
        instance = self.instance
        due = earlier(NEVER_MS, instance.blocked.deadline)
        due = earlier(due, instance.polling.deadline)
        due = earlier(due, instance.pause.ends_at)
        due = earlier(due, instance.tracking.deadline(instance.now))
        due = earlier(due, instance.key_events.deadline(instance.now))
        config = instance.config
        closes_slow = config.output_limit.soft_bytes < OUTPUT_UNLIMITED
        if config.idle_seconds_max or closes_slow or config.memory_bytes_max:
            due = earlier(due, instance.next_sample)
        return due * MS if due < NEVER_MS else NEVER

    def arm_timer(self, deadline: int) -> None:
        """Schedule `run_timer` at `deadline`, unless it is scheduled for then or earlier."""
        now = self.engine.now
        deadline = max(deadline, now)
        if not (self.timer_at and now <= self.timer_at <= deadline):
            self.timer_at = max(deadline, now + 1)
            self.engine.at(self.timer_at, self.run_timer)

    def finish_turn(self) -> int:
        """Finish a turn like a server: serve blocked clients, seal, append, flush and push. Return
        the time (ns) at which the instance must be called for its clients.

        The checkers run before the links send anything."""
        instance = self.instance
        if self.replica.keyspace.has_changes() or instance.woken or not instance.hub.is_idle():
            instance.serve_dirty_keys()
            while instance.woken:
                self.serve_woken_client(instance.woken.pop())
        self.note_effects()
        left = instance.turn.finish()
        if left < math.inf:
            self.arm_timer(self.engine.now + math.ceil(left * SECOND))
        self.show_changes()
        self.schedule_work()
        due = self.clients_deadline()
        if due < NEVER:
            self.arm_timer(due)
        self.push()
        return due

    def schedule_work(self) -> None:
        """Schedule the next slice of work, if work is left."""
        has_work = self.replica.has_work() or self.instance.may_evict()
        if not self.is_working and has_work:
            self.is_working = True
            self.engine.schedule_after(WORK_NS, self.run_slice)

    @property
    def settled_at(self) -> int:
        """The time (ns) at which the latest work in slices ended; the present if it goes on."""
        return self.engine.now if self.is_working else self.worked_at

    def run_slice(self) -> None:
        """Do one slice of work in a turn of its own."""
        self.is_working = False
        if not self.is_up:
            return
        if self.is_paused:
            self.kept_back.append(self.run_slice)
            return
        self.advance_clocks()
        self.replica.work()
        if self.instance.may_evict():
            self.instance.evict_slice()
        self.worked_at = self.engine.now
        self.slices += 1
        self.finish_turn()

    # -- reports ---------------------------------------------------------------------------

    def read_clock(self) -> int:
        """Return the monotonic clock, in ns."""
        return self.engine.now

    def report_event(self, event: RegionEvent) -> None:
        """Add an operator event to the trace."""
        details = event.details()
        del details["region"]
        text = " ".join(f"{name}={value}" for name, value in details.items())
        self.add_trace_record(event.name, text)

    def add_trace_record(self, what: str, detail: str = "") -> None:
        """Add a record to the trace."""
        self.around.trace.add_record(self.engine.now, self.name, what, detail)
