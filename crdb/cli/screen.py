"""Driver: show events as lines of JSON, as plain lines, or in a live view on a terminal.

The live view is rich's: it uses the terminal's alternate screen and restores the normal one at the
end. A slow terminal or reader never blocks the regions (see `stdout_writer`). Events that cannot be
written are dropped and counted. The count is shown as soon as something can be written again.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import time
from collections import deque
from typing import Final, TextIO, cast

import trio
from rich.console import Console
from rich.layout import Layout
from rich.live import Live

from crdb.cli.stdout_writer import StdoutWriter
from crdb.engine.events.event_bases import OperatorEvent
from crdb.engine.events.operator_events import (
    ConfirmEvent,
    DataAtRiskEvent,
    EventsDroppedEvent,
    LinkDownEvent,
    NotStoppedEvent,
    StoppingEvent,
)
from crdb.net.process import human, resident_bytes
from crdb.region.report.events import json_line, text_lines
from crdb.region.report.repetition import Repetition
from crdb.region.report.view import ViewState, draw
from crdb.region.runtime import Runtime

STDOUT: Final = 1
REFRESH_SECONDS: Final = 0.5
EVENTS_KEPT: Final = 200
"""More than any terminal has lines."""


class TerminalFile(io.TextIOBase):
    """The file that rich writes to: text goes to `stdout`, and is dropped where that is full."""

    def __init__(self, stdout: StdoutWriter) -> None:
        self.stdout = stdout

    def write(self, text: str) -> int:
        """Queue text. An update of the view that does not fit is replaced by the next one."""
        self.stdout.put(text)
        return len(text)

    def isatty(self) -> bool:
        """Return whether standard output is a terminal."""
        return self.stdout.fd is not None and os.isatty(self.stdout.fd)


class Screen:
    """Shows the events of this process."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        # If standard output is closed, descriptor 1 may belong to a socket by now.
        is_open = cast("TextIO | None", sys.stdout) is not None
        self.stdout = StdoutWriter(STDOUT if is_open else None)
        self.console = Console(file=cast("TextIO", TerminalFile(self.stdout)))
        is_rich = self.console.is_terminal and not self.console.is_dumb_terminal
        self.is_live = is_rich and not as_json
        self.live = Live(
            console=self.console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.recent: deque[str] = deque(maxlen=EVENTS_KEPT)
        self.risks: list[str] = []
        """Lines about data that stopping loses. They are shown again on the normal screen when the
        live view has ended."""
        self.question = ""
        """The question that waits for an answer. The live view shows it first."""
        self.dropped = 0
        self.stopping = False
        self.repetition = Repetition()
        self.began = time.monotonic()

    def show_event(self, event: OperatorEvent) -> None:
        """Show one event, unless it repeats an earlier one (see `repetition`)."""
        shown = self.repetition.event_to_show(event, time.monotonic())
        if shown is None:
            return
        self.dropped += self.stdout.lost
        self.stdout.lost = 0
        if self.dropped and self.write_event(EventsDroppedEvent(count=self.dropped)):
            self.dropped = 0
        if self.dropped or not self.write_event(shown):
            self.dropped += 1

    def write_event(self, event: OperatorEvent) -> bool:
        """Show one event. Return False if it did not fit."""
        if self.as_json:
            return self.stdout.put(json_line(time.time(), event) + "\n")
        lines = text_lines(event)
        self.stopping |= isinstance(event, StoppingEvent)
        if not lines or (self.stopping and isinstance(event, LinkDownEvent)):
            return True
        clock = "%H:%M:%S" if self.is_live else "%Y-%m-%d %H:%M:%S%z"
        line = f"{time.strftime(clock)}  {lines[0]}"
        if self.recent and line == self.recent[-1]:  # both ends of a link report it
            return True
        self.recent.append(line)
        if isinstance(event, ConfirmEvent):
            self.question = lines[0]
        elif isinstance(event, NotStoppedEvent | StoppingEvent):
            self.question = ""
        if isinstance(event, DataAtRiskEvent):
            self.risks.append(line)
        elif isinstance(event, NotStoppedEvent):
            self.risks.clear()
        return self.is_live or self.stdout.put("\n".join([line, *lines[1:], ""]))

    async def keep_drawing(self, runtime: Runtime) -> None:
        """Draw the live view every `REFRESH_SECONDS`, until cancelled."""
        self.live.start()
        try:
            while True:
                if not self.stdout.size:  # skip it while the terminal takes nothing
                    self.live.update(self.draw_view(runtime), refresh=True)
                await trio.sleep(REFRESH_SECONDS)
        finally:
            self.live.stop()
            self.stdout.put("".join(f"{line}\r\n" for line in self.risks))

    async def handle_suspend(self) -> None:
        """Restore the normal screen before Ctrl-Z stops the process, and switch back afterwards."""
        with trio.open_signal_receiver(signal.SIGTSTP) as signals:
            async for _ in signals:
                self.live.stop()
                await self.stdout.close()
                os.kill(os.getpid(), signal.SIGSTOP)
                self.live.start()

    def draw_view(self, runtime: Runtime) -> Layout:
        """Return the present view, for the present size of the terminal."""
        now = time.monotonic()
        state = ViewState(
            names=runtime.control.regions(),
            regions=runtime.metrics(now),
            links=runtime.links(),
            events=list(self.recent),
            seconds=now - self.began,
            memory=human(resident_bytes()),
            question=self.question,
        )
        return draw(state, *self.console.size)
