"""The memory that a key takes, as Python counts it.

`size_of` adds up an object and everything that only it refers to. It
measures the first few elements of a collection and extrapolates. The result includes the rounding
of Python's allocator, but not its free memory.

An object that has several references is counted once. Members that one command has added share the
number of their dot, and a sorted set holds each name in two places. If all elements are measured,
the ids of counted objects are enough to recognise these. A sample holds only some of the
references. So each reference to a number or text in a sample counts as its size divided by the
number of its references, which adds up to the size.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Collection
from itertools import islice
from types import ModuleType
from typing import Any, Final, cast

from crdt.store.keyspace import Keyspace

ROUNDING_BYTES: Final = 16
EXACT_MAX: Final = 500
"""Of collections up to this size all elements are measured if that is wanted."""
SAMPLES_MAX: Final = 30
"""The elements that are measured of each container in a larger collection."""
SHARED_INTEGERS: Final = range(-5, 257)
"""Python keeps one object for each of these."""
LEAVES: Final = (bytes, int, float, str)
"""The types whose objects refer to no others."""
OWN_REFERENCES: Final = 4
"""The references that `share_of` finds to an element because it is measured."""


def key_bytes(db: Keyspace, key: bytes, samples: int) -> int | None:
    """Return the bytes that `key` takes, or None if it does not exist. `samples` of 0 is all, but
    at most `SAMPLES_MAX` in a large collection."""
    value = db.lookup(key)
    if value is None:
        return None
    count = db.types.definition(value).content_size
    if count is not None and count(value) > EXACT_MAX:
        samples = min(samples or SAMPLES_MAX, SAMPLES_MAX)
    entries = db.memory_entries(key)
    return rounded(sys.getsizeof(key)) + sum(
        size + size_of(held, samples) for size, held in entries
    )


def size_of(thing: object, samples: int, seen: set[int] | None = None) -> int:
    """Return the bytes that `thing` and everything in it take. `seen` are ids of what is counted
    already."""
    seen = set() if seen is None else seen
    if is_shared(thing):
        return 0
    own = rounded(sys.getsizeof(thing))
    if samples and isinstance(thing, int | float):
        return own // max(sys.getrefcount(thing) - OWN_REFERENCES, 1)
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    if isinstance(thing, LEAVES):
        return own
    if isinstance(thing, dict):
        pairs = cast("dict[Any, Any]", thing)
        return own + sampled(pairs.keys(), samples, seen) + sampled(pairs.values(), samples, seen)
    if isinstance(thing, list | tuple | set | frozenset):
        return own + sampled(distinct(cast("Collection[Any]", thing)), samples, seen)
    return own + sum(size_of(part, samples, seen) for part in parts_of(thing))


def distinct(elements: Collection[Any]) -> Collection[Any]:
    """Return the elements, each once if they are containers. The directory of a table refers to
    most of its parts several times. O(elements) for containers."""
    if not elements or isinstance(next(iter(elements)), LEAVES):
        return elements
    return list({id(each): each for each in elements}.values())


def parts_of(thing: object) -> list[object]:
    """Return the objects that `thing` refers to. The collector does not know those of a compiled
    class that is declared acyclic, so its attributes are read. It holds integers in itself."""
    names: tuple[str, ...] = getattr(type(thing), "__mypyc_attrs__", ())
    if gc.is_tracked(thing) or not names:
        return gc.get_referents(thing)
    parts = [getattr(thing, name, None) for name in names]
    return [part for part in parts if not isinstance(part, int)]


def is_shared(thing: object) -> bool:
    """Return whether there is one object for all that are equal to `thing`, or for all values."""
    if thing is None or thing == () or isinstance(thing, bool | type | ModuleType):
        return True
    return callable(thing) or (isinstance(thing, int) and thing in SHARED_INTEGERS)


def sampled(elements: Collection[Any], samples: int, seen: set[int]) -> int:
    """Return the bytes that the elements of a collection take, from those of a few of them."""
    count = len(elements)
    chosen = list(elements if samples == 0 else islice(elements, samples))
    if not chosen:
        return 0
    return sum(share_of(each, samples, seen) for each in chosen) * count // len(chosen)


def share_of(element: object, samples: int, seen: set[int]) -> int:
    """Return the bytes that an element of a collection takes, divided by the number of its
    references if it is a number or text and only samples are measured."""
    if samples and isinstance(element, LEAVES) and not is_shared(element):
        return rounded(sys.getsizeof(element)) // max(sys.getrefcount(element) - OWN_REFERENCES, 1)
    return size_of(element, samples, seen)


def rounded(size: int) -> int:
    """Return what the allocator gives for `size` bytes."""
    return -(-size // ROUNDING_BYTES) * ROUNDING_BYTES
