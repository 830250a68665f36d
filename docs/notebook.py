"""Sphinx: a notebook as a part of a page, run while the pages are built.

A page asks for it with the block

    ```{notebook} ../notebooks/name.py
    ```

and gives it a title. Prose and code come from the file, which is text in jupytext's percent format;
tables and pictures come from running it, so that none of them can be out of date. A cell that fails
fails the build. Long code is folded, so that a reader meets the results first.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any, Final, cast

import jupytext
from nbclient import NotebookClient
from sphinx.application import Sphinx
from traitlets.config import Config

ROOT: Final = Path(__file__).parents[1]
CELL_SECONDS_MAX: Final = 300
FOLDED_LINES: Final = 12
UNFOLD: Final = "```{raw} html\n<details><summary>Show the code</summary>\n```\n\n"
FOLD_END: Final = "\n\n```{raw} html\n</details>\n```"
WANTED: Final = re.compile(r"^```{notebook} (\S+)\n```$", re.MULTILINE)
LOCAL: Final = Config({"KernelManager": {"transport": "ipc"}})


def insert(app: Sphinx, page: str, content: list[str]) -> None:
    """Put the cells of a notebook, and what they show, where a page asks for them."""

    def cells_of(wanted: re.Match[str]) -> str:
        path = Path(os.fspath(app.srcdir), page).parent / wanted[1]
        app.env.note_dependency(str(path), docname=page)
        cells = executed(path).cells
        return "\n\n".join(part for cell in cells for part in (source(cell), *outputs(cell)))

    content[0] = WANTED.sub(cells_of, content[0])


def executed(path: Path) -> Any:
    """The notebook with what its cells gave."""
    logging.getLogger("traitlets").setLevel(logging.WARNING)
    notebook: Any = cast("Any", jupytext).read(path)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS_MAX,
        kernel_name="python3",
        resources={"metadata": {"path": str(ROOT)}},
        config=LOCAL,
    )
    return client.execute()


def source(cell: Any) -> str:
    """What a cell says, without the notebook's title."""
    if cell.cell_type == "code":
        code = f"```python\n{cell.source}\n```"
        is_long = cell.source.count("\n") >= FOLDED_LINES
        return f"{UNFOLD}{code}{FOLD_END}" if is_long else code
    first, _, rest = cell.source.partition("\n")
    return rest if first.startswith("# ") else cell.source


def outputs(cell: Any) -> list[str]:
    """What a cell shows, each in its richest form."""
    shown: list[str] = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {"text/plain": output.get("text", "")})
        if "image/svg+xml" in data:
            shown.append(f"```{{raw}} html\n{data['image/svg+xml']}\n```")
        elif "image/png" in data:
            image = data["image/png"].replace("\n", "")
            shown.append(f'```{{raw}} html\n<img src="data:image/png;base64,{image}">\n```')
        elif "text/markdown" in data:
            shown.append(data["text/markdown"])
        else:
            shown.append(f"```text\n{data['text/plain']}\n```")
    return shown


def setup(app: Sphinx) -> dict[str, bool]:
    """Look at every page before it is parsed."""
    app.connect("source-read", insert)
    return {"parallel_read_safe": True}
