"""The database: a Redis server in every region, all of them taking writes, always converging.

See design section 6.
"""

from __future__ import annotations
