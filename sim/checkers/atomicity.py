"""A transaction is seen as a whole or not at all, in every region.

The workload writes to some keys in pairs only: each transaction does the same to `pair:N` and to
`twin:N`. So the two must be equal wherever and whenever somebody looks: after each turn of each
region and each follower, and in the replies of clients that ask for both at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from crdt.store.keyspace import Keyspace
from sim.engine.checker import Checker, Followed, Watched
from sim.nodes.client import Reply
from sim.nodes.effects import read
from sim.nodes.mirror import Change
from sim.schedule.exchange import carried_out
from sim.schedule.step import Words

PAIR: Final = "pair:"
TWIN: Final = "twin:"


class Atomicity(Checker):
    """All or nothing."""

    promise: ClassVar[str] = "atomicity"

    def turned(self, region: Watched, changes: Sequence[Change]) -> None:
        """Compare the pairs of which something has changed."""
        self.look(region.name, region.replica.keyspace, changes)

    def followed(self, copy: Followed, changes: Sequence[Change]) -> None:
        """The same in a follower."""
        self.look(copy.name, copy.replica.keyspace, changes)

    def look(self, name: str, db: Keyspace, changes: Sequence[Change]) -> None:
        """Compare the pairs of which something has changed."""
        keys = {key[5:] for change in changes if (key := change.key)[:5] in {b"pair:", b"twin:"}}
        for key in sorted(keys):
            self.looked += 1
            one, other = read(db, b"pair:" + key), read(db, b"twin:" + key)
            if one != other:
                raise self.broken(
                    f"{name} shows {one!r} under {PAIR}{key.decode()}"
                    f" and {other!r} under {TWIN}{key.decode()}, which are only written together"
                )

    def replied(
        self, region: Watched, session: int, commands: Sequence[Words], replies: Sequence[Reply]
    ) -> None:
        """Compare the replies to those who ask for both."""
        told: dict[str, Reply] = {}
        for words, reply in carried_out(commands, replies):
            if len(words) == 2 and words[1].startswith((PAIR, TWIN)):
                other = told.setdefault(f"{words[0]} {words[1][5:]}", reply)
                self.looked += other is not reply
                if other != reply:
                    raise self.broken(
                        f"{region.name} answers {' '.join(words)} with {reply!r},"
                        f" and the same of its twin with {other!r}"
                    )
