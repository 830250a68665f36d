"""The counters of an instance, for INFO.

A command's time runs from the end of the one before it in the same batch, or from the beginning of
the batch, so it includes parsing. Commands that cannot take long follow each other in a pipeline
without reading the clock. They are counted with their mean time. Rates are averages over the last
sixteen samples of a tenth of a second, as in Redis.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.metrics.histogram import Histogram

SAMPLES: Final = 16
SAMPLE_MS: Final = 100
RESTING_SAMPLE_MS: Final = 500
"""The time between two samples while clients send nothing."""
COMMANDS_MAX: Final = 512
"""More than there are commands and subcommands."""
DENIAL_REASONS: Final = 4
"""The number of reasons: login, command, key, channel."""
ERROR_CODES_MAX: Final = 128
"""Beyond so many different codes, further ones are counted in the total only."""


class Rate:
    """The growth of a counter per second."""

    __slots__ = ("last", "samples", "sampled_at")

    def __init__(self) -> None:
        self.samples: list[float] = []
        self.last = 0
        self.sampled_at = 0

    def sample(self, value: int, now: int) -> None:
        """Record that the counter is `value` at `now` (ms)."""
        elapsed = now - self.sampled_at
        if self.sampled_at and elapsed > 0:
            rate = (value - self.last) * 1000 / elapsed
            self.samples += [rate] * min(max(1, elapsed // SAMPLE_MS), SAMPLES)
            del self.samples[:-SAMPLES]
        self.last = value
        self.sampled_at = now

    @property
    def per_second(self) -> float:
        """The average of the last samples."""
        return sum(self.samples) / len(self.samples) if self.samples else 0.0


class ServerStatistics:
    """Counters since the start or since CONFIG RESETSTAT."""

    __slots__ = (
        "calls",
        "command_rate",
        "connections",
        "denials",
        "dropped_memory",
        "dropped_query",
        "dropped_output",
        "error_replies",
        "errors",
        "failed",
        "input_bytes",
        "histograms",
        "input_rate",
        "output_bytes",
        "output_rate",
        "ran",
        "rejected",
        "rejected_connections",
        "spent",
        "tracks_latency",
    )

    def __init__(self) -> None:
        self.tracks_latency = True
        """True if histograms are kept (parameter latency-tracking)."""
        self.clear()

    def clear(self) -> None:
        """Start from zero."""
        self.calls = [0] * COMMANDS_MAX
        """The calls of each command, by its number; then the refused and the failed calls."""
        self.rejected = [0] * COMMANDS_MAX
        self.failed = [0] * COMMANDS_MAX
        self.spent = [0.0] * COMMANDS_MAX
        """Seconds that each command took."""
        self.ran: list[tuple[int, int]] = []
        """The commands that ran since the clock was last read: their numbers and counts."""
        self.histograms: list[Histogram | None] = [None] * COMMANDS_MAX
        """The durations of each command's calls, by its number. A list, since compiled code makes
        a new int object for each lookup in a dict if the number is above 256."""
        self.connections = 0
        self.rejected_connections = 0
        self.input_bytes = 0
        self.output_bytes = 0
        self.denials = [0] * DENIAL_REASONS
        """Logins and requests that were denied, by `crdb.security.verdict.Reason`."""
        self.error_replies = 0
        self.errors: dict[bytes, int] = {}
        """Error replies by their code."""
        self.dropped_memory = 0
        """Clients closed because memory was full and their buffers were large."""
        self.dropped_query = 0
        """Clients closed because their request was too long."""
        self.dropped_output = 0
        """Clients closed because they did not read their replies."""
        self.command_rate = Rate()
        self.input_rate = Rate()
        self.output_rate = Rate()

    @property
    def commands(self) -> int:
        """The number of commands that ran. As in Redis, refused requests and those that wait for
        EXEC are not among them."""
        return sum(self.calls)

    def count_error(self, text: bytes) -> None:
        """Count an error reply."""
        code = text.split(b" ", 1)[0]
        self.error_replies += 1
        if code in self.errors or len(self.errors) < ERROR_CODES_MAX:
            self.errors[code] = self.errors.get(code, 0) + 1

    def charge(self, seconds: float) -> None:
        """Count the commands in `ran`, which took so long together."""
        ran = self.ran
        mean = seconds / sum([calls for _, calls in ran])
        for number, calls in ran:
            self.count_calls(number, calls, mean * calls)
        ran.clear()

    def count_calls(self, number: int, calls: int, seconds: float) -> None:
        """Count `calls` runs of a command, which took so many seconds in all."""
        self.calls[number] += calls
        self.spent[number] += seconds
        if self.tracks_latency:
            histogram = self.histograms[number]
            if histogram is None:
                histogram = self.histograms[number] = Histogram()
            histogram.add(int(seconds * 1e9 / calls), calls)

    def has_input(self) -> bool:
        """Return whether clients have sent something since the last sample."""
        return self.input_bytes != self.input_rate.last

    def is_quiet(self) -> bool:
        """Return whether clients have sent nothing during the last samples."""
        rates = (self.input_rate, self.output_rate)
        return all(len(rate.samples) == SAMPLES and not any(rate.samples) for rate in rates)

    def sample(self, now: int) -> None:
        """Take the samples that the rates are made of."""
        self.command_rate.sample(self.commands, now)
        self.input_rate.sample(self.input_bytes, now)
        self.output_rate.sample(self.output_bytes, now)
