"""Check the type of an argument that a program hands in."""

from __future__ import annotations


def expect(item: object, kind: type[object], hint: str = "") -> None:
    """Raise TypeError unless `item` is of the type that was asked for. `hint` says what to use."""
    if not isinstance(item, kind):
        more = f": {hint}" if hint else ""
        raise TypeError(f"expected {kind.__name__}, not {type(item).__name__}{more}")
