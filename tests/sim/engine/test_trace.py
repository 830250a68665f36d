"""The records of a run: their hash stands for the run."""

from __future__ import annotations

from sim.engine.trace import KEPT_MAX, Trace


def test_two_runs_are_the_same_if_their_records_are() -> None:
    one, two, other = Trace(), Trace(), Trace()
    for trace in (one, two):
        trace.note(1, "eu", "boot", "life 1")
        trace.note(2, "us", "boot")
    other.note(2, "us", "boot")
    other.note(1, "eu", "boot", "life 1")
    assert one.digest() == two.digest() != other.digest()


def test_everything_goes_into_the_hash_but_only_the_last_is_kept() -> None:
    one, two = Trace(), Trace()
    two.note(0, "eu", "lost")
    for i in range(KEPT_MAX):
        one.note(i, "eu", "x")
        two.note(i, "eu", "x")
    assert one.tail(KEPT_MAX + 1) == two.tail(KEPT_MAX + 1)
    assert (one.count, two.count) == (KEPT_MAX, KEPT_MAX + 1)
    assert one.digest() != two.digest()
    assert one.tail(2) == [f"{KEPT_MAX - 2} eu x ", f"{KEPT_MAX - 1} eu x "]


def test_whoever_listens_is_told_at_once() -> None:
    lines: list[str] = []
    notes: list[tuple[int, str, str, str]] = []

    def listen(now: int, where: str, what: str, detail: str) -> None:
        notes.append((now, where, what, detail))

    trace = Trace(lines.append)
    trace.on_note = listen
    trace.note(5, "eu", "crash", "silent")
    assert lines == ["5 eu crash silent"]
    assert notes == [(5, "eu", "crash", "silent")]
