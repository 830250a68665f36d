"""The behaviour that both ends of a link share."""

from __future__ import annotations

import pytest

from replication.machines.endpoint import OUTBOX_MAX, End, nobody
from replication.machines.sending.source_states import SourceState
from replication.protocol.errors import RemoteProtocolError
from replication.protocol.events import Closed, ConvergenceReceived, Event
from replication.protocol.frames import (
    Ack,
    ConvergenceReply,
    ConvergenceRequest,
    Frame,
    GapRefused,
    Heartbeat,
    Lacking,
    Resumed,
)
from replication.protocol.limits import MS, SECOND, Limits
from tests.replication.ends import US, connected_source, make_source, replica


def test_end_by_itself_has_no_states() -> None:
    end = End(0, Limits())
    for look in (end.shut, end.table, lambda: end.closed, lambda: end.enter(SourceState.READY)):
        with pytest.raises(NotImplementedError):
            look()


def test_peer_is_unknown_before_hello() -> None:
    end = End(7, Limits())
    assert (end.peer, end.region, end.rtt) == ("", 0, 0)
    assert end.last_received_at == 7
    nobody()


NEWER: list[tuple[Frame, Frame]] = [
    (Heartbeat({}, 1), Heartbeat({US: 1}, 2)),
    (Ack({}, 1), Ack({US: 1}, 2)),
]


@pytest.mark.parametrize(("older", "newer"), NEWER)
def test_of_regular_messages_only_newest_waits(older: Frame, newer: Frame) -> None:
    end = End(0, Limits())
    for frame in (older, Resumed(), newer):
        end.send(frame)
    assert end.outbox == [Resumed(), newer]


def test_answers_are_bounded_but_our_own_words_are_not() -> None:
    end = End(0, Limits())
    for _ in range(OUTBOX_MAX):
        end.reply(GapRefused(US))
    with pytest.raises(RemoteProtocolError, match="asks for more"):
        end.reply(GapRefused(US))
    end.send(Heartbeat({}, 0))
    assert len(end.outbox) == OUTBOX_MAX + 1


def test_our_own_absence_is_not_peers_silence() -> None:
    source = make_source(replica(1))
    late = source.silent_at + 1
    source.reset_silence(late)
    assert source.tick(late) == []
    assert not source.closed


def test_convergence_frames_become_events() -> None:
    end = End(0, Limits())
    for frame in (ConvergenceRequest(US, 1, 1, {}), ConvergenceReply(US, 1, True)):
        assert end.receive_convergence_frame(frame) == [ConvergenceReceived("", frame)]


def test_end_that_asks_and_reads_nothing_is_closed() -> None:
    end = End(0, Limits())
    for _ in range(OUTBOX_MAX):
        end.send(GapRefused(US))
    assert end.receive_convergence_frame(ConvergenceReply(US, 1, True))
    with pytest.raises(RemoteProtocolError, match="asks for more"):
        end.receive_convergence_frame(ConvergenceRequest(US, 1, 1, {}))


def test_part_of_frame_resets_silence() -> None:
    source = connected_source(replica(1))
    late = source.silent_at - 1
    source.note_bytes(late)
    assert source.tick(late + 1) == []
    assert source.silent_at == late + source.limits.silence_ns_max


def test_incomplete_frame_ends_link_in_time() -> None:
    source = connected_source(replica(1))
    events: list[Event] = []
    for second in range(1, 200):
        if not events:
            source.note_bytes(second * SECOND)
            events = source.tick(second * SECOND)
    (event,) = events
    assert isinstance(event, Closed)
    assert "no whole message in" in event.reason


def test_bytes_before_hello_do_not_reset_silence() -> None:
    source = make_source(replica(1))
    before = source.silent_at
    source.note_bytes(before - 1)
    assert source.silent_at == before


def test_regular_messages_become_rarer_on_link_that_queues() -> None:
    end = End(0, Limits())
    end.measure(Ack({}, 0, stamp=1, echo=10 * MS), 50 * MS)
    assert (end.rtt_best, end.queueing_ns) == (40 * MS, 0)
    end.measure(Ack({}, 0, stamp=2, echo=100 * MS), 400 * MS)
    assert (end.rtt_best, end.queueing_ns) == (40 * MS, 260 * MS)
    end.measure(Ack({}, 0, stamp=3, echo=100 * MS), 90 * SECOND)
    assert end.queueing_ns == Limits().silence_ns_max // 4


def test_missing_effect_is_reported_once_per_change() -> None:
    end = End(0, Limits())
    few, more = Lacking((), US, 3, (1,)), Lacking((), US, 3, (1, 2))
    for frame in (few, few, more, more):
        end.send_lacking(frame)
    assert end.outbox == [few, more]


def test_missing_effect_is_not_sent_to_stuck_end() -> None:
    end = End(0, Limits())
    for _ in range(OUTBOX_MAX):
        end.reply(GapRefused(US))
    end.send_lacking(Lacking((), US, 3, (1,)))
    assert len(end.outbox) == OUTBOX_MAX
    end.outbox.clear()
    end.send_lacking(Lacking((), US, 3, (1,)))
    assert end.outbox == [Lacking((), US, 3, (1,))]


RESTING = Limits(rest_ns=2 * SECOND)


def intervals(end: End, count: int) -> list[int]:
    """Send regular messages. Return the time (ms) after each until the next one."""
    found: list[int] = []
    for _ in range(count):
        end.beat(end.beat_at)
        found.append(end.interval_ns // MS)
    return found


def test_messages_become_rarer_while_nothing_happens() -> None:
    end = End(0, RESTING)
    assert end.announced_ns == 0
    assert intervals(end, 8) == [200, 200, 200, 400, 800, 1600, 2000, 2000]
    assert end.activity.is_resting
    assert end.announced_ns == 2 * SECOND
    end.activity.count += 1
    assert intervals(end, 4) == [200, 200, 200, 400]


def test_without_rest_the_interval_stays() -> None:
    end = End(0, Limits())
    assert intervals(end, 6) == [200] * 6
    assert not end.activity.is_resting


def test_rest_is_shorter_than_silence() -> None:
    assert Limits(rest_ns=9 * SECOND).longest_ns == 2 * SECOND
    assert Limits(rest_ns=1).longest_ns == Limits().heartbeat_ns


def test_resting_end_never_sends_more_often_than_usual() -> None:
    """Seed 361: half of an interval was shorter than the time between two heartbeats."""
    end = End(0, Limits(heartbeat_ns=300 * MS, rest_ns=500 * MS))
    assert intervals(end, 4)[-1] == 500
    assert not end.may_beat(end.last_sent_at + 299 * MS)
    assert end.may_beat(end.last_sent_at + 300 * MS)


def test_resting_end_may_send_early() -> None:
    end = End(0, RESTING)
    intervals(end, 3)
    assert not end.may_beat(end.last_sent_at + 199 * MS)
    intervals(end, 1)
    assert not end.may_beat(end.last_sent_at + 199 * MS)
    assert end.may_beat(end.last_sent_at + 200 * MS)
    with pytest.raises(NotImplementedError):
        end.beat_now(0)


def test_end_that_rests_is_alive_for_longer() -> None:
    end = End(0, RESTING)
    assert end.is_alive(SECOND)
    assert not end.is_alive(SECOND + 1)
    end.measure(Heartbeat({}, 0, pause=2 * SECOND), 0)
    assert end.is_alive(SECOND + 1800 * MS)
    assert not end.is_alive(SECOND + 1800 * MS + 1)
    end.measure(Heartbeat({}, 0), 0)
    assert end.pause_ns == RESTING.heartbeat_ns
