"""Sphinx: MyST Markdown, the furo theme, the docstrings, and the notebook, run.

sphinx-build docs build/docs
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

project = "crdb"
author = "The crdb authors"

extensions = ["myst_parser", "sphinx.ext.autodoc", "notebook"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["build"]
nitpicky = True
# Signatures name types of the standard library and of modules that have no page here.
nitpick_ignore_regex = [("py:.*", ".*")]

myst_heading_anchors = 3
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = "crdb"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_show_copyright = False
