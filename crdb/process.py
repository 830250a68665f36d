"""Driver: what INFO tells of the process: its number, its memory, its time.

Memory is that of the whole process, as the operating system counts it. Where several regions live
in one process, each tells the same.
"""

from __future__ import annotations

import os
import platform
import resource
from pathlib import Path
from typing import Final

from crdb.instance import Instance

STATM: Final = Path("/proc/self/statm")
PAGE_BYTES: Final = resource.getpagesize()
UNITS: Final = ("B", "K", "M", "G", "T")

Lines = list[tuple[str, object]]


def tell_of_process(instance: Instance) -> None:
    """Let INFO of `instance` show this process."""
    for name, lines in (("server", server_lines), ("memory", memory_lines), ("cpu", cpu_lines)):
        instance.info_sections.setdefault(name, []).append(lines)


def server_lines() -> Lines:
    """Where and as what we run."""
    system = platform.uname()
    return [
        ("os", f"{system.system} {system.release} {system.machine}"),
        ("multiplexing_api", "epoll"),
        ("process_id", os.getpid()),
    ]


def memory_lines() -> Lines:
    """How much memory the process holds, and has held at most."""
    resident = resident_bytes()
    peak = max(resident, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    return [
        ("used_memory", resident),
        ("used_memory_human", human(resident)),
        ("used_memory_rss", resident),
        ("used_memory_rss_human", human(resident)),
        ("used_memory_peak", peak),
        ("used_memory_peak_human", human(peak)),
    ]


def cpu_lines() -> Lines:
    """Seconds of processor time so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return [
        ("used_cpu_sys", f"{usage.ru_stime:.6f}"),
        ("used_cpu_user", f"{usage.ru_utime:.6f}"),
    ]


def resident_bytes() -> int:
    """Memory that the process holds now; where there is no /proc, the most it has held."""
    try:
        return int(STATM.read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def human(size: float) -> str:
    """A size as Redis abbreviates it.

    >>> human(512), human(1 << 20)
    ('512B', '1.00M')
    """
    unit = 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:.2f}{UNITS[unit]}" if unit else f"{size:.0f}B"
