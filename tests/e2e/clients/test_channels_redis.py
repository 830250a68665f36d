"""channels_redis: both channel layers of Django Channels, with groups, in two regions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from tests.e2e.clients.regions import ClientRegion
from tests.e2e.processes import WAIT_SECONDS

LAYERS = [RedisChannelLayer, RedisPubSubChannelLayer]


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run the function under asyncio. Fail if it takes too long."""
    asyncio.run(asyncio.wait_for(main(), WAIT_SECONDS))


@pytest.mark.parametrize("kind", LAYERS)
def test_group_gets_messages(us: ClientRegion, protocol: int, kind: Any) -> None:
    async def main() -> None:
        layer, other = (kind(hosts=[us.url(protocol)]) for _ in range(2))
        names = [await layer.new_channel() for _ in range(2)]
        for name in names:
            await layer.group_add("room", name)
        await other.group_send("room", {"type": "chat", "text": "hello"})
        for name in names:
            assert await layer.receive(name) == {"type": "chat", "text": "hello"}
        await layer.group_discard("room", names[0])
        await other.group_send("room", {"type": "chat", "text": "again"})
        await other.send(names[0], {"type": "direct"})
        assert await layer.receive(names[0]) == {"type": "direct"}
        assert (await layer.receive(names[1]))["text"] == "again"
        assert str(protocol) in us.protocols()
        await layer.flush()
        await other.flush()

    run(main)


@pytest.mark.parametrize("kind", LAYERS)
def test_group_reaches_other_region(us: ClientRegion, eu: ClientRegion, kind: Any) -> None:
    async def main() -> None:
        here, there = (kind(hosts=[region.url(3)]) for region in (us, eu))
        name = await there.new_channel()
        await there.group_add("room", name)
        eu.settle()
        await here.group_send("room", {"type": "chat", "text": "hello"})
        assert await there.receive(name) == {"type": "chat", "text": "hello"}
        await here.flush()
        await there.flush()

    run(main)
