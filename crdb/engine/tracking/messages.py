"""Invalidations in the form in which clients receive them.

In RESP3 an invalidation is a push. A client of RESP2 gets invalidations only for others that
redirect theirs to it, as messages of the channel `__redis__:invalidate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crdb.resp import reply

CHANNEL: Final = b"__redis__:invalidate"
PUSH: Final = b">2\r\n$10\r\ninvalidate\r\n"
MESSAGE: Final = b"*3\r\n$7\r\nmessage\r\n$20\r\n" + CHANNEL + b"\r\n"


def invalidation(keys: Sequence[bytes] | None, protocol: int) -> bytes:
    """Return the invalidation of `keys`, or of all keys for None."""
    out = [PUSH if protocol == 3 else MESSAGE]
    if keys is None:
        reply.null(out, protocol)
    else:
        reply.bulks(out, keys)
    return b"".join(out)


def broken_redirect(identity: int) -> bytes:
    """Return the push that reports that the client `identity`, which should receive the
    invalidations, is gone."""
    out = [b">2\r\n"]
    reply.bulk(out, b"tracking-redir-broken")
    reply.integer(out, identity)
    return b"".join(out)
