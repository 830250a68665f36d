"""The past of an effect: what its origin had seen when the effect was made.

A removing effect removes the dots of an element that its origin had seen. It carries no list of
dots: the operation's vector is the list (Baquero, Almeida and Shoker, "Pure Operation-Based
Replicated Data Types", 2017). An effect observes, of other origins, what the vector of its
operation covers, and of its own origin everything before itself.
"""

from __future__ import annotations

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Origin, Vector


class Observed:
    """The past of one effect, and the time base that the stamps in its payload count from.

    One object serves a whole run of effects: `seq` increases from effect to effect. At its origin
    an effect has seen all that is there (`is_local`).
    """

    __slots__ = ("base", "is_local", "origin", "seq", "vector")

    def __init__(self, vector: Vector, origin: Origin, seq: int, base: int) -> None:
        self.vector: Vector = vector
        self.origin: Origin = origin
        self.seq: int = seq
        self.base: int = base
        self.is_local: bool = False

    def covers(self, dot: Dot) -> bool:
        """Return whether the effect came after the effect `dot` and had seen it."""
        if self.is_local:
            return True
        origin = dot >> SEQ_BITS
        if origin == self.origin:
            return dot & SEQ_MAX < self.seq
        return self.vector.get(origin, 0) >= dot & SEQ_MAX

    def copy(self) -> Observed:
        """Return a copy, which stays as it is while the run goes on."""
        copy = Observed(dict(self.vector), self.origin, self.seq, self.base)
        copy.is_local = self.is_local
        return copy

    def covers_all(self, vector: Vector) -> bool:
        """Return whether the effect had seen all that a replica with this vector has applied, if
        the replica applies the effect next."""
        if self.is_local:
            return True
        for origin, seq in vector.items():
            if origin != self.origin and self.vector.get(origin, 0) < seq:
                return False
        return True

    def dot(self) -> Dot:
        """Return the dot of the effect itself."""
        return self.origin << SEQ_BITS | self.seq
