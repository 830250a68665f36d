"""The files of a region, and failures to write them."""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import pytest

from crdb.deployment.config import Config
from crdb.region.core.lifecycle import RETRY_NS
from crdb.region.state_directory import HELD, read_held_vector
from crdb.region.state_directory import INCARNATION as FILE
from crdt.causality.dots import INCARNATION_MAX, incarnation_of, make_origin
from replication.drivers.stream import clock
from replication.protocol.events import OriginReused, Recovered
from tests.crdb.region.test_region import region, send

ALONE = Config.from_names(["us"])


async def test_full_disk_ends_no_region(tmp_path: Path) -> None:
    """The region does not write under an incarnation that is not on disk. It tries again."""
    here, reported = region(state=tmp_path)
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    here.observe([OriginReused("eu", here.replica.origin)])
    names = [name for name, _ in reported.events]
    assert names == ["origin reused", "loading", "state not written"]
    assert "cannot count restarts here" in str(reported.events[-1][1]["reason"])
    assert sorted(os.listdir(tmp_path)) == [HELD, FILE]
    here.links.recovery.is_over = True
    here.observe([Recovered("eu")])
    assert send(here, b"SET k v\r\n").startswith(b"-LOADING ")
    here.keeper.do_due_work()
    assert len(reported.events) == 3, "not so soon"
    here.keeper.lifecycle.clock = lambda: clock() + RETRY_NS
    here.keeper.do_due_work()
    assert [name for name, _ in reported.events].count("state not written") == 2
    (tmp_path / FILE).rmdir()
    here.keeper.lifecycle.clock = lambda: clock() + 2 * RETRY_NS
    here.keeper.do_due_work()
    assert send(here, b"SET k v\r\n") == b"+OK\r\n"
    assert (tmp_path / FILE).read_text() == f"{incarnation_of(here.replica.origin)}\n"


async def test_exhausted_incarnations_are_reported(tmp_path: Path) -> None:
    here, reported = region(state=tmp_path)
    origin = here.replica.origin
    everything = {make_origin(1, life): 1 for life in range(INCARNATION_MAX + 1)}
    here.replica.keyspace.vector |= everything
    here.observe([OriginReused("eu", origin)])
    assert [name for name, _ in reported.events][-1] == "no incarnation left"
    assert send(here, b"SET k v\r\n").startswith(b"-LOADING ")
    assert here.replica.origin == origin


async def test_region_without_peers_does_not_wait(tmp_path: Path) -> None:
    here, _ = region(ALONE, tmp_path)
    here.observe([OriginReused("guest", here.replica.origin)])
    assert send(here, b"SET k v\r\n") == b"+OK\r\n"
    here.instance.turn.run_phases(seals=True)
    here.observe([OriginReused("guest", here.replica.origin)])
    assert send(here, b"SET k w\r\n").startswith(b"-STALE ")
    here.observe(here.links.tick(clock()))
    assert send(here, b"GET k\r\n") == b"$1\r\nv\r\n"


@pytest.mark.parametrize("start_empty", [False, True])
async def test_held_vector_is_written_while_valid(tmp_path: Path, start_empty: bool) -> None:
    here, _ = region(state=tmp_path)
    assert read_held_vector(tmp_path) == {}
    send(here, b"SET k v\r\n")
    here.instance.turn.run_phases(seals=True)
    here.keeper.do_due_work()
    assert read_held_vector(tmp_path) == here.replica.vector != {}
    config = Config.from_names(["us", "eu"])
    again, reported = region(attrs.evolve(config, start_empty=start_empty), tmp_path)
    again.keeper.do_due_work()
    if start_empty:
        assert reported.events[0][0] == "started empty"
        assert reported.events[0][1]["writes"] == 1
        assert read_held_vector(tmp_path) == {}
    else:
        assert reported.events[0][0] == "loading"
        assert read_held_vector(tmp_path) == here.replica.vector


async def test_vector_is_written_once_disk_has_space(tmp_path: Path) -> None:
    """The vector was once not written again. The next start did not know that data was lost."""
    here, reported = region(state=tmp_path)
    (tmp_path / HELD).unlink()
    (tmp_path / HELD).mkdir()
    send(here, b"SET k v\r\n")
    here.instance.turn.run_phases(seals=True)
    here.keeper.do_due_work()
    name, details = reported.events[-1]
    assert name == "state not written"
    assert str(details["reason"]).endswith("held: cannot note what is held: Is a directory")
    (tmp_path / HELD).rmdir()
    here.close()
    assert read_held_vector(tmp_path) == here.replica.vector != {}
