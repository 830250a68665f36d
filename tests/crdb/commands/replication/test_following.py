"""REPLICAOF, SLAVEOF, ROLE and CRDB.PORT, with a control that records its calls."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.environment.follow_control import Address, CannotBeFollower
from crdb.engine.execution.executor import receive
from crdb.engine.instance import Instance
from crdt.embed.replica import Replica


class Remembering:
    """A `FollowControl` that records whom to follow."""

    link_port = 17_001

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.followed: list[Address] = []
        self.refusal = ""

    def follow(self, sources: Sequence[Address]) -> None:
        if self.refusal:
            raise CannotBeFollower(self.refusal)
        self.followed = list(sources)
        self.instance.refuse_writes = b"READONLY"

    def promote(self) -> None:
        self.followed = []
        self.instance.refuse_writes = None

    def sources(self) -> Sequence[Address]:
        return self.followed

    def state(self) -> str:
        return "sync"


@pytest.fixture
def control() -> Remembering:
    instance = Instance(Replica(1), build_table())
    instance.following = control = Remembering(instance)
    return control


def send(control: Remembering, *words: str) -> bytes:
    client = Client(control.instance, b"there:1", b"here:1")
    return receive(client, " ".join(words).encode() + b"\r\n")


@pytest.mark.parametrize("name", ["REPLICAOF", "slaveof"])
def test_one_source_or_several_are_followed(control: Remembering, name: str) -> None:
    assert send(control, name, "host", "7001") == b"+OK\r\n"
    assert control.followed == [("host", 7001)]
    assert send(control, name, "host", "7001") == b"+OK Already connected to specified master\r\n"
    assert send(control, "CRDB.FOLLOW", "host", "7001", "::1", "7002") == b"+OK\r\n"
    assert control.followed == [("host", 7001), ("::1", 7002)]


def test_no_one_ends_it(control: Remembering) -> None:
    send(control, "REPLICAOF", "host", "7001")
    assert send(control, "REPLICAOF", "no", "one") == b"+OK\r\n"
    assert control.followed == []


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1"])
def test_port_that_is_none_is_refused_as_redis_does(control: Remembering, port: str) -> None:
    assert send(control, "REPLICAOF", "host", port) == b"-ERR Invalid master port\r\n"
    assert control.followed == []


def test_half_address_is_refused(control: Remembering) -> None:
    for name in ("replicaof", "crdb.follow"):
        reply = send(control, name, "host", "7001", "other")
        assert reply == f"-ERR wrong number of arguments for '{name}' command\r\n".encode()


def test_refusal_of_runtime_becomes_error(control: Remembering) -> None:
    control.refusal = "because"
    assert send(control, "REPLICAOF", "host", "7001") == b"-ERR because\r\n"


def test_role_names_sources(control: Remembering) -> None:
    assert send(control, "ROLE") == b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
    send(control, "REPLICAOF", "host", "7001")
    assert send(control, "ROLE") == (
        b"*5\r\n$5\r\nslave\r\n$4\r\nhost\r\n:7001\r\n$4\r\nsync\r\n:0\r\n"
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "10.0.0.5"])
def test_own_address_is_refused_before_data_is_dropped(control: Remembering, host: str) -> None:
    """Rule 20.1.4 deletes the data that is here. A mistyped address must not cause that."""
    control.instance.config.put("port", "7001")
    control.instance.config.put("bind", "10.0.0.5")
    refused = b"-ERR an instance cannot follow itself\r\n"
    assert send(control, "REPLICAOF", host, "7001") == refused
    assert send(control, "CRDB.FOLLOW", "other", "7001", host, "7001") == refused
    assert control.followed == []
    assert send(control, "REPLICAOF", host, "7002") == b"+OK\r\n"
    assert send(control, "REPLICAOF", "other", "7001") == b"+OK\r\n"


def test_link_port_needs_no_password(control: Remembering) -> None:
    control.instance.config.set([(b"requirepass", b"secret")])
    assert send(control, "GET", "k").startswith(b"-NOAUTH")
    assert send(control, "CRDB.PORT") == b":17001\r\n"


def test_without_links_there_is_nothing_to_follow_over() -> None:
    client = Client(Instance(Replica(1), build_table()), b"there:1", b"here:1")
    assert receive(client, b"REPLICAOF host 7001\r\n").startswith(
        b"-ERR this instance has no links"
    )
    assert receive(client, b"ROLE\r\n").startswith(b"*3\r\n$6\r\nmaster")
