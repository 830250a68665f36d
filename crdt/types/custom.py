"""User-defined types: a plain class becomes a replicated type.

A class with the methods of `Type` is passed to the replica, `Replica(1, types=(Cart,))`, and
written through `replica.value(key, Cart)`. It can rely on the same delivery as the built-in types:
effects arrive in causal order and exactly once, each with its dot and with the vector that it had
observed. `crdt.testing.check_type` checks that the class converges.

>>> class Highest:
...     \"\"\"The greatest number that anybody wrote.\"\"\"
...     code = 128
...     def __init__(self):
...         self.numbers = {}
...     def apply(self, effect, dot, observed):
...         self.remove(observed)
...         self.numbers[dot] = effect[1]
...     def remove(self, observed):
...         self.numbers = {d: n for d, n in self.numbers.items() if not observed.covers(d)}
...     def merge(self, other, mine, theirs):
...         kept = {d for d in self.numbers if d in other.numbers or not theirs.covers(d)}
...         new = {d for d in other.numbers if not mine.covers(d)}
...         both = self.numbers | other.numbers
...         self.numbers = {d: both[d] for d in kept | new}
...     def value(self):
...         return max(self.numbers.values(), default=None)
...     def is_live(self):
...         return bool(self.numbers)
...     def state(self):
...         return tuple(sorted(self.numbers.items()))
...     def load(self, state):
...         self.numbers = dict(state)
>>> from crdt import Replica
>>> here, there = Replica(1, types=(Highest,)), Replica(2, types=(Highest,))
>>> here.value("score", Highest).do(0, 7)
True
>>> there.value("score", Highest).do(0, 9)
True
>>> here.merge(there.snapshot())
>>> here.value("score", Highest).get()
9

The class is wrapped, not derived from ours: `Value` is compiled where a compiler was there, and a
compiled class takes no interpreted heirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Final, Protocol, cast

from crdt.causality.dots import ORIGIN_MAX, Dot, Vector, covers
from crdt.causality.effect import OPERATION_MAX, Effect
from crdt.causality.observed import Observed
from crdt.errors import DecodeError
from crdt.types.base import Value
from crdt.types.definition import OriginNames, TypeDefinition
from crdt.wire import codec
from crdt.wire.expect import expect_integer, shortened

UNSENDABLE: Final = "expected numbers, strings, None and tuples of them, not nested too deep"
TRIAL: Final = Observed({}, ORIGIN_MAX, 1, 0)
"""The past of an effect that is tried out: there was nothing before."""
CODE_MIN: Final = 128
CODE_MAX: Final = 255
DEPTH_MAX: Final = 64  # of tuples in a payload: far from where anything that reads it overflows
LEAVES: Final = (float, bytes, bool, type(None))
INTEGER_MIN: Final = -(1 << 63)
INTEGER_MAX: Final = (1 << 64) - 1


class Seen:
    """The vector that one side of a merge has applied."""

    __slots__ = ("vector",)

    def __init__(self, vector: Vector) -> None:
        self.vector: Vector = vector

    def covers(self, dot: Dot) -> bool:
        """Return whether the effect `dot` has been applied there, also if it was removed later."""
        return covers(self.vector, dot)


NOTHING: Final = Seen({})


class Type(Protocol):
    """The methods that a class must have to become a replicated type.

    A type that is never deleted needs neither `remove` nor `is_live`: it is there from its first
    effect on. These may be there as well: `prepare(operation, *payload)` is called at the origin
    and returns the effect that travels in place of `(operation, *payload)`, made from what is
    there, or None to refuse; it must not change anything. `check(effect)` raises DecodeError at an
    effect of a form that `apply` does not take. Without it, every effect is tried out on a new
    value first. `has_garbage()` says whether something is remembered that may be forgotten once
    everybody has seen it, `collect(stable)` forgets it and says whether some is left, `is_empty()`
    whether nothing at all is left. `min_dot()` gives the smallest live dot, which counts where
    regions created one key with different types. A database that follows another one under other
    names calls `rename_origins(names)`, which renames all origins in the value, and
    `rename_effect(effect, names)`, which returns an effect with its origins renamed; `names` is an
    `OriginNames`. Without these two, the type cannot be followed under other names.
    """

    code: int
    """Names the type to all replicas: 128 to 255, never to be used for another."""

    def apply(self, effect: tuple[Any, ...], dot: Dot, observed: Observed) -> None:
        """Take in an effect: the number of an operation, 0 to 255, and what it was given."""
        ...

    def remove(self, observed: Observed) -> None:
        """Take away all that `observed` covers."""
        ...

    def merge(self, other: Any, mine: Seen, theirs: Seen) -> None:
        """Take in another copy: keep a dot that both hold, or that one holds and the other has not
        seen."""
        ...

    def value(self) -> Any:
        """Return what readers see."""
        ...

    def is_live(self) -> bool:
        """Return whether readers see anything."""
        ...

    def state(self) -> Any:
        """Return the whole content in nested tuples of integers, floats and bytes. Equal content
        gives an equal state."""
        ...

    def load(self, state: Any) -> None:
        """Become, from new, what `state()` gave."""
        ...


class Custom(Value):
    """A value of somebody's own type."""

    __slots__ = ("inner", "make", "number")

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make: Callable[[], Any] = make
        self.inner: Any = make()
        self.number: int = self.inner.code

    def code(self) -> int:
        return self.number

    def apply(self, effect: Effect, dot: Dot, observed: Observed) -> None:
        self.inner.apply((effect[1], *effect[3:]), dot, observed)

    def check(self, effect: Effect) -> None:
        """Raise DecodeError at an effect that the type does not take. To be asked of a new value,
        which may be spent by it: a type that checks nothing is tried out."""
        given = (effect[1], *effect[3:])
        name = type(self.inner).__name__
        if not is_payload(given, DEPTH_MAX):
            raise DecodeError(f"no effect of a {name}: {UNSENDABLE}")
        try:
            if hasattr(self.inner, "check"):
                self.inner.check(given)
            else:
                self.inner.apply(given, TRIAL.dot(), TRIAL)
                self.inner.value()
        except DecodeError:
            raise
        except Exception as error:  # whatever a stranger's class raises at a stranger's bytes
            raise DecodeError(f"no effect of a {name}: {error!r}") from error

    def remove(self, observed: Observed, resets: object) -> None:
        if hasattr(self.inner, "remove"):
            self.inner.remove(observed)

    def is_live(self) -> bool:
        if hasattr(self.inner, "is_live"):
            return bool(self.inner.is_live())
        written: bool = self.inner.state() != self.make().state()
        return written

    def is_empty(self) -> bool:
        if hasattr(self.inner, "is_empty"):
            return bool(self.inner.is_empty())
        return not self.is_live() and not self.has_garbage()

    def min_dot(self) -> Dot:
        found: int = self.inner.min_dot() if hasattr(self.inner, "min_dot") else 0
        return found

    def visible(self) -> object:
        return plain(self.inner.value())

    def merge(self, other: Value, mine: Vector, theirs: Vector) -> None:
        assert isinstance(other, Custom)
        self.inner.merge(other.inner, Seen(mine), Seen(theirs))

    def state(self) -> Any:
        return self.inner.state()

    def load(self, state: Any) -> None:
        """Load a state as the type does, then read, merge and save it once.

        A fault of a state may show only there, and must show before anything has been changed.
        """
        try:
            self.inner.load(state)
            self.inner.value()
            copy = self.make()
            copy.merge(self.inner, NOTHING, NOTHING)
            codec.pack_body(copy.state())
        except Exception as error:  # as in `check`
            raise DecodeError(f"no state of a {type(self.inner).__name__}: {error!r}") from error

    def covered(self, vector: Vector) -> bool:
        """Taken on trust: what is a dot in there the type alone knows."""
        return True

    def has_garbage(self) -> bool:
        return hasattr(self.inner, "has_garbage") and bool(self.inner.has_garbage())

    def collect(self, stable: Vector) -> bool:
        return hasattr(self.inner, "collect") and bool(self.inner.collect(Seen(stable)))


