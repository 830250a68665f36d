"""Version vectors as people and clients write them: `1=42,2=7`.

An origin is a region's number, with the number of its life after a point if it is not the first:
`2.1=9`. Clients hand such a text on without reading it: what CRDB.VECTOR gives in one region,
CRDB.AWAIT takes in another.
"""

from __future__ import annotations

import re
from typing import Final

from crdb.server.errors import CommandError
from crdt.dots import SEQ_MAX, Vector, make_origin, name_origin

NOT_A_VECTOR: Final = b"ERR not a vector: write it as CRDB.VECTOR does, like 1=42,2.1=7"
ENTRY: Final = re.compile(rb"([0-9]{1,3})(?:\.([0-9]{1,5}))?=([0-9]{1,13})")


def format_vector(vector: Vector) -> bytes:
    """The vector as text, by origin; empty for one that stands for nothing.

    >>> format_vector({make_origin(2, 1): 9, make_origin(1): 42})
    b'1=42,2.1=9'
    """
    return ",".join(f"{name_origin(o)}={vector[o]}" for o in sorted(vector)).encode()


def parse_vector(text: bytes) -> Vector:
    """The vector that `text` spells. Raises CommandError if it spells none."""
    vector: Vector = {}
    for entry in text.split(b",") if text else []:
        found = ENTRY.fullmatch(entry)
        if found is None:
            raise CommandError(NOT_A_VECTOR)
        try:
            origin = make_origin(int(found[1]), int(found[2] or 0))
        except ValueError:
            raise CommandError(NOT_A_VECTOR) from None
        seq = int(found[3])
        if seq > SEQ_MAX or origin in vector:
            raise CommandError(NOT_A_VECTOR)
        vector[origin] = seq
    return vector
