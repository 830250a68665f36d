"""The memory that the process uses, and whether clients may still use more.

The operating system reports the figure for the whole process, so regions in one process share it.
It is read with each sample of rates, and earlier if clients have sent much data since. Two bounds
refuse writes that may need memory with an OOM error: the parameter `maxmemory`, and a guard below
the limit that the system sets for the process, if it sets one. Reads, deletions, deadlines and ops
of other regions are not refused (specification OOM-4, OOM-5).

In a region with peers, a part of `maxmemory` is reserved for operations of other regions: clients'
writes are refused before it is used (OOM-4). While keys can be evicted there is no reserve, as
memory is freed for everybody.

If an allocation fails nevertheless, the process frees a reserve that it holds for this case. Writes
that may need memory are refused until the reserve is held again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crdb.engine.errors import OUT_OF_MEMORY, SYSTEM_OUT_OF_MEMORY
from crdb.engine.eviction.live_memory import LiveMemory

DENY_OOM: Final = 64
"""The flag of commands that are refused while memory is full. See `command`."""
PLENTY: Final = 1 << 62
SAMPLE_BYTES_MIN: Final = 256 << 10
SAMPLE_BYTES_MAX: Final = 8 << 20
SAMPLE_SHARE: Final = 4
RELEASE_SAMPLES: Final = 10
RESERVE_BYTES: Final = 80 << 20
"""The reserve that a driver holds, with its margin."""
COPIES: Final = 3
"""A large value exists so many times while it is sent: as itself, encoded, and in a frame."""
EVICTION_SHARE: Final = 10
"""While keys can be evicted, this part of `maxmemory` may be used beyond it."""
GROWTH_MIN: Final = 1 << 20
"""A command that needs less than this is not asked whether that fits."""

Probe = Callable[[], tuple[int, int]]
"""Returns the bytes that the process uses, and how many more the system's limit leaves it."""


