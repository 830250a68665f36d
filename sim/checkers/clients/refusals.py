"""A region that lacks what it has written says so, and writes nothing (rules STL-1 to STL-3).

Until it has caught up clients get LOADING. If it is set to serve what it has, they may read and get
STALE for writes. So it is in a transaction that was queued before, whatever the order of its
commands. Nothing is written on the region's own account either, such as deletions of what has
expired. A region that has caught up refuses nobody for that.

Not checked: followers; commands that need no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from sim.checkers.clients.reads import READS
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Refusal, Reply
from sim.nodes.run_history import Entry
from sim.schedule.step import Words

SAID: Final = ("LOADING", "STALE")


class RefusalsChecker(Checker):
    """Checks that a region refuses commands until it has caught up."""

    promise: ClassVar[str] = "refusals"

    def on_op_made(self, region: Watched, entry: Entry) -> None:
        """Nothing may be written before the region has caught up."""
        if not region.has_caught_up:
            raise self.violation(
                f"{region.name} has not caught up with its peers and writes {entry}"
            )

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Compare each reply with what the region may say."""
        serves = region.has_caught_up or region.instance.config.serves_stale
        self.looked += not region.has_caught_up
        for words, reply in zip(commands, replies, strict=False):
            said = reply.text.partition(" ")[0] if isinstance(reply, Refusal) else ""
            if said in SAID and region.has_caught_up:
                raise self.violation(
                    f"{region.name} has caught up and answers {' '.join(words)} with {said}"
                )
            is_read = words[0] in READS or (words[0] == "EXEC" and isinstance(reply, list))
            if is_read and reply and reply != "QUEUED" and not said and not serves:
                raise self.violation(
                    f"{region.name} has not caught up with its peers and answers"
                    f" {' '.join(words)} with {reply!r}"
                )
