"""The recording of a run for readers: its events and its messages.

A world's `Recorder` keeps the latest events and messages. It makes a `Picture` of them, which is a
space-time diagram or text. Heartbeats and acknowledgements are left out. Messages with data,
requests for data, and failures are shown.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from sim.report.diagram import Arrow, Band, Mark, Picture

KEPT_MAX: Final = 2_000  # events kept, and messages kept: more than a reader examines
TEXT_MAX: Final = 48  # characters of one label

# The styles of trace records. STYLES show the kind of record in the mark, and MARKED_KINDS do not.
STYLES: Final = {
    "boot": "life",
    "caught up": "life",
    "crash": "fault",
    "pause": "fault",
    "damaged": "fault",
    "broken": "broken",
}
MARKED_KINDS: Final = {
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
    """Records the events and messages of a world."""

    def __init__(self) -> None:
        self.marks: deque[Mark] = deque(maxlen=KEPT_MAX)
        self.arrows: deque[Arrow] = deque(maxlen=KEPT_MAX)
        self.bands: list[Band] = []
        self.closed: dict[str, int] = {}
        self.now = 0

    def record_note(self, now: int, where: str, what: str, detail: str) -> None:
        """Record an entry of the trace, as a mark or as part of a band."""
        self.now = now
        if what in {"closed", "cut"}:
            self.closed.setdefault(where, now)
        elif what in {"opened", "healed"} and where in self.closed:
            source, _, sink = where.partition(">")
            self.bands.append(Band(self.closed.pop(where), now, source, sink))
        elif what in MARKED_KINDS:
            self.marks.append(Mark(now, where, MARKED_KINDS[what], shorten_text(detail)))
        elif what in STYLES:
            self.marks.append(
                Mark(now, where, STYLES[what], shorten_text(f"{what} {detail}".strip()))
            )

    def record_message(self, sent: int, now: int, ends: tuple[str, str], text: str) -> None:
        """Record a message that has arrived."""
        self.arrows.append(Arrow(sent, now, *ends, shorten_text(text)))

    def record_lost(self, sent: int, now: int, ends: tuple[str, str], text: str) -> None:
        """Record a message that was lost."""
        self.arrows.append(Arrow(sent, now, *ends, shorten_text(text), is_lost=True))

    def make_picture(self, regions: tuple[str, ...], begin: int = 0) -> Picture:
        """Return a picture of the recorded events and messages from `begin` (ns) on."""
        open_bands = [Band(at, self.now, *where.split(">")) for where, at in self.closed.items()]
        bands = [band for band in [*self.bands, *open_bands] if band.end >= begin]
        return Picture(
            regions,
            tuple(mark for mark in self.marks if mark.at >= begin),
            tuple(arrow for arrow in self.arrows if arrow.sent >= begin),
            tuple(bands),
        )


def shorten_text(text: str) -> str:
    """Return a text that is short enough for a label."""
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"
