"""The connections of links that have something to read."""

from __future__ import annotations

import select
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from crdb.net.arrivals import Arrivals, OtherTasks


async def connections() -> tuple[trio.SocketStream, trio.SocketStream]:
    """Return the two ends of a connection."""
    here, there = trio.socket.socketpair()
    return trio.SocketStream(here), trio.SocketStream(there)


async def test_unread_bytes_are_noticed_until_read() -> None:
    arrivals = Arrivals()
    here, there = await connections()
    assert arrivals.watch(here) is here
    assert not arrivals.are_unread()
    await there.send_all(b"op")
    assert arrivals.are_unread()
    assert select.select((arrivals,), (), (), 0)[0] == [arrivals]
    await here.receive_some()
    assert not arrivals.are_unread()
    await here.aclose()
    await there.aclose()
    arrivals.close()


async def test_closed_connection_is_forgotten() -> None:
    arrivals = Arrivals()
    here, there = await connections()
    arrivals.watch(here)
    await there.aclose()
    assert arrivals.are_unread(), "the end of the stream"
    await here.aclose()
    assert not arrivals.are_unread()
    arrivals.close()


async def test_dialled_connections_are_watched() -> None:
    arrivals = Arrivals()
    here, there = await connections()

    async def connect() -> trio.abc.Stream:
        return here

    assert await arrivals.watching(connect)() is here
    await there.send_all(b"op")
    assert arrivals.are_unread()
    await here.aclose()
    await there.aclose()
    arrivals.close()


async def test_stream_without_socket_is_left_alone() -> None:
    arrivals = Arrivals()
    here, there = trio.testing.memory_stream_pair()
    assert arrivals.watch(here) is here
    await there.send_all(b"op")
    assert not arrivals.are_unread()
    arrivals.close()


async def test_other_tasks_are_asked_for_again_once_one_is_scheduled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[SimpleNamespace] = []
    answer = SimpleNamespace(tasks_runnable=0, seconds_to_next_deadline=1000.0)

    def ask() -> SimpleNamespace:
        asked.append(answer)
        return answer

    monkeypatch.setattr(trio.lowlevel, "current_statistics", ask)
    others, event = OtherTasks(), trio.Event()
    trio.lowlevel.add_instrument(others)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(event.wait)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(2):  # a difference of two times is rounded
            assert 0 < round(others.seconds_left(), 6) <= 1000
        assert len(asked) == 1
        event.set()
        answer.tasks_runnable = 1
        assert others.seconds_left() <= 0
        assert others.seconds_left() <= 0
        assert len(asked) == 3
    trio.lowlevel.remove_instrument(others)
