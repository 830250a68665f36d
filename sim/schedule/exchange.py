"""The commands that a client sent and their replies, with transactions taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

from sim.nodes.client import Refusal, Reply
from sim.schedule.step import Words

Exchange: TypeAlias = tuple[Words, Reply]


def executed_commands(commands: Sequence[Words], replies: Sequence[Reply]) -> list[Exchange]:
    """Return each command that was carried out with its reply.

    The commands of a transaction stand in the place of its EXEC. A transaction that was aborted or
    discarded leaves nothing. Of a transaction that an earlier request began, its EXEC and what was
    queued are left out: the other commands of it are not in this request.
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
