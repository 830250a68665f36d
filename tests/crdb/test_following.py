"""Replica Of, from outside: a copy follows, refuses writes, and is promoted with its data."""

from __future__ import annotations

from tests.crdb.processes import ask, eventually, first_event, free_base, started


def test_a_copy_follows_refuses_writes_and_keeps_the_data_when_promoted() -> None:
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

            told = ask(near + 1, "INFO", "replication")
            assert b"role:slave" in told
            assert b"master_link_status:up" in told
            assert b"master_last_io_seconds_ago:0" in told
            assert b"$9\r\nconnected\r\n" in ask(near + 1, "ROLE")
            assert b"connected_slaves:1" in ask(base + 1, "INFO", "replication")
            assert b"slave0:name=copy,state=online" in ask(base + 1, "INFO", "replication")
            assert f"source0:name=127.0.0.1:{base + 1},status=".encode() in told

            assert ask(near + 1, "REPLICAOF", "NO", "ONE") == b"+OK\r\n"
            assert ask(near + 1, "INCR", "a") == b":3\r\n"
            assert ask(near + 1, "SCARD", "s") == b":1\r\n"
            assert b"role:master" in ask(near + 1, "INFO", "replication")
            assert ask(base + 1, "GET", "a") == b"$1\r\n2\r\n", "the source is not touched"


def test_a_region_with_peers_cannot_follow_and_a_dead_source_is_told() -> None:
    base = free_base()
    with started(["up", "--regions", "us,eu", "--port", str(base), "--json"]) as process:
        first_event(process)
        refused = ask(base + 1, "REPLICAOF", "127.0.0.1", str(base + 2))
        assert refused.startswith(b"-ERR this region is linked with others")
    with started(["up", "--regions", "copy", "--port", str(base), "--json"]) as process:
        first_event(process)
        assert ask(base + 1, "REPLICAOF", "127.0.0.1", "1") == b"+OK\r\n"
        eventually(lambda: b"last_error=cannot connect" in ask(base + 1, "INFO", "replication"))
        assert b"master_link_status:down" in ask(base + 1, "INFO", "replication")
        assert b"master_last_io_seconds_ago:-1" in ask(base + 1, "INFO", "replication")
        assert b"$7\r\nconnect\r\n" in ask(base + 1, "ROLE")
        assert ask(base + 1, "GET", "a") == b"$-1\r\n", "reads go on"
