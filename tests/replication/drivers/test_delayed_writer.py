"""The delayed writer and its wake-up event, under a virtual clock."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from replication.drivers.delayed_writer import DELAYED_BYTES_MAX, EARLY_SECONDS, Line, WakeupEvent


async def test_line_holds_back_excess_bytes(autojump_clock: trio.testing.MockClock) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    line = Line(ours)
    chunk = bytes(DELAYED_BYTES_MAX // 2 + 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.run)
        line.put(chunk, 1)
        assert not line.is_full(1)
        line.put(chunk, 1)
        assert line.is_full(1)
        start = trio.current_time()
        await line.drained.wait()
        assert trio.current_time() - start == pytest.approx(1 - EARLY_SECONDS)
        assert not line.is_full(1)
        line.put(b"x", 1)
        left = 2 * len(chunk) + 1
        while left:
            left -= len(await theirs.receive_some())
        nursery.cancel_scope.cancel()


async def test_line_without_length_is_kernel_s() -> None:
    """A delay of 0 passes writes to the kernel directly. Bytes that it does not accept follow
    later, in order."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    ours = await trio.testing.open_stream_to_socket_listener(listeners[0])
    theirs = await listeners[0].accept()
    line = Line(ours)
    line.put(b"first", 0)
    assert line.size == 0
    chunk = bytes(DELAYED_BYTES_MAX)
    line.put(chunk, 0)
    line.put(b"last", 0)
    assert line.is_full(0)
    assert line.size < len(chunk)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.run)
        came = bytearray()
        while len(came) < len(chunk) + 9:
            came += await theirs.receive_some()
        nursery.cancel_scope.cancel()
    assert came[:5] == b"first"
    assert came[-4:] == b"last"
    await ours.aclose()
    line = Line(ours)
    line.put(b"lost", 0)
    with pytest.raises(trio.ClosedResourceError):
        await line.run()
    await theirs.aclose()
    await listeners[0].aclose()


async def test_wakeup_before_wait_is_not_lost() -> None:
    wakeup = WakeupEvent()
    wakeup.set()
    wakeup.set()
    await wakeup.wait()
    with trio.move_on_after(0) as scope:
        await wakeup.wait()
    assert scope.cancelled_caught
