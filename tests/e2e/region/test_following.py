"""Follow another database: a copy follows, refuses writes, and is promoted with its data."""

from __future__ import annotations

from tests.e2e.processes import ask, events_until, eventually, first_event, ready_event, started
from tests.ports import free_base


def test_copy_refuses_writes_and_is_promoted() -> None:
    base = free_base()
    there = ["up", "--regions", "us,eu", "--port", str(base), "--json", "--delay", "none"]
    with started(there) as source:
        first_event(source)
        near = free_base()
        with started(["up", "--regions", "copy", "--port", str(near), "--json"]) as copy:
            first_event(copy)
            assert ask(base + 1, "SET", "a", "1") == b"+OK\r\n"
            assert ask(base + 2, "SADD", "s", "x") == b":1\r\n"
            assert ask(base + 1, "CRDB.SETTLE", "20000") == b":1\r\n"
            assert ask(near + 1, "SET", "old", "1") == b"+OK\r\n"

            assert ask(near + 1, "REPLICAOF", "127.0.0.1", str(base + 1)) == b"+OK\r\n"
            digest = ask(base + 1, "CRDB.DIGEST")
            eventually(lambda: ask(near + 1, "CRDB.DIGEST") == digest)
            assert ask(near + 1, "EXISTS", "old") == b":0\r\n", "it begins with nothing (20.1.4)"
            assert ask(near + 1, "SET", "b", "2").startswith(b"-READONLY ")
            ask(base + 2, "INCR", "a")
            eventually(lambda: ask(near + 1, "GET", "a") == b"$1\r\n2\r\n")

            just_now = b"master_last_io_seconds_ago:0\r\n"
            eventually(lambda: just_now in ask(near + 1, "INFO", "replication"))
            reported = ask(near + 1, "INFO", "replication")
            assert b"role:slave" in reported
            assert b"master_link_status:up" in reported
            assert b"$9\r\nconnected\r\n" in ask(near + 1, "ROLE")
            assert b"connected_slaves:1" in ask(base + 1, "INFO", "replication")
            assert b"slave0:name=copy,state=online" in ask(base + 1, "INFO", "replication")
            assert f"source0:name=127.0.0.1:{base + 1},status=".encode() in reported

            assert ask(near + 1, "REPLICAOF", "NO", "ONE") == b"+OK\r\n"
            assert ask(near + 1, "INCR", "a") == b":3\r\n"
            assert ask(near + 1, "SCARD", "s") == b":1\r\n"
            assert b"role:master" in ask(near + 1, "INFO", "replication")
            assert ask(base + 1, "GET", "a") == b"$1\r\n2\r\n", "the source is not touched"


def test_region_with_peers_cannot_follow() -> None:
    base = free_base()
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        first_event(process)
        refused = ask(base + 1, "REPLICAOF", "127.0.0.1", str(base + 2))
        assert refused.startswith(b"-ERR this region is linked with others")
    with started(["up", "--regions", "copy", "--port", str(base), "--json"]) as process:
        first_event(process)
        assert ask(base + 1, "SET", "a", "1") == b"+OK\r\n"
        assert ask(base + 1, "REPLICAOF", "127.0.0.1", "1") == b"+OK\r\n"
        eventually(lambda: b"last_error=cannot connect" in ask(base + 1, "INFO", "replication"))
        assert b"master_link_status:down" in ask(base + 1, "INFO", "replication")
        assert b"master_last_io_seconds_ago:-1" in ask(base + 1, "INFO", "replication")
        assert b"$7\r\nconnect\r\n" in ask(base + 1, "ROLE")
        assert ask(base + 1, "GET", "a") == b"$1\r\n1\r\n", "nobody has answered"
        assert ask(base + 1, "REPLICAOF", "NO", "ONE") == b"+OK\r\n"
        assert ask(base + 1, "INCR", "a") == b":2\r\n"


def test_two_that_follow_each_other_keep_their_data() -> None:
    base = free_base(2)
    port_a, port_b = base + 1, base + 2
    command = ["up", "--json", "--regions"]
    with (
        started([*command, "a", "--port", str(base)]) as one,
        started([*command, "b", "--port", str(base + 1)]) as two,
    ):
        for process in (one, two):
            ready_event(process)
        assert ask(port_a, "SET", "of-a", "1") == b"+OK\r\n"
        assert ask(port_b, "SET", "of-b", "1") == b"+OK\r\n"
        assert ask(port_a, "REPLICAOF", "127.0.0.1", str(port_b)) == b"+OK\r\n"
        assert ask(port_b, "REPLICAOF", "127.0.0.1", str(port_a)) == b"+OK\r\n"
        (*_, down) = events_until(two, "source down")
        assert down["reason"].startswith("a follows ")
        assert ask(port_a, "DBSIZE") == b":1\r\n", "its own key, or that of the other"
        assert ask(port_b, "GET", "of-b") == b"$1\r\n1\r\n"


def test_source_that_comes_back_empty_does_not_empty_its_copy() -> None:
    base = free_base(2)
    source = ["up", "--json", "--regions", "source", "--port", str(base)]
    with started(["up", "--json", "--regions", "copy", "--port", str(base + 1)]) as copy:
        ready_event(copy)
        with started(source) as first:
            ready_event(first)
            assert ask(base + 1, "SET", "k", "v") == b"+OK\r\n"
            assert ask(base + 2, "REPLICAOF", "127.0.0.1", str(base + 1)) == b"+OK\r\n"
            eventually(lambda: ask(base + 2, "GET", "k") == b"$1\r\nv\r\n")
        with started(source) as second:
            ready_event(second)
            down = events_until(copy, "source down")[-1]
            while "is empty" not in down["reason"]:
                down = events_until(copy, "source down")[-1]
            assert ask(base + 2, "GET", "k") == b"$1\r\nv\r\n"
            assert ask(base + 2, "CONFIG", "SET", "replica-serve-stale-data", "no") == b"+OK\r\n"
            assert ask(base + 2, "GET", "k").startswith(b"-MASTERDOWN ")
            assert ask(base + 2, "CONFIG", "SET", "replica-serve-stale-data", "yes") == b"+OK\r\n"
            assert ask(base + 1, "SET", "k", "w") == b"+OK\r\n"
            eventually(lambda: ask(base + 2, "GET", "k") == b"$1\r\nw\r\n")
