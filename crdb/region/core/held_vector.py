"""The text form of the vector that a region held, by which a loss of data is detected. Pure.

The text has a line for each origin: the origin, and the number of its effects.
"""

from __future__ import annotations

from crdt.causality.dots import ORIGIN_MAX, SEQ_MAX, Vector


def parse_held_vector(text: str) -> Vector | None:
    """Return the vector that a file holds; None if it holds something else. Numbers out of range
    are left out."""
    found: Vector = {}
    for line in text.splitlines():
        match line.split():
            case [origin, seq] if origin.isdecimal() and seq.isdecimal():
                if int(origin) <= ORIGIN_MAX and int(seq) <= SEQ_MAX:
                    found[int(origin)] = int(seq)
            case _:
                return None
    return found


def format_held_vector(vector: Vector) -> str:
    """Return the text of a vector."""
    return "".join(f"{origin} {seq}\n" for origin, seq in sorted(vector.items()))
