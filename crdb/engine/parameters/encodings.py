"""The representation that Redis 7.2 would choose for a value under the limits of CONFIG SET.

Values are not stored in these encodings: OBJECT ENCODING computes it from the value. So unlike in
Redis a new limit counts for values that exist already, and a value that shrinks is packed again.
The definition of a type contains the rule and its parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crdt.types.base import Value
from crdt.types.registry import BUILT_IN

DEFAULT_LIMITS: Final[Mapping[str, int]] = BUILT_IN.encoding_limits()


def encoding_of(value: Value, limits: Mapping[str, int] = DEFAULT_LIMITS) -> bytes:
    """Return the name that OBJECT ENCODING replies."""
    encoding = BUILT_IN.definition(value).encoding
    assert encoding is not None, "commands serve only types that define their encoding"
    return encoding(value, limits)
