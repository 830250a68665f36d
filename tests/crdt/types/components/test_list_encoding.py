"""The limits up to which Redis packs a list."""

from __future__ import annotations

import pytest

from crdt.types.components.list_encoding import LENGTH_OR_SIZE, encoding
from crdt.types.list import List


class Sized(List):
    """A list of some equal elements."""

    def __init__(self, count: int, size_bytes: int) -> None:
        super().__init__()
        self.count = count
        self.size_bytes = size_bytes

    def length(self) -> int:
        return self.count

    def values(self, start: int, stop: int) -> list[bytes]:
        return [bytes(self.size_bytes)] * (stop - start)


@pytest.mark.interpreted("it derives from a compiled class")
@pytest.mark.parametrize(
    ("limit", "count", "size_bytes", "is_packed"),
    [
        (3, 3, 1, True),
        (3, 4, 1, False),
        (0, 1, 1, True),
        (3, 3, 2728, True),
        (3, 3, 2729, False),  # 8 KB in all
        (-1, 2048, 0, True),
        (-1, 2049, 0, False),
        (-2, 81, 99, True),
        (-2, 82, 99, False),
        (-5, 648, 99, True),
        (-9, 649, 99, False),
    ],
)
def test_list_is_packed_up_to_limit(
    limit: int, count: int, size_bytes: int, is_packed: bool
) -> None:
    found = encoding(Sized(count, size_bytes), {LENGTH_OR_SIZE: limit})
    assert found == (b"listpack" if is_packed else b"quicklist")
