"""The trace of a run, and its hash."""

from __future__ import annotations

from sim.engine.trace import KEPT_MAX, Trace


def test_two_runs_are_same_if_their_records_are() -> None:
    one, two, other = Trace(), Trace(), Trace()
    for trace in (one, two):
        trace.add_record(1, "eu", "boot", "life 1")
        trace.add_record(2, "us", "boot")
    other.add_record(2, "us", "boot")
    other.add_record(1, "eu", "boot", "life 1")
    assert one.hex_digest() == two.hex_digest() != other.hex_digest()


def test_everything_goes_into_hash_but_only_last_is_kept() -> None:
    one, two = Trace(), Trace()
    two.add_record(0, "eu", "lost")
    for i in range(KEPT_MAX):
        one.add_record(i, "eu", "x")
        two.add_record(i, "eu", "x")
    assert one.last_records(KEPT_MAX + 1) == two.last_records(KEPT_MAX + 1)
    assert (one.count, two.count) == (KEPT_MAX, KEPT_MAX + 1)
    assert one.hex_digest() != two.hex_digest()
    assert one.last_records(2) == [f"{KEPT_MAX - 2} eu x ", f"{KEPT_MAX - 1} eu x "]


def test_listener_gets_records_immediately() -> None:
    lines: list[str] = []
    notes: list[tuple[int, str, str, str]] = []

    def listen(now: int, where: str, what: str, detail: str) -> None:
        notes.append((now, where, what, detail))

    trace = Trace(lines.append)
    trace.on_note = listen
    trace.add_record(5, "eu", "crash", "silent")
    assert lines == ["5 eu crash silent"]
    assert notes == [(5, "eu", "crash", "silent")]
