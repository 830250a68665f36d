"""A second stack, on which scripts run, so that a long one can be paused anywhere.

Lua calls Python, which may call Lua again. So a script cannot be a generator: there are frames of C
in between. A greenlet has a stack of its own and can leave all of them at once. One greenlet serves
all scripts of an instance one after another, as to make a new one takes three times as long as to
enter it.

Only one script runs at a time, also while it is paused: the frames of two scripts would be
interleaved on the stack of Lua otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from greenlet import GreenletExit, getcurrent, greenlet

Task = Callable[[], None]


class Fiber:
    """Runs one task at a time. A task may pause, and is resumed later."""

    __slots__ = ("body", "caller", "is_closing")

    def __init__(self) -> None:
        self.body: greenlet | None = None
        self.caller: greenlet | None = None
        """The stack that waits for the task while it runs."""
        self.is_closing = False

    def start(self, task: Task) -> bool:
        """Run a task until it pauses or ends. Return whether it has ended. Raises what the task
        raises."""
        body = self.body
        if body is None or body.dead:
            body = self.body = greenlet(self._serve)
        caller = getcurrent()
        if caller is not self.caller or caller is not body.parent:
            self.caller = body.parent = caller
        return bool(body.switch(task))

    def resume(self) -> bool:
        """Let the task that has paused go on. Return whether it has ended."""
        assert self.body is not None
        self.caller = self.body.parent = getcurrent()
        return bool(self.body.switch(None))

    def pause(self) -> bool:
        """Leave the task, from within, until it is resumed. Return False if it must end, since
        nobody can resume it any more."""
        assert self.caller is not None
        try:
            self.caller.switch(False)
        except GreenletExit:
            self.is_closing = True
        return not self.is_closing

    def _serve(self, task: Task) -> None:
        """Run one task after another."""
        while True:
            task()
            if self.is_closing:
                return
            assert self.caller is not None
            task = self.caller.switch(True)
