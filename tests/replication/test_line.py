"""The line and the bell, under a virtual clock."""

from __future__ import annotations

import trio
import trio.testing

from replication.line import DELAYED_BYTES_MAX, EARLY_SECONDS, Bell, Line


async def test_a_line_holds_back_what_is_too_much(autojump_clock: trio.testing.MockClock) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    line = Line(ours)
    chunk = bytes(DELAYED_BYTES_MAX // 2 + 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.run)
        await line.send(chunk, 1)
        await line.send(chunk, 1)
        with trio.move_on_after(0.5) as scope:
            await line.send(b"x", 1)
        assert scope.cancelled_caught
        assert line.size == 2 * len(chunk)
        await line.send(b"x", 1)
        assert trio.current_time() >= 1 - EARLY_SECONDS
        left = 2 * len(chunk) + 1
        while left:
            left -= len(await theirs.receive_some())
        nursery.cancel_scope.cancel()


async def test_a_bell_rung_before_the_wait_is_heard() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    await bell.wait()
    with trio.move_on_after(0) as scope:
        await bell.wait()
    assert scope.cancelled_caught
