"""Driver: end the regions of this process after a signal or a SHUTDOWN command.

Ctrl-C at the last region that holds data asks for a confirmation on a terminal: Ctrl-C again, or
`y`. Any other request to stop is obeyed immediately, with a warning.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Sequence
from typing import Final

import attrs
import trio

from crdb.cli.screen import Screen
from crdb.engine.events.operator_events import ConfirmEvent, NotStoppedEvent, StoppingEvent
from crdb.region.core.stop_risk import count_risks
from crdb.region.runtime import Runtime

STDIN: Final = 0
CONFIRM_SECONDS: Final = 15.0
"""The time limit for a confirmation."""
YES: Final = (b"y", b"yes")
HOW: Final = f"press Ctrl-C again, or y and Enter, within {CONFIRM_SECONDS:.0f} seconds"


@attrs.define
class Stopping:
    """Ends `nurseries` one after the other. The first serves; the second writes the remaining
    output, so a second signal discards it."""

    runtime: Runtime
    screen: Screen
    nurseries: Sequence[trio.Nursery]
    asked_at: float = -CONFIRM_SECONDS
    is_stopping: bool = False

    async def stop_on_signals(self, signals: AsyncIterator[int]) -> None:
        """Process signals: the first ends serving, the next one ends writing."""
        left = list(self.nurseries)
        async for number in signals:
            if not self.is_stopping and not self.may_stop(number):
                self.nurseries[0].start_soon(self.read_answer, self.asked_at)
                continue
            self.stop(signal.Signals(number).name)
            if left:
                left.pop(0).cancel_scope.cancel()

    async def stop_on_request(self) -> None:
        """Stop serving when a client has sent SHUTDOWN."""
        await self.runtime.stop_requested.wait()
        self.warn()
        self.stop(self.runtime.stop_reason)
        self.nurseries[0].cancel_scope.cancel()

    def may_stop(self, number: int) -> bool:
        """Warn of what would be lost. Return whether to stop, or to wait for a confirmation."""
        is_confirmed = trio.current_time() - self.asked_at < CONFIRM_SECONDS
        if is_confirmed:
            return True
        is_last = self.warn()
        if not is_last or number != signal.SIGINT or not self.can_ask():
            return True
        self.asked_at = trio.current_time()
        self.screen.show_event(ConfirmEvent(how=HOW))
        return False

    def warn(self) -> bool:
        """Show which data would be lost. Return whether a region is the last that holds data."""
        risks = count_risks({region.name: region.links for region in self.runtime.regions})
        for risk in risks:
            self.screen.show_event(risk)
        return any(risk.is_last for risk in risks)

    def can_ask(self) -> bool:
        """Return whether this process has a terminal on which a person can answer."""
        if self.screen.as_json or not (os.isatty(STDIN) and self.screen.console.is_terminal):
            return False
        try:
            return os.tcgetpgrp(STDIN) == os.getpgrp()
        except OSError:  # it is not the terminal of our session
            return True

    async def read_answer(self, asked_at: float) -> None:
        """Read the answer to a confirmation. `y` stops serving."""
        with trio.move_on_after(CONFIRM_SECONDS):
            await trio.lowlevel.wait_readable(STDIN)
            answer = os.read(STDIN, 100).strip().lower()
            if self.asked_at == asked_at and answer in YES:
                self.stop("y")
                self.nurseries[0].cancel_scope.cancel()
                return
        self.asked_at = -CONFIRM_SECONDS
        self.screen.show_event(NotStoppedEvent())

    def stop(self, why: str) -> None:
        """Show, once, that the process stops and why."""
        if not self.is_stopping:
            self.is_stopping = True
            self.screen.show_event(StoppingEvent(signal=why))
