"""A last-writer-wins register that keeps all siblings, with a counter on top.

Concurrent writes are all kept, each with its dot and its stamp. Readers see the greatest stamp, or
the lower origin on a tie (rules STR-2, ORD-8). A write removes the writes that it observed and adds
its own, stamped later than all of them, so stamps never contradict causality (rules ORD-6, ORD-7).
Siblings stay until a write or delete that observed them. If they were dropped immediately, a delete
that had observed only the shown write would leave nothing here and a sibling elsewhere.

A string that was edited holds a `LargeText`. Its origin sends edits of it, which other replicas
apply to their copy of the origin's latest write. So they keep this copy as a *retained base* if a
write or a removal of another origin replaces it. The base is dropped once every member, and so its
origin, has observed what replaced it, or once the origin itself writes or removes the value.

Increments are kept apart from the writes, as a counter (see there); the value is the shown write
plus the counter (rules CTR-6, CTR-9, D-04). One write and no counter is the common case, and costs
no object besides the register.
"""

from __future__ import annotations

from typing import Any, Final

from mypy_extensions import mypyc_attr

from crdt.causality.dots import SEQ_BITS, Dot, Vector, covers, join_dots, read_dot
from crdt.causality.observed import Observed
from crdt.errors import DecodeError
from crdt.numbers.number import Number
from crdt.structures.large_text import LargeText
from crdt.types.base import Value
from crdt.types.components import counter
from crdt.types.components.counter import Shares
from crdt.types.definition import OriginNames
from crdt.wire.decoding import integer_of, tuple_of

LATEST: Final = 1 << 56  # ms; beyond any stamp that operations can have led to


@mypyc_attr(acyclic=True)
class Write:
    """A sibling: a concurrent write, which is not shown. Or a retained base."""

    __slots__ = ("dot", "replaced_by", "stamp", "value")

    def __init__(self, dot: Dot, stamp: int, value: Any, replaced_by: Dot = 0) -> None:
        self.dot: Dot = dot
        self.stamp: int = stamp
        self.value: Any = value
        self.replaced_by: Dot = replaced_by
        """The effect that replaced a retained base; 0 for a sibling."""


