"""Driver: the figures of the process in INFO: its id, memory, limits and processor time.

Memory is that of the whole process, as the operating system counts it. Regions that share a process
all show the same figures; `memory_report` has the share of each. The system may limit the address
space of the process (`ulimit -v`) or the memory of its control group. Clients may use nine tenths
of either. A reserve of address space is freed when an allocation fails, so that the event loop and
the other clients can go on.

Memory that values have left behind stays in the address space, where the C library keeps it for the
next ones. Near the limit it counts as room. Otherwise a region that was full once would refuse
writes for ever, even without any keys.
"""

from __future__ import annotations

import mmap
import os
import platform
import resource
import sys
from pathlib import Path
from typing import Final

from crdb.engine.info.memory_report import human
from crdb.engine.instance import Instance
from crdb.engine.metrics.memory import PLENTY, RESERVE_BYTES
from crdb.net.heap import heap_bytes_free, release_memory

STATM: Final = Path("/proc/self/statm")
PAGE_BYTES: Final = resource.getpagesize()
CGROUP: Final = Path("/proc/self/cgroup")
CGROUPS: Final = Path("/sys/fs/cgroup")
USABLE: Final = 0.9  # of what the system allows: the rest is for replication, and for one command
PRIVATE: Final = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
"""The flags with which the C library maps memory, so that the same limits apply."""
HELD_BYTES: Final = 16 << 20
MARGIN_BYTES: Final = RESERVE_BYTES - HELD_BYTES
"""The growth between two samples: clients send 8 MB, as small items of several times the size."""

Lines = list[tuple[str, object]]


def add_process_info(instance: Instance) -> None:
    """Let INFO of `instance` show this process."""
    for name, lines in (("server", server_lines), ("memory", memory_lines), ("cpu", cpu_lines)):
        instance.info_sections.setdefault(name, []).append(lines)
    instance.memory.probe = ProcessLimits().probe
    instance.memory.release = release_memory
    reserve = Reserve()
    instance.memory.hold_reserve = reserve.hold
    instance.memory.free_reserve = reserve.free
    instance.memory.count_blocks = sys.getallocatedblocks
    instance.memory.begin()
    instance.memory.sample(0)


class ProcessLimits:
    """The limits that the system sets for this process."""

    def __init__(self) -> None:
        self.resident_bytes = int(USABLE * min(cgroup_limits(), default=PLENTY))

    def probe(self) -> tuple[int, int]:
        """Return the bytes in use, and how many more may be used.

        The limit of the address space is read each time: it can be set from outside.
        """
        mapped, resident = memory_bytes()
        unmapped = address_bytes_max() - mapped
        if unmapped < RESERVE_BYTES:
            unmapped += heap_bytes_free()
        return resident, min(unmapped, self.resident_bytes - resident)


class Reserve:
    """Memory that is mapped but not used, to be freed when an allocation has failed."""

    def __init__(self) -> None:
        self.held: mmap.mmap | None = None

    def hold(self) -> bool:
        """Map the reserve unless it is mapped. Return whether it is, with a margin to spare.

        The margin is mapped for a moment only. That notices limits that cannot be read. Free memory
        of the C library is as good a margin.
        """
        try:
            if self.held is None:
                self.held = mmap.mmap(-1, HELD_BYTES, flags=PRIVATE)
        except (OSError, MemoryError):
            return False
        try:
            mmap.mmap(-1, MARGIN_BYTES, flags=PRIVATE).close()
        except (OSError, MemoryError):
            return heap_bytes_free() >= MARGIN_BYTES
        return True

    def free(self) -> None:
        """Unmap the reserve."""
        if self.held is not None:
            self.held.close()
            self.held = None


def address_bytes_max() -> int:
    """Return the size to which clients may make the address space grow."""
    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    return PLENTY if allowed == resource.RLIM_INFINITY else int(USABLE * allowed)


def cgroup_limits() -> list[int]:
    """Return the memory limits of the control groups that this process is in. Within a container
    its own group is the root of what it sees."""
    found: list[int] = []
    try:
        lines = CGROUP.read_text().splitlines()
    except OSError:
        return found
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in {"", "memory"}:
            continue
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        for folder in (path.strip("/"), ""):
            try:
                text = (CGROUPS / controllers / folder / name).read_text().strip()
            except OSError:
                continue
            if text.isdigit():
                found.append(int(text))
    return found


def usable_bytes() -> int:
    """Return the memory that this process may use: that of the machine, or of its control group."""
    return min([system_bytes(), *cgroup_limits()])


def system_bytes() -> int:
    """Return the physical memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def server_lines() -> Lines:
    """Return the lines about the system and the executable."""
    system = platform.uname()
    return [
        ("executable", sys.executable),
        ("os", f"{system.system} {system.release} {system.machine}"),
        ("multiplexing_api", "epoll"),
        ("process_id", os.getpid()),
    ]


def memory_lines() -> Lines:
    """Return the lines about the memory that the process holds, and has held at most."""
    resident = resident_bytes()
    peak = max(resident, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    system = system_bytes()
    return [
        ("used_memory_peak", peak),
        ("used_memory_peak_human", human(peak)),
        ("used_memory_peak_perc", f"{100 * resident / peak:.2f}%"),
        ("total_system_memory", system),
        ("total_system_memory_human", human(system)),
    ]


def cpu_lines() -> Lines:
    """Return the lines about the processor time so far, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    thread = resource.getrusage(resource.RUSAGE_THREAD)  # INFO runs in the main thread
    return [
        ("used_cpu_sys", f"{usage.ru_stime:.6f}"),
        ("used_cpu_user", f"{usage.ru_utime:.6f}"),
        ("used_cpu_sys_children", f"{children.ru_stime:.6f}"),
        ("used_cpu_user_children", f"{children.ru_utime:.6f}"),
        ("used_cpu_sys_main_thread", f"{thread.ru_stime:.6f}"),
        ("used_cpu_user_main_thread", f"{thread.ru_utime:.6f}"),
    ]


def memory_bytes() -> tuple[int, int]:
    """Return the size of the address space and of the memory that the process holds now; where
    there is no /proc, the most that it has held."""
    try:
        mapped, resident = STATM.read_text().split()[:2]
        return int(mapped) * PAGE_BYTES, int(resident) * PAGE_BYTES
    except OSError:
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return held, held


def resident_bytes() -> int:
    """Return the memory that the process holds now."""
    return memory_bytes()[1]
