"""The scripts of one instance: those that are kept, and the one that runs.

A script runs on a stack of its own (`fiber`). Lua calls `tick` after some thousand instructions.
When the slice is over, `tick` pauses the script, and the instance serves others (`slices`). The
interpreter is made when the first script comes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from crdb.engine.metrics.timing import Timing
from crdb.engine.scripting.fiber import Fiber
from crdb.engine.scripting.libraries import Libraries
from crdb.engine.scripting.lua_state import MEMORY_BYTES_MAX, LuaState
from crdb.engine.scripting.script_cache import ScriptCache
from crdb.engine.session import Session

SLICE_SECONDS: Final = 0.002
SLOW_SECONDS: Final = 0.001
"""If so much time has passed between two looks at the clock, the next one is sooner."""
SLICE_TICKS: Final = 20
"""A slice ends after so many looks at the clock even if the clock stands still: it does in a
simulation. 200,000 instructions of Lua take about 2 ms."""
LOAD_SECONDS: Final = 0.5
LOAD_TICKS: Final = 5_000
"""The code of a library may run for so long while it is loaded."""
KILLED: Final = b"Script killed by user with SCRIPT KILL..."
ENDED: Final = b"Script ended, since the region needs all data at one moment"
LOAD_TIMEOUT: Final = b"FUNCTION LOAD timeout"


class ScriptRun:
    """A script that runs. `call` runs it on the stack of Lua and returns its results."""

    __slots__ = (
        "allows_oom",
        "args",
        "call",
        "end_text",
        "has_written",
        "is_busy",
        "is_eval",
        "is_read_only",
        "name",
        "oom_error",
        "protocol",
        "results",
        "session",
        "started_at",
    )

    def __init__(
        self, session: Session, name: bytes, args: list[bytes], call: Callable[[], Any]
    ) -> None:
        self.session = session
        """The client that has called it."""
        self.name = name
        """Its SHA-1 digest, or the name of the function."""
        self.args = args
        self.call = call
        self.is_eval = True
        self.is_read_only = False
        self.allows_oom = False
        self.oom_error: bytes | None = None
        """The error that commands which need memory get, if it was full at the beginning."""
        self.has_written = False
        """True if it has called a command that writes."""
        self.is_busy = False
        """True if it has run for longer than `busy-reply-threshold`."""
        self.protocol = 2
        """The protocol of the replies that it gets."""
        self.started_at = 0
        self.end_text: bytes | None = None
        """The error with which it must end."""
        self.results: Any = None


class Scripting:
    """The state of scripts of an instance."""

    __slots__ = (
        "cache",
        "calls",
        "fiber",
        "libraries",
        "load_ends",
        "looked_at",
        "memory_bytes",
        "run",
        "slice_ends",
        "state",
        "ticks",
        "timing",
    )

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self.cache = ScriptCache()
        self.libraries = Libraries()
        self.fiber = Fiber()
        self.state: LuaState | None = None
        """The interpreter, once there was a script."""
        self.calls: Any = None
        """The functions that scripts call. Commands make them together with the interpreter."""
        self.memory_bytes = MEMORY_BYTES_MAX
        """The memory of the interpreter that will be made."""
        self.run: ScriptRun | None = None
        """The script that runs or is paused."""
        self.slice_ends = 0.0
        self.looked_at = 0.0
        """When the script was started or resumed, or when `tick` was last called."""
        self.load_ends: float | None = None
        """The time until which the code of a library may run."""
        self.ticks = 0.0

    # -- run -------------------------------------------------------------------------------

    def begin(self, run: ScriptRun) -> bool:
        """Run the first slice of a script. Return whether it has ended."""
        assert self.run is None, "one script at a time"
        self.run = run
        self._begin_slice()
        is_ended = True
        try:
            is_ended = self.fiber.start(self._serve)
        finally:
            if is_ended:
                self.run = None
        return is_ended

    def resume(self) -> bool:
        """Run the next slice. Return whether the script has ended."""
        self._begin_slice()
        is_ended = True
        try:
            is_ended = self.fiber.resume()
        finally:
            if is_ended:
                self.run = None
        return is_ended

    def abandon(self, session: Session) -> bool:
        """End the script of `session` that is paused. Return whether there was one."""
        if self.run is None or self.run.session is not session:
            return False
        self.end(KILLED)
        while not self.resume():
            pass
        return True

    def end(self, text: bytes) -> None:
        """Let the script end with an error when it runs next."""
        if self.run is not None and self.run.end_text is None:
            self.run.end_text = text

    def _serve(self) -> None:
        """Run the script, on the second stack."""
        run = self.run
        assert run is not None
        run.results = run.call()

    def _begin_slice(self) -> None:
        self.ticks = 0.0
        self.looked_at = self.timing.clock()
        self.slice_ends = self.looked_at + SLICE_SECONDS

    def tick(self, part: float = 1.0) -> bytes | bool:
        """Pause the script if its slice is over. Return the error with which it must end, or else
        whether much time has passed since the last call. Lua calls this after `part` of
        HOOK_INSTRUCTIONS instructions, or after calls that take as long."""
        self.ticks += part
        now = self.timing.clock()
        is_slow = now - self.looked_at > SLOW_SECONDS
        self.looked_at = now
        if self.load_ends is not None:
            return LOAD_TIMEOUT if now > self.load_ends or self.ticks > LOAD_TICKS else is_slow
        run = self.run
        if run is None:
            return is_slow
        if run.end_text is None and (self.ticks >= SLICE_TICKS or now >= self.slice_ends):
            self.pause()
        return is_slow if run.end_text is None else run.end_text

    def pause_if_late(self, now: float) -> None:
        """Pause the script if its slice is over at `now`. Commands call this."""
        if now >= self.slice_ends and self.run is not None and self.run.end_text is None:
            self.pause()

    def pause(self) -> None:
        """Leave the script until it is resumed. It ends if nobody will do that."""
        if not self.fiber.pause():
            self.end(KILLED)

    def load(self, code: bytes, register: Callable[..., bytes | None]) -> bytes | None:
        """Run the code of a library, which calls `register`. Return an error."""
        assert self.state is not None
        self.ticks = 0.0
        self.looked_at = self.timing.clock()
        self.load_ends = self.looked_at + LOAD_SECONDS
        try:
            return self.state.load_library(code, register)
        finally:
            self.load_ends = None

    # -- memory ----------------------------------------------------------------------------

    def interpreter_bytes(self) -> int:
        """Return the memory of the interpreter."""
        return 0 if self.state is None else self.state.used_bytes()
