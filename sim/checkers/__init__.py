"""The invariants of a run: one file for each, which also says what it does not check.

`ALL` makes one checker of each kind for a world. A checker raises `Violation` as soon as its
promise is broken. It also counts its checks, because a promise that was never checked proves
nothing.
"""

from __future__ import annotations
