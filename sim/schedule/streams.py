"""Clients of streams: some that write at random, and one of each region that works off a stream.

A working session adds entries with ids that the region chooses, deletes and trims, and reads as a
consumer of a group. It names ids that it has got before (`$entry-2`, see `sim.nodes.session`). It
sends one command at a time, so that each of its writes is an effect of its own. The promise
`streams` judges its keys, which nothing else writes to (`sim.checkers.clients.streams`).

The writes at random concern keys of the family `stream`, which also expire, and are deleted and
created again. The promise `conflict rules` judges these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.schedule.step import ScheduleStep, Words

LEDGER: Final = "ledger:"
"""The beginning of the keys of working sessions."""
SESSION: Final = 7000
"""The number of the working session of region 0; those of the others follow."""
GROUPS: Final = ("g", "h")
CONSUMERS: Final = ("ann", "bob")
PERIOD_NS: Final = 20 * SECOND
"""The time after which all sessions go on to another key."""
KEYS: Final = 2
ACKED: Final = 6
"""The number of ids that an XACK names."""
RANDOM_ID_MAX: Final = 40


class StreamClients:
    """Draws the steps of the working session of one region, a number of them a second."""

    def __init__(self, rng: SeededRandom, region: str, number: int, rate: int) -> None:
        self.rng = rng
        self.region = region
        self.number = number
        self.mean = SECOND // max(1, rate)
        self.count = 0

    def draw_steps(self, end: int) -> Iterator[ScheduleStep]:
        """Yield steps until `end`."""
        at = self.rng.exponential(self.mean)
        while at < end:
            yield ScheduleStep(
                at,
                "client",
                (self.region,),
                value=SESSION + self.number,
                commands=(self.draw_command(at),),
            )
            at += 1 + self.rng.exponential(self.mean)

    def draw_command(self, at: int) -> Words:
        """Draw a command on a stream that is in use at the time `at`."""
        rng = self.rng
        key = f"{LEDGER}{at // PERIOD_NS}.{rng.integer_below(KEYS)}"
        group, consumer = rng.choose_one(GROUPS), rng.choose_one(CONSUMERS)
        match rng.integer_below(16):
            case 0 | 1 | 2 | 3 | 4:
                self.count += 1
                return ("XADD", key, "*", "name", f"u{self.number}.{self.count}")
            case 5:
                return ("XGROUP", "CREATE", key, group, "0", "MKSTREAM")
            case 6 | 7 | 8:
                count = rng.choose_one(("1", "3", "100"))
                reader = ("XREADGROUP", "GROUP", group, consumer, "COUNT", count)
                return (*reader, "STREAMS", key, ">")
            case 9 | 10:
                ids = (f"$entry-{number}" for number in range(ACKED))
                return ("XACK", key, group, *ids)
            case 11:
                return ("XACK", key, group, f"$entry-{rng.integer_below(ACKED)}")
            case 12:
                return ("XAUTOCLAIM", key, group, consumer, "0", "0", "COUNT", "9")
            case 13:
                return ("XDEL", key, f"$entry-{rng.integer_below(ACKED)}")
            case 14:
                return ("XTRIM", key, "MAXLEN", str(rng.integer_between(2, 9)))
            case _:
                return rng.choose_one((("XRANGE", key, "-", "+"), ("XLEN", key)))


def change_stream(rng: SeededRandom, key: str, name: str) -> Words:
    """Draw a command for the stream under `key`. `name` is a name that is used once."""
    last = f"{rng.integer_between(1, RANDOM_ID_MAX)}"
    group = rng.choose_one(GROUPS)
    return rng.choose_one(
        (
            ("XADD", key, "*", "name", name),
            ("XADD", key, "*", "name", name, "name", "x"),
            ("XADD", key, "MAXLEN", "6", "*", "name", name),
            ("XADD", key, "NOMKSTREAM", last, "name", name),
            ("XADD", key, last, "name", name),
            ("XTRIM", key, "MAXLEN", "3"),
            ("XTRIM", key, "MINID", last),
            ("XDEL", key, f"{last}-{rng.integer_between(1, 3)}"),
            ("XGROUP", "CREATE", key, group, "0", "MKSTREAM"),
            ("XGROUP", "CREATE", key, group, "$"),
            ("XGROUP", "DESTROY", key, group),
            ("XREADGROUP", "GROUP", group, "ann", "STREAMS", key, ">"),
            ("XREADGROUP", "GROUP", group, "ann", "NOACK", "COUNT", "2", "STREAMS", key, ">"),
            ("COPY", key, f"{key}t", "REPLACE"),
            ("DEL", key),
        )
    )
