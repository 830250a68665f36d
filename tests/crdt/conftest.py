"""How many schedules the tests of replicated types run, by the profile of `tests/conftest.py`.

The nightly profile begins somewhere else every time it is told to: `SUITE_SEED=20260801`. The seed
of a failure is part of its message.
"""

from __future__ import annotations

import os

import pytest

SCHEDULES = {"quick": 50, "ci": 300, "nightly": 4000}  # `ci` is for compiled code


@pytest.fixture(scope="session")
def schedules() -> int:
    """How many schedules to run for each subject."""
    return SCHEDULES[os.environ.get("HYPOTHESIS_PROFILE", "quick")]


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of the first of them."""
    return int(os.environ.get("SUITE_SEED", "0"))
