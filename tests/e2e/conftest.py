"""The mark `processes` of the tests that start processes of ours.

The tests in `checkout` do not have it: they are about this checkout and not about the packages.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if HERE in item.path.parents and HERE / "checkout" not in item.path.parents:
            item.add_marker("processes")
