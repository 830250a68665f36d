"""The network: for every ordered pair of regions a *way*, and on it ordered streams of bytes.

A way has a delay, drawn for each piece of data, perhaps a bandwidth, and faults that may be
switched on: it can be closed (data waits, since TCP would retransmit it, until an end times out),
slow, noisy (bits flip), or lossy, and it can cut data into pieces as reads do. The two directions
of a pair are two ways, so every fault can be one-sided.

Losses are not visible as such: TCP sends the data again when its timer has run out, which doubles
with each loss, and everything behind it waits. Losses come alone, or in bursts in which nearly
everything is lost for a while.

A *pipe* is one direction of one connection. Its bytes arrive in order or not at all. When a
connection breaks, what is under way may be cut off at any byte, and one end may learn of it later
than the other, or never.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import attrs

from geo.latency import Latency
from sim.engine.events import MS, SECOND, Engine
from sim.engine.rng import SeededRandom

RETRANSMIT_NS: Final = 200 * MS  # what a closed way costs at least when it opens again: TCP's timer
PIECES_MAX: Final = 64  # of one chunk that is cut to pieces
SEGMENTS: Final = 20  # in which a second's worth of bytes arrives over a way of little bandwidth
SEGMENT_BYTES_LEAST: Final = 16
FLIPS_WHOLE: Final = 1_000_000
LOSSES_WHOLE: Final = 1_000
LOST_IN_BURST: Final = 900
TIMEOUT_DOUBLINGS: Final = 6
SLOW: Final = 6  # times the median of its way: longer than three typical round trips
BURST_NS_MAX: Final = 400 * MS

Pieces: TypeAlias = tuple[bytes, ...]
"""Data of one send, as the far end reads it."""


@attrs.define
class TrafficCounts:
    """The bytes of one way: sent = delivered + lost + under way (I34)."""

    sent: int = 0
    delivered: int = 0
    lost: int = 0
    flipped: int = 0
    pieces: int = 0
    retransmitted: int = 0


class Way:
    """Everything from one region to another."""

    def __init__(
        self, engine: Engine, source: str, sink: str, *, latency: Latency, rng: SeededRandom
    ) -> None:
        self.engine = engine
        self.source = source
        self.sink = sink
        self.latency = latency
        self.rng = rng
        self.tally = TrafficCounts()
        self.closures = 0
        """The number of faults that keep the way closed now."""
        self.slowness = 100
        """Delay in per cent of what was drawn."""
        self.bandwidth = 0
        """Bytes a second, 0 for no limit."""
        self.free_at = 0
        self.flips = 0
        """Chunks in a million that arrive with a bit flipped."""
        self.chops = 0
        """Chunks in a hundred that arrive in pieces."""
        self.losses = 0
        """Chunks in a thousand that are lost, and sent again."""
        self.bursts = 0
        """Chunks in a thousand that begin a burst of losses."""
        self.lossy_until = 0
        """The time at which the present burst of losses ends."""
        self.late_until = 0
        """The time until which something is held up: by a fault, or since it is exceptionally
        slow."""
        self.slow_ns = SLOW * latency.percentile(50)
        self.pipes: list[Pipe] = []

    @property
    def is_open(self) -> bool:
        """True if data passes."""
        return self.closures == 0

    def close_once(self) -> None:
        """Close the way until `open_once` was called as often as `close_once`."""
        self.closures += 1

    def open_once(self) -> None:
        """Undo one `close_once`. After the last one, waiting data is delivered."""
        assert self.closures > 0
        self.closures -= 1
        if self.closures == 0:
            for pipe in self.pipes:
                pipe.resume_delivery()

    def draw_delay(self, size: int = 0) -> int:
        """Draw the delay (ns) of `size` bytes that are sent now."""
        delay = self.latency.draw(self.rng.generator)
        is_slow = self.slowness != 100 or delay > self.slow_ns
        if self.slowness != 100:
            delay = delay * self.slowness // 100
        if self.bandwidth:
            self.free_at = max(self.engine.now, self.free_at) + size * SECOND // self.bandwidth
            delay += self.free_at - self.engine.now
        lost = self.draw_retransmission() if self.losses or self.bursts else 0
        delay += lost
        if lost or is_slow:
            self.late_until = max(self.late_until, self.engine.now + delay)
        return delay

    def draw_retransmission(self) -> int:
        """Return the delay (ns) by TCP's timers of what is sent now, because it is lost."""
        wait, timer = 0, RETRANSMIT_NS
        now = self.engine.now
        if now >= self.lossy_until and self.rng.happens_in(self.bursts, LOSSES_WHOLE):
            self.lossy_until = now + 1 + self.rng.integer_below(BURST_NS_MAX)
        for _ in range(TIMEOUT_DOUBLINGS):
            is_burst = now + wait < self.lossy_until
            if not self.rng.happens_in(LOST_IN_BURST if is_burst else self.losses, LOSSES_WHOLE):
                break
            self.tally.retransmitted += 1
            wait += timer
            timer *= 2
        return wait

    @property
    def is_held_up(self) -> bool:
        """Return whether what has been sent is held up. Little bandwidth does not do that: what is
        under way arrives bit by bit then."""
        return (
            not self.is_open
            or self.engine.now < self.late_until
            or any(not pipe.is_read for pipe in self.pipes)
        )

    @property
    def clear_at(self) -> int:
        """Return the time at which everything under way has arrived, if no fault happens before.
        Data that is sent later is not held up by it after that time."""
        return max((pipe.last for pipe in self.pipes if pipe.queue), default=0)

    def split_by_bandwidth(self, data: bytes) -> Pieces:
        """Return the data as it arrives: whole, or in segments if there is little bandwidth."""
        size = max(SEGMENT_BYTES_LEAST, self.bandwidth // SEGMENTS)
        if not self.bandwidth or len(data) <= size:
            return (data,)
        return tuple([data[start : start + size] for start in range(0, len(data), size)])

    def flip_bit(self, data: bytes) -> bytes:
        """Return the data, perhaps with one bit flipped."""
        if not self.flips or not self.rng.happens_in(self.flips, FLIPS_WHOLE):
            return data
        self.tally.flipped += 1
        bit = self.rng.integer_below(len(data) * 8)
        damaged = bytearray(data)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        return bytes(damaged)

    def split_by_reads(self, data: bytes) -> Pieces:
        """Return the data as reads return it: whole, or in pieces, down to single bytes."""
        if not self.chops or len(data) < 2 or not self.rng.happens_in(self.chops):
            return (data,)
        self.tally.pieces += 1
        most = min(len(data), PIECES_MAX)
        count = most if self.rng.happens_in(1, 16) else self.rng.integer_between(2, min(4, most))
        cuts = sorted({self.rng.integer_between(1, len(data) - 1) for _ in range(count - 1)})
        return tuple([data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)])


