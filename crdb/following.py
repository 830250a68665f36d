"""Replica Of: what an instance follows, and what that means for its clients.

Until the machines of `replication.replica_of` are wired in here, an instance follows nobody.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import trio

from crdb.instance import Instance

Report = Callable[[str, Mapping[str, object]], None]


class Following:
    def __init__(self, instance: Instance, rng: random.Random, report: Report) -> None:
        self.instance = instance

    def follow(self, host: str, port: int) -> None:
        raise NotImplementedError

    def role(self) -> str:
        return "active"

    def wake(self) -> None: ...

    async def run(self) -> None:
        await trio.sleep_forever()
