"""Whether the keys of a command are tracked in a mode."""

from __future__ import annotations

import pytest

from crdb.engine.tracking.modes import TrackingMode


@pytest.mark.parametrize(
    ("name", "plain", "after_caching"),
    [
        ("skips_own", True, True),
        ("is_opt_in", False, True),
        ("is_opt_out", True, False),
        ("is_broadcast", False, False),
    ],
)
def test_caching_decides_in_two_modes(name: str, plain: bool, after_caching: bool) -> None:
    mode = TrackingMode()
    setattr(mode, name, True)
    assert mode.tracks_reads() is plain
    mode.is_caching_set = True
    assert mode.tracks_reads() is after_caching
