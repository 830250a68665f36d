"""The memory that data take, where the process holds more than that.

Python keeps memory for later when small objects are freed, mostly in pieces that it cannot give
back to the system. What the process holds (its resident memory) therefore hardly falls when keys
are deleted, and eviction that waited for that would delete all keys.

So the number of small blocks in use counts too. When there were more of them than ever before,
nearly everything that the process held was in use. Since then the memory in use has fallen as the
number of blocks has. What the process has taken in addition since then is in use as well, as large
objects do not fit into the places of small ones. The result is never more than what is held.
"""

from __future__ import annotations


class LiveMemory:
    """Estimates the bytes in use of one process."""

    __slots__ = ("high_blocks", "high_bytes", "start_blocks", "start_bytes")

    def __init__(self) -> None:
        self.begin(0, 0)

    def begin(self, held_bytes: int, blocks: int) -> None:
        """Record what the process holds before there are data."""
        self.start_bytes = self.high_bytes = held_bytes
        self.start_blocks = self.high_blocks = blocks

    def estimate(self, held_bytes: int, blocks: int) -> int:
        """Return the bytes in use, for what the process holds and its blocks in use now. `blocks`
        is 0 where nobody counts them."""
        if blocks >= self.high_blocks or not blocks:
            self.high_bytes = max(held_bytes, self.start_bytes)
            self.high_blocks = blocks
            return held_bytes
        share = max(blocks - self.start_blocks, 0) / max(self.high_blocks - self.start_blocks, 1)
        live = self.start_bytes + int((self.high_bytes - self.start_bytes) * share)
        return min(held_bytes, live + max(held_bytes - self.high_bytes, 0))