class Memory:
    """The memory of one instance's process."""

    __slots__ = (
        "count_blocks",
        "denied_bits",
        "free_reserve",
        "has_reserve",
        "hold_reserve",
        "is_evicting",
        "limit_bytes",
        "live",
        "live_bytes",
        "sample_at_bytes",
        "on_denied",
        "peak_bytes",
        "probe",
        "release",
        "reserve_percent",
        "samples_full",
        "spare_bytes",
        "startup_bytes",
        "uncounted_bytes",
        "used_bytes",
    )

    def __init__(self, on_denied: Callable[[], None] | None = None) -> None:
        """`on_denied` is called when `denied_bits` may have changed."""
        self.on_denied: Callable[[], None] = no_release if on_denied is None else on_denied
        self.probe: Probe = no_probe
        self.release: Callable[[], None] = no_release
        """Gives unused memory back to the system."""
        self.hold_reserve: Callable[[], bool] = hold_nothing
        """Holds the reserve, and returns whether there was memory for it."""
        self.free_reserve: Callable[[], None] = no_release
        self.has_reserve = True
        self.count_blocks: Callable[[], int] = no_blocks
        """Returns the number of small blocks of memory in use, or 0 if nobody counts them."""
        self.live = LiveMemory()
        self.is_evicting = False
        """True while keys can be evicted: then `maxmemory` may be exceeded for a moment."""
        self.live_bytes = 0
        """The memory in use; less than `used_bytes` if the process holds memory for later."""
        self.uncounted_bytes = 0
        """The part of it that does not count for `maxmemory`, since eviction cannot free it."""
        self.used_bytes = 0
        self.startup_bytes = 0
        """The memory that the process used before there were data."""
        self.peak_bytes = 0
        self.limit_bytes = 0
        """The parameter `maxmemory`; 0 is no limit."""
        self.reserve_percent = 0
        """The part of `maxmemory` that clients may not use, in percent."""
        self.spare_bytes = PLENTY
        self.denied_bits = 0
        """DENY_OOM while memory is full, else 0."""
        self.sample_at_bytes = 0
        """The number of bytes received from clients at which to sample again."""
        self.samples_full = 0

    def sample(self, received_bytes: int) -> None:
        """Read the figures. `received_bytes` is what clients have sent so far."""
        self._read()
        if self.is_full() or self.exceeds_limit():
            if self.samples_full % RELEASE_SAMPLES == 0:
                self.release()
                self._read()
            self.samples_full += 1
        else:
            self.samples_full = 0
        self.has_reserve = self.hold_reserve()
        self.denied_bits = DENY_OOM if self.missing_bytes() else 0
        self.on_denied()
        share = min(self.available_bytes() // SAMPLE_SHARE, SAMPLE_BYTES_MAX)
        self.sample_at_bytes = received_bytes + max(SAMPLE_BYTES_MIN, share)

    def measure(self) -> None:
        """Read the figures, and change nothing else."""
        self._read()

    def begin(self) -> None:
        """Measure what the process uses before there are data."""
        self._read()
        self.startup_bytes = self.used_bytes
        self.live.begin(self.used_bytes, self.count_blocks())

    def set_evicting(self, is_evicting: bool) -> None:
        """Record whether keys can be evicted, and decide again whether writes are refused."""
        self.is_evicting = is_evicting
        denied_bits = DENY_OOM if self.missing_bytes() else 0
        if denied_bits != self.denied_bits:
            self.denied_bits = denied_bits
            self.on_denied()

    def counted_bytes(self) -> int:
        """Return the memory that counts for `maxmemory`."""
        return self.live_bytes - self.uncounted_bytes

    def exceeds_limit(self) -> bool:
        """Return whether more than `maxmemory` is in use."""
        return self.limit_bytes != 0 and self.counted_bytes() > self.limit_bytes

    def exhausted(self) -> None:
        """Free the reserve and refuse writes until the next sample: an allocation has failed."""
        self.free_reserve()
        self.has_reserve = False
        self.denied_bits = DENY_OOM
        self.sample_at_bytes = 0
        self.on_denied()

    def set_limit(self, limit_bytes: int, received_bytes: int) -> None:
        """Change `maxmemory`; it holds from the next command on."""
        self.limit_bytes = limit_bytes
        self.sample(received_bytes)

    def refusal(self, size: int = 0) -> bytes:
        """Return the error for a command that needs `size` bytes: the limit that they would exceed.
        If both are exceeded, it is the one that can be changed while the region runs."""
        is_limited = self.limit_bytes != 0
        if is_limited and (
            self.limit_available_bytes() < size or self.spare_bytes >= COPIES * size
        ):
            return OUT_OF_MEMORY
        return SYSTEM_OUT_OF_MEMORY

    def is_full(self) -> bool:
        """Return whether more is used than is allowed."""
        return self.available_bytes() < 0

    def missing_bytes(self) -> int:
        """Return how many bytes must be freed before clients may write again, about."""
        return max(-self.available_bytes(), 0 if self.has_reserve else RESERVE_BYTES)

    def available_bytes(self) -> int:
        """Return how many more bytes may be used; negative if there are too many already."""
        return min(self.spare_bytes, self.limit_available_bytes())

    def limit_available_bytes(self) -> int:
        """Return how many more bytes `maxmemory` leaves to clients; negative if too many are used
        already."""
        limit = self.limit_bytes
        if not limit:
            return PLENTY
        if self.is_evicting:
            allowed = limit + limit // EVICTION_SHARE
        else:
            allowed = limit - limit * self.reserve_percent // 100
        return allowed - self.counted_bytes()

    def can_allocate(self, size: int) -> bool:
        """Return whether a command may make a value of `size` bytes. For a large one the figures
        are read, as one transaction may make many of them."""
        if size < GROWTH_MIN:
            return True
        self._read()
        return size <= self.limit_available_bytes() and COPIES * size <= self.spare_bytes

    def _read(self) -> None:
        self.used_bytes, self.spare_bytes = self.probe()
        self.live_bytes = self.live.estimate(self.used_bytes, self.count_blocks())
        self.peak_bytes = max(self.peak_bytes, self.used_bytes)


def no_blocks() -> int:
    """Return 0: without a driver nobody counts blocks."""
    return 0


def no_probe() -> tuple[int, int]:
    """Return 0: without a driver nothing is measured, and memory is never full."""
    return 0, PLENTY


def hold_nothing() -> bool:
    """Return True: without a driver there is no reserve."""
    return True


def no_release() -> None:
    """There is nothing to give back."""
