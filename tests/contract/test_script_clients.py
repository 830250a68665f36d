"""What redis-py does with scripts, over sockets: its Lock, registered scripts, functions, a kill.

The client waits in a thread, and the region is served by trio in this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis
import trio
from redis.exceptions import LockNotOwnedError, NoScriptError, ResponseError

from tests.crdb.listening import serving
from tests.crdb.raw import instance

RATE_LIMITER = """
local calls = redis.call('INCR', KEYS[1])
if calls == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return calls <= tonumber(ARGV[2])
"""
LIBRARY = """#!lua name=mylib
redis.register_function{function_name='push', callback=function(keys, args)
  return redis.call('RPUSH', keys[1], unpack(args)) end}
"""
FOREVER = "while true do pcall(redis.call, 'PING') end"


async def with_client(work: Callable[[Callable[[], Any]], None], protocol: int) -> None:
    """Serve an instance, and let `work` make clients of it in a thread."""
    async with serving(instance()) as site:
        port: int = site.socket.getsockname()[1]

        def connect() -> Any:
            return redis.Redis(port=port, protocol=protocol, socket_timeout=60)

        await trio.to_thread.run_sync(work, connect)


def use_lock(connect: Callable[[], Any]) -> None:
    first, second = connect(), connect()
    lock = first.lock("lock", timeout=60)
    assert lock.acquire()
    other = second.lock("lock", timeout=60)
    assert not other.acquire(blocking=False)
    assert lock.extend(10)
    assert lock.reacquire()
    lock.release()
    assert other.acquire(blocking=False)
    second.delete("lock")
    with pytest.raises(LockNotOwnedError):
        other.release()


def use_scripts(connect: Callable[[], Any]) -> None:
    client = connect()
    limiter = client.register_script(RATE_LIMITER)
    assert [limiter(keys=["calls"], args=[60_000, 2]) for _ in range(3)] == [1, 1, None]
    client.script_flush()
    with pytest.raises(NoScriptError):
        client.evalsha(limiter.sha, 1, "calls", 60_000, 2)
    limiter(keys=["calls"], args=[60_000, 2])
    pipeline = client.pipeline()
    limiter(keys=["more"], args=[60_000, 2], client=pipeline)
    pipeline.get("more")
    assert pipeline.execute()[1] == b"1"


def use_functions(connect: Callable[[], Any]) -> None:
    client = connect()
    assert client.function_load(LIBRARY) == b"mylib"
    assert client.fcall("push", 1, "list", "a", "b") == 2
    dump = client.function_dump()
    client.function_flush()
    client.function_restore(dump)
    assert client.fcall("push", 1, "list", "c") == 3


def ping_for_ever(client: Any) -> None:
    while True:
        client.ping()


def kill_script(connect: Callable[[], Any]) -> None:
    first, second, third = connect(), connect(), connect()
    second.config_set("busy-reply-threshold", 1)
    connection = first.connection_pool.get_connection()
    connection.send_command("EVAL", FOREVER, 0)
    with pytest.raises(ResponseError, match="BUSY Redis is busy running a script"):
        ping_for_ever(second)
    assert third.script_kill()
    with pytest.raises(ResponseError, match="Script killed by user"):
        connection.read_response()
    assert second.ping()


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("work", [use_lock, use_scripts, use_functions, kill_script])
async def test_redis_py(work: Callable[[Callable[[], Any]], None], protocol: int) -> None:
    await with_client(work, protocol)
