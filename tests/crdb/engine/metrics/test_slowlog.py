"""The slow log."""

from __future__ import annotations

from crdb.engine.metrics.slowlog import SlowLog


def offered(log: SlowLog, *args: bytes, microseconds: int = 20_000) -> None:
    """Offer a command of one client to the log."""
    log.offer(list(args), microseconds, 1_700_000_000, b"127.0.0.1:5", b"name")


def test_newest_entry_comes_first_and_oldest_goes() -> None:
    log = SlowLog()
    log.configure(10_000, 2)
    for key in (b"a", b"b", b"c"):
        offered(log, b"GET", key)
    assert [(entry.number, entry.args[1]) for entry in log.entries] == [(2, b"c"), (1, b"b")]
    log.configure(10_000, 1)
    assert [entry.number for entry in log.entries] == [2]


def test_only_what_takes_as_long_as_threshold_is_logged() -> None:
    log = SlowLog()
    offered(log, b"GET", b"k", microseconds=9_999)
    offered(log, b"GET", b"k", microseconds=10_000)
    assert [entry.microseconds for entry in log.entries] == [10_000]
    log.configure(-1, 10)
    offered(log, b"GET", b"k", microseconds=1 << 40)
    assert len(log.entries) == 1
    log.configure(0, 10)
    offered(log, b"GET", b"k", microseconds=0)
    assert len(log.entries) == 2


def test_arguments_are_cut_and_secrets_hidden() -> None:
    log = SlowLog()
    offered(log, b"SET", b"k", b"x" * 129)
    offered(log, b"MGET", *[b"%d" % n for n in range(40)])
    offered(log, b"AUTH", b"secret")
    hidden, many, long = log.entries
    assert hidden.args == [b"AUTH", b"(redacted)"]
    assert len(many.args) == 32
    assert many.args[-1] == b"... (10 more arguments)"
    assert long.args[2] == b"x" * 128 + b"... (1 more bytes)"
