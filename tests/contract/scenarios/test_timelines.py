"""Conflicts between regions told as steps, each played in every way in which regions can hear of
each other: by operations in one order and another, through a third region, by whole snapshots, by
both in turn, and with metadata forgotten in between.

`timelines/*.txt` hold the steps in the form of `scenarios.toml` beside this file, replies as RESP2
gives them. Each starts with the rule that predicts the outcome. After every sync the regions that
took part must show the same, and if nothing was forgotten they must hold the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any, Final, cast

import pytest

from crdt import Replica
from crdt.errors import HistoryTruncated
from tests.contract.scenarios.cases import Case, Player, Refused, read_line
from tests.crdb.redis_peer import Refusal, Status
from tests.crdb.regions import Regions

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own

HERE: Final = Path(__file__).parent / "timelines"
COUNT: Final = 3

Pair = tuple[int, int]


def forwards(regions: Sequence[int]) -> list[Pair]:
    """Everybody tells everybody, region 1 first."""
    return list(permutations(regions, 2))


def backwards(regions: Sequence[int]) -> list[Pair]:
    """Everybody tells everybody, the last region first."""
    return forwards(regions)[::-1]


def in_line(regions: Sequence[int]) -> list[Pair]:
    """Each tells the next, and back: the ends hear of each other through the middle."""
    there = list(pairwise(regions))
    return there + [(sink, source) for source, sink in reversed(there)]


def by_operations(_number: int) -> bool:
    """No snapshot travels."""
    return False


def by_snapshots(_number: int) -> bool:
    """Nothing but snapshots travels."""
    return True


def in_turn(number: int) -> bool:
    """Every second time a snapshot travels."""
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
    ) -> None:
        self.name = name
        self.order = order
        self.is_snapshot = is_snapshot
        self.forgets = forgets


WAYS: Final = (
    Way("operations", forwards, by_operations),
    Way("operations, backwards", backwards, by_operations),
    Way("operations, in line", in_line, by_operations),
    Way("snapshots", forwards, by_snapshots),
    Way("snapshots, in line", in_line, by_snapshots),
    Way("both, backwards", backwards, in_turn),
    Way("both, forgetting", forwards, in_turn, forgets=True),
)


class Local:
    """A backend of three regions in this process."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.regions = Regions(COUNT)
        for instance in self.regions.instances.values():
            instance.allows_test_clock = True

    def run(self, at: int, commands: Sequence[Sequence[str]], is_transaction: bool) -> Any:
        if not is_transaction:
            return plain(self.regions.run(at, *commands[0]))
        return plain(self.regions.transaction(at, ["MULTI"], *commands, ["EXEC"])[-1])

    def sync(self, regions: Sequence[int]) -> None:
        chosen = list(regions) or list(self.regions.replicas)
        for number, (source, sink) in enumerate(self.way.order(chosen) * 2):
            self.bring(source, sink, self.way.is_snapshot(number))
        replicas = [self.regions.replicas[n] for n in chosen]
        assert len({replica.digest() for replica in replicas}) == 1
        if self.way.forgets and len(chosen) == COUNT:
            self.regions.collect()
        elif not self.way.forgets:
            assert len({state_of(replica) for replica in replicas}) == 1

    def bring(self, source: int, sink: int, by_snapshot: bool) -> None:
        """Let one region hear what another has."""
        if not by_snapshot:
            try:
                self.regions.send(source, sink)
            except HistoryTruncated:  # a merged snapshot leaves a history without its beginning
                by_snapshot = True
        if by_snapshot:
            self.regions.merge(source, sink)

    def wait(self, ms: int) -> None:
        self.regions.now += ms

    def clock(self, at: int, ms: int | None) -> None:
        self.regions.instances[at].set_test_clock(ms)

    def subscribe(self, at: int, channel: str) -> None:
        raise NotImplementedError

    def message(self, at: int) -> Any:
        raise NotImplementedError


def plain(reply: Any) -> Any:
    """A reply in text. Raises Refused for an error."""
    if isinstance(reply, Refusal):
        raise Refused(reply.text.decode())
    if isinstance(reply, Status):
        return reply.text.decode()
    if isinstance(reply, list):
        return [plain(item) for item in cast("list[Any]", reply)]
    return reply.decode() if isinstance(reply, bytes) else reply


def state_of(replica: Replica) -> bytes:
    """All that a replica holds under its keys, canonically; without who had heard from whom."""
    head, *pieces = replica.snapshot(sort=True)
    assert head
    return b"".join(pieces)


def timelines() -> Iterator[Case]:
    """All of them."""
    for path in sorted(HERE.glob("*.txt")):
        for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
            name, *lines = block.splitlines()
            steps = tuple(read_line(line) for line in lines)
            yield Case(name.removeprefix("# "), path.stem, COUNT, steps)


@pytest.mark.parametrize("timeline", list(timelines()), ids=lambda case: case.name)
def test_timeline(timeline: Case) -> None:
    for way in WAYS:
        try:
            Player(timeline, Local(way)).play()
        except AssertionError as error:
            raise AssertionError(f"by {way.name}: {error}") from error
