"""Driver: show events as lines of JSON, as plain lines, or in a live view on a terminal.

A live view uses the terminal's alternate screen and restores the normal one at the end. A slow
terminal or reader never blocks the regions (see `stdout_writer`). Events that cannot be written are
dropped and counted. The count is shown as soon as something can be written again.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Mapping
from typing import Final, TextIO, cast

import trio
from rich.console import Console
from rich.text import Text

from crdb.cli.stdout_writer import StdoutWriter
from crdb.engine.event_names import EventName
from crdb.net.process import human, resident_bytes
from crdb.region.report.events import json_line, text_lines
from crdb.region.report.operator_events import make_event
from crdb.region.report.repetition import Repetition
from crdb.region.report.view import Moment, draw
from crdb.region.runtime import Runtime

STDOUT: Final = 1
REFRESH_SECONDS: Final = 0.5
EVENTS_KEPT: Final = 200
"""More than any terminal has lines."""
ENTER: Final = "\x1b[?1049h\x1b[?25l"
"""Switches to the alternate screen and hides the cursor."""
LEAVE: Final = "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


class Screen:
    """Shows the events of this process."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        # If standard output is closed, descriptor 1 may belong to a socket by now.
        is_open = cast("TextIO | None", sys.stdout) is not None
        self.stdout = StdoutWriter(STDOUT if is_open else None)
        self.console = Console()
        is_rich = self.console.is_terminal and not self.console.is_dumb_terminal
        self.is_live = is_open and is_rich and not as_json
        self.recent: deque[str] = deque(maxlen=EVENTS_KEPT)
        self.risks: list[str] = []
        """Lines about data that stopping loses. They are shown again on the normal screen when the
        live view has ended."""
        self.dropped = 0
        self.stopping = False
        self.repetition = Repetition()
        self.began = time.monotonic()

    def show_event(self, event: EventName, details: Mapping[str, object]) -> None:
        """Show one event, unless it repeats an earlier one (see `repetition`)."""
        found = self.repetition.details_to_show(event, details, time.monotonic())
        if found is None:
            return
        details = found
        if self.dropped and self.write_event("events dropped", {"count": self.dropped}):
            self.dropped = 0
        if self.dropped or not self.write_event(event, details):
            self.dropped += 1

    def write_event(self, event: EventName, details: Mapping[str, object]) -> bool:
        """Show one event. Return False if it did not fit."""
        made = make_event(event, details)
        if self.as_json:
            return self.stdout.put(json_line(time.time(), made) + "\n")
        lines = text_lines(made)
        self.stopping |= event == "stopping"
        if not lines or (self.stopping and event == "link down"):
            return True
        clock = "%H:%M:%S" if self.is_live else "%Y-%m-%d %H:%M:%S%z"
        line = f"{time.strftime(clock)}  {lines[0]}"
        if self.recent and line == self.recent[-1]:  # both ends of a link report it
            return True
        self.recent.append(line)
        if event == "data at risk":
            self.risks.append(line)
        elif event == "not stopped":
            self.risks.clear()
        return self.is_live or self.stdout.put("\n".join([line, *lines[1:], ""]))

    async def keep_drawing(self, runtime: Runtime) -> None:
        """Draw the live view every `REFRESH_SECONDS`, until cancelled."""
        self.stdout.put(ENTER)
        try:
            while True:
                if not self.stdout.size:  # skip it while the terminal takes nothing
                    self.stdout.put(self.render_view(runtime))
                await trio.sleep(REFRESH_SECONDS)
        finally:
            self.stdout.put("".join([LEAVE, *[f"{line}\r\n" for line in self.risks]]))

    async def handle_suspend(self) -> None:
        """Restore the normal screen before Ctrl-Z stops the process, and switch back afterwards."""
        with trio.open_signal_receiver(signal.SIGTSTP) as signals:
            async for _ in signals:
                self.stdout.put(LEAVE)
                await self.stdout.close()
                os.kill(os.getpid(), signal.SIGSTOP)
                self.stdout.put(ENTER)

    def render_view(self, runtime: Runtime) -> str:
        """Return the present view, with control sequences for a terminal."""
        now = time.monotonic()
        moment = Moment(
            names=runtime.control.regions(),
            regions=runtime.figures(now),
            links=runtime.links(),
            events=list(self.recent),
            seconds=now - self.began,
            memory=human(resident_bytes()),
        )
        width, height = terminal_size()
        lines = [self.render_line(line) for line in draw(moment, width, height)]
        return HOME + f"{CLEAR_LINE}\r\n".join(lines) + CLEAR_LINE + CLEAR_BELOW

    def render_line(self, line: Text) -> str:
        """Return one line with its colours, if the terminal supports them."""
        with self.console.capture() as capture:
            self.console.print(line, end="", no_wrap=True, overflow="ignore", crop=False)
        return capture.get()


def terminal_size() -> tuple[int, int]:
    """Return the columns and lines of the terminal; 80 and 24 if they are unknown."""
    try:
        width, height = os.get_terminal_size(STDOUT)
    except OSError:
        width, height = 0, 0
    return (width, height) if width > 0 and height > 0 else (80, 24)
