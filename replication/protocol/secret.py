"""The secret that both ends of a link must know, and what may be done without one.

A link without a secret proves nothing, so it is allowed only within one machine: the address that
a region listens on and the address of its peer must both be loopback addresses.
"""

from __future__ import annotations

import ipaddress
from typing import Final

import attrs

SECRET_CHARACTERS_MIN: Final = 16
"""Below this a secret counts as weak: 16 characters of hexadecimal digits are 64 bits, more than
can be guessed one by one."""
DISTINCT_CHARACTERS_MIN: Final = 6
"""Below this too: such a secret is a repetition, whatever its length."""
HOW_TO_DRAW: Final = "Draw one with: openssl rand -hex 32"


@attrs.frozen
class LinkSecret:
    """The shared secret of a database's links. Its representation never shows the secret."""

    key: bytes = attrs.field(default=b"", repr=False)

    @staticmethod
    def from_text(text: str) -> LinkSecret:
        """Return the secret that a configuration spells `text`."""
        return LinkSecret(text.encode())

    @property
    def is_set(self) -> bool:
        """Return whether there is a secret at all."""
        return self.key != b""


NO_SECRET: Final = LinkSecret()


def weakness(text: str) -> str:
    """Return why `text` is too weak for a secret, or an empty string if it is not."""
    if len(text) < SECRET_CHARACTERS_MIN:
        return f"it is shorter than {SECRET_CHARACTERS_MIN} characters"
    if len(set(text)) < DISTINCT_CHARACTERS_MIN:
        return f"it has fewer than {DISTINCT_CHARACTERS_MIN} different characters"
    return ""


def is_loopback(host: str) -> bool:
    """Return whether `host` is an address of this machine that no other machine can reach. Of names
    only `localhost` is known to be one: looking up others could give anything."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_loopback or (mapped is not None and mapped.is_loopback)
