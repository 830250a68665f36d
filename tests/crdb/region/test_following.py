"""Replica Of, from outside: a copy follows, refuses writes, and is promoted with its data."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.deployment.errors import ConfigError
from crdb.engine.environment.follow_control import CannotBeFollower
from crdb.engine.errors import READ_ONLY
from crdb.region.following import SourceLinks
from crdb.region.region import RegionServer
from crdb.region.source_address import ASK_PORT, ask_link_port


def alone() -> SourceLinks:
    """Return the membership of an instance without peers."""
    config = Config.from_names(["copy"])
    return RegionServer(config, "copy", emit=lambda _event: None, state=None).following


async def test_sources_that_cannot_be_followed_change_nothing() -> None:
    following = alone()
    following.follow([("localhost", 1)])
    follower = following.role.follower
    with pytest.raises(CannotBeFollower, match="no secret, so it can follow only what runs on"):
        following.follow([("localhost", 1), ("there", 1)])
    for wrong in ([("there", 2), ("there", 2)], [], [("there", n) for n in range(1, 99)]):
        with pytest.raises(CannotBeFollower, match="from one to 32 different sources"):
            following.follow(wrong)
    assert following.role.follower is follower
    assert following.sources() == (("localhost", 1),)
    assert following.instance.refuse_writes == READ_ONLY
    following.promote()
    assert following.instance.refuse_writes is None


async def test_other_sources_may_be_named_before_first_are_dialled() -> None:
    following = alone()
    following.follow([("127.0.0.1", 1)])
    first, sources = following.role.follower, following.sources()
    assert first is not None
    following.follow([("127.0.0.1", 2)])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(following.keep_links, first, sources)
        await trio.testing.wait_all_tasks_blocked()
        assert first.sinks == {}
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ('[[region]]\nname = "a"\nreplica_of = ["b:1", "b:1"]\n', "different sources"),
        ('[[region]]\nname = "a"\nreplica_of = ["b:1"]\n[[region]]\nname = "c"\n', "without peers"),
    ],
)
def test_file_with_invalid_sources_is_refused(text: str, output: str) -> None:
    with pytest.raises(ConfigError, match=f"region a: replica_of: .*{output}"):
        RegionServer(read_config(text), "a", emit=lambda _event: None, state=None)


@pytest.mark.parametrize(
    ("pieces", "port"),
    [
        ([b":17001\r\n"], 17001),
        ([b":1", b"7001", b"\r", b"\n"], 17001),
        ([b":0\r\n"], None),
        ([b":70000\r\n"], None),
        ([b"-ERR unknown command 'CRDB.PORT'\r\n"], None),
        ([b":1700"], None),
        ([], None),
        ([b"x" * 1000], None),
    ],
)
async def test_source_without_link_address_cannot_be_followed(
    pieces: list[bytes], port: int | None
) -> None:
    """An instance reports its link port. A Redis server, or any other server, does not."""

    async def answer(stream: trio.SocketStream) -> None:
        assert await stream.receive_some() == ASK_PORT
        for piece in pieces:
            await stream.send_all(piece)

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, answer, [listener])
        there: int = listener.socket.getsockname()[1]
        if port is not None:
            assert await ask_link_port("127.0.0.1", there) == port
        else:
            with pytest.raises(OSError, match=f"127.0.0.1:{there} cannot be followed"):
                await ask_link_port("127.0.0.1", there)
        nursery.cancel_scope.cancel()
