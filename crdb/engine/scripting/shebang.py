"""The first line of a script or a library: `#!lua name=mylib flags=no-writes,allow-stale`."""

from __future__ import annotations

from typing import Final

import attrs

from crdb.engine.errors import CommandError
from crdb.resp.inline import split_line

NO_WRITES: Final = 1
ALLOW_OOM: Final = 2
ALLOW_STALE: Final = 4
NO_CLUSTER: Final = 8
ALLOW_CROSS_SLOT_KEYS: Final = 16
COMPATIBLE: Final = 32
"""The script has no first line of this kind: each of its commands is checked when it runs."""

FLAGS: Final[dict[bytes, int]] = {
    b"no-writes": NO_WRITES,
    b"allow-oom": ALLOW_OOM,
    b"allow-stale": ALLOW_STALE,
    b"no-cluster": NO_CLUSTER,
    b"allow-cross-slot-keys": ALLOW_CROSS_SLOT_KEYS,
}
"""The flags by name, in the order in which Redis lists them."""
BAD_NAME: Final = (
    b"ERR Library names can only contain letters, numbers, or underscores(_)"
    b" and must be at least one character long"
)
NAME_LETTERS: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


@attrs.frozen
class LibraryHead:
    """The contents of the first line of a library, and the code behind it."""

    name: bytes
    engine: bytes
    code: bytes


def is_valid_name(name: bytes) -> bool:
    """Return whether a library or a function may have this name."""
    return len(name) > 0 and NAME_LETTERS.issuperset(name)


def read_script(body: bytes) -> tuple[int, bytes]:
    """Return the flags of a script, and its code, whose first line is empty if it had flags.
    Raises CommandError."""
    if not body.startswith(b"#!"):
        return COMPATIBLE, body
    line, end, _ = body.partition(b"\n")
    if not end:
        raise CommandError(b"ERR Invalid script shebang")
    words = split_line(line)
    if not words:
        raise CommandError(b"ERR Invalid engine in script shebang")
    if words[0] != b"#!lua":
        raise CommandError(b"ERR Unexpected engine in script shebang: %b" % words[0])
    flags = 0
    for word in words[1:]:
        if not word.startswith(b"flags="):
            raise CommandError(b"ERR Unknown lua shebang option: %b" % word)
        for name in word[6:].split(b",") if len(word) > 6 else ():
            if name not in FLAGS:
                raise CommandError(b"ERR Unexpected flag in script shebang: %b" % name)
            flags |= FLAGS[name]
    return flags, body[len(line) :]


def read_library(body: bytes) -> LibraryHead:
    """Return the name and the code of a library. Raises CommandError."""
    if not body.startswith(b"#!"):
        raise CommandError(b"ERR Missing library metadata")
    line, end, _ = body.partition(b"\n")
    words = split_line(line) if end else None
    if not words:
        raise CommandError(b"ERR Invalid library metadata")
    name: bytes | None = None
    for word in words[1:]:
        if word[:5].lower() != b"name=":
            raise CommandError(b"ERR Invalid metadata value given: %b" % word)
        if name is not None:
            raise CommandError(
                b"ERR Invalid metadata value, name argument was given multiple times"
            )
        name = word[5:]
    if name is None:
        raise CommandError(b"ERR Library name was not given")
    if not is_valid_name(name):
        raise CommandError(BAD_NAME)
    return LibraryHead(name, words[0][2:], body[len(line) :])
