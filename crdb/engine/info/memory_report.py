"""The uses of an instance's memory, for INFO memory and MEMORY STATS.

What the process holds is measured. What the data take is estimated: the mean size of the sixteen
oldest and the sixteen newest keys times the number of keys. Where a process has one region, that
region uses what the process holds. Where several share a process, each uses its own data, backlog
and buffers, and an equal part of the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from crdb.engine.instance import Instance
from crdb.engine.metrics.memory_usage import key_bytes

KEYS_SAMPLED: Final = 16
ELEMENTS_SAMPLED: Final = 5
UNITS: Final = ("B", "K", "M", "G", "T")


@attrs.frozen
class MemoryReport:
    """Bytes by use. `process_bytes` is what the process holds, shared or not."""

    process_bytes: int
    peak_bytes: int
    used_bytes: int
    dataset_bytes: int
    backlog_bytes: int
    client_bytes: int
    startup_bytes: int
    """The memory of the process before there were data, in equal parts for its regions."""
    needed_bytes: int
    """The memory of the process at its start, and the estimates of all its regions."""

    @property
    def overhead_bytes(self) -> int:
        """The memory used for anything other than data."""
        return max(self.used_bytes - self.dataset_bytes, 0)

    @property
    def dataset_percentage(self) -> float:
        """Return the share of the used memory that is data, in percent."""
        return 100 * self.dataset_bytes / max(self.used_bytes, 1)

    @property
    def peak_percentage(self) -> float:
        """Return the used memory as a share of its peak, in percent."""
        return 100 * self.process_bytes / max(self.peak_bytes, 1)

    @property
    def fragmentation(self) -> float:
        """The memory that the process holds beyond what it needs."""
        return self.process_bytes / max(self.needed_bytes, 1)


def memory_report(instance: Instance) -> MemoryReport:
    """Return how the memory of `instance` is used now."""
    memory = instance.memory
    memory.sample(instance.statistics.input_bytes)
    neighbours: Sequence[Instance] = instance.surroundings.neighbours
    parts = own_bytes(instance)
    own = sum(parts)
    others = sum([sum(own_bytes(each)) for each in neighbours])
    held = memory.used_bytes or own + others
    used = held
    if neighbours:
        used = own + max(held - own - others, 0) // (1 + len(neighbours))
    return MemoryReport(
        process_bytes=held,
        peak_bytes=max(memory.peak_bytes, held),
        used_bytes=used,
        dataset_bytes=min(parts[0], used),
        backlog_bytes=parts[1],
        client_bytes=parts[2],
        startup_bytes=memory.startup_bytes // (1 + len(neighbours)),
        needed_bytes=memory.startup_bytes + own + others,
    )


def own_bytes(instance: Instance) -> tuple[int, int, int]:
    """Return what the data, the backlog and the clients of an instance take."""
    clients = sum([session.memory_bytes for session in instance.clients.values()])
    return dataset_bytes(instance), instance.replica.history.bytes, clients


def dataset_bytes(instance: Instance) -> int:
    """Return about what all keys with their values take."""
    db = instance.keyspace
    count = db.estimate_size()
    keys = db.sample_ends(KEYS_SAMPLED)
    if not keys:
        return 0
    return sum([key_bytes(db, key, ELEMENTS_SAMPLED) or 0 for key in keys]) * count // len(keys)


def human(size: float) -> str:
    """Return a size as Redis abbreviates it.

    >>> human(512), human(1 << 20)
    ('512B', '1.00M')
    """
    unit = 0
    while size >= 1024 and unit < len(UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:.2f}{UNITS[unit]}" if unit else f"{size:.0f}B"
