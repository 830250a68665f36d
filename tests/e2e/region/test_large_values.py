"""Deleting a large value frees its memory in the whole process."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import trio

from crdb.deployment.config import Config
from crdb.region.runtime import Runtime
from tests.crdb.listening import PATIENCE_SECONDS, Talker
from tests.ports import free_base

VALUE_BYTES = 24 << 20
LARGE_BYTES = 100_000
MARK = b"0123456789" * 8


def untracked(thing: object) -> Iterator[object]:
    """Return the objects reachable from an object that the collector does not list."""
    for found in gc.get_referents(thing):
        if not gc.is_tracked(found):
            yield found
            yield from untracked(found)


def large_objects() -> list[str]:
    """Return every object that contains a part of the value, with the objects that refer to it."""
    gc.collect()
    gc.unfreeze()  # a region freezes what survives a collection
    found: list[str] = []
    for thing in gc.get_objects():
        for held in untracked(thing):
            if isinstance(held, bytes | bytearray) and len(held) > LARGE_BYTES:
                if MARK in held[:8192]:
                    found.append(f"{len(held)} bytes by {type(thing)} {repr(thing)[:200]}")
    return found


async def ask(port: int, request: bytes, reply: bytes) -> None:
    """Ask again and again until the reply is this line."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        with trio.fail_after(PATIENCE_SECONDS):
            answer = b""
            while answer != reply:
                await stream.send_all(request)
                answer = b""
                while not answer.endswith(b"\n"):
                    answer += await stream.receive_some()


async def test_large_value_leaves_nothing_behind() -> None:
    base = free_base()
    config = Config.from_names(["us", "eu"], base)
    runtime = Runtime(config, ("us", "eu"), emit=lambda _event: None)
    runtime.open()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(runtime.run)
        async with await trio.open_tcp_stream("127.0.0.1", base + 1) as stream:
            talker = Talker(stream)
            head = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % VALUE_BYTES
            value = MARK * (VALUE_BYTES // len(MARK)) + bytes(VALUE_BYTES % len(MARK))
            await talker.ask(head + value, b"+OK\r\n")
            del value
            await ask(base + 2, b"STRLEN k\r\n", b":%d\r\n" % VALUE_BYTES)
            assert large_objects(), "the test would see it"
            await talker.ask(b"DEL k", b":1\r\n")
            await ask(base + 2, b"EXISTS k\r\n", b":0\r\n")
            assert large_objects() == []
        nursery.cancel_scope.cancel()
    runtime.close()
