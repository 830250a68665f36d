"""The invariants of a run: one file for each, which also lists what it does not check.

`sim.world.world` makes one checker of each kind. A checker raises `Violation` as soon as its
promise is broken. It also counts its checks, because a promise that was never checked proves
nothing. The invariants that are checked at the end of a run only are in `sim.world`.
"""

from __future__ import annotations
