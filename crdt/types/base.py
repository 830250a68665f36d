"""The contract of every replicated type.

A type is a class of mutable values. It defines how an effect is applied (`apply`, the same at its
origin and everywhere else), how two copies are merged (`merge`) and how a copy is encoded (`state`
and `load`). Dots are passed in; nothing here draws a random number or reads a clock.

Delivery is causal and exactly once; the keyspace sees to that. A value therefore needs no
tombstones: what was removed is what the other side's vector covers and its copy does not hold.

Values that contain no other values are declared acyclic: compiled, each is 16 bytes smaller, and
Python's cyclic garbage collector does not examine it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from mypy_extensions import mypyc_attr

from crdt.causality.dots import Dot, Vector
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.errors import DecodeError


class DroppedContent(Protocol):
    """Removed content that is to be freed in slices."""

    def free_slice(self) -> bool:
        """Free some of the content. Return whether there is more."""
        ...


@mypyc_attr(acyclic=True)
class Value:
    """A copy of a replicated value.

    `code` names the type in effects, whose first items are the code and the operation: 1 to 127
    are ours, 128 to 255 are free for applications (see `crdt.types.custom`).
    """

    __slots__ = ("accessed",)

    accessed: int
    """The second of its keyspace's clock in which a client last used it; unset until then."""

    def code(self) -> int:
        """Return the code of the type."""
        raise NotImplementedError

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        """Apply one effect. Concurrent effects must commute."""
        raise NotImplementedError

    def remove(self, observed: Observed, resets: object) -> None:
        """Remove all that `observed` covers. `resets` is what `resets()` returned at the origin."""
        raise NotImplementedError

    def resets(self) -> object:
        """Return what a remove must carry next to its vector: the sums that it resets, or None."""
        return None

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        """Merge another copy of the same type. Keep a dot if both hold it, or if one holds it and
        the other's vector has not seen it."""
        raise NotImplementedError

    def merge_in_slices(self, other: Value, mine: Vector, theirs: Vector) -> Iterator[None]:
        """Merge another copy like `merge`, but yield after each slice of some thousand elements.
        Neither copy may change, and this one must not be read, until the iterator has ended."""
        self.merge(other, mine, theirs)
        yield

    def count_items(self) -> int:
        """Return the number of elements that a merge visits, 1 for a value of one piece. O(1)."""
        return 1

    def take_content(self) -> DroppedContent | None:
        """Return large content, which the caller frees in slices; None if there is none. The value
        must not be used afterwards."""
        return None

    def take_dropped(self) -> DroppedContent | None:
        """Return large content that `remove` has detached, once; None if there is none. The caller
        frees it in slices."""
        return None

    def is_live(self) -> bool:
        """Return whether readers see a value here."""
        raise NotImplementedError

    def is_empty(self) -> bool:
        """Return whether nothing is left, not even tombstones."""
        return not self.is_live()

    def min_dot(self) -> Dot:
        """Return the smallest live dot. It decides which of several types a key shows (D-02)."""
        raise NotImplementedError

    def visible(self) -> object:
        """Return what readers see, in a form that is equal wherever the value is equal."""
        raise NotImplementedError

    def change_mark(self) -> object:
        """Return what differs before and after each change that readers see. By default this is all
        that they see. A type whose values may be large returns something shorter."""
        return self.visible()

    def text(self) -> bytes | None:
        """Return the value if it is one byte string to readers, else None."""
        return None

    def field(self, name: bytes) -> bytes | None:
        """Return the text of a field, None if there is none."""
        return None

    def sequence(self) -> list[bytes] | None:
        """Return the elements, in their order if the type has one (`is_ordered`); None for a value
        that is not a collection of byte strings."""
        return None

    def sequence_slices(self, count: int) -> Iterator[list[bytes]] | None:
        """Return the elements of `sequence` in slices of about `count`, or None. The value must not
        change meanwhile."""
        return None

    def prepare_order(self, budget: int) -> bool:
        """Do about `budget` steps of the work that a question about the order of the members needs.

        Return whether the question can be answered now without a stall. Otherwise call again. The
        value may change between calls. A question that was not prepared does all work itself.
        """
        return True

    def registers(self) -> list[tuple[bytes, Value]]:
        """Return the elements that may hold concurrent writes: names, or indexes, and registers."""
        return []

    def visible_part(self, effect: Effect) -> object:
        """Return what readers see of the part that an effect of this type concerns. It differs
        before and after the effect if and only if readers see a difference."""
        return self.visible()

    def state(self) -> Any:
        """Return the whole copy as nested tuples of integers, floats and bytes, in canonical
        order."""
        raise NotImplementedError

    def equals(self, other: Value) -> bool:
        """Return whether another copy of the same type holds the same, or False where finding out
        takes longer than a merge."""
        return bool(self.state() == other.state())

    def load(self, state: Any) -> None:
        """Become what `state()` returned. Raises DecodeError if `state` is not of that form."""
        raise NotImplementedError

    def divides(self, count: int, size: int) -> bool:
        """Return whether the state is of more than about `count` elements or `size` bytes, and can
        be read and loaded in parts. O(1)."""
        return False

    def state_parts(self, count: int, size: int) -> Iterator[Any]:
        """Yield the state in parts of about `count` elements or `size` bytes, for `load_part`. The
        value must not change until the iterator has ended, but may be read. Call it only if
        `divides`."""
        raise NotImplementedError

    def load_part(self, part: Any, vector: Vector) -> bool:
        """Add the next part that `state_parts` yielded to a new value. Return whether `vector`
        covers the dots in it. Raises DecodeError if it is malformed."""
        raise DecodeError(f"a value of type {self.code()} in parts")

    def covered(self, vector: Vector) -> bool:
        """Return whether `vector` covers every dot of this value. A snapshot that fails this check
        is refused."""
        raise NotImplementedError

    def keeps_traces(self) -> bool:
        """Return whether a removal of all that is here may leave metadata, or carries resets. If
        not, all of it can be dropped at once. True is always right."""
        return True

    def has_garbage(self) -> bool:
        """Return whether something here may be forgotten once all members have seen it, or whether
        parts of the value expire."""
        return False

    def needs_collection(self) -> bool:
        """Return whether `collect` may forget something here. Parts that expire do not count."""
        return self.has_garbage()

    def collect(self, stable: Vector) -> bool:
        """Forget the metadata that `stable` covers, as every replica has observed it. Return
        whether garbage is left."""
        return False

    def earliest_deadline(self) -> int:
        """Return the earliest deadline of a part, hidden or not; 0 if no part has one. O(parts with
        a deadline)."""
        return 0

    def next_deadline(self) -> int:
        """Return the earliest deadline of a part of the value, in ms of wall clock; 0 if no part
        expires. A value with deadlines has garbage. O(1)."""
        return 0

    def hide_expired(self, clock: int, limit: int) -> int:
        """Hide about `limit` of the parts that expired before `clock` ms. Return how many were
        visited: if they are fewer than `limit`, no part that has expired is visible."""
        return 0

    def hidden_at(self) -> int:
        """Return the clock by which parts were hidden last, in ms; 0 if never. A copy made of the
        state hides the same parts with `hide_expired`."""
        return 0

    def hidden_since(self) -> int:
        """Return the deadline of the part that has been hidden for the longest time; 0 if none
        is."""
        return 0

    def removals(self, key: bytes, clock: int, limit: int) -> list[Effect]:
        """Return effects that remove up to `limit` of the parts that expired before `clock` ms."""
        return []

    def siblings(self) -> list[tuple[Dot, object]]:
        """Return the concurrent values by dot, the one that readers see first."""
        return []
