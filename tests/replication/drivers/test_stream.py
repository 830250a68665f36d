"""The generic driver: it runs a toy machine, and three links in one stream."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import trio
import trio.testing

from replication.drivers.stream import EXAMINE_BYTES, StreamDriver, clock
from replication.machines.connections.contract import StreamMachine
from replication.machines.connections.multiplexer import GroupEvent
from replication.machines.endpoint import NEVER
from tests.replication.machines.connections.test_connection import GROUPS, Half, halves

SECOND = 1_000_000_000


class Echo:
    """Sends each line back. Closes after a second without a line, or after `quit`."""

    def __init__(self) -> None:
        self.notify: Callable[[], None] = lambda: None
        self.closed = False
        self.lines: list[bytes] = []
        self.unread = b""
        self.outgoing = b""
        self.deadline = NEVER
        self.read_bytes_max: int | None = 100

    @property
    def ready(self) -> bool:
        return self.outgoing != b""

    @property
    def pending(self) -> bool:
        return b"\n" in self.unread

    def start(self, notify: Callable[[], None]) -> None:
        self.notify = notify

    def receive(self, data: bytes, now: int) -> list[str]:
        self.unread += data
        if not self.pending:
            return []
        line, _, self.unread = self.unread.partition(b"\n")
        self.deadline = now + SECOND
        self.outgoing += line + b"\n"
        self.closed = line == b"quit"
        self.notify()
        return [line.decode()]

    def end(self, reason: str, now: int) -> list[str]:
        self.closed = True
        return [f"the end {reason}".strip()]

    def hang_up(self, reason: str, now: int) -> list[str]:
        return [] if self.closed else self.end(reason, now)

    def data_to_send(self) -> bytes:
        data, self.outgoing = self.outgoing, b""
        return data

    def tick(self, now: int) -> list[str]:
        self.closed = True
        self.deadline = NEVER
        self.outgoing = b"too slow\n"
        self.notify()
        return ["tick"]


async def conversation(*output: bytes, seconds: float = 0.1) -> tuple[bytes, list[str], int]:
    """Send pieces of bytes to an echo. Return its output, its events and the number of clock
    reads."""
    machine: StreamMachine[str] = Echo()
    ours, theirs = trio.testing.memory_stream_pair()
    events: list[str] = []
    clocks: list[int] = []
    driver = StreamDriver(
        machine, theirs, events.extend, read_clocks=lambda: clocks.append(clock())
    )
    answer = b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(driver.run)
        for data in output:
            await ours.send_all(data)
            await trio.sleep(seconds)
        if not machine.closed:
            await ours.send_eof()
        async for more in ours:
            answer += bytes(more)
    assert driver.writers == []
    return answer, events, len(clocks)


async def test_toy_machine_is_run(autojump_clock: trio.testing.MockClock) -> None:
    answer, events, clocks = await conversation(b"one\ntwo\nth", b"ree\n")
    assert answer == b"one\ntwo\nthree\n"
    assert events == ["one", "two", "three", "the end"]
    assert clocks == 3


async def test_last_bytes_of_a_machine_that_closes_are_sent(
    autojump_clock: trio.testing.MockClock,
) -> None:
    answer, events, _ = await conversation(b"one\n", b"quit\n")
    assert (answer, events) == (b"one\nquit\n", ["one", "quit"])


async def test_machine_ticks_at_its_deadline(autojump_clock: trio.testing.MockClock) -> None:
    answer, events, _ = await conversation(b"one\n", b"two\n", b"", seconds=0.9)
    assert (answer, events) == (b"one\ntwo\n" + b"too slow\n", ["one", "two", "tick"])


async def test_driver_that_is_cancelled_hangs_up() -> None:
    machine = Echo()
    events: list[str] = []
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(StreamDriver(machine, theirs, events.extend).run)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert events == ["the end we hang up"]
    assert await ours.receive_some() == b""


async def test_broken_stream_is_the_end_of_it() -> None:
    events: list[str] = []
    theirs = trio.testing.memory_stream_pair()[1]
    await theirs.aclose()
    await StreamDriver(Echo(), theirs, events.extend).run()
    assert len(events) == 1


class Exhausted(Echo):
    """An echo for which there is no memory once: for what comes, or for what is sent."""

    def __init__(self, *, receives: bool) -> None:
        super().__init__()
        self.receives = receives

    def receive(self, data: bytes, now: int) -> list[str]:
        if not self.receives:
            raise MemoryError
        return super().receive(data, now)

    def data_to_send(self) -> bytes:
        if b"two" in super().data_to_send():
            raise MemoryError
        return b""


@pytest.mark.parametrize("receives", [False, True])
async def test_connection_without_memory_ends(
    receives: bool, autojump_clock: trio.testing.MockClock
) -> None:
    """Found with limited memory: one message of a peer ended the process."""
    machine = Exhausted(receives=receives)
    events: list[str] = []
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(StreamDriver(machine, theirs, events.extend).run)
        await ours.send_all(b"one\ntwo\nthree\n")
        assert await ours.receive_some() == b""
    reason = "what is to be sent" if receives else "what comes"
    assert events[-1] == f"the end no memory is left for {reason}"
    assert machine.closed


def run_half(nursery: trio.Nursery, half: Half, stream: trio.abc.Stream) -> None:
    """Run one end of a connection with three links."""
    observe: Callable[[list[GroupEvent]], None] = half.events.extend
    nursery.start_soon(StreamDriver(half.connection, stream, observe).run)


async def test_three_groups_go_over_one_stream() -> None:
    dials, serves = halves()
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            run_half(
                nursery, dials, await trio.testing.open_stream_to_socket_listener(listeners[0])
            )
            run_half(nursery, serves, await listeners[0].accept())
            for group in GROUPS:
                serves.replicas[group].set("k").add(f"of {group}")
                serves.replicas[group].seal()
                serves.links[group].wake()
            wanted = {group: {f"of {group}"} for group in GROUPS}
            while {g: set(replica.set("k")) for g, replica in dials.replicas.items()} != wanted:
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        await listeners[0].aclose()


class SlowEcho(Echo):
    """Takes two milliseconds for each line."""

    def __init__(self, clock: trio.testing.MockClock, others: list[str]) -> None:
        super().__init__()
        self.mock_clock = clock
        self.others = others

    def receive(self, data: bytes, now: int) -> list[str]:
        self.mock_clock.jump(0.002)
        found = super().receive(data, now)
        self.others += found
        return found


async def test_other_tasks_run_between_messages(autojump_clock: trio.testing.MockClock) -> None:
    order: list[str] = []
    ours, theirs = trio.testing.memory_stream_pair()
    driver = StreamDriver(SlowEcho(autojump_clock, order), theirs, lambda _events: None)

    async def other() -> None:
        while "three" not in order:
            await trio.lowlevel.checkpoint()
            order.append("-")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(driver.run)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(other)
        while not order:
            await trio.lowlevel.checkpoint()
        await ours.send_all(b"one\ntwo\nthree\n")
        await ours.send_eof()
    assert "-" in order[order.index("one") : order.index("three")]


async def test_new_objects_are_examined_after_much_data(
    autojump_clock: trio.testing.MockClock,
) -> None:
    sizes: list[int] = []
    machine = Echo()
    machine.read_bytes_max = EXAMINE_BYTES - 1
    ours, theirs = trio.testing.memory_stream_pair()
    driver = StreamDriver(
        machine,
        theirs,
        lambda _events: None,
        examine_new=lambda: sizes.append(len(machine.unread)),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(driver.run)
        await ours.send_all(bytes(4 * EXAMINE_BYTES))
        await ours.send_eof()
    assert sizes == [2 * EXAMINE_BYTES - 2, 4 * EXAMINE_BYTES - 4]
