"""Play every scenario of conflicts with every way of delivering writes.

Regions receive the writes of each other as operations in one order or another, through a third
region, as whole snapshots, as both in turn, or with metadata forgotten in between. After every
sync, the regions that took part must show the same. If nothing was forgotten, they must hold the
same bytes.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from itertools import pairwise, permutations
from typing import Any, Final, cast

import pytest

from crdb.resp.decoder import ErrorReply, Status
from crdt import Replica
from crdt.errors import HistoryTruncated
from sim.nodes import client
from sim.nodes.client import Reply
from sim.scenarios.conflicts import (
    Commands,
    ConflictScenario,
    ScenarioError,
    parse_client_step,
)
from sim.scenarios.language import EXPECTED
from tests.contract.conflicts.loading import each_conflict
from tests.contract.conflicts.playing import play_conflict
from tests.crdb.regions import Regions

pytestmark = [pytest.mark.no_cover, pytest.mark.long]  # its parts have tests of their own

Pair = tuple[int, int]


def forwards(regions: Sequence[int]) -> list[Pair]:
    """Deliver from each region to each other one, region 1 first."""
    return list(permutations(regions, 2))


def backwards(regions: Sequence[int]) -> list[Pair]:
    """Deliver from each region to each other one, the last region first."""
    return forwards(regions)[::-1]


def in_line(regions: Sequence[int]) -> list[Pair]:
    """Deliver along a line of regions and back. The ends receive from each other through the
    middle."""
    there = list(pairwise(regions))
    return there + [(sink, source) for source, sink in reversed(there)]


def by_operations(_number: int) -> bool:
    """Deliver operations only."""
    return False


def by_snapshots(_number: int) -> bool:
    """Deliver snapshots only."""
    return True


def in_turn(number: int) -> bool:
    """Deliver a snapshot every second time, and operations otherwise."""
    return number % 2 == 1


class Way:
    """A way to bring regions together."""

    def __init__(
        self,
        name: str,
        order: Callable[[Sequence[int]], list[Pair]],
        is_snapshot: Callable[[int], bool],
        *,
        forgets: bool = False,
        tombstones: bool = False,
    ) -> None:
        self.name = name
        self.order = order
        self.is_snapshot = is_snapshot
        self.forgets = forgets
        self.tombstones = tombstones
        """True if each key has held values that were deleted and not yet forgotten. Readers see
        nothing of that, so no reply may depend on it."""


WAYS: Final = (
    Way("operations", forwards, by_operations),
    Way("operations, backwards", backwards, by_operations),
    Way("operations, in line", in_line, by_operations),
    Way("snapshots", forwards, by_snapshots),
    Way("snapshots, in line", in_line, by_snapshots),
    Way("both, backwards", backwards, in_turn),
    Way("both, forgetting", forwards, in_turn, forgets=True),
    Way("operations, over tombstones", forwards, by_operations, tombstones=True),
    Way("snapshots, over tombstones", forwards, by_snapshots, tombstones=True),
)
COUNTS: Final = (("INCR",), ("HINCRBY", "field", "1"), ("ZINCRBY", "1", "member"))
"""Commands that leave a tombstone when their key is deleted, each without its key."""


class LocalBackend:
    """Regions in this process, without links."""

    def __init__(self, way: Way, keys: Sequence[str] = ()) -> None:
        self.way = way
        self.keys = keys
        self.names: list[str] = []
        self.regions = Regions(0)

    def begin(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.regions = Regions(len(names))
        for instance in self.regions.instances.values():
            instance.allows_test_clock = True
        if self.way.tombstones:
            self.leave_tombstones()

    def leave_tombstones(self) -> None:
        """Let each key hold counters of several types and then a string, each deleted by the last
        region. An EXPIRE concurrent with the last deletion leaves a deadline without a key."""
        for name, *rest in COUNTS:
            for key in self.keys:
                self.regions.run(1, name, key, *rest)
            self.regions.sync()
            for key in self.keys:
                self.regions.run(len(self.names), "DEL", key)
            self.regions.sync()
        for key in self.keys:
            self.regions.run(1, "SET", key, "value")
        self.regions.sync()
        for key in self.keys:
            self.regions.run(1, "EXPIRE", key, "1000000")
            self.regions.run(len(self.names), "DEL", key)
        self.regions.sync()

    def number_of(self, place: str) -> int:
        """Return the number of a region."""
        return self.names.index(place) + 1

    def run(self, place: str, commands: Commands) -> list[Reply]:
        return [
            plain(reply) for reply in self.regions.transaction(self.number_of(place), *commands)
        ]

    def sync(self, places: Sequence[str]) -> None:
        chosen = [self.number_of(place) for place in places]
        for number, (source, sink) in enumerate(self.way.order(chosen) * 2):
            self.bring(source, sink, self.way.is_snapshot(number))
        replicas = [self.regions.replicas[n] for n in chosen]
        assert len({replica.digest() for replica in replicas}) == 1
        if self.way.forgets and len(chosen) == len(self.names):
            self.regions.collect()
        elif not self.way.forgets:
            assert len({state_of(replica) for replica in replicas}) == 1

    def bring(self, source: int, sink: int, by_snapshot: bool) -> None:
        """Deliver to one region what another has."""
        if not by_snapshot:
            try:
                self.regions.send(source, sink)
            except HistoryTruncated:  # a merged snapshot leaves a history without its beginning
                by_snapshot = True
        if by_snapshot:
            self.regions.merge(source, sink)

    def wait(self, ms: int) -> None:
        self.regions.now += ms

    def set_clock(self, place: str, ms: int | None) -> None:
        self.regions.instances[self.number_of(place)].set_test_clock(ms)


def arguments_of(conflict: ConflictScenario) -> list[str]:
    """Return all arguments of a scenario's commands, each once. The keys are among them."""
    words: dict[str, None] = {}
    for _, line in conflict.steps:
        step, *rest = shlex.split(line.partition(f" {EXPECTED} ")[0], comments=True)
        if step in {"write", "check"}:
            for command in parse_client_step(rest).commands:
                words.update(dict.fromkeys(command[1:]))
    return list(words)


def plain(reply: Any) -> Any:
    """Return a reply with the simulator's form of errors, and text for a status."""
    if isinstance(reply, ErrorReply):
        return client.Refusal(reply.text.decode())
    if isinstance(reply, Status):
        return reply.text.decode()
    if isinstance(reply, list):
        return [plain(item) for item in cast("list[Any]", reply)]
    return reply


def state_of(replica: Replica) -> bytes:
    """Return all that a replica holds under its keys, in canonical form, without what it knows of
    other replicas."""
    head, *pieces = replica.snapshot(sort=True)
    assert head
    return b"".join(pieces)


@each_conflict
def test_conflict_by_every_way_of_delivery(conflict: ConflictScenario) -> None:
    keys = arguments_of(conflict)
    for way in WAYS:
        try:
            play_conflict(conflict, LocalBackend(way, keys))
        except (AssertionError, ScenarioError) as error:
            raise AssertionError(f"by {way.name}: {error}") from error
