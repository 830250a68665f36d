"""MULTI and EXEC as commands; `test_calls` holds more conversations."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crdb.engine.client import Client
from tests.crdb.raw import exchange, instance, lines, ours
from tests.crdb.redis_peer import Server
from tests.crdb.regions import Regions

parts = st.lists(
    st.sampled_from(
        """
        MULTI,EXEC,DISCARD,WATCH k,UNWATCH,INCR k,GET k,LPUSH k x,FOO,GET,SET k 1,MULTI,EXEC,DEL k
        """.strip().split(",")
    ),
    max_size=12,
)


@given(parts)
def test_any_conversation_runs_as_with_redis(redis_server: Server, requests: list[str]) -> None:
    redis_server.run([b"FLUSHALL"])
    data = "".join(request + "\r\n" for request in requests).encode()
    assert ours(data) == exchange(redis_server, data)


def test_one_exec_is_one_operation_everywhere() -> None:
    """Rule TXN-2, D-16."""
    regions = Regions(2)
    regions.transaction(
        1, ["MULTI"], ["SET", "a", "1"], ["INCR", "a"], ["SADD", "s", "x"], ["EXEC"]
    )
    [op] = regions.replicas[1].since({})
    assert len(op.effects) == 3
    regions.sync()
    assert regions.everywhere("GET", "a") == b"2"


def test_a_failure_inside_does_not_stop_the_rest() -> None:
    client = Client(instance())
    replies = lines(client, "MULTI", "SET k v", "INCR k", "SET k w", "EXEC", "GET k")
    assert replies[-2] == (b"*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n+OK\r\n")
    assert replies[-1] == b"$1\r\nw\r\n"