@mypyc_attr(acyclic=True)
class Register(Value):
    """Concurrent writes and increments of one thing. `dot` is 0 while nothing was written."""

    __slots__ = (
        "dot",
        "no_expiry",
        "is_raw",
        "is_text",
        "sibling_writes",
        "shares",
        "stamp",
        "value",
    )

    def __init__(self) -> None:
        self.dot: Dot = 0
        self.stamp: int = 0
        self.value: Any = None
        self.no_expiry: bool = False
        self.is_raw: bool = False  # these two are for OBJECT ENCODING, see `string.mark`
        self.is_text: bool = False
        self.sibling_writes: tuple[Write, ...] = ()
        self.shares: Shares = ()
        self.accessed = 0

    def write(self, dot: Dot, stamp: int, value: Any, observed: Observed) -> None:
        """Apply a write. It replaces those that it observed and becomes a sibling of the others."""
        if not self.sibling_writes and (self.dot == 0 or observed.covers(self.dot)):
            if not isinstance(self.value, LargeText):
                self.dot = dot
                self.stamp = stamp
                self.value = value
                return
        self.replace(observed, [Write(dot, stamp, value)])

    def replace(self, observed: Observed, writes: list[Write]) -> None:
        """Remove the writes that an effect observed, and add `writes`, which it has made."""
        origin = observed.origin
        retained: list[Write] = []
        for write in self.retained():
            if write.dot >> SEQ_BITS != origin:
                if observed.covers(write.dot):
                    # The same one everywhere, in whatever order they arrive.
                    write.replaced_by = min(write.replaced_by, observed.dot())
                retained.append(write)
        for write in self.writes():
            if not observed.covers(write.dot):
                writes.append(write)
            elif isinstance(write.value, LargeText) and write.dot >> SEQ_BITS != origin:
                write.replaced_by = observed.dot()
                retained.append(write)
        self.show(writes, retained)

    def writes(self) -> list[Write]:
        """Return all concurrent writes, the shown one first."""
        if self.dot == 0:
            return []
        siblings = [write for write in self.sibling_writes if not write.replaced_by]
        return [Write(self.dot, self.stamp, self.value), *siblings]

    def retained(self) -> list[Write]:
        """Return the retained bases."""
        return [write for write in self.sibling_writes if write.replaced_by]

    def has_siblings(self) -> bool:
        """Return whether there are concurrent writes."""
        return len(self.writes()) > 1

    def shown_stamp(self) -> int:
        """Return the stamp of the shown write, or one that is less than any, if nothing was
        written."""
        return self.stamp if self.dot else -LATEST

    def show(self, writes: list[Write], retained: list[Write] | None = None) -> None:
        """Hold exactly these writes and retained bases. Of the writes, the one with the greatest
        stamp, or lower origin, is shown."""
        writes.sort(key=precedence)
        if writes:
            first = writes[0]
            self.dot, self.stamp, self.value = first.dot, first.stamp, first.value
        else:
            self.dot, self.stamp, self.value = 0, 0, None
            self.no_expiry = False
        siblings = writes[1:]
        if retained:
            retained.sort(key=dot_of)
            siblings += retained
        self.sibling_writes = tuple(siblings)

    def increment(self, dot: Dot, birth: int, amount: Number) -> None:
        """Apply an increment, which carries its origin's new sum."""
        self.shares = counter.incremented(self.shares, dot, birth, amount)

    def increments(self) -> list[tuple[Dot, Number]]:
        """Return what each origin has added to the shown write, with its latest dot."""
        live = [share for share in self.shares if share.live()]
        return [(share.origin << SEQ_BITS | share.seq, share.part()) for share in live]

    def reset(self, resets: object, dot: Dot) -> None:
        """Take back the increments that the effect named `dot` carries."""
        counter.reset(self.shares, resets, dot)

    def remove(self, observed: Observed, resets: object) -> None:
        if resets is not None:
            self.reset(resets, observed.dot())
        if self.sibling_writes or isinstance(self.value, LargeText):
            self.replace(observed, [])
        elif self.dot and observed.covers(self.dot):
            self.dot, self.stamp, self.value = 0, 0, None
            self.no_expiry = False

    def resets(self) -> object:
        return counter.resets(self.shares) if self.shares else None

    def is_live(self) -> bool:
        return self.dot != 0 or counter.live(self.shares)

    def is_empty(self) -> bool:
        return self.dot == 0 and not self.shares and not self.sibling_writes

    def plain(self) -> bool:
        """Return whether there is one write at most, not of a text that its origin may edit, and no
        retained base and no counter."""
        return not self.sibling_writes and not self.shares and not isinstance(self.value, LargeText)

    def min_dot(self) -> Dot:
        dots = [write.dot for write in self.writes()]
        counted = counter.min_dot(self.shares)
        return min([*dots, counted] if counted else dots, default=0)

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, Register)
        if other.dot and other.dot == self.dot and self.plain() and other.plain():
            return
        held = {write.dot: write for write in self.writes()}
        given = {write.dot: write for write in other.writes()}
        self.is_raw = self.is_text = False
        self.shares = counter.merged(self.shares, other.shares, mine, theirs)
        writes = join_dots(held, given, mine, theirs)
        self.show(list(writes.values()), self.merge_retained(other, writes, mine, theirs))

    def merge_retained(
        self, other: Register, writes: dict[Dot, Write], mine: Vector, theirs: Vector
    ) -> list[Write]:
        """Return the retained bases of two copies, of which `writes` remain.

        A base is kept if both sides hold it, or one and the other's vector does not cover it. Both
        as a retained base and as a write it counts as held: the side that has not observed its
        replacement still has it as a write.
        """
        held = {write.dot: write for write in self.bases()}
        given = {write.dot: write for write in other.bases()}
        for dot, write in given.items():
            own = held.get(dot)
            if own is not None and write.replaced_by:
                if not own.replaced_by or write.replaced_by < own.replaced_by:
                    own.replaced_by = write.replaced_by
        joined = join_dots(held, given, mine, theirs)
        return [write for dot, write in joined.items() if write.replaced_by and dot not in writes]

    def bases(self) -> list[Write]:
        """Return the retained bases, and the writes that would become one."""
        return self.retained() + [
            write for write in self.writes() if isinstance(write.value, LargeText)
        ]

    def keeps_traces(self) -> bool:
        if self.shares or isinstance(self.value, LargeText):
            return True
        if not self.sibling_writes:
            return False
        return any(w.replaced_by or isinstance(w.value, LargeText) for w in self.sibling_writes)

    def has_garbage(self) -> bool:
        if self.sibling_writes and self.retained():
            return True
        return len(self.shares) > 0 and counter.has_garbage(self.shares)

    def collect(self, stable: Vector) -> bool:
        self.shares = counter.collect_shares(self.shares, stable)
        if self.sibling_writes:
            self.sibling_writes = tuple(
                [
                    write
                    for write in self.sibling_writes
                    if not write.replaced_by or not covers(stable, write.replaced_by)
                ]
            )
        return self.has_garbage()

    def state(self) -> Any:
        """Return `(dot, stamp, value, no_expiry)`. If there are any, the siblings and the counter
        follow, and then the retained bases."""
        return self.state_with(packed(self.value))

    def state_with(self, item: Any) -> tuple[Any, ...]:
        """Return the state with this item in place of the value."""
        if not self.sibling_writes and not self.shares:
            return (self.dot, self.stamp, item, int(self.no_expiry))
        flat: list[Any] = []
        bases: list[Any] = []
        for write in self.sibling_writes:
            if write.replaced_by:
                bases += (write.dot, write.replaced_by, write.value.read())
            else:
                flat += (write.dot, write.stamp, packed(write.value))
        shares = counter.state(self.shares)
        head = (self.dot, self.stamp, item, int(self.no_expiry))
        return (*head, tuple(flat), shares, tuple(bases)) if bases else (*head, tuple(flat), shares)

    def load(self, state: Any) -> None:
        items = tuple_of(state, "a register")
        if len(items) not in (4, 6, 7):
            raise DecodeError("a register: expected four, six or seven items")
        value = self.unpacked(items[2])
        self.check_write(items[0], items[1], value)
        self.dot, self.stamp, self.value = items[0], items[1], value
        self.no_expiry = items[3] == 1 and self.dot != 0
        if len(items) >= 6:
            self.load_siblings(tuple_of(items[4], "a register's siblings", 3))
            self.shares = counter.load(items[5])
        if len(items) == 7:
            self.load_retained(tuple_of(items[6], "a register's retained bases", 3))

    def load_siblings(self, flat: tuple[Any, ...]) -> None:
        """Load the siblings: dot, stamp and value of each."""
        writes: list[Write] = []
        for index in range(0, len(flat), 3):
            dot, stamp, item = flat[index : index + 3]
            value = self.unpacked(item)
            self.check_write(dot, stamp, value)
            writes.append(Write(dot, stamp, value))
        if writes and self.dot == 0:
            raise DecodeError("a register: siblings, but no write that is shown")
        self.sibling_writes = tuple(writes)

    def load_retained(self, flat: tuple[Any, ...]) -> None:
        """Load the retained bases: dot, the dot of what replaced it, and text of each."""
        bases: list[Write] = []
        for index in range(0, len(flat), 3):
            dot, replaced_by, text = flat[index : index + 3]
            read_dot(dot, "a retained base's dot")
            read_dot(replaced_by, "the dot of what replaced a base")
            value = self.unpacked((text,))
            if not isinstance(value, LargeText):
                raise DecodeError("a register: expected the text of a retained base")
            bases.append(Write(dot, 0, value, replaced_by))
        self.sibling_writes += tuple(bases)

    def held_value(self, text: bytes) -> Any:
        """Return the form in which the register holds a text that was written as a whole."""
        return text

    def unpacked(self, item: Any) -> Any:
        """Return the value that an item of a state stands for."""
        return item

    def check_write(self, dot: Any, stamp: Any, value: Any) -> None:
        """Raise DecodeError unless these are the dot, stamp and value of a write."""
        if type(dot) is not int or dot != 0:
            read_dot(dot, "a register's dot")
        integer_of(stamp, "a register's stamp", -LATEST, LATEST)
        if not (self.admits(value) if dot else value is None):
            raise DecodeError("a register: expected a value of its type")

    def admits(self, value: object) -> bool:
        """Return whether `value` may be written here."""
        return type(value) is bytes

    def covered(self, vector: Vector) -> bool:
        if self.dot and not covers(vector, self.dot):
            return False
        if self.sibling_writes and not all(
            covers(vector, write.dot)
            and (not write.replaced_by or covers(vector, write.replaced_by))
            for write in self.sibling_writes
        ):
            return False
        return not self.shares or counter.covered(self.shares, vector)

    def siblings(self) -> list[tuple[Dot, object]]:
        return [(write.dot, whole_value(write.value)) for write in self.writes()]


