"""Driver: the standard output of a command, which may be full or closed.

Python writes what is buffered for standard output when the process ends, and a failure then shows
as "Exception ignored". `checked_output` writes it while the command can still report the failure.

This module needs only the standard library, as `crdb --help` does.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, TextIO, cast

READER_GONE: Final = 141
"""The exit status if the reader has closed its end of a pipe: what a shell shows for SIGPIPE."""


class ClosedOutput(io.TextIOBase):
    """Stands for a standard output that was closed before the start (`>&-`)."""

    def __init__(self) -> None:
        self.is_missed = False
        """True if something should have been written."""

    def write(self, text: str) -> int:
        """Discard text."""
        self.is_missed = True
        return len(text)

    def flush(self) -> None:
        """Raise OSError if text was discarded."""
        if self.is_missed:
            self.is_missed = False
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))


@contextmanager
def checked_output(program: str, status: int) -> Generator[None]:
    """Write all that is buffered for standard output at the end of the `with` block.

    If it cannot be written, raise SystemExit: with `READER_GONE` in silence if the reader has gone,
    else with `status` after one line of error.
    """
    is_closed = cast("TextIO | None", sys.stdout) is None
    if is_closed:
        sys.stdout = cast("TextIO", ClosedOutput())
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        raise SystemExit(READER_GONE) from None
    except OSError as error:
        if error.filename is not None:
            raise
        discard_output()
        sys.stderr.write(f"{program}: standard output: {error.strerror}\n")
        raise SystemExit(status) from None
    finally:
        if is_closed:
            sys.stdout = cast("TextIO", None)


def discard_output() -> None:
    """Discard what is still buffered for standard output, which cannot be written."""
    if not isinstance(cast("object", sys.stdout), ClosedOutput):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
