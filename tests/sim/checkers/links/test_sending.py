"""The checker of sending finds repeated operations and needless refusals."""

from __future__ import annotations

import pytest

from crdt.causality.dots import Origin
from replication.machines.sending.source import Source
from replication.protocol.frames import GapRefused, Resume, SnapshotBegin
from sim.checkers.links.sending import SendingChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, finish, fresh


@pytest.fixture
def world() -> SimWorld:
    made = fresh(SendingChecker)
    for number in range(10):
        made.run("eu", "SET", f"k{number}", "v")
        made.sleep(SECOND // 20)
    return made


def source_to_us(world: SimWorld) -> Source:
    return world.sites["eu"].links.sources["us"]


def test_each_op_is_sent_once(world: SimWorld) -> None:
    world.reset_connections("eu", "us")
    finish(world)
    assert checker_of(world).looked >= 20


def test_repeated_op_is_caught(world: SimWorld) -> None:
    cursor = source_to_us(world).cursor
    cursor.position, cursor.sent = 0, {}
    text = r"eu sends 1:1\.\.1 to us, where all up to 10 was sent or is known"
    with pytest.raises(Violation, match=text):
        world.run("eu", "SET", "another", "v")


def write_and_wait(world: SimWorld) -> None:
    world.run("eu", "SET", "another", "v")
    world.sleep(5 * SECOND)


def test_op_repeated_in_parts_is_caught(world: SimWorld) -> None:
    world.run("eu", "SET", "large", "x" * 20_000)
    world.sleep(SECOND)
    source = source_to_us(world)
    source.pace.window_bytes = 1_000
    cursor, origin = source.cursor, world.sites["eu"].replica.origin
    cursor.position, cursor.sent = 10, {origin: 10}
    text = r"eu sends 1:11\.\.11 to us, where all up to 11 was sent"
    with pytest.raises(Violation, match=text):
        write_and_wait(world)


def test_op_asked_for_between_its_parts_is_sent_again(world: SimWorld) -> None:
    world.run("eu", "SET", "large", "x" * 100_000)
    source, sink = source_to_us(world), world.sites["us"].links.sinks["eu"]
    assert source.parts_left
    sink.fill(world.sites["eu"].replica.origin, 10, world.now)
    world.sites["us"].finish_turn()
    before = source.tally.bytes
    finish(world)
    assert source.tally.bytes > before + 100_000


def test_needless_truncation_is_caught(world: SimWorld) -> None:
    source_to_us(world).truncate()
    with pytest.raises(Violation, match="eu has no backlog for us, it says, and holds all"):
        world.sites["eu"].finish_turn()


def test_truncation_of_short_backlog_passes(world: SimWorld) -> None:
    world.cut("eu", "us")
    world.cut("ap", "us")
    world.run("eu", "SET", "k", "v")
    history = world.sites["eu"].replica.history
    while history.stop > history.start:
        history.drop_oldest()
    world.heal("eu", "us")
    world.heal("ap", "us")
    finish(world)
    assert world.sites["us"].links.sinks["eu"].tally.full == 1


def test_needless_refusal_is_caught(world: SimWorld) -> None:
    source_to_us(world).reply(GapRefused(world.sites["eu"].replica.origin))
    with pytest.raises(Violation, match="eu refuses us what 1 wrote after 10, and holds it"):
        world.sites["eu"].finish_turn()


def test_resuming_with_known_op_is_caught(world: SimWorld) -> None:
    site, source = world.sites["eu"], source_to_us(world)
    checker = checker_of(world)
    assert isinstance(checker, SendingChecker)
    frame = Resume({site.replica.origin: 10}, None)
    checker.on_frame_received(site, source, frame)
    source.cursor.position = 3
    with pytest.raises(Violation, match=r"eu resumes with 1:4\.\.4, which it need not send to us"):
        checker.on_frame_received(site, source, frame)


@pytest.mark.interpreted("a compiled module has taken the constant in")
def test_spans_are_forgotten(world: SimWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.checkers.links.sending.SPANS_MAX", 2)
    checker = checker_of(world)
    assert isinstance(checker, SendingChecker)
    world.run("eu", "SET", "k", "v")
    world.sleep(SECOND)
    assert len(checker.spans) <= 2
    seen: set[Origin] = {origin for origin, _, _ in checker.spans.values()}
    assert seen == {world.sites["eu"].replica.origin}


def test_needless_truncation_after_snapshot_is_caught(world: SimWorld) -> None:
    """A merged snapshot leaves a hole only in what it has brought."""
    site = world.sites["eu"]
    world.cut("eu", "us")
    world.run("eu", "SET", "another", "v")
    site.replica.history.jump({}, dict(site.replica.keyspace.vector))
    world.heal("eu", "us")
    with pytest.raises(Violation, match="eu has no backlog for us, it says, and holds all"):
        world.sleep(SECOND)


def test_going_on_with_what_snapshot_contains_is_caught(world: SimWorld) -> None:
    site, source = world.sites["eu"], source_to_us(world)
    checker = checker_of(world)
    assert isinstance(checker, SendingChecker)
    frame = SnapshotBegin(dict(site.replica.keyspace.vector))
    checker.on_frame_sent(site, source, frame)
    source.cursor.position = 3
    text = r"eu sends us a snapshot, and goes on with 1:4\.\.4, which is in it"
    with pytest.raises(Violation, match=text):
        checker.on_frame_sent(site, source, frame)


def test_going_on_with_what_snapshot_lacks_passes(world: SimWorld) -> None:
    site, source, checker = world.sites["eu"], source_to_us(world), checker_of(world)
    assert isinstance(checker, SendingChecker)
    source.cursor.position, looked = 3, checker.looked
    checker.check_continuation(site, source, {site.replica.origin: 3})
    assert checker.looked == looked + 1
    with pytest.raises(Violation, match="which is in it"):
        checker.check_continuation(site, source, {site.replica.origin: 4})
