"""Compare the replies of MULTI and EXEC with those of a real redis-server."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.crdb.raw import exchange, ours
from tests.crdb.redis_peer import Server

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
