"""The history of a world, and violations that its checks find."""

from __future__ import annotations

import pytest

from crdt import Replica
from crdt.testing import SUBJECTS, Disagreement, History, Subject, World, parse

SET = SUBJECTS["set"]


def world_after(text: str, subject: Subject = SET) -> World:
    world = World(subject)
    world.run_on(parse(subject, text))
    return world


def test_expired_key_is_dropped_by_delete() -> None:
    subject = SUBJECTS["expiry"]
    text = "write 1 SADD k a\nwrite 1 SADD l a\nwrite 1 EXPIRE k 10\nwrite 1 EXPIRE l 10\nsettle\n"
    world = world_after(text + "advance all 30\nsettle\ncollect 1\n", subject)
    dropped = world.checks.everything[-2:]
    assert [event.command.name for event in dropped] == ["DEL", "DEL"]
    assert dropped[1].saw(dropped[0])


def test_that_key_never_ends_is_forgotten_by_effect() -> None:
    text = "write 1 SADD k a\nwrite 1 PERSIST k\nsettle\ncollect 1\n"
    world = world_after(text, SUBJECTS["expiry"])
    assert world.checks.everything[-1].command.name == "FORGET"


def test_vector_that_goes_back_is_noticed() -> None:
    world = world_after("write 1 SADD k a\nsettle")
    world.sites[1].replica = world.make(2, 1)
    with pytest.raises(Disagreement, match="a vector never goes back"):
        world.checks.check(world.sites[1], 0)


def test_digest_that_depends_on_way_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(replica: Replica) -> bytes:
        return bytes([replica.region])

    monkeypatch.setattr(Replica, "digest", digest)
    with pytest.raises(Disagreement, match="equal vectors, equal digests"):
        World(SET).run(parse(SET, "write 1 SADD k a"))


def test_collection_that_would_be_seen_elsewhere_is_noticed() -> None:
    world = world_after("write 1 SADD k a\nwrite 1 DEL k")
    moment = History(world.checks.everything, 1)
    with pytest.raises(Disagreement, match="garbage collection is invisible: a collection turns"):
        world.checks.check_unseen(moment, 1, 3)
