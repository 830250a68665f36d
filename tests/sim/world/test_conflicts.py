"""The check of conflicts passes, and finds lost types, deadlines that stay, and missed changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.client import Reply
from sim.nodes.region import SimRegion
from sim.schedule.plan import Plan
from sim.schedule.step import Words
from sim.world.conflicts import CONTENT, EMPTYING, NEUTRAL, ConflictProbe, check_conflicts, fill
from sim.world.world import SimWorld

MakeProbe = Callable[[type[ConflictProbe]], ConflictProbe]


class Unpersisting(ConflictProbe):
    """A probe whose whole values do not remove a deadline: they are written earlier."""

    def run(self, site: SimRegion, *commands: Words) -> list[Reply]:
        """Run commands. A deadline comes after what the other region has written."""
        if "EXPIRE" in commands[0][0]:
            self.wait()
        return super().run(site, *commands)


class Deleting(ConflictProbe):
    """A probe whose removals of all elements delete the key."""

    def run(self, site: SimRegion, *commands: Words) -> list[Reply]:
        """Run commands, DEL instead of those that remove all elements."""
        key = f"clash:{self.count}"
        forms = {fill(form, key) for each in EMPTYING.values() for form in each}
        return super().run(site, *[("DEL", key) if it in forms else it for it in commands])


class Losing(ConflictProbe):
    """A probe whose transactions do not serve the clients that block for a key."""

    def run(self, site: SimRegion, *commands: Words) -> list[Reply]:
        """Run commands but those on the second key."""
        kept = [words for words in commands if words[1:2] != ("clash:2",) or words[0] == "DEL"]
        return super().run(site, *kept)


class Mistyping(ConflictProbe):
    """A probe that is told of a type that nobody has written."""

    def run(self, site: SimRegion, *commands: Words) -> list[Reply]:
        """Run commands. TYPE replies `stream`."""
        replies = super().run(site, *commands)
        return ["stream"] if commands[0][0] == "TYPE" else replies


@pytest.fixture
def make_probe() -> MakeProbe:
    def make(kind: type[ConflictProbe]) -> ConflictProbe:
        world = SimWorld(Plan.of(["eu", "us"]), 1)
        world.sleep(2 * SECOND)
        return kind(world, SeededRandom(1, "conflicts"))

    return make


def test_conflicts_of_some_runs_are_checked() -> None:
    found: set[bool] = set()
    for seed in range(10):
        world = SimWorld(Plan.of(["eu", "us", "ap"]), seed)
        world.sleep(2 * SECOND)
        before = world.sites["eu"].replica.keyspace.vector.copy()
        check_conflicts(world)
        found.add(world.sites["eu"].replica.keyspace.vector != before)
        world.sleep(SECOND)
        assert not world.sites["eu"].replica.keyspace.keys()
    assert found == {True, False}


def test_single_region_has_no_conflicts() -> None:
    world = SimWorld(Plan.of(["eu"]), 2)
    check_conflicts(world)
    assert not world.sites["eu"].replica.keyspace.seq


def test_deadline_that_stays_is_caught(make_probe: MakeProbe) -> None:
    text = r"conflicts: \w+ lets clash:1 expire after \d+ ms, which \w+ asked for \(P?EXPIRE"
    with pytest.raises(Violation, match=text):
        make_probe(Unpersisting).check_deadline()


def test_type_that_is_lost_is_caught(make_probe: MakeProbe) -> None:
    text = r"conflicts: \w+ shows clash:1 as a none after .*; it also held a \w+, \["
    with pytest.raises(Violation, match=text):
        make_probe(Deleting).check_types()


def test_type_that_nobody_wrote_is_caught(make_probe: MakeProbe) -> None:
    with pytest.raises(Violation, match=r"shows clash:1 as a stream, not as one of \{"):
        make_probe(Mistyping).check_types()


def test_client_that_is_not_served_is_caught(make_probe: MakeProbe) -> None:
    with pytest.raises(Violation, match="and a client still waits for clash:2"):
        make_probe(Losing).check_transaction()


def test_each_type_has_forms() -> None:
    assert EMPTYING.keys() == CONTENT.keys() - {"string"}
    assert NEUTRAL.keys() == CONTENT.keys()
    assert fill("COPY j k REPLACE", "a", "b") == ("COPY", "b", "a", "REPLACE")