def precedence(write: Write) -> tuple[int, int]:
    """Return the sort key of a write. The write that readers see comes first."""
    return -write.stamp, write.dot >> SEQ_BITS


def dot_of(write: Write) -> Dot:
    """Return the sort key of a retained base."""
    return write.dot


def whole_value(value: Any) -> Any:
    """Return a value of a write as it was written: a text as bytes."""
    return value.read() if isinstance(value, LargeText) else value


def packed(value: Any) -> Any:
    """Return the item of a state that stands for a value. A text that its origin may edit stands in
    a tuple of its own."""
    return (value.read(),) if isinstance(value, LargeText) else value


def plain_register(value: Value, code: int) -> Register | None:
    """Return `value` as a register if it is of this type and holds one write at most, and no
    counter; else None."""
    if isinstance(value, Register) and value.code() == code and value.plain():
        return value
    return None


def rename_register(register: Register, names: OriginNames) -> None:
    """Rename the origins in a register and in the counter on top."""
    register.dot = names.dot(register.dot)
    register.sibling_writes = tuple(
        [
            Write(names.dot(write.dot), write.stamp, write.value, names.dot(write.replaced_by))
            for write in register.sibling_writes
        ]
    )
    for share in register.shares:
        share.origin = names.origin(share.origin)
        share.reset_dot = names.dot(share.reset_dot)
    register.shares = counter.in_order(list(register.shares))
