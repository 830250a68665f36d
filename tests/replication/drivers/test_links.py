"""The driver: streams of trio under a virtual clock, and one run over loopback TCP."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise

import pytest
import trio
import trio.testing

from crdt.embed.replica import Replica
from replication.drivers import stream
from replication.drivers.delayed_writer import EARLY_SECONDS
from replication.drivers.links import Driver, failure_text
from replication.mesh.links import Links
from replication.protocol.backoff import WAIT_NS_MAX
from replication.protocol.codec import encode_all
from replication.protocol.events import ClockSkew, Closed, Connected, Event, Unproven
from replication.protocol.frames import PROTOCOL, Refuse, Resumed
from replication.protocol.handshake import CHALLENGE_BYTES, NONCE_BYTES, PROOF_BYTES, challenge
from replication.protocol.limits import MS, Limits
from replication.protocol.peers import Direction, Member, Peer
from replication.protocol.secret import NO_SECRET
from tests.replication.ends import hello
from tests.replication.secrets import OTHER, SECRET, prove


class Site:
    """A region with a driver."""

    def __init__(self, name: str, region: int, peers: list[Peer], delay_ns: int = 0) -> None:
        regions = {region, *(peer.region for peer in peers)}
        self.replica = Replica(region, members=regions)
        self.links = Links(self.replica, Member(name, region, self.replica.origin), peers)
        self.events: list[Event] = []
        self.driver = Driver(
            self.links, random.Random(region), self.events.extend, lambda _peer: delay_ns
        )

    def write(self, key: str, value: str) -> None:
        """Set a key, and notify the links."""
        self.replica.string(key).set(value)
        self.replica.seal()
        self.links.wake()

    def read_clocks(self) -> None:
        """Use trio's clock as the wall clock."""
        self.replica.advance(round(trio.current_time() * 1000))

    def of(self, kind: type[Event]) -> list[Event]:
        """Return the events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


def pair(delay_ns: int = 0) -> tuple[Site, Site]:
    """Return two regions, each of which follows the other."""
    one = Site("one", 1, [Peer("two", 2, (2,))], delay_ns)
    two = Site("two", 2, [Peer("one", 1, (1,))], delay_ns)
    return one, two


Connect = Callable[[], Awaitable[trio.abc.Stream]]


def joined(nursery: trio.Nursery, there: Site) -> Connect:
    """Return a function that connects to `there` over a pair of memory streams."""

    async def connect() -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(there.driver.serve, theirs)
        return ours

    return connect


def start(nursery: trio.Nursery, one: Site, two: Site) -> None:
    """Start the timers of both, and let them dial each other."""
    for here, there in ((one, two), (two, one)):
        nursery.start_soon(here.driver.keep_time)
        nursery.start_soon(
            here.driver.keep_dialling, there.links.member.name, joined(nursery, there)
        )


async def test_stream_carries_writes(autojump_clock: trio.testing.MockClock) -> None:
    one, two = pair()
    async with trio.open_nursery() as nursery:
        start(nursery, one, two)
        await trio.sleep(0.1)
        one.write("k", "v")
        await trio.sleep(0.01)
        assert two.replica.string("k").get() == "v"
        two.write("k", "w")
        await trio.sleep(0.01)
        assert one.replica.string("k").get() == "w"
        nursery.cancel_scope.cancel()
    assert one.of(Closed)


async def test_delay_is_kept_in_each_direction(autojump_clock: trio.testing.MockClock) -> None:
    one, two = pair(50 * MS)
    async with trio.open_nursery() as nursery:
        start(nursery, one, two)
        await trio.sleep(1)
        trips = [row.rtt_ms for row in one.links.statistics(0)]
        assert trips == pytest.approx([100, 100], abs=2001 * EARLY_SECONDS)
        one.write("k", "v")
        await trio.sleep(0.049)
        assert two.replica.string("k").get() is None
        await trio.sleep(0.003)
        assert two.replica.string("k").get() == "v"
        nursery.cancel_scope.cancel()


async def test_cut_link_rests_until_it_is_healed(autojump_clock: trio.testing.MockClock) -> None:
    one, two = pair()
    async with trio.open_nursery() as nursery:
        start(nursery, one, two)
        await trio.sleep(0.1)
        now = int(trio.current_time() * 1e9)
        two.links.cut("one", Direction.IN, now)
        await trio.sleep(0.1)
        one.write("k", "v")
        await trio.sleep(10)
        assert two.replica.string("k").get() is None
        assert "one" not in two.links.sinks
        two.links.heal("one", Direction.IN)
        await trio.sleep(0.01)
        assert two.replica.string("k").get() == "v"
        nursery.cancel_scope.cancel()


async def test_link_cut_while_it_connects_is_not_made(
    autojump_clock: trio.testing.MockClock,
) -> None:
    one, two = pair()
    async with trio.open_nursery() as nursery:
        connect = joined(nursery, one)

        async def slow() -> trio.abc.Stream:
            await trio.sleep(1)
            return await connect()

        nursery.start_soon(two.driver.keep_dialling, "one", slow)
        await trio.sleep(0.5)
        two.links.cut("one", Direction.IN, 0)
        await trio.sleep(1)
        assert not two.links.sinks
        nursery.cancel_scope.cancel()


async def test_dialling_backs_off_with_reason(autojump_clock: trio.testing.MockClock) -> None:
    _, two = pair()
    dialled: list[float] = []

    async def nobody() -> trio.abc.Stream:
        dialled.append(trio.current_time())
        raise OSError("nobody there")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(two.driver.keep_dialling, "one", nobody)
        await trio.sleep(30)
        nursery.cancel_scope.cancel()
    gaps = [later - earlier for earlier, later in pairwise(dialled)]
    assert gaps[0] < 0.1
    assert max(gaps) <= 1.5 * WAIT_NS_MAX / 1e9
    assert min(gaps[6:]) >= 0.5 * WAIT_NS_MAX / 1e9
    assert two.links.statistics(0)[0].last_error == "cannot connect: nobody there"


def test_failed_attempt_always_has_a_reason() -> None:
    assert failure_text(trio.TooSlowError()) == "no answer within 5 seconds"
    assert failure_text(trio.BrokenResourceError()) == "BrokenResourceError"
    several = OSError("all have failed")
    several.__cause__ = ExceptionGroup("", [ConnectionRefusedError(111, "")])
    assert failure_text(several) == "all have failed: Connection refused"


@pytest.mark.parametrize(
    "error",
    [
        OSError("refused"),
        trio.BrokenResourceError("reset while it was asked where to connect"),
        UnicodeError("a label of a host's name is too long"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_attempt_that_fails_in_any_way_is_followed_by_another(
    error: Exception, autojump_clock: trio.testing.MockClock
) -> None:
    one, two = pair()
    attempts = 0

    async with trio.open_nursery() as nursery:
        join = joined(nursery, one)

        async def connect() -> trio.abc.Stream:
            nonlocal attempts
            attempts += 1
            if attempts < 3:
                raise error
            return await join()

        nursery.start_soon(two.driver.keep_time)
        nursery.start_soon(two.driver.keep_dialling, "one", connect)
        await trio.sleep(3)
        assert attempts == 3
        assert two.links.sinks["one"].is_open
        nursery.cancel_scope.cancel()


async def test_refused_link_has_reason(autojump_clock: trio.testing.MockClock) -> None:
    one, two = pair()
    one.links.cut("two", Direction.OUT, 0)
    async with trio.open_nursery() as nursery:
        start(nursery, one, two)
        await trio.sleep(0.1)
        assert two.links.statistics(0)[0].last_error == "the link is cut"
        nursery.cancel_scope.cancel()


async def test_bytes_that_are_not_frames_end_link(autojump_clock: trio.testing.MockClock) -> None:
    one, _ = pair()
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.driver.serve, theirs)
        channel = await prove(ours)
        data = bytearray(channel.wrap([Resumed()]))
        data[-1] ^= 1
        await ours.send_all(data)
        answer = channel.receive(bytes(await ours.receive_some()))
    assert isinstance(answer[0], Refuse)
    assert isinstance(one.events[0], Closed)
    assert one.events[0].reason.startswith("protocol error: not a frame")


async def served(driver: Driver, data: bytes) -> bytes:
    """Reply to the challenge with `data`. Return the bytes received until the end closes."""
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(driver.serve, theirs)
        answer = bytes(await ours.receive_some())
        await ours.send_all(data)
        await ours.send_eof()
        async for more in ours:
            answer += bytes(more)
    return answer


async def test_unproved_end_gets_challenge_only(autojump_clock: trio.testing.MockClock) -> None:
    one, _ = pair()
    one.driver.secret = SECRET
    begin = challenge(bytes(NONCE_BYTES))
    for data in (
        b"GET / HTTP/1.1\r\n\r\n",
        encode_all([hello(2)]),
        begin + bytes(PROOF_BYTES),
        begin + encode_all([hello(2)] * 3),
        begin,
    ):
        answer = await served(one.driver, data)
        assert answer[:-NONCE_BYTES] == begin[:-NONCE_BYTES]
        assert len(answer) == CHALLENGE_BYTES
    reasons = [event.reason for event in one.events if isinstance(event, Unproven)]
    assert [reason.partition(":")[0].partition(";")[0] for reason in reasons] == [
        "it is no link of this database",
        f"it speaks version 2 or older of the link protocol and this program version {PROTOCOL}",
        "it does not know our secret",
        "it does not know our secret",
    ]
    assert one.links.refused == 4
    assert one.links.ends() == []


async def test_link_needs_same_secret_at_both_ends(
    autojump_clock: trio.testing.MockClock,
) -> None:
    one, two = pair()
    one.driver.secret, two.driver.secret = SECRET, OTHER
    async with trio.open_nursery() as nursery:
        start(nursery, one, two)
        await trio.sleep(1)
        one.write("k", "v")
        await trio.sleep(1)
        assert not one.of(Connected)
        assert not two.of(Connected)
        assert two.replica.vector == {}
        assert "secret" in one.links.statistics(0)[0].last_error
        assert not [writer for writer in one.driver.writers if writer.machine.ready]
        two.driver.secret = SECRET
        await trio.sleep(5)
        assert two.replica.string("k").get() == "v"
        nursery.cancel_scope.cancel()


async def test_slow_unproved_end_is_closed(autojump_clock: trio.testing.MockClock) -> None:
    one, _ = pair()
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.driver.keep_time)
        nursery.start_soon(one.driver.serve, theirs)
        for byte in challenge(bytes(NONCE_BYTES)):
            await ours.send_all(bytes([byte]))
            await trio.sleep(0.2)
            if one.links.ends() == []:
                break
        assert trio.current_time() < Limits().silence_ns_max / 1e9 + 1
        assert not one.links.ends()
        nursery.cancel_scope.cancel()


async def test_without_secret_only_this_machine_is_linked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = pair()
    one.driver.secret = two.driver.secret = NO_SECRET

    def elsewhere(_host: str) -> bool:
        return False

    monkeypatch.setattr("replication.drivers.links.is_loopback", elsewhere)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, one.driver.serve, listeners)
        connect = partial(trio.testing.open_stream_to_socket_listener, listeners[0])
        assert not await two.driver.dial("one", connect)
        async with await connect() as stream:
            assert await stream.receive_some() == b""
        nursery.cancel_scope.cancel()
    for site, address in ((one, "127.0.0.1"), (two, "")):
        refused = site.of(Unproven)[0]
        assert isinstance(refused, Unproven)
        assert refused.address == address
        assert "no secret is set here" in refused.reason


async def test_immediate_close_is_not_another_machine() -> None:
    two = pair()[1]
    two.driver.secret = NO_SECRET
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        ours = await trio.testing.open_stream_to_socket_listener(listener)
        theirs = await listener.accept()
    reset = struct.pack("ii", 1, 0)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    await theirs.aclose()

    async def connect() -> trio.abc.Stream:
        return ours

    assert not await two.driver.dial("one", connect)
    assert not two.of(Unproven)
    (closed,) = two.of(Closed)
    assert isinstance(closed, Closed)
    assert closed.reason == "connection lost"


async def test_broken_stream_ends_link(autojump_clock: trio.testing.MockClock) -> None:
    one, two = pair()
    broken: list[str] = []

    class Fragile(trio.abc.Stream):
        """A stream that breaks when a test asks for it."""

        def __init__(self, stream: trio.abc.Stream) -> None:
            self.stream = stream

        async def send_all(self, data: bytes | bytearray | memoryview) -> None:
            if broken:
                raise trio.BrokenResourceError(broken.pop())
            await self.stream.send_all(data)

        async def wait_send_all_might_not_block(self) -> None:
            await self.stream.wait_send_all_might_not_block()

        async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
            return await self.stream.receive_some(max_bytes)

        async def aclose(self) -> None:
            await self.stream.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.driver.keep_time)
        connect = joined(nursery, two)

        async def fragile() -> trio.abc.Stream:
            return Fragile(await connect())

        nursery.start_soon(one.driver.keep_dialling, "two", fragile)
        await trio.sleep(0.1)
        broken.append("cable pulled")
        await trio.sleep(1)
        assert len(one.of(Connected)) == 2
        assert "cable pulled" in str(one.of(Closed)[0])
        nursery.cancel_scope.cancel()


async def test_silent_peer_is_closed(autojump_clock: trio.testing.MockClock) -> None:
    one, _ = pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.driver.keep_time)

        async def deaf() -> trio.abc.Stream:
            return trio.testing.memory_stream_pair()[0]

        nursery.start_soon(one.driver.keep_dialling, "two", deaf)
        await trio.sleep(Limits().silence_ns_max / 1e9 + 0.01)
        assert "silent" in str(one.of(Closed)[0])
        nursery.cancel_scope.cancel()


async def test_push_sends_before_any_task_runs() -> None:
    one, two = pair()
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, one.driver.serve, listeners)
        stream = await trio.testing.open_stream_to_socket_listener(listeners[0])
        sink = two.links.dial("one", 0)
        channel = await prove(stream)
        await stream.send_all(channel.wrap(sink.frames_to_send()))
        with trio.fail_after(30):
            while not sink.is_open:
                for frame in channel.receive(bytes(await stream.receive_some())):
                    two.links.receive(sink, frame, 0)
            await stream.send_all(channel.wrap(sink.frames_to_send()))
            while one.links.statistics(0)[1].stage != "streaming":
                await trio.lowlevel.checkpoint()
        one.replica.string("k").set("v")
        one.replica.seal()
        one.driver.push()
        sent = one.links.statistics(0)[1].bytes
        assert sent > 0
        (writer,) = one.driver.writers
        assert not writer.machine.ready
        assert writer.line.size == 0
        await stream.aclose()
        nursery.cancel_scope.cancel()


async def test_over_loopback_tcp() -> None:
    one, two = pair()
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]
        nursery.start_soon(trio.serve_listeners, one.driver.serve, listeners)

        async def connect() -> trio.abc.Stream:
            return await trio.open_tcp_stream("127.0.0.1", port)

        for site in (one, two):
            nursery.start_soon(site.driver.keep_time)
        nursery.start_soon(two.driver.keep_dialling, "one", connect)
        for number in range(1000):
            one.write(f"k{number}", "v")
        with trio.fail_after(30):
            while two.replica.vector != one.replica.vector:
                await trio.lowlevel.checkpoint()
        assert two.replica.digest() == one.replica.digest()
        nursery.cancel_scope.cancel()


async def test_clocks_are_read_before_each_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame may take seconds. No other task runs in between: it would end the refused link."""
    monkeypatch.setattr(stream, "SLICE_NS", 1 << 62)
    site, _ = pair()
    order: list[str] = []
    site.driver.read_clocks = lambda: order.append("clocks")
    site.driver.observe = lambda _events: order.append("frame")
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(site.driver.serve, theirs)
        channel = await prove(ours, NO_SECRET)
        await trio.testing.wait_all_tasks_blocked()
        order.clear()
        await ours.send_all(channel.wrap([Refuse("first"), Refuse("second")]))
        await trio.testing.wait_all_tasks_blocked()
    assert order == ["clocks", "frame"] * 2 + ["frame"]  # the last one announces that we close


async def test_clocks_are_read_before_anything_is_received(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A process that was busy for ten seconds must not compare a fresh time with its old one."""
    one, two = pair()
    for site in (one, two):
        site.driver.read_clocks = site.read_clocks
    async with trio.open_nursery() as nursery:
        start(nursery, one, two)
        await trio.sleep(1)
        autojump_clock.jump(10)
        await trio.sleep(2)
        nursery.cancel_scope.cancel()
    assert not one.of(ClockSkew) + two.of(ClockSkew)
    assert set(one.links.skews.of) == {"two"}
    assert one.links.skews.greatest == 0
