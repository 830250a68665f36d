"""A connection's state."""

from __future__ import annotations

from crdb.engine.session import BLOCKED, MUTED, SKIPPING, Session


def test_it_starts_open() -> None:
    session = Session(7, b"1.2.3.4:5", b"1.2.3.4:6", 1000)
    assert (session.id, session.flags, session.protocol) == (7, 0, 2)
    assert (session.blocked, session.closing, session.killed) == (False, False, False)


def test_close_keeps_replies_and_kill_drops_them() -> None:
    session = Session(7, b"", b"", 0)
    session.out.append(b"+OK\r\n")
    session.close_after_reply()
    assert session.closing
    assert not session.killed
    assert session.out == [b"+OK\r\n"]
    session.kill()
    assert session.killed
    assert session.out == []


def test_silence() -> None:
    session = Session(7, b"", b"", 0)
    session.out += [b"a", b"b"]
    session.mute(1)
    assert session.out == [b"a", b"b"]
    session.flags |= SKIPPING | BLOCKED
    session.mute(1)
    assert session.out == [b"a"]
    assert session.flags == BLOCKED
    session.flags |= MUTED
    session.mute(0)
    assert session.out == []
    assert session.flags & MUTED


def test_reply_bytes_are_counted_once() -> None:
    session = Session(7, b"", b"", 0)
    session.output_limit = 9
    session.output_bytes = 2
    session.out += [b"aaa", b"bb"]
    assert not session.count_output()
    assert session.output_bytes == 7
    session.out.append(b"ccc")
    assert session.count_output()
    assert (session.output_bytes, session.counted) == (10, 3)
    session.out.append(b"dddd")
    session.drop_replies(1)
    assert (session.out, session.output_bytes, session.counted) == ([b"aaa"], 5, 1)
    session.out.append(b"ee")
    assert not session.count_output()
    assert session.output_bytes == 7
    session.drop_replies()
    assert (session.out, session.output_bytes, session.counted) == ([], 2, 0)
