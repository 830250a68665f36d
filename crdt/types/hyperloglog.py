"""HyperLogLogs: the number of different elements, estimated in little memory.

Elements leave only a trace in shared registers (see `crdt.structures.register_array`), so nothing
can tell which of them a delete had observed. Therefore a delete wins over concurrent additions
(rule HLL-3), other than for all other types of Redis. Additions of all regions are united by the
greater rank of each register (HLL-1).

A delete leaves its dot in `deletes`. An addition that had not observed it has no effect. The dot is
forgotten when it is stable: every later addition has observed it. Only deletes of a visible
HyperLogLog count, which they say in what they carry (`resets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crdt.causality.dots import SEQ_BITS, Dot, Origin, Vector, covers, read_dot
from crdt.causality.effect import Effect
from crdt.causality.observed import Observed
from crdt.errors import DecodeError
from crdt.structures.hyperloglog_text import to_text
from crdt.structures.register_array import CODES, RegisterArray, greatest_ranks
from crdt.types.base import Value
from crdt.types.definition import (
    Operation,
    OriginNames,
    Spelling,
    SpellingForm,
    TypeDefinition,
)
from crdt.types.set import Dots, check_dots, dots_of, join_dots, merge_dots, unobserved
from crdt.wire.decoding import bytes_of, items_of, tuple_of

HYPERLOGLOG: Final = 12
RAISE: Final = 0  # (code, operation, key, register code, ...)

NO_DOTS: Final[Dots] = ()
DELETED: Final[tuple[object, ...]] = ()
"""The item that a delete of a visible HyperLogLog carries."""


class HyperLogLog(Value):
    """The registers, and what is needed to let deletes win."""

    __slots__ = ("additions", "deletes", "ranks")

    def __init__(self) -> None:
        self.ranks: RegisterArray = RegisterArray()
        self.additions: dict[Origin, Dot] = {}
        """The latest addition of each origin. Without one there is no visible value."""
        self.deletes: Dots = NO_DOTS
        """The deletes that are not stable, apart from those that another one had observed."""

    def code(self) -> int:
        return HYPERLOGLOG

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        if unobserved(self.deletes, observed):
            return
        put = self.ranks.put
        for index in range(3, len(effect)):
            code: int = effect[index]
            put(code)
        self.additions[dot >> SEQ_BITS] = dot

    def remove(self, observed: Observed, resets: object) -> None:
        if resets is None:
            return
        self.forget_additions()
        self.deletes = join_dots(unobserved(self.deletes, observed), (observed.dot(),))

    def forget_additions(self) -> None:
        """Become empty, except for deletes."""
        self.ranks = RegisterArray()
        self.additions = {}

    def resets(self) -> object:
        return DELETED if self.additions else None

    def is_live(self) -> bool:
        return len(self.additions) > 0

    def is_empty(self) -> bool:
        return not self.additions and self.deletes == NO_DOTS

    def min_dot(self) -> Dot:
        return min(self.additions.values(), default=0)

    def visible(self) -> object:
        return self.ranks.list_codes()

    def visible_part(self, effect: Effect) -> object:
        return self.ranks.state() if self.additions else None

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        """Keep a side's registers if it has an addition that the other side has not seen, or that
        both hold. Drop them if the other side has a delete that this side has not seen.

        The registers of a side hold all its additions. So it suffices that one of them is new.
        """
        assert isinstance(other, HyperLogLog)
        keeps_ours = has_news(self.additions, other, mine, theirs)
        keeps_others = has_news(other.additions, self, theirs, mine)
        if keeps_ours and keeps_others:
            self.ranks.set_ranks(greatest_ranks(self.ranks.ranks(), other.ranks.ranks()))
            for origin, dot in other.additions.items():
                self.additions[origin] = max(dot, self.additions.get(origin, 0))
        elif keeps_others:
            self.ranks.set_ranks(other.ranks.ranks())
            self.additions = dict(other.additions)
        elif not keeps_ours:
            self.forget_additions()
        deletes = merge_dots(self.deletes, other.deletes, mine, theirs)
        self.deletes = NO_DOTS if deletes is None else deletes

    def has_garbage(self) -> bool:
        return self.deletes != NO_DOTS

    def collect(self, stable: Vector) -> bool:
        left = tuple([dot for dot in dots_of(self.deletes) if not covers(stable, dot)])
        self.deletes = join_dots(left, ())
        return len(left) > 0

    def state(self) -> Any:
        additions = tuple(sorted(self.additions.values()))
        return (self.ranks.state(), additions, self.deletes)

    def load(self, state: Any) -> None:
        registers, additions, deletes = items_of(state, 3, "a HyperLogLog")
        if not self.ranks.load(bytes_of(registers, "registers")):
            raise DecodeError("a HyperLogLog: the registers are not valid")
        for item in tuple_of(additions, "additions"):
            dot = read_dot(item, "the dot of an addition")
            self.additions[dot >> SEQ_BITS] = dot
        if tuple(sorted(self.additions.values())) != additions:
            raise DecodeError("a HyperLogLog: expected one addition per origin, in order")
        self.deletes = NO_DOTS if deletes == () else check_dots(deletes)

    def covered(self, vector: Vector) -> bool:
        dots = (*self.additions.values(), *dots_of(self.deletes))
        return all(covers(vector, dot) for dot in dots)

    def redis_text(self, sparse_bytes_max: int) -> bytes:
        """Return the string that Redis would hold (see `hyperloglog_text`)."""
        return to_text(self.ranks, sparse_bytes_max)

    def estimate(self) -> int:
        """Return the estimated number of different elements."""
        return self.ranks.estimate()


def has_news(
    additions: dict[Origin, Dot], other: HyperLogLog, mine: Vector, theirs: Vector
) -> bool:
    """Return whether a merge with `other` keeps the registers of the side with these additions.
    `mine` is the vector of this side, `theirs` that of `other`."""
    for delete in dots_of(other.deletes):
        if not covers(mine, delete):
            return False
    for origin, dot in additions.items():
        if not covers(theirs, dot) or other.additions.get(origin) == dot:
            return True
    return False


def is_register_code(item: object) -> bool:
    """Return whether `item` is a register with its rank."""
    return type(item) is int and 0 <= item < CODES


def rename_dots(value: HyperLogLog, names: OriginNames) -> None:
    """Rename the dots of all additions and deletes."""
    renamed = [names.dot(dot) for dot in value.additions.values()]
    value.additions = {dot >> SEQ_BITS: dot for dot in renamed}
    value.deletes = join_dots(tuple([names.dot(dot) for dot in dots_of(value.deletes)]), ())


def content(value: HyperLogLog) -> list[Any]:
    """Return the codes of all registers that are not zero. The code 0 stands for none, since an
    empty HyperLogLog is a value too."""
    return [0, *value.ranks.list_codes()]


def encoding(_value: HyperLogLog, _limits: Mapping[str, int]) -> bytes:
    """Return the encoding of its string in Redis."""
    return b"raw"


DEFINITION: Final[TypeDefinition] = TypeDefinition(
    name="hyperloglog",
    code=HYPERLOGLOG,
    make=HyperLogLog,
    operations=(
        Operation(
            "raise",
            repeated=(is_register_code,),
            spelling=Spelling("PFRAISE", SpellingForm.NAMES),
        ),
    ),
    redis_name=b"string",
    encoding=encoding,
    encoding_limits={"hll-sparse-max-bytes": 3000},
    rename_origins=rename_dots,
    content=content,
)
