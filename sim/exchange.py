"""What a client sent and was told, command by command, with transactions taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

from sim.client import Refusal, Reply
from sim.step import Words

Exchange: TypeAlias = tuple[Words, Reply]


def carried_out(commands: Sequence[Words], replies: Sequence[Reply]) -> list[Exchange]:
    """Return each command that was carried out with its reply. What a transaction held stands in
    the place of its EXEC; of one that was aborted or discarded nothing is left."""
    done: list[Exchange] = []
    queue: list[Words] | None = None
    for words, reply in zip(commands, replies, strict=False):
        if words[0] == "MULTI":
            queue = []
        elif words[0] == "EXEC":
            held, queue = queue or [], None
            if isinstance(reply, list):
                done += zip(held, cast("list[Reply]", reply), strict=True)
        elif queue is not None:
            if not isinstance(reply, Refusal):
                queue.append(words)
        else:
            done.append((words, reply))
    return done
