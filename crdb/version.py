"""The version of the package, and the name under which it is installed."""

from __future__ import annotations

from typing import Final

__version__ = "0.1.0"

DISTRIBUTION: Final = "active-active"
"""The name of the package in an index, for `pip install`. The command is called `crdb`."""
