"""The encoding that Redis 7.2 would choose for a value under the limits of CONFIG SET.

Values are not stored in these encodings. OBJECT ENCODING computes the encoding from the value. So,
unlike in Redis, a new limit also applies to existing values, and a value that shrinks gets the
compact encoding again. The definition of a type contains the rule and its parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crdt.types.base import Value
from crdt.types.definition import TypeDefinition
from crdt.types.registry import BUILT_IN

DEFAULT_LIMITS: Final[Mapping[str, int]] = BUILT_IN.encoding_limits()
RAW: Final = b"raw"
"""The encoding of types that define none. Redis replies the same for the types of its modules."""


def encoding_of(
    definition: TypeDefinition, value: Value, limits: Mapping[str, int] = DEFAULT_LIMITS
) -> bytes:
    """Return the reply of OBJECT ENCODING. `definition` is that of the value's type."""
    return RAW if definition.encoding is None else definition.encoding(value, limits)
