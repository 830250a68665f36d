"""Every conformance scenario in the simulator, where cuts are free and time is ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from sim.engine.events import MS, SECOND
from sim.nodes.client import Refusal
from sim.schedule.plan import Plan
from sim.world.world import World
from tests.contract.scenarios.cases import Case, Player, Refused, cases

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own

NAMES = ("one", "two", "three", "four", "five")
DELAY_MS = 30


class Simulated:
    """Regions of a simulated world, with all links cut. Replies are put through redis-py's own
    callbacks, so that they come in the form that scenarios are written in."""

    def __init__(self, regions: int) -> None:
        self.names = NAMES[:regions]
        self.world = World(Plan.of(self.names, delay_ms=DELAY_MS))
        callbacks: Any = Redis(decode_responses=True, protocol=2).response_callbacks
        self.callbacks: dict[str, Callable[[Any], Any]] = callbacks
        self.pairs = [(a, b) for a in self.names for b in self.names if a != b]
        assert self.world.settle(60 * SECOND)
        for pair in self.pairs:
            self.world.cut_link(*pair)

    def run(self, at: int, commands: Sequence[Sequence[str]], is_transaction: bool) -> Any:
        name = self.names[at - 1]
        if not is_transaction:
            return self.cooked(commands[0], self.world.run(name, *commands[0]))
        replies = self.world.run_all(name, ("MULTI",), *commands, ("EXEC",))
        return [self.cooked(*pair) for pair in zip(commands, replies[-1], strict=True)]

    def cooked(self, command: Sequence[str], reply: Any) -> Any:
        """A reply as redis-py gives it."""
        if isinstance(reply, Refusal):
            raise Refused(reply.text)
        callback = self.callbacks.get(command[0].upper())
        decoded = decoded_reply(reply)
        try:
            return decoded if callback is None else callback(decoded)
        except ResponseError as error:
            raise Refused(str(error)) from error

    def sync(self, regions: Sequence[int]) -> None:
        names = [self.names[region - 1] for region in regions] or list(self.names)
        chosen = [(a, b) for a, b in self.pairs if a in names and b in names]
        for pair in chosen:
            self.world.heal_link(*pair)
        assert self.world.settle(60 * SECOND)
        for pair in chosen:
            self.world.cut_link(*pair)

    def wait(self, ms: int) -> None:
        self.world.sleep(ms * MS)

    def clock(self, at: int, ms: int | None) -> None:
        self.world.set_clock(self.names[at - 1], ms)

    def subscribe(self, at: int, channel: str) -> None:
        pytest.skip("a simulated client has no subscriptions")

    def message(self, at: int) -> Any:
        raise AssertionError("nothing was subscribed to")


def decoded_reply(reply: Any) -> Any:
    """Byte strings as text."""
    if isinstance(reply, bytes):
        return reply.decode()
    if isinstance(reply, list):
        return [decoded_reply(item) for item in cast("list[Any]", reply)]
    return reply


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_scenario(case: Case) -> None:
    backend = Simulated(case.regions)
    Player(case, backend).play()
    for pair in backend.pairs:
        backend.world.heal_link(*pair)
    backend.wait(10_000)
    backend.world.check_end()
