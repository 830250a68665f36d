"""Driver: where events go: lines of JSON, plain lines, or a live view on a terminal.

A live view takes the terminal's second screen and gives the first one back at the end. Nothing
that happens to the terminal or to the reader of a pipe makes the regions wait (see `outlet`); what
nobody has read is dropped, counted, and told as soon as somebody reads again.
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

from crdb.cli.outlet import Outlet
from crdb.engine.event_names import EventName
from crdb.net.process import human, resident_bytes
from crdb.region.report.events import json_line, text_lines
from crdb.region.report.repetition import Repetition
from crdb.region.report.view import Moment, draw
from crdb.region.runtime import Runtime

STDOUT: Final = 1
REFRESH_SECONDS: Final = 0.5
EVENTS_KEPT: Final = 200
"""More than any terminal has lines."""
ENTER: Final = "\x1b[?1049h\x1b[?25l"
"""The second screen, without a cursor."""
LEAVE: Final = "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


class Screen:
    """What shows the events of this process."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        # Without an output of our own, its number may be that of a socket by now.
        is_open = cast("TextIO | None", sys.stdout) is not None
        self.outlet = Outlet(STDOUT if is_open else None)
        self.console = Console()
        is_rich = self.console.is_terminal and not self.console.is_dumb_terminal
        self.is_live = is_open and is_rich and not as_json
        self.recent: deque[str] = deque(maxlen=EVENTS_KEPT)
        self.risks: list[str] = []
        """Lines about data that stopping loses. They are shown again on the first screen, where
        they stay when the live view has gone."""
        self.dropped = 0
        self.stopping = False
        self.repetition = Repetition()
        self.began = time.monotonic()

    def tell(self, event: EventName, details: Mapping[str, object]) -> None:
        """Show one event, unless it only repeats the one before."""
        found = self.repetition.details_to_show(event, details, time.monotonic())
        if found is None:
            return
        details = found
        if self.dropped and self.say("events dropped", {"count": self.dropped}):
            self.dropped = 0
        if self.dropped or not self.say(event, details):
            self.dropped += 1

    def say(self, event: EventName, details: Mapping[str, object]) -> bool:
        """Show one event; False if there is no room for it."""
        if self.as_json:
            return self.outlet.put(json_line(time.time(), event, details) + "\n")
        lines = text_lines(event, details)
        self.stopping |= event == "stopping"
        if not lines or (self.stopping and event == "link down"):
            return True
        clock = "%H:%M:%S" if self.is_live else "%Y-%m-%d %H:%M:%S%z"
        line = f"{time.strftime(clock)}  {lines[0]}"
        if self.recent and line == self.recent[-1]:  # of the two ends of a link
            return True
        self.recent.append(line)
        if event == "data at risk":
            self.risks.append(line)
        elif event == "not stopped":
            self.risks.clear()
        return self.is_live or self.outlet.put("\n".join([line, *lines[1:], ""]))

    async def watch(self, runtime: Runtime) -> None:
        """Draw the view again and again, until cancelled."""
        self.outlet.put(ENTER)
        try:
            while True:
                if not self.outlet.size:  # a terminal that takes nothing gets the next one
                    self.outlet.put(self.picture(runtime))
                await trio.sleep(REFRESH_SECONDS)
        finally:
            self.outlet.put("".join([LEAVE, *[f"{line}\r\n" for line in self.risks]]))

    async def rest(self) -> None:
        """Give the terminal back before Ctrl-Z stops the process, and take it when that goes on."""
        with trio.open_signal_receiver(signal.SIGTSTP) as signals:
            async for _ in signals:
                self.outlet.put(LEAVE)
                await self.outlet.close()
                os.kill(os.getpid(), signal.SIGSTOP)
                self.outlet.put(ENTER)

    def picture(self, runtime: Runtime) -> str:
        """The view of this moment, as a terminal takes it."""
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
        lines = [self.rendered(line) for line in draw(moment, width, height)]
        return HOME + f"{CLEAR_LINE}\r\n".join(lines) + CLEAR_LINE + CLEAR_BELOW

    def rendered(self, line: Text) -> str:
        """One line with its colours, if the terminal is to have any."""
        with self.console.capture() as capture:
            self.console.print(line, end="", no_wrap=True, overflow="ignore", crop=False)
        return capture.get()


def terminal_size() -> tuple[int, int]:
    """Columns and lines; what terminals had for decades where ours does not say."""
    try:
        width, height = os.get_terminal_size(STDOUT)
    except OSError:
        width, height = 0, 0
    return (width, height) if width > 0 and height > 0 else (80, 24)
