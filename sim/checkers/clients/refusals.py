"""Refusals: a region that has not caught up refuses commands (rules STL-1 to STL-3).

Until the region has caught up, clients get LOADING. If it is configured to serve stale data, they
can read, and get STALE for writes. The same holds for transactions that were queued before,
whatever the order of their commands. The region must not make writes of its own either, such as the
deletion of expired keys. A region that has caught up must not reply LOADING or STALE.

Not checked: followers, and commands and transactions that need no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from crdt.causality.effect import Effect
from sim.checkers.clients.reads import READS
from sim.engine.checker import Checker, Watched
from sim.nodes.client import Refusal, Reply
from sim.schedule.step import Words

REFUSAL_CODES: Final = ("LOADING", "STALE")
PUBLISHING: Final = frozenset({"PUBLISH", "SPUBLISH"})
"""Commands that need no data. The messages do not cross then."""


class RefusalsChecker(Checker):
    """Checks that a region refuses commands until it has caught up."""

    promise: ClassVar[str] = "refusals"

    def on_effects_made(self, region: Watched, first: int, effects: Sequence[Effect]) -> None:
        """Check that a region writes nothing before it has caught up. Raises Violation.

        The operation may be made later: the region can begin to recover in between.
        """
        if not region.has_caught_up:
            raise self.violation(
                f"{region.name} has not caught up with its peers and makes {len(effects)} effects,"
                f" from {first} on"
            )

    def on_replies(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Check that each reply is allowed in the state of the region. Raises Violation."""
        serves = region.has_caught_up or region.instance.config.serves_stale
        self.looked += not region.has_caught_up
        for words, reply in zip(commands, replies, strict=False):
            code = reply.text.partition(" ")[0] if isinstance(reply, Refusal) else ""
            if code in REFUSAL_CODES and region.has_caught_up:
                raise self.violation(
                    f"{region.name} has caught up and answers {' '.join(words)} with {code}"
                )
            is_read = words[0] in READS or (
                words[0] == "EXEC"
                and isinstance(reply, list)
                and PUBLISHING.isdisjoint(each[0] for each in commands)
            )
            if is_read and reply and reply != "QUEUED" and not code and not serves:
                raise self.violation(
                    f"{region.name} has not caught up with its peers and answers"
                    f" {' '.join(words)} with {reply!r}"
                )