class Pipe:
    """A direction of a connection. `on_data` and `on_end` are called at the far end."""

    __slots__ = ("ended", "is_read", "label", "last", "on_data", "on_end", "queue", "way")

    def __init__(
        self, way: Way, on_data: Callable[[bytes], None], on_end: Callable[[str], None]
    ) -> None:
        self.way = way
        self.on_data = on_data
        self.on_end = on_end
        self.queue: deque[tuple[int, Pieces, str]] = deque()
        """The data in transit. Each entry has the time of its arrival (ns), the data, divided as
        reads will return it, and the reason if the entry ends the stream."""
        self.last = 0
        self.ended = False
        """True if nothing more can be sent."""
        self.is_read = True
        """True if the far end reads what has arrived."""
        way.pipes.append(self)

    def send(self, data: bytes) -> None:
        """Send bytes. They are lost if the stream has ended."""
        way = self.way
        way.tally.sent += len(data)
        if self.ended:
            way.tally.lost += len(data)
            return
        for part in way.split_by_bandwidth(data):
            arrival = way.engine.now + way.draw_delay(len(part))
            self.put_in_flight(arrival, way.split_by_reads(part) if way.chops else (part,), "")

    def end(self, reason: str) -> None:
        """Hang up. The far end learns of it when everything before has arrived."""
        if not self.ended:
            self.put_in_flight(self.way.engine.now + self.way.draw_delay(), (), reason)
            self.ended = True

    def put_in_flight(self, arrival: int, data: Pieces, reason: str) -> None:
        """Schedule an arrival, but never before that of earlier data."""
        self.last = max(arrival, self.last)
        self.queue.append((self.last, data, reason))
        self.way.engine.at(self.last, self.deliver_first)

    def deliver_first(self) -> None:
        """Deliver the first that is under way, if it is time and the way is open."""
        way = self.way
        if not self.queue or self.queue[0][0] > way.engine.now or way.closures:
            return
        if not self.is_read:
            return
        _, data, reason = self.queue.popleft()
        if reason:
            self.discard_in_flight()
            self.on_end(reason)
            return
        for piece in data:
            way.tally.delivered += len(piece)
            self.on_data(way.flip_bit(piece) if way.flips else piece)

    def resume_delivery(self) -> None:
        """Retransmit what has become due meanwhile, since the way is open again."""
        now = self.way.engine.now
        if self.queue and self.queue[0][0] <= now:
            again = now + self.way.rng.integer_below(RETRANSMIT_NS) + self.way.draw_delay()
            self.last = max(self.last, again)
            self.way.late_until = max(self.way.late_until, self.last)
            self.queue = deque((max(due, again), data, why) for due, data, why in self.queue)
        for due, _, _ in self.queue:
            self.way.engine.at(due, self.deliver_first)

    def stop_reading(self) -> None:
        """Stop reading at the far end."""
        self.is_read = False

    def resume_reading(self) -> None:
        """Resume reading at the far end, first what has arrived meanwhile."""
        self.is_read = True
        now = self.way.engine.now
        for due, _, _ in self.queue:
            if due <= now:
                self.way.engine.at(now, self.deliver_first)

    def break_off(self, reason: str, keep: int = 0) -> None:
        """Break the connection. Of the bytes under way `keep` arrive, then the end if there is a
        reason. Without a reason the far end is not notified."""
        kept: deque[tuple[int, Pieces, str]] = deque()
        for due, data, _ in self.queue:
            parts: list[bytes] = []
            for piece in data:
                part = piece[:keep]
                keep -= len(part)
                self.way.tally.lost += len(piece) - len(part)
                if part:
                    parts.append(part)
            if parts:
                kept.append((due, tuple(parts), ""))
        self.queue = kept
        self.ended = True
        if reason and self in self.way.pipes:
            self.put_in_flight(self.way.engine.now + self.way.draw_delay(), (), reason)
        elif not self.queue:
            self.discard_in_flight()

    def discard_in_flight(self) -> None:
        """Drop what is under way, and end the pipe."""
        self.ended = True
        self.way.tally.lost += self.bytes_in_flight()
        self.queue.clear()
        if self in self.way.pipes:
            self.way.pipes.remove(self)

    def bytes_in_flight(self) -> int:
        """Return the number of bytes that were sent and have not arrived."""
        return sum([len(piece) for _, data, _ in self.queue for piece in data])


