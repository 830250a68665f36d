"""What happened in a run, for people: who did what when, and which message went where.

A `Recorder` is given to a world and keeps the latest moments and messages. They make a
`Picture`: a space-time diagram, or the same as text. Heartbeats and acknowledgements are left out:
what carries data, what asks for it, and what breaks is shown.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from sim.report.diagram import Arrow, Band, Mark, Picture

KEPT_MAX: Final = 2_000  # moments, and as many messages: more than a person looks at
TEXT_MAX: Final = 48  # letters of one label

# What is worth a mark, and in which style it is drawn. A region's own reports are shown whole.
STYLES: Final = {
    "boot": "life",
    "caught up": "life",
    "crash": "fault",
    "pause": "fault",
    "damaged": "fault",
    "broken": "broken",
}
TOLD: Final = {
    "run": "write",
    "OriginReused": "fault",
    "Merged": "sync",
    "SnapshotWanted": "sync",
    "GapFound": "sync",
    "GapUnfilled": "sync",
    "Stalled": "sync",
    "Closed": "link",
}


class Recorder:
    """Keeps what a world does."""

    def __init__(self) -> None:
        self.marks: deque[Mark] = deque(maxlen=KEPT_MAX)
        self.arrows: deque[Arrow] = deque(maxlen=KEPT_MAX)
        self.bands: list[Band] = []
        self.closed: dict[str, int] = {}
        self.now = 0

    def record_note(self, now: int, where: str, what: str, detail: str) -> None:
        """A record of the trace."""
        self.now = now
        if what in {"closed", "cut"}:
            self.closed.setdefault(where, now)
        elif what in {"opened", "healed"} and where in self.closed:
            source, _, sink = where.partition(">")
            self.bands.append(Band(self.closed.pop(where), now, source, sink))
        elif what in TOLD:
            self.marks.append(Mark(now, where, TOLD[what], shorten_text(detail)))
        elif what in STYLES:
            self.marks.append(
                Mark(now, where, STYLES[what], shorten_text(f"{what} {detail}".strip()))
            )

    def record_message(self, sent: int, now: int, ends: tuple[str, str], text: str) -> None:
        """A message from one region has arrived at another."""
        self.arrows.append(Arrow(sent, now, *ends, shorten_text(text)))

    def record_lost(self, sent: int, now: int, ends: tuple[str, str], text: str) -> None:
        """A message will never arrive."""
        self.arrows.append(Arrow(sent, now, *ends, shorten_text(text), is_lost=True))

    def make_picture(self, regions: tuple[str, ...], begin: int = 0) -> Picture:
        """Return a picture of what was kept from `begin` on."""
        open_bands = [Band(at, self.now, *where.split(">")) for where, at in self.closed.items()]
        bands = [band for band in [*self.bands, *open_bands] if band.end >= begin]
        return Picture(
            regions,
            tuple(mark for mark in self.marks if mark.at >= begin),
            tuple(arrow for arrow in self.arrows if arrow.sent >= begin),
            tuple(bands),
        )


def shorten_text(text: str) -> str:
    """A label that fits its lane."""
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"
