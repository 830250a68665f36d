"""Deterministic simulation of everything below it, under a virtual clock. See design section 7.

Nothing imports this package.
"""

from __future__ import annotations
