"""Commands of a client paired with their replies. Transactions are expanded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

from sim.nodes.client import Refusal, Reply
from sim.schedule.step import Words

Exchange: TypeAlias = tuple[Words, Reply]


def executed_commands(commands: Sequence[Words], replies: Sequence[Reply]) -> list[Exchange]:
    """Return each executed command with its reply.

    EXEC is replaced by the commands of its transaction. An aborted or discarded transaction is left
    out. If an earlier request began a transaction, its commands and its EXEC in this request are
    also left out, because the commands that the earlier request queued are not known here.
    """
    done: list[Exchange] = []
    queue: list[Words] | None = None
    for words, reply in zip(commands, replies, strict=False):
        if words[0] == "MULTI" and not isinstance(reply, Refusal):
            queue = []
        elif words[0] in {"EXEC", "DISCARD"}:
            if queue is not None and words[0] == "EXEC" and isinstance(reply, list):
                done += zip(queue, cast("list[Reply]", reply), strict=True)
            queue = None
        elif reply == "QUEUED":
            if queue is not None:
                queue.append(words)
        elif queue is None:
            done.append((words, reply))
    return done
