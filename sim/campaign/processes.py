"""Work spread over several processes, its results in the order of the items.

Process i of n takes the items i, i + n, i + 2n and so on, and answers through a pipe of its own.
When a process is killed its pipe ends, so that is noticed; a pool would start another one and wait
for ever for what the first was doing.
"""

from __future__ import annotations

import faulthandler
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from types import FrameType
from typing import Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


STDERR: Final = 2
HARD_FACTOR: Final = 4
"""The CPU time after which a process ends, as a multiple of its CPU limit."""


class ProcessLost(Exception):
    """A process has ended before its work."""

    def __init__(self, item: object, status: int | None) -> None:
        super().__init__(f"{item}: its process has ended with status {status}")


class CpuExceeded(BaseException):
    """Some work has taken more time of the processor than it may.

    Like KeyboardInterrupt it is not an Exception: a region's guard against crashes must not take it
    for the crash of a client's command.
    """


@contextmanager
def limit_cpu(seconds: float) -> Generator[None]:
    """Raise CpuExceeded where the work stands when it has taken `seconds` of CPU time. Only for the
    main thread of a process.

    Compiled code that loops without calling the interpreter cannot be interrupted by an exception.
    After HARD_FACTOR times as many seconds the system therefore ends the process by SIGPROF, and
    the process prints where it was. Both limits are timers that start now. A limit on the total
    CPU time (RLIMIT_CPU) would need that total, and `getrusage` does not report it as the kernel
    counts it: after minutes of work the two differ by seconds. Wall clock time does not count.
    """

    def raise_exceeded(_signal: int, _frame: FrameType | None) -> None:
        raise CpuExceeded

    before = signal.signal(signal.SIGVTALRM, raise_exceeded)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)  # again, if a finalizer swallows it
    faulthandler.register(signal.SIGPROF, file=STDERR, chain=True)
    signal.setitimer(signal.ITIMER_PROF, HARD_FACTOR * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.unregister(signal.SIGPROF)
        signal.signal(signal.SIGVTALRM, before)


def run_in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], count: int
) -> Generator[Result]:
    """`work` of each item, `count` at a time. Raises ProcessLost. However the iteration
    ends, no process is left behind."""
    pipes: list[Connection] = []
    processes: list[Process] = []
    try:
        for i in range(count):
            near, far = Pipe(duplex=False)
            processes.append(
                Process(target=run_worker, args=(work, items[i::count], far), daemon=True)
            )
            pipes.append(near)
            processes[i].start()
            far.close()
        for i, item in enumerate(items):
            try:
                result = pipes[i % count].recv()
            except EOFError:
                lost = processes[i % count]
                lost.join()
                raise ProcessLost(item, lost.exitcode) from None
            yield result
    finally:
        for process, pipe in zip(processes, pipes, strict=True):
            process.kill()  # also if it is stopped
            process.join()
            pipe.close()


def run_worker(work: Callable[[Item], Result], items: Sequence[Item], pipe: Connection) -> None:
    """Do the work of one process. An interrupt also reaches the parent, which ends this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for item in items:
        pipe.send(work(item))
