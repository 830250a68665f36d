"""The table of the functions that write content."""

from __future__ import annotations

from crdt.types.registry import DEFINITIONS
from crdt.writes.content_writers import CONTENT_WRITERS


def test_every_type_with_content_has_writer() -> None:
    """The string type has no writer, since `content.put` writes a string with its deadline."""
    codes = {each.code for each in DEFINITIONS if each.content is not None and not each.is_plain}
    assert codes == CONTENT_WRITERS.keys()
