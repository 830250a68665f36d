"""Driver: the file of a region's users on disk, and random bits for passwords."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from pathlib import Path
from typing import Final

MODE_OF_NEW: Final = 0o600
"""The permissions of a new file. It holds hashes of passwords."""


class AclFileOnDisk:
    """A file of users (see `crdb.security.acl_file`)."""

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self) -> bytes:
        """Return the text. Raises OSError."""
        return Path(self.path).read_bytes()

    def write(self, text: bytes) -> None:
        """Replace the file durably and as a whole, with the permissions that it had. After a crash
        it holds either the old text or the new. Raises OSError; then the old text is still there.
        """
        path = Path(self.path).resolve()  # what a symbolic link leads to is replaced, not the link
        fresh = path.with_name(f"{path.name}.new")
        try:
            mode = path.stat().st_mode & 0o7777
        except FileNotFoundError:
            mode = MODE_OF_NEW
        try:
            write_synced(fresh, text, mode)
            fresh.replace(path)
        except OSError:
            with suppress(OSError):
                fresh.unlink()
            raise
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_synced(path: Path, text: bytes, mode: int) -> None:
    """Write a file with these permissions, and wait until it is on the disk. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE_OF_NEW)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)
        file.write(text)
        file.flush()
        os.fsync(handle)


def draw_bits(count: int) -> int:
    """Return `count` random bits that nobody can predict."""
    return random.SystemRandom().getrandbits(count)