def plain(value: object) -> object:
    """Any value in a form that has equal bytes wherever the value is equal."""
    if isinstance(value, Set):
        return sorted((plain(item) for item in cast("Set[Any]", value)), key=codec.pack_body)
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return sorted(([plain(k), plain(v)] for k, v in items), key=codec.pack_body)
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast("Sequence[Any]", value)]
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return repr(value)
    return value if isinstance(value, int | float | str | bytes | None) else repr(value)


def new_instance(make: Any) -> Any:
    """Return what the class or function `make` returns. Raises TypeError if it cannot be called
    without arguments."""
    if not callable(make):
        raise TypeError(f"types are classes, not {shortened(make)}")
    try:
        return make()
    except TypeError as error:
        name = getattr(make, "__name__", "the type")
        raise TypeError(
            f"{name} cannot be made without arguments: {error}. Write `def __init__(self)`"
        ) from error


def code_of(made: Any) -> int:
    """Return the code of an instance of a custom type. Raises ValueError if it has none."""
    code = getattr(made, "code", None)
    if type(code) is not int or not CODE_MIN <= code <= CODE_MAX:
        raise ValueError(
            f"{type(made).__name__}: the code of a type is {CODE_MIN}..{CODE_MAX}, not {code!r}; "
            f"those below {CODE_MIN} belong to the types of crdt"
        )
    return code


def define(make: Callable[[], Any], made: Any) -> TypeDefinition:
    """Return the definition of a custom type. `made` is what its class `make` has returned.

    Raises ValueError if the type's code is not one for applications.
    """
    code = code_of(made)
    can_rename = hasattr(made, "rename_origins") and hasattr(made, "rename_effect")
    return TypeDefinition(
        name=type(made).__name__,
        code=code,
        make=lambda: Custom(make),
        check_effect=lambda effect: Custom(make).check(effect),
        rename_origins=rename_inner if can_rename else None,
        rename_effect=(lambda effect, names: renamed_effect(made, effect, names))
        if can_rename
        else None,
    )


def rename_inner(value: Custom, names: OriginNames) -> None:
    """Rename the origins in a custom value."""
    value.inner.rename_origins(names)


def renamed_effect(inner: Any, effect: Effect, names: OriginNames) -> Effect:
    """Return an effect of a custom type with its origins renamed."""
    given = (effect[1], *effect[3:])
    return (*effect[:3], *inner.rename_effect(given, names)[1:])


def is_payload(item: object, depth: int) -> bool:
    """Return whether `item` may be part of a payload, nested no deeper than `depth`."""
    if type(item) is tuple:
        parts = cast("tuple[Any, ...]", item)
        return depth > 0 and all(is_payload(part, depth - 1) for part in parts)
    if type(item) is int:
        return INTEGER_MIN <= item <= INTEGER_MAX
    return type(item) in LEAVES


def as_sent(operation: object, payload: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a payload as it will arrive elsewhere: strings as bytes, lists as tuples.

    Raises ValueError if it cannot be sent, and TypeError if `operation` is not an integer.
    """
    expect_integer(operation, "operation", 0, OPERATION_MAX)
    try:
        arrived: tuple[Any, ...] = codec.unpack(codec.pack(payload))
    except (OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{payload!r} cannot be sent: {error}") from error
    if not is_payload(arrived, DEPTH_MAX):
        raise ValueError(f"{payload!r} cannot be sent: {UNSENDABLE}")
    return arrived
