"""Driver: the limit of open files of the process. Each client and each end of a link is a file."""

from __future__ import annotations

import resource
from contextlib import suppress
from typing import Final

from crdb.deployment.config import Config

FILES_MAX: Final = 1 << 20  # what Linux allows a process by default
OWN: Final = 32  # for the process: its streams, signals, a few clients
REGION: Final = 5  # two sockets that listen, two epoll sets, one eventfd
PEER: Final = 2  # a connection each way


class TooFewFiles(Exception):
    """The limit of open files is too low for the links of this process."""


def allow_files(config: Config, names: tuple[str, ...]) -> int | None:
    """Raise the limit as far as the system allows, for clients and links of the regions `names`.

    Return the number of clients that each of the regions can serve, or None if there is no limit.
    Raises TooFewFiles if the limit is not even enough for the links.
    """
    needed = OWN + sum([REGION + PEER * len(config.peers(name)) for name in names])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if 0 <= soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft == resource.RLIM_INFINITY:
        return None
    if soft < needed:
        raise TooFewFiles(
            f"only {soft} files may be open, and {needed} are needed: raise the limit (ulimit -n)"
        )
    return max(1, (soft - needed) // len(names))
