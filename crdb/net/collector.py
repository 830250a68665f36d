"""Python's garbage collector, set up for a process that holds millions of objects.

A collection over a large keyspace takes half a second. So only new objects are examined. Those that
survive are *frozen*: they are not examined again. A reference cycle of frozen objects is never
freed. So what lives long and comes and goes, such as a connection, must have no cycle when it is
closed.

The collector counts new objects, but it also visits everything that they refer to. A thousand
effects that name a thousand members each count a thousand, and take a tenth of a second. So
`examine_new` is called in between where objects are large: after each slice of a long command, at
the beginning of a long request, and after a turn that wrote long effects. An object is then
examined while it is small or few, and never again.
"""

from __future__ import annotations

import gc
from typing import Final

COLLECT_AFTER: Final = (6_000, 1_000_000, 1_000_000)
"""The thresholds of Python's collector. A collection examines about 6,000 objects, which takes
about a millisecond, and each object once. The older generations stay empty."""
LONG_REQUEST: Final = 10_000
"""A request that still lacks more strings than this is examined early."""
LONG_EFFECTS_BYTES: Final = 64 * 1024
"""Long effects of more bytes are examined while they wait to be sealed."""


def calm_collector() -> None:
    """Let the collector examine new objects only, from now on."""
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    if freeze_survivors not in gc.callbacks:
        gc.callbacks.append(freeze_survivors)


def freeze_survivors(phase: str, _info: dict[str, int]) -> None:
    """Freeze all objects after a collection. Python calls this function at the beginning and the
    end of each collection. O(1)."""
    if phase == "stop":
        gc.freeze()


def examine_new() -> None:
    """Examine all objects that are new, and freeze them if the collector has been calmed. O(what
    they refer to)."""
    gc.collect(0)


def examine_effects(waiting_bytes: int) -> None:
    """Examine all objects that are new if among them are long effects of so many bytes."""
    if waiting_bytes > LONG_EFFECTS_BYTES:
        examine_new()


class LongRequest:
    """The strings of one client's long request, which arrives in many pieces."""

    __slots__ = ("gathered",)

    def __init__(self) -> None:
        self.gathered = 0
        """The number of strings that have arrived."""

    def examine(self, gathered: int) -> None:
        """Examine the request while its strings are few. Later calls only note their number."""
        if gathered < self.gathered or self.gathered == 0:
            examine_new()
        self.gathered = gathered
