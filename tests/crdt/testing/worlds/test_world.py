"""The world: the effect of each step, and a violation of each law."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crdt import Op, Replica, Vector
from crdt.testing import SUBJECTS, Disagreement, Step, Subject, World, parse
from crdt.testing.worlds.site import Site
from crdt.testing.worlds.world import STEPS

SET = SUBJECTS["set"]


def world_after(text: str, subject: Subject = SET) -> World:
    world = World(subject)
    world.run_on(parse(subject, text))
    return world


def shown(world: World, region: int) -> Any:
    return world.subject.read(world.sites[region - 1].replica).get("k", (None, None))[1]


def test_every_kind_of_step_is_known() -> None:
    from crdt.testing.worlds.steps import KINDS  # noqa: PLC0415

    assert STEPS.keys() == KINDS.keys()


def test_write_arrives_at_delivery() -> None:
    world = world_after("write 1 SADD k a\ndeliver 2 0")
    assert [shown(world, region) for region in (1, 2, 3)] == [["a"], ["a"], None]
    assert not world.sites[1].waiting
    assert len(world.sites[2].waiting) == 1


def test_duplicate_stays_in_transit() -> None:
    world = world_after("write 1 SADD k a\nduplicate 2 0")
    assert len(world.sites[1].waiting) == 1
    world.run_on(parse(SET, "deliver 2 0"))
    assert world.counts["duplicates are harmless"] == 1


def test_cut_blocks_delivery() -> None:
    world = world_after("cut 1 2\nwrite 1 SADD k a\ndeliver 2 0\npull 1 2")
    assert shown(world, 2) is None
    world.run_on(parse(SET, "deliver 3 0\npull 3 2"))
    assert shown(world, 2) == ["a"]
    world.run_on(parse(SET, "heal\ndeliver 2 0"))
    assert world.counts["duplicates are harmless"] == 1


def test_operation_waits_for_what_it_saw() -> None:
    world = world_after("write 1 SADD k a\ndeliver 2 0\nwrite 2 SREM k a\ncut 1 3\ndeliver 3 0")
    assert world.sites[2].replica.causal_buffer.bytes > 0
    world.run_on(parse(SET, "heal\ndeliver 3 0"))
    assert world.sites[2].replica.vector == world.sites[1].replica.vector
    assert shown(world, 3) is None


def test_refused_operation_stays_in_transit() -> None:
    world = world_after("write 1 SADD k a\npull 1 1\nwrite 1 SADD k a")
    world.sites[1].replica.causal_buffer.limit = 1
    world.run_on(parse(SET, "deliver 2 1"))
    assert len(world.sites[1].waiting) == 2


def test_snapshot_is_of_when_it_was_opened() -> None:
    text = "write 1 SADD k a\nopen 1\nread 0 2\nwrite 1 SADD k a b c\nread 0 3\nmerge 0 2"
    world = world_after(text)
    assert shown(world, 2) == ["a"]
    assert shown(world_after("read 0 1\nmerge 0 1"), 1) is None


def test_replica_behind_gets_snapshot() -> None:
    writes = "write 2 SADD k a\npull 2 1\n" * 8
    world = world_after(writes + "pull 2 3")
    assert world.counts["merge equals operations"] == 1
    assert shown(world, 3) == ["a"]


def test_restarted_region_reads_only_until_it_has_caught_up() -> None:
    world = world_after("write 2 SADD k a\nsave 1\npull 2 1\nreport 1 2\nrestart 1 0")
    assert shown(world, 1) is None
    world.run_on(parse(SET, "write 1 SADD k d\ncollect 1"))
    assert shown(world, 1) is None
    world.run_on(parse(SET, "pull 2 1\nwrite 1 SADD k d"))
    assert shown(world, 1) == ["a", "d"]
    assert world.sites[0].replica.origin == world.sites[0].replica.origin | 1


def test_report_may_come_again() -> None:
    world = world_after("repeat 0 1\nreport 1 2\nwrite 1 SADD k a\nrepeat 0 3\nrepeat 0 1")
    assert 1 in world.sites[2].replica.stability.reports
    assert 1 not in world.sites[0].replica.stability.reports


def test_time_may_pass_in_one_region_or_all() -> None:
    world = world_after("advance 2 30\nadvance all 5\nadvance 1 -20")
    assert [site.clock for site in world.sites] == [985, 1035, 1005]
    assert [site.expiry_clock for site in world.sites] == [1005, 1035, 1005]


def spoil(monkeypatch: pytest.MonkeyPatch, owner: type[Any], name: str, act: Any) -> None:
    monkeypatch.setattr(owner, name, act)


def expect_broken(law: str, text: str, subject: Subject = SET) -> None:
    steps = parse(subject, text)
    with pytest.raises(Disagreement, match=law):
        World(subject).run(steps)


def test_encoding_with_two_forms_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    read: Callable[[bytes], Op] = Op.from_bytes

    def read_otherwise(data: bytes) -> Op:
        op = read(data)
        return Op(op.origin, op.first, op.base + 1, op.deps, op.effects)

    spoil(monkeypatch, Op, "from_bytes", staticmethod(read_otherwise))
    with pytest.raises(Disagreement, match="encoding is canonical"):
        world_after("write 1 SADD k a\nsettle")


def test_incomplete_since_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def since(replica: Replica, vector: Vector) -> list[Op]:
        return []

    spoil(monkeypatch, Replica, "since", since)
    expect_broken("since\\(\\) gives what is missing", "write 1 SADD k a")


def test_twin_that_differs_is_noticed() -> None:
    world = world_after("write 1 SADD k a\nsettle")
    world.twin.keyspace.data.clear()
    with pytest.raises(Disagreement, match="garbage collection is invisible"):
        world.step(Step("settle"))


def test_regions_that_never_agree_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def bring(world: World, source: Site, sink: Site) -> None:
        """Deliver nothing."""

    spoil(monkeypatch, World, "bring", bring)
    expect_broken("replicas that received everything agree", "write 1 SADD k a")


def test_uncollected_tombstone_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def collect(replica: Replica) -> int:
        return 0

    spoil(monkeypatch, Replica, "collect", collect)
    expect_broken("no garbage is left", "write 1 INCRBY k 1\nwrite 1 DEL k", SUBJECTS["string"])


def test_region_may_take_new_incarnation_and_lose_nothing() -> None:
    world = world_after("write 1 SADD k a\nrestart 1 3\nwrite 1 SADD k d\nsettle")
    assert [shown(world, region) for region in (1, 2, 3)] == [["a", "d"]] * 3
    assert world.sites[0].replica.origin & 1
