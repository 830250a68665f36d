r"""Glob patterns as Redis matches them: `*`, `?`, `[abc]`, `[^a-z]` and `\` before a special byte.

A pattern becomes a regular expression. Whatever follows a star is an atomic group that takes the
first place where it fits; that is enough for a glob, and no pattern then costs more than its length
times the text's. As in Redis, only the empty pattern matches the empty text; the commands take `*`
alone for everything before they ask here.
"""

from __future__ import annotations

import re

ANYTHING = rb"(?s:.)"


def compile_glob(pattern: bytes, ignore_case: bool = False) -> re.Pattern[bytes]:
    r"""Return the regular expression of `pattern`, for `fullmatch`.

    >>> glob = compile_glob(b"h[^e-z]l*")
    >>> [glob.fullmatch(text) is not None for text in (b"hall", b"hello", b"hal", b"ha")]
    [True, False, True, False]
    """
    parts: list[bytes] = [b"(?=%b)" % ANYTHING if pattern else b""]
    position = 0
    while position < len(pattern):
        special = pattern[position : position + 1]
        if special == b"*":
            parts.append(b"")
            position += 1
            continue
        if special == b"[":
            piece, position = _one_of(pattern, position + 1)
        elif special == b"?":
            piece, position = ANYTHING, position + 1
        else:
            if special == b"\\" and position + 1 < len(pattern):
                position += 1
            piece, position = re.escape(pattern[position : position + 1]), position + 1
        parts[-1] += piece
    expression = parts[0]
    if len(parts) > 1:
        middle = b"".join([b"(?>%b*?%b)" % (ANYTHING, part) for part in parts[1:-1] if part])
        expression += b"%b%b*%b" % (middle, ANYTHING, parts[-1])
    return re.compile(expression, re.IGNORECASE if ignore_case else 0)


def _one_of(pattern: bytes, position: int) -> tuple[bytes, int]:
    """Read the bracket expression that begins at `position`. Without a closing bracket it extends
    to the end."""
    negated = pattern[position : position + 1] == b"^"
    position += negated
    ranges = b""
    while position < len(pattern) and pattern[position] != ord("]"):
        low = high = pattern[position]
        if low == ord("\\") and position + 1 < len(pattern):
            position += 1
            low = high = pattern[position]
        elif position + 2 < len(pattern) and pattern[position + 1] == ord("-"):
            high = pattern[position + 2]
            position += 2
        low, high = min(low, high), max(low, high)
        ranges += b"\\x%02x-\\x%02x" % (low, high)
        position += 1
    if not ranges:
        return (ANYTHING if negated else rb"(?!)"), position + 1
    return b"[%b%b]" % (b"^" if negated else b"", ranges), position + 1
