"""Length of the runs of the type suite, by the Hypothesis profile.

The environment variable `SUITE_SEED` sets the first seed: `SUITE_SEED=20260801`. A failure names
its seed.
"""

from __future__ import annotations

import os

import pytest

SCHEDULES = {"quick": 50, "ci": 300, "nightly": 4000}  # `ci` is for compiled code


@pytest.fixture(scope="session")
def schedules() -> int:
    """Return the number of schedules for each subject."""
    return SCHEDULES[os.environ.get("HYPOTHESIS_PROFILE", "quick")]


@pytest.fixture(scope="session")
def seed() -> int:
    """Return the first seed."""
    return int(os.environ.get("SUITE_SEED", "0"))
