"""The durations of commands: counted, and logged if they are long.

`clock` gives seconds; a driver puts a real one here. A command that takes `outlier_seconds` or
longer is offered to the slow log and to the latency monitor. Commands that cannot take long are
timed together in a pipeline. If they do take long together, each is timed for a while, unless the
process did not run in that time: on a busy machine it often has to wait for the processor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

from crdb.engine.metrics.latency import LatencyMonitor
from crdb.engine.metrics.slowlog import SlowLog
from crdb.engine.metrics.statistics import ServerStatistics
from crdb.engine.parameters.table import ParameterTable
from crdb.engine.session import Session

FINE_SECONDS: Final = 0.002
"""Every command is timed by itself if an outlier can be shorter than this."""
SUSPICION_MS: Final = 10_000


class TimedCommand(Protocol):
    """The part of a command that is logged if it took long."""

    number: int
    flags: list[str]


class Timing:
    """The timing of one instance's commands."""

    __slots__ = (
        "clock",
        "cpu_at",
        "cpu_clock",
        "is_fine",
        "latency",
        "outlier_seconds",
        "slow_log",
        "statistics",
        "suspicious_until",
        "times_each",
    )

    def __init__(self, statistics: ServerStatistics) -> None:
        self.statistics = statistics
        self.clock: Callable[[], float] = stopped_clock
        self.cpu_clock: Callable[[], float] = stopped_clock
        """Gives the processor time that this process has used, in seconds."""
        self.cpu_at = 0.0
        """Its reading at the beginning of the turn."""
        self.slow_log = SlowLog()
        self.latency = LatencyMonitor()
        self.outlier_seconds = math.inf
        self.is_fine = False
        self.times_each = False
        """True if every command is timed by itself, also one that cannot take long."""
        self.suspicious_until = 0

    def configure(self, config: ParameterTable) -> None:
        """Take over the parameters."""
        self.slow_log.configure(config.slower_than_us, config.slow_log_length_max)
        self.latency.threshold_ms = config.latency_threshold_ms
        self.statistics.tracks_latency = config.tracks_latency
        outlier = math.inf
        if config.slower_than_us >= 0:
            outlier = config.slower_than_us / 1e6
        if config.latency_threshold_ms:
            outlier = min(outlier, config.latency_threshold_ms / 1e3)
        self.outlier_seconds = outlier
        self.is_fine = self.times_each = outlier < FINE_SECONDS

    def observe(
        self, session: Session, command: TimedCommand, args: list[bytes], seconds: float, at: int
    ) -> None:
        """Count and log an outlier. `at` is wall clock in seconds."""
        self.statistics.count_calls(command.number, 1, seconds)
        if "skip_slowlog" not in command.flags:
            microseconds = int(seconds * 1e6)
            self.slow_log.offer(args, microseconds, at, session.address, session.name)
        event = "fast-command" if "fast" in command.flags else "command"
        self.latency.offer(event, at, int(seconds * 1e3))

    def begin_turn(self) -> None:
        """Note the processor time used so far."""
        self.cpu_at = self.cpu_clock()

    def suspect(self, now: int) -> None:
        """Time each command for a while, since some took long together. `now` is in ms. Do nothing
        if the process has used less processor time in this turn than an outlier takes."""
        if self.cpu_clock() - self.cpu_at < self.outlier_seconds:
            return
        self.times_each = True
        self.suspicious_until = now + SUSPICION_MS

    def relax(self, now: int) -> None:
        """Stop timing each command by itself when no reason remains."""
        self.times_each = self.is_fine or now < self.suspicious_until


def stopped_clock() -> float:
    """Return 0: without a driver commands take no time."""
    return 0.0
