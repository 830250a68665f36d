"""Sphinx: MyST Markdown, the furo theme, and the docstrings. `sphinx-build docs build/docs`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

project = "crdb"
author = "The crdb authors"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["build"]
nitpicky = True
# Signatures name types of the standard library and of modules that have no page here.
nitpick_ignore_regex = [("py:.*", ".*")]

myst_heading_anchors = 3
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "crdb"
