"""Parallel work in several processes. Results come in the order of the items.

Process i of n handles the items i, i + n, i + 2n and so on, and has its own pipe for results. If a
process is killed, its pipe closes, and the parent raises ProcessLost. A `multiprocessing.Pool`
would instead replace the process and wait forever for the lost result.
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
GRACE_FACTOR: Final = 0.5
"""The further CPU time after which work is broken off anywhere, as a multiple of its limit."""
HARD_FACTOR: Final = 4
"""The CPU time after which a process ends, as a multiple of its CPU limit."""


class ProcessLost(Exception):
    """A process ended before it finished its work."""

    def __init__(self, item: object, status: int | None) -> None:
        super().__init__(f"{item}: its process has ended with status {status}")


class CpuExceeded(BaseException):
    """The work exceeded its limit of CPU time.

    Like KeyboardInterrupt, this is not an Exception. Otherwise a region's crash guard would treat
    it as the crash of a client's command.
    """


@contextmanager
def limit_cpu(seconds: float, interrupt: Callable[[BaseException], None]) -> Generator[None]:
    """End the work of the block with CpuExceeded once it has used `seconds` of CPU time.

    This works in the main thread of a process only. Wall clock time does not count. The work is
    ended in one of three ways:

    * After `seconds`, `interrupt` is called with the exception. It must raise it at a safe point.
    * If the block has not ended GRACE_FACTOR times `seconds` later, the exception is raised where
      the work happens to be. Compiled code may end the process instead: it aborts if a signal
      raises an exception while it multiplies integers of more than 30 bits.
    * An exception cannot interrupt compiled code that loops without calling the interpreter. After
      HARD_FACTOR times `seconds`, SIGPROF therefore ends the process, and the process prints its
      stack.

    All limits are timers that start now. RLIMIT_CPU is not used because it limits the total CPU
    time of the process. `getrusage` reports another total than the kernel counts: after minutes of
    work the two differ by seconds.
    """
    interrupted = False

    def end_work(_signal: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted:
            raise CpuExceeded
        interrupted = True
        interrupt(CpuExceeded(describe_place(frame)))

    before = signal.signal(signal.SIGVTALRM, end_work)
    # The timer repeats because a finalizer can swallow the exception.
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, GRACE_FACTOR * seconds)
    faulthandler.register(signal.SIGPROF, file=STDERR, chain=True)
    signal.setitimer(signal.ITIMER_PROF, HARD_FACTOR * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.unregister(signal.SIGPROF)
        signal.signal(signal.SIGVTALRM, before)


def describe_place(frame: FrameType | None) -> str:
    """Return the function, the file and the line where a signal arrived."""
    if frame is None:
        return "nowhere"
    code = frame.f_code
    return f"{code.co_name} in {code.co_filename.rpartition('/')[2]}:{frame.f_lineno}"


def run_in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], count: int
) -> Generator[Result]:
    """Yield `work(item)` for each item, computed in `count` processes. Raises ProcessLost.

    All processes have ended when the iteration ends, also after an exception.
    """
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
            process.kill()  # SIGKILL also ends a process that is stopped
            process.join()
            pipe.close()


def run_worker(work: Callable[[Item], Result], items: Sequence[Item], pipe: Connection) -> None:
    """Do the work of one process.

    SIGINT is ignored here: the parent receives it too, and ends this process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for item in items:
        pipe.send(work(item))
