"""Run every notebook in its own kernel, and check its output.

Notebooks are kept as text (jupytext's percent format), without output that could be out of date. A
notebook asserts its own claims. An assertion that fails in a cell fails the test.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import jupytext
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[3]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
CELL_SECONDS_MAX = 300  # a kernel that hangs is ended, however busy the machine is


def executed(path: Path) -> Any:
    """Run a notebook. It imports the source tree, as all tests do."""
    notebook = jupytext.read(path)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS_MAX,
        kernel_name="python3",
        resources={"metadata": {"path": str(ROOT)}},
    )
    return client.execute()


def shown(notebook: Any) -> Counter[str]:
    """Count the outputs by kind: streams by name, displays by their richest form."""
    kinds = ("image/svg+xml", "image/png", "text/html", "text/markdown", "text/plain")
    found: Counter[str] = Counter()
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "stream":
                found[output.name] += 1
            else:
                found[next(kind for kind in kinds if kind in output.data)] += 1
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_and_complains_of_nothing(path: Path) -> None:
    outputs = shown(executed(path))
    assert outputs["stderr"] == 0
    assert outputs["image/svg+xml"] + outputs["image/png"] > 0


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["three_regions"]
