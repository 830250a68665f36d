"""A version vector as a value: what `Replica.vector` returns and `Replica.since` takes.

It maps each origin to the number of its effects that have been applied. Beside that it holds, as
far as they are known, the fingerprints by which two replicas that write under one identity are
noticed (see `crdt.causality.fingerprints`).

>>> from crdt import Replica
>>> replica = Replica(1)
>>> _ = replica.set("cart").add("milk", "eggs")
>>> str(replica.vector)
'1=1:f1ad41b7'
>>> Vector.from_text(str(replica.vector)) == replica.vector == {16384: 1}
True
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn, Self, cast

from crdt.causality.dots import (
    ORIGIN_MAX,
    SEQ_MAX,
    Origin,
    check_supported,
    make_origin,
    name_origin,
)
from crdt.causality.fingerprints import Trail, read_trails, write_trails
from crdt.causality.op import FINGERPRINT_MAX, read_vector, write_vector
from crdt.errors import DecodeError
from crdt.wire import codec
from crdt.wire.decoding import integer_of, items_of_version, tuple_of
from crdt.wire.expect import expect, shortened
from crdt.wire.formats import VECTOR, explain

VERSION: Final = 1
ENTRY: Final = re.compile(
    r"([0-9]{1,3})(?:\.([0-9]{1,5}))?=([0-9]{1,13})(?::([0-9a-f]{8}))?", re.ASCII
)
WIDE_ENTRY: Final = re.compile(r"x([0-9a-f]{16})=[0-9]{1,13}(?::[0-9a-f]{8})?", re.ASCII)
UNCHANGEABLE: Final = "a Vector cannot be changed; dict(vector) is a copy that can"


class Vector(dict[Origin, int]):
    """The operations that a replica has applied, per origin. It cannot be changed.

    It equals the plain dictionary of the same numbers. Send `to_bytes()` or `to_text()` to a peer.
    JSON makes texts of the keys and loses the fingerprints; such a mapping is understood here and
    by `Replica.since` all the same.
    """

    __slots__ = ("fingerprints", "trails")

    def __init__(
        self,
        numbers: Mapping[Origin, int] = {},
        fingerprints: Mapping[Origin, int] = {},
        trails: Mapping[Origin, Trail] = {},
    ) -> None:
        expect(numbers, Mapping, "use a mapping of origins to numbers of effects", "numbers")
        expect(fingerprints, Mapping, name="fingerprints")
        expect(trails, Mapping, name="trails")
        is_plain = all(type(key) is int and type(seq) is int for key, seq in numbers.items())
        super().__init__(numbers if is_plain else numbers_of(numbers))
        self.trails: dict[Origin, Trail] = dict(trails)
        """The fingerprints of the operations before, of each origin for which they are known."""
        self.fingerprints: dict[Origin, int] = dict(fingerprints)
        """The fingerprint of the last operation applied, of each origin for which it is known."""

    def to_bytes(self) -> bytes:
        """Return the vector as bytes, fingerprints included."""
        trails = write_trails(self.trails, self)
        fingerprints = write_vector(self.fingerprints)
        return codec.pack((VERSION, write_vector(self), fingerprints, trails))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` returned. Raises DecodeError, or TypeError if it is not bytes."""
        plain = expect(data, bytes, "from_text reads a str")
        try:
            return cls(*parts_of(plain))
        except DecodeError as error:
            raise explain(error, plain, VECTOR) from None

    def to_text(self) -> str:
        """Return the vector as text like `1=42:5f0c9a1e,2.1=9`: region, incarnation if there is
        one, number of effects, and the latest fingerprint if it is known."""
        return format_vector(self, self.fingerprints)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` returned; fingerprints may be left out. Raises DecodeError, or
        TypeError if `text` is not str."""
        expect(text, str, "from_bytes reads bytes")
        vector: dict[Origin, int] = {}
        fingerprints: dict[Origin, int] = {}
        for entry in text.split(",") if text else []:
            found = ENTRY.fullmatch(entry)
            if found is None and (wide := WIDE_ENTRY.fullmatch(entry)) is not None:
                check_supported(int(wide[1], 16), f"{entry!r}")
            if found is None:
                raise DecodeError(
                    f"{shortened(entry)} is not an entry of a vector, like 1=42 or 2.1=9"
                )
            try:
                origin = make_origin(int(found[1]), int(found[2] or 0))
            except ValueError as error:
                raise DecodeError(f"{entry!r}: {error}") from None
            if origin in vector or int(found[3]) > SEQ_MAX:
                raise DecodeError(f"{entry!r}: an origin comes twice, or a number is too large")
            vector[origin] = int(found[3])
            if found[4] is not None:
                fingerprints[origin] = int(found[4], 16)
        return cls(vector, fingerprints)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<Vector {self.to_text()}>"

    def __hash__(self) -> int:  # type: ignore[override]  # a dictionary has none
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        """Refuse to change. Raises TypeError."""
        raise TypeError(UNCHANGEABLE)

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = _refuse
    setdefault = update = _refuse  # pyright: ignore[reportAssignmentType] - overloads


def parts_of(
    data: bytes,
) -> tuple[dict[Origin, int], dict[Origin, int], dict[Origin, Trail]]:
    """Read numbers, fingerprints and trails from the bytes of a vector. Raises DecodeError."""
    items = items_of_version(codec.unpack(data), VERSION, 4, "a vector")
    _, numbers, flat, trails = items
    vector = read_vector(numbers)
    fingerprints: dict[Origin, int] = {}
    pairs = tuple_of(flat, "a vector's fingerprints", 2)
    for index in range(0, len(pairs), 2):
        if pairs[index] not in vector:
            raise DecodeError("a vector has a fingerprint of an origin that it does not hold")
        fingerprints[pairs[index]] = integer_of(
            pairs[index + 1], "a vector's fingerprint", 1, FINGERPRINT_MAX
        )
    return vector, fingerprints, read_trails(trails, vector)


def format_vector(vector: Mapping[Origin, int], fingerprints: Mapping[Origin, int] = {}) -> str:
    """Return a vector as text, by origin."""
    entries: list[str] = []
    for origin in sorted(vector):
        fingerprint = fingerprints.get(origin)
        suffix = "" if fingerprint is None else f":{fingerprint:08x}"
        entries.append(f"{name_origin(origin)}={vector[origin]}{suffix}")
    return ",".join(entries)


def vector_of(given: object) -> Vector:
    """Return a vector that a program handed in: a Vector, or a mapping of origins to numbers.

    Keys may be decimal text, as JSON makes them. Raises TypeError or ValueError at anything else.
    """
    if isinstance(given, Vector):
        return given
    if isinstance(given, str | bytes):
        reader = "from_text" if isinstance(given, str) else "from_bytes"
        raise TypeError(f"expected a Vector, not {type(given).__name__}: use Vector.{reader}")
    if not isinstance(given, Mapping):
        raise TypeError(
            f"expected a Vector, as Replica.vector is, not {type(given).__name__}; "
            "{} stands for a replica that has nothing"
        )
    return Vector(numbers_of(cast("Mapping[Any, Any]", given)))


def numbers_of(given: Mapping[Any, Any]) -> dict[Origin, int]:
    """Return a mapping of origins to numbers whose keys may be decimal text. Raises TypeError,
    ValueError."""
    numbers: dict[Origin, int] = {}
    for key, seq in given.items():
        origin = int(key) if isinstance(key, str) and key.isdecimal() else key
        if type(origin) is not int or type(seq) is not int:
            raise TypeError(f"a vector maps origins to numbers of effects, not {key!r} to {seq!r}")
        if not 1 <= origin <= ORIGIN_MAX or not 0 <= seq <= SEQ_MAX:
            raise ValueError(f"{key!r}: {seq!r} is not an entry of a vector")
        numbers[origin] = seq
    return numbers
