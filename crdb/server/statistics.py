"""What an instance counts, for INFO.

The executor adds per batch, not per command. Time is measured per batch too, with one look at the
clock: from the end of one batch to the end of the next, so reading and sending are in it. It is all
the command's where the batch held one kind of command, and shared out by number where it did not.
Rates are averages over the last sixteen samples of
a tenth of a second, as in Redis.
"""

from __future__ import annotations

from typing import Final

SAMPLES: Final = 16
SAMPLE_MS: Final = 100
COMMANDS_MAX: Final = 512
"""More than there are commands and subcommands."""
ERROR_CODES_MAX: Final = 128
"""Beyond so many different codes, further ones are counted in the total only."""


class Rate:
    """How fast a counter grows, per second."""

    __slots__ = ("last", "samples", "sampled_at")

    def __init__(self) -> None:
        self.samples: list[float] = []
        self.last = 0
        self.sampled_at = 0

    def sample(self, value: int, now: int) -> None:
        """The counter stands at `value` at `now` ms."""
        elapsed = now - self.sampled_at
        if self.sampled_at and elapsed > 0:
            self.samples.append((value - self.last) * 1000 / elapsed)
            del self.samples[:-SAMPLES]
        self.last = value
        self.sampled_at = now

    @property
    def per_second(self) -> float:
        """The average of the last samples."""
        return sum(self.samples) / len(self.samples) if self.samples else 0.0


class Statistics:
    """Counters since the start or since CONFIG RESETSTAT."""

    __slots__ = (
        "calls",
        "command_rate",
        "commands",
        "connections",
        "dropped_query",
        "dropped_output",
        "error_replies",
        "errors",
        "failed",
        "input_bytes",
        "input_rate",
        "latest",
        "output_bytes",
        "output_rate",
        "ran",
        "rejected",
        "rejected_connections",
        "repeats",
        "spent",
    )

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start from zero."""
        self.commands = 0
        self.calls = [0] * COMMANDS_MAX
        """How often each command ran, by its number; then refused before, and failed in it."""
        self.rejected = [0] * COMMANDS_MAX
        self.failed = [0] * COMMANDS_MAX
        self.spent = [0] * COMMANDS_MAX
        """Nanoseconds that each command took, as far as charged."""
        self.ran: list[int] = []
        """What ran in this batch: numbers and how often, in turn."""
        self.latest = 0
        """What ran last, and how often since it was counted."""
        self.repeats = 0
        self.connections = 0
        self.rejected_connections = 0
        self.input_bytes = 0
        self.output_bytes = 0
        self.error_replies = 0
        self.errors: dict[bytes, int] = {}
        """Error replies by their code."""
        self.dropped_query = 0
        """Clients closed because their request was too long."""
        self.dropped_output = 0
        """Clients closed because they did not read their replies."""
        self.command_rate = Rate()
        self.input_rate = Rate()
        self.output_rate = Rate()

    def count_error(self, text: bytes) -> None:
        """An error reply was sent."""
        code = text.split(b" ", 1)[0]
        self.error_replies += 1
        if code in self.errors or len(self.errors) < ERROR_CODES_MAX:
            self.errors[code] = self.errors.get(code, 0) + 1

    def note(self, number: int) -> None:
        """A command runs. It is counted when another one runs, and at the end of its batch."""
        if number != self.latest:
            self.settle()
            self.latest = number
        self.repeats += 1

    def settle(self) -> None:
        """Count what ran last."""
        if self.repeats:
            self.calls[self.latest] += self.repeats
            self.ran.append(self.latest)
            self.ran.append(self.repeats)
            self.repeats = 0

    def charge(self, spent: int) -> None:
        """A batch has taken `spent` nanoseconds, which its commands share by number."""
        ran = self.ran
        if len(ran) == 2:
            self.spent[ran[0]] += spent
        elif ran:
            total = sum(ran[1::2])
            for index in range(0, len(ran), 2):
                self.spent[ran[index]] += spent * ran[index + 1] // total
        ran.clear()

    def sample(self, now: int) -> None:
        """Take the samples that the rates are made of."""
        self.command_rate.sample(self.commands, now)
        self.input_rate.sample(self.input_bytes, now)
        self.output_rate.sample(self.output_bytes, now)
