"""What an effect had seen when it was made.

A removing effect takes away "the dots of this element that I had seen". No list of dots
travels: the operation's vector is the list (Baquero, Almeida and Shoker, "Pure Operation-Based
Replicated Data Types", 2017). An effect observes, of other origins, what the vector of its
operation covers, and of its own origin everything before itself.
"""

from __future__ import annotations

from crdt.causality.dots import SEQ_BITS, SEQ_MAX, Dot, Origin, Vector


class Observed:
    """The past of one effect, and the time base that the stamps in its payload count from.

    One object serves a whole run of effects: `seq` moves on from effect to effect. Where the
    effect is made, the past is all there is (`everything`).
    """

    __slots__ = ("base", "everything", "origin", "seq", "vector")

    def __init__(self, vector: Vector, origin: Origin, seq: int, base: int) -> None:
        self.vector: Vector = vector
        self.origin: Origin = origin
        self.seq: int = seq
        self.base: int = base
        self.everything: bool = False

    def covers(self, dot: Dot) -> bool:
        """Whether the effect came after the effect named `dot` and knew it."""
        if self.everything:
            return True
        origin = dot >> SEQ_BITS
        if origin == self.origin:
            return dot & SEQ_MAX < self.seq
        return self.vector.get(origin, 0) >= dot & SEQ_MAX

    def dot(self) -> Dot:
        """The name of the effect itself."""
        return self.origin << SEQ_BITS | self.seq