class Network:
    """All ways between some regions."""

    def __init__(
        self,
        engine: Engine,
        names: Sequence[str],
        *,
        latency: Callable[[str, str], Latency],
        rng: SeededRandom,
    ) -> None:
        self.engine = engine
        self.names = tuple(names)
        self.ways = {
            (one, other): Way(
                engine, one, other, latency=latency(one, other), rng=rng.substream(f"{one}>{other}")
            )
            for one in names
            for other in names
            if one != other
        }

    def way(self, source: str, sink: str) -> Way:
        """Return the way from one region to another."""
        return self.ways[source, sink]

    def __iter__(self) -> Iterator[Way]:
        return iter(self.ways.values())

    def total_traffic(self) -> TrafficCounts:
        """Return the sum of the traffic of all ways."""
        total = TrafficCounts()
        for way in self:
            for name in ("sent", "delivered", "lost", "flipped", "pieces", "retransmitted"):
                setattr(total, name, getattr(total, name) + getattr(way.tally, name))
        return total

    @property
    def clear_at(self) -> int:
        """Return when all that is under way now has arrived: what faults that have ended still hold
        up too, such as data that is sent again when a timer has run out."""
        return max(self.engine.now, *(way.clear_at for way in self))

    def worst_delay(self) -> int:
        """Return the longest delay of any way, without the effect of bandwidth."""
        return max(way.latency.ceiling_ns * way.slowness // 100 for way in self)
