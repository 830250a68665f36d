"""A command that works in slices (see `slices`), and what it needs of its instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from crdb.engine.clients.blocking import Blocked
from crdb.engine.clients.watch import Watching
from crdb.engine.command import Command, CommandTable
from crdb.engine.events.event_bases import Report
from crdb.engine.execution.reach import Reach
from crdb.engine.metrics.statistics import ServerStatistics
from crdb.engine.metrics.timing import Timing
from crdb.engine.pubsub.hub import MessageHub
from crdb.engine.pubsub.key_events import KeyEvents
from crdb.engine.session import Session
from crdb.engine.tracking.tracking import Tracking
from crdb.engine.turns.turn import Turn
from crdt.embed.replica import Replica
from crdt.store.keyspace import Keyspace


class SliceHost(Protocol):
    """The part of an instance that its works use."""

    keyspace: Keyspace
    replica: Replica
    commands: CommandTable
    clients: dict[int, Session]
    statistics: ServerStatistics
    timing: Timing
    blocked: Blocked
    watching: Watching
    tracking: Tracking
    hub: MessageHub
    key_events: KeyEvents
    turn: Turn
    report: Report
    wall: int
    slice_items: int

    def combine_guards(self) -> None:
        """Compute `guarded_bits` again."""
        ...

    def wake(self, session: Session) -> None:
        """Let the driver serve `session`."""
        ...

    def check_output(self, session: Session) -> None:
        """Close a client whose replies exceed its limit."""
        ...

    def end_script(self) -> None:
        """Let the script that runs, if there is one, end with an error."""
        ...

    def abandon_script(self, session: Session) -> None:
        """End the script of `session` that is paused, if there is one."""
        ...

    def memory_exhausted(self, where: str) -> None:
        """Report that there was no memory."""
        ...

    def after_command(self, source: Session | None = None) -> None:
        """Serve those who watch or wait for changed keys."""
        ...

    def may_evict(self) -> bool:
        """Return whether keys are to be evicted, and may be evicted now."""
        ...

    def evict_slice(self) -> None:
        """Evict some keys."""
        ...

    def serve_blocked(self, keys: list[bytes]) -> None:
        """Serve those who wait for changed keys."""
        ...


class Work:
    """A command that has more to do."""

    __slots__ = (
        "args",
        "clock",
        "command",
        "has_replied",
        "has_written",
        "in_exec",
        "reach",
        "seconds",
        "session",
        "steps",
    )

    def __init__(
        self,
        session: Session,
        command: Command,
        args: list[bytes],
        steps: Iterator[None],
        reach: Reach,
    ) -> None:
        self.session = session
        self.command = command
        self.args = args
        self.steps = steps
        self.reach = reach
        self.clock = 0
        """The time as of which keys expire for this work."""
        self.has_written = False
        self.has_replied = False
        self.in_exec = False
        self.seconds = 0.0
