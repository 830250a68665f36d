"""Version vectors as clients write them: `1=42,2.1=9`.

Clients pass such a text on without reading it: CRDB.AWAIT of one region takes the reply of
CRDB.VECTOR of another. The form is that of `crdt.Vector`, without fingerprints.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.errors import CommandError
from crdt.causality import version_vector as vectors
from crdt.causality.dots import Vector
from crdt.errors import DecodeError

NOT_A_VECTOR: Final = b"ERR not a vector: write it as CRDB.VECTOR does, like 1=42,2.1=7"


def format_vector(vector: Vector) -> bytes:
    """Return the vector as text, ordered by origin. An empty vector gives an empty text.

    >>> from crdt.causality.dots import make_origin
    >>> format_vector({make_origin(2, 1): 9, make_origin(1): 42})
    b'1=42,2.1=9'
    """
    return vectors.format_vector(vector).encode()


def parse_vector(text: bytes) -> Vector:
    """Parse a vector. Raises CommandError."""
    try:
        return dict(vectors.Vector.from_text(text.decode("ascii")))
    except (DecodeError, UnicodeDecodeError):
        raise CommandError(NOT_A_VECTOR) from None
