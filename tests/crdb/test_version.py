"""The version, which the package metadata takes from `crdb/version.py`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from crdb.version import DISTRIBUTION, __version__

ROOT = Path(__file__).parents[2]


def test_version_is_three_numbers() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


@pytest.mark.interpreted("reads the metadata of the sources")
def test_distribution_is_named_as_in_metadata() -> None:
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert metadata["project"]["name"] == DISTRIBUTION
    assert metadata["tool"]["hatch"]["version"]["path"] == "crdb/version.py"
