"""The checker of session guarantees finds violations."""

from __future__ import annotations

import pytest

from sim.checkers.clients.guarantees import GuaranteesChecker
from sim.engine.checker import Violation
from sim.engine.events import SECOND
from sim.nodes.client import Refusal
from sim.world.world import SimWorld
from tests.sim.planted import checker_of, fresh

READ = ("SMEMBERS", "all:0")


@pytest.fixture
def world() -> SimWorld:
    made = fresh(GuaranteesChecker)
    made.run_session("eu", 1, ("SADD", "all:0", "a"))
    made.run_session("eu", 1, ("SADD", "all:1", "b"))
    return made


def read(world: SimWorld, session: int, members: list[bytes], region: str = "eu") -> None:
    checker_of(world).on_replies(world.sites[region], session, (READ,), (members,))


def test_reading_what_is_there_is_right(world: SimWorld) -> None:
    assert world.run_session("eu", 1, READ) == [[b"a"]]
    assert world.converge(SECOND)
    assert world.run_session("us", 2, READ) == [[b"a"]]
    assert checker_of(world).looked == 2


def test_own_write_that_is_not_seen_is_caught(world: SimWorld) -> None:
    with pytest.raises(Violation, match="session 1 in eu does not see a in all:0, although it has"):
        read(world, 1, [])


def test_read_that_goes_back_is_caught(world: SimWorld) -> None:
    read(world, 2, [b"a", b"x"])
    with pytest.raises(Violation, match="does not see x"):
        read(world, 2, [b"a"])


def test_write_without_what_its_session_had_seen_is_caught(world: SimWorld) -> None:
    read(world, 2, [b"a", b"x"])
    world.run_session("eu", 2, ("SADD", "all:0", "c"))
    with pytest.raises(Violation, match="does not see x in all:0, although it reads c, which"):
        read(world, 3, [b"a", b"c"])
    world.run_session("eu", 1, ("SADD", "all:0", "d"))
    read(world, 4, [b"a", b"d"])
    with pytest.raises(Violation, match="does not see b in all:1"):
        checker_of(world).on_replies(world.sites["eu"], 4, (("SMEMBERS", "all:1"),), ([],))


def test_content_of_deleted_key_need_not_be_seen(world: SimWorld) -> None:
    read(world, 2, [b"a", b"x"])
    world.run_session("eu", 1, ("SADD", "all:0", "c"), ("SADD", "all:1", "e"))
    world.run_session("eu", 1, ("DEL", "all:1"))
    read(world, 3, [b"a", b"b", b"c", b"x"])


def test_writing_client_is_session() -> None:
    world = fresh(GuaranteesChecker)
    for member in "ab":
        world.run("eu", "SADD", "all:0", member)
    with pytest.raises(Violation, match="does not see a in all:0, although it reads b"):
        read(world, 1, [b"b"], "us")


def test_moved_session_needs_vector(world: SimWorld) -> None:
    world.run_session("us", 1, READ)  # the session had not asked for a vector
    read(world, 1, [], "us")
    world.run_session("us", 1, ("SADD", "all:0", "c"), ("CRDB.VECTOR",))
    world.run_session("ap", 1, READ)
    world.sleep(SECOND)
    assert world.run_session("ap", 1, READ) == [[b"a", b"c"]]
    with pytest.raises(Violation, match="session 1 in ap does not see c"):
        read(world, 1, [b"a"], "ap")


def test_session_starts_over_after_wait_in_vain(world: SimWorld) -> None:
    world.run_session("eu", 1, READ, ("CRDB.VECTOR",))
    world.cut("us", "eu")
    world.cut("us", "ap")
    world.run_session("us", 1, READ)
    world.sleep(3 * SECOND)
    read(world, 1, [], "us")


def test_session_that_arrives_at_once_keeps_its_vector(world: SimWorld) -> None:
    world.run_session("eu", 1, READ, ("CRDB.VECTOR",))
    assert world.converge(SECOND)
    assert world.run_session("us", 1, READ) == [1]
    with pytest.raises(Violation, match="session 1 in us does not see a"):
        read(world, 1, [], "us")


def test_reads_of_dead_region_need_not_be_seen(world: SimWorld) -> None:
    world.crash_process("eu")
    world.restart_process("eu")
    read(world, 1, [])


@pytest.mark.parametrize("words", [("DEL", "all:0"), ("FLUSHALL",)])
def test_deleted_value_is_not_judged(world: SimWorld, words: tuple[str, ...]) -> None:
    world.run("eu", *words)
    read(world, 1, [])
    world.run_session("eu", 5, ("SADD", "all:2", "z"))
    read(world, 1, [b"z"])


def test_refused_read_shows_nothing(world: SimWorld) -> None:
    looked = checker_of(world).looked
    refusal = Refusal("WRONGTYPE Operation against a key")
    checker_of(world).on_replies(world.sites["eu"], 1, (READ,), (refusal,))
    assert checker_of(world).looked == looked
