"""The stdout writer: output is complete, and a slow reader loses events only."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable, Generator
from io import FileIO
from pathlib import Path

import pytest
import trio
import trio.testing

from crdb.cli import stdout_writer
from crdb.cli.stdout_writer import THREAD_NAME, StdoutWriter, is_pipe

LOTS = "x" * (1 << 18)  # more than a pipe holds


@pytest.fixture
def pipe() -> Generator[tuple[FileIO, int]]:
    """Return the end to read from and the end to write to. A test may close the first."""
    numbers = os.pipe()
    with FileIO(numbers[0]) as reading:
        yield reading, numbers[1]
    while any(thread.name == THREAD_NAME for thread in threading.enumerate()):
        time.sleep(0.001)  # an abandoned write would go on into whatever has this number next
    os.close(numbers[1])


def read(reading: FileIO, size: int) -> str:
    data = b""
    while len(data) < size:
        data += reading.read(size - len(data)) or b""
    return data.decode()


async def test_events_are_written_in_order(pipe: tuple[FileIO, int]) -> None:
    reading, writing = pipe
    here = StdoutWriter(writing)
    assert here.put("before ")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.run)
        assert here.put("and \udcff after")
        await here.close()
        assert here.size == 0
        nursery.cancel_scope.cancel()
    expected = "before and \\udcff after"
    assert read(reading, len(expected)) == expected


async def test_slow_reader_delays_nothing(
    pipe: tuple[FileIO, int], monkeypatch: pytest.MonkeyPatch, autojump_clock: object
) -> None:
    monkeypatch.setattr(stdout_writer, "WAITING_BYTES_MAX", 2 * len(LOTS))
    reading, writing = pipe
    here = StdoutWriter(writing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.run)
        assert [here.put(LOTS) for _ in range(4)] == [True, True, False, False]
        assert here.put("") is True
        # It may be cancelled as soon as it has begun, and is told apart by its name from then on.
        assert await trio.to_thread.run_sync(read, reading, 1) == "x"
        await here.close()  # it gives up by itself
        assert here.size > 0
        assert not here.gone.is_set()
        nursery.cancel_scope.cancel()


async def test_texts_need_no_new_thread(
    pipe: tuple[FileIO, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found with limited memory: the process waited for ever for a thread to start."""

    def fail(_thread: threading.Thread) -> None:
        raise MemoryError

    reading, writing = pipe
    here = StdoutWriter(writing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.run)
        await trio.testing.wait_all_tasks_blocked()
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail)
            for text in ("one ", "two"):
                here.put(text)
                await here.close()
        nursery.cancel_scope.cancel()
    assert read(reading, 7) == "one two"


async def test_want_of_memory_loses_texts_and_no_more(
    pipe: tuple[FileIO, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = ["write", "tell", "tell"]
    write, tell = os.write, trio.lowlevel.TrioToken.run_sync_soon

    def fail_once(name: str) -> None:
        if failures and failures[0] == name:
            failures.pop(0)
            raise MemoryError

    def write_or_fail(fd: int, data: bytes) -> int:
        if fd == writing:
            fail_once("write")
        return write(fd, data)

    def tell_or_fail(token: trio.lowlevel.TrioToken, act: Callable[[], None]) -> None:
        fail_once("tell")
        tell(token, act)

    reading, writing = pipe
    monkeypatch.setattr(stdout_writer, "RETRY_SECONDS", 0)
    monkeypatch.setattr(os, "write", write_or_fail)
    monkeypatch.setattr(trio.lowlevel.TrioToken, "run_sync_soon", tell_or_fail)
    here = StdoutWriter(writing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.run)
        for text in ("lost", "kept"):
            here.put(text)
            await here.close()
        nursery.cancel_scope.cancel()
    assert not failures
    assert here.lost == 1
    assert read(reading, 4) == "kept"


async def test_reading_frees_space_for_events(
    pipe: tuple[FileIO, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdout_writer, "WAITING_BYTES_MAX", len(LOTS))
    reading, writing = pipe
    here = StdoutWriter(writing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.run)
        assert here.put(LOTS)
        assert not here.put("more")
        assert await trio.to_thread.run_sync(read, reading, len(LOTS)) == LOTS
        await here.close()
        assert here.put("more")
        await here.close()
        nursery.cancel_scope.cancel()
    assert read(reading, 4) == "more"


async def test_reader_that_leaves_is_noticed_while_idle(
    pipe: tuple[FileIO, int],
) -> None:
    reading, writing = pipe
    here = StdoutWriter(writing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.run)
        reading.close()
        await here.gone.wait()
        assert here.put("nobody needs this")
        assert here.size == 0
        nursery.cancel_scope.cancel()


async def test_reader_that_leaves_delays_nothing(pipe: tuple[FileIO, int]) -> None:
    reading, writing = pipe
    here = StdoutWriter(writing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.run)
        here.put(LOTS)
        assert await trio.to_thread.run_sync(read, reading, 10) == LOTS[:10]
        reading.close()
        await here.gone.wait()
        await here.close()
        nursery.cancel_scope.cancel()


async def test_pipe_that_does_not_block_is_waited_for(pipe: tuple[FileIO, int]) -> None:
    reading, writing = pipe
    os.set_blocking(writing, False)
    here = StdoutWriter(writing)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.run)
        here.put(LOTS)
        assert await trio.to_thread.run_sync(read, reading, len(LOTS)) == LOTS
        await here.close()
        nursery.cancel_scope.cancel()


async def test_full_disk_loses_pending_events() -> None:
    async with await trio.open_file("/dev/full", "wb") as full:
        here = StdoutWriter(full.wrapped.fileno())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.run)
            assert here.put("lost")
            assert here.put("and this")
            await here.close()
            assert here.size == 0
            assert here.lost == 2
            assert not here.gone.is_set()
            nursery.cancel_scope.cancel()


async def test_line_that_a_full_disk_has_torn_is_ended(tmp_path: Path) -> None:
    """The next event was once appended to a torn line, and no reader could parse it."""
    path = tmp_path / "log"
    with path.open("wb") as log:
        here = StdoutWriter(log.fileno())
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.run)
            resource.setrlimit(resource.RLIMIT_FSIZE, (16, limits[1]))
            try:
                here.put("0123456789\n")
                here.put("0123456789\n")
                await here.close()
                assert (here.lost, here.is_torn) == (1, True)
                here.put("abcdefghij\n")
                await here.close()
                assert (here.lost, here.is_torn) == (2, True)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            here.put("klmnopqrst\n")
            await here.close()
            assert (here.lost, here.is_torn) == (2, False)
            nursery.cancel_scope.cancel()
    assert path.read_text() == "0123456789\n01234\nklmnopqrst\n"


async def test_without_output_everything_is_taken_and_forgotten() -> None:
    here = StdoutWriter(None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.run)
        assert all(here.put(LOTS) for _ in range(10))
        await here.close()
        nursery.cancel_scope.cancel()


def test_file_is_not_pipe(tmp_path: Path, pipe: tuple[FileIO, int]) -> None:
    with (tmp_path / "log").open("wb") as file:
        assert not is_pipe(file.fileno())
    assert is_pipe(pipe[1])
