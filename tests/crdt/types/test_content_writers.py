"""The table of the functions that write content."""

from __future__ import annotations

from crdt.types.registry import DEFINITIONS
from crdt.writes.content_writers import CONTENT_WRITERS


def test_every_type_with_content_has_writer() -> None:
    """The plain type has none: `content.put` writes it with its deadline."""
    codes = {each.code for each in DEFINITIONS if each.content is not None and not each.is_plain}
    assert codes == CONTENT_WRITERS.keys()
