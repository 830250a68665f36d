"""Promotion: a follower only copies its sources, and a promoted follower is a database of its own.

A promoted follower accepts writes and reads immediately, and says so in ROLE. It receives nothing
more of its former sources, and no operation of them waits in it.

A follower says in ROLE that it follows. It says `connected` only if it has all that its first
source has reported within the last second, so the source must have sent something in that time, and
no snapshot may be under way.

`following` checks the data, and that a follower writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, cast

from crdt.causality.dots import Vector
from replication.follow.follower import IN_SYNC_NS
from sim.checkers.replicas.convergence import shown
from sim.engine.checker import Checker, Followed
from sim.nodes.client import Refusal, Reply
from sim.nodes.run_history import RunHistory
from sim.nodes.state_hash import Change
from sim.schedule.step import Words

OF_COPIES: Final = ("READONLY", "MASTERDOWN", "LOADING", "STALE")
"""The errors with which a region or a follower refuses commands because its data is a copy."""


class PromotionChecker(Checker):
    """Checks what followers say and accept before and after a promotion."""

    promise: ClassVar[str] = "promotion"

    def __init__(self, run_history: RunHistory) -> None:
        super().__init__(run_history)
        self.copied: dict[str, Vector] = {}
        """The vector of each promoted follower at its promotion."""

    def on_promotion(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Check that nothing waits in a follower that was promoted. Raises Violation."""
        self.looked += 1
        self.copied[copy.name] = dict(copy.replica.keyspace.vector)
        waiting = copy.replica.statistics().waiting_bytes
        if waiting:
            raise self.violation(
                f"{copy.name} was promoted, and {waiting} bytes of its sources wait in it"
            )

    def on_follower_turn(self, copy: Followed, changes: Sequence[Change]) -> None:
        """Check that a promoted follower receives nothing more. Raises Violation."""
        if copy.is_following:
            self.copied.pop(copy.name, None)
            return
        copied = self.copied[copy.name]
        db = copy.replica.keyspace
        for origin, seq in db.vector.items():
            if origin != db.origin and seq > copied.get(origin, 0):
                raise self.violation(
                    f"{copy.name} was promoted with {shown(copied)}, and now has {shown(db.vector)}"
                )

    def on_follower_replies(
        self, copy: Followed, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Check that a promoted follower refuses nothing, and check ROLE. Raises Violation."""
        for words, reply in zip(commands, replies, strict=False):
            if words[0] == "ROLE":
                self.check_role(copy, reply)
            elif isinstance(reply, Refusal) and not copy.is_following:
                self.looked += 1
                if reply.text.partition(" ")[0] in OF_COPIES:
                    raise self.violation(
                        f"{copy.name} was promoted and answers {' '.join(words)} with {reply.text}"
                    )

    def check_role(self, copy: Followed, reply: Reply) -> None:
        """Check the reply to ROLE. Raises Violation."""
        self.looked += 1
        says = [item.decode() for item in cast("list[Reply]", reply) if isinstance(item, bytes)]
        follows = says[0] != "master"
        if follows != copy.is_following:
            raise self.violation(
                f"{copy.name} {'follows' if copy.is_following else 'was promoted'} and says that"
                f" it is a {says[0]}"
            )
        if not follows or says[-1] != "connected":
            return
        silence = copy.silence_ns()
        if silence is None or silence >= IN_SYNC_NS:
            raise self.violation(
                f"{copy.name} says that it has what its source has, which has said nothing for"
                f" {'ever' if silence is None else f'{silence // 1_000_000} ms'}"
            )
        if copy.is_loading:
            raise self.violation(
                f"{copy.name} says that it has what its source has, whose snapshot is under way"
            )
