"""Hide the arguments of a command that only its sender may see: passwords.

The slow log and MONITOR show commands with these arguments replaced.
"""

from __future__ import annotations

from typing import Final

REDACTED: Final = b"(redacted)"
SECRET_PARAMETERS: Final = frozenset(
    {
        b"masterauth",
        b"masteruser",
        b"requirepass",
        b"tls-client-key-file-pass",
        b"tls-key-file-pass",
    }
)


def redacted(args: list[bytes]) -> list[bytes]:
    """Return a command's arguments with every secret replaced."""
    name = args[0].lower()
    if name == b"auth":
        return [args[0]] + [REDACTED] * (len(args) - 1)
    if name == b"hello":
        return _without_credentials(args)
    if name == b"config" and len(args) > 3 and args[1].lower() == b"set":
        shown = list(args)
        for at in range(3, len(args), 2):
            if args[at - 1].lower() in SECRET_PARAMETERS:
                shown[at] = REDACTED
        return shown
    if name == b"acl" and len(args) > 2 and args[1].lower() == b"setuser":
        return args[:2] + [REDACTED] * (len(args) - 2)
    return args


def _without_credentials(args: list[bytes]) -> list[bytes]:
    """Replace the two arguments behind each AUTH of a HELLO."""
    shown = list(args)
    at = 2
    while at < len(args):
        if args[at].lower() == b"auth":
            for secret in range(at + 1, min(at + 3, len(args))):
                shown[secret] = REDACTED
            at += 2
        at += 1
    return shown
