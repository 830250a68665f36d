"""The line that describes a connection in CLIENT LIST, CLIENT INFO and the ACL log."""

from __future__ import annotations

from crdb.engine.pubsub.messages import CHANNEL, PATTERN, SHARD_CHANNEL
from crdb.engine.session import (
    BLOCKED,
    CLOSING,
    IN_TRANSACTION,
    KILLED,
    MONITORING,
    POSTPONED,
    SUBSCRIBED,
    WORKING,
    Session,
)


def client_line(session: Session, now: int, request: list[bytes] | None = None) -> bytes:
    """Return one line of CLIENT LIST, without its line end.

    `request` is the request that this client makes now, or None for any other client.

    There is no fixed reply buffer, so its fields (rbs, rbp, obl) are 0, and there is no spare space
    behind what has been read (qbuf-free).
    """
    letters = (
        (b"O" if session.flags & MONITORING else b"")
        + (b"P" if session.flags & SUBSCRIBED else b"")
        + (b"x" if session.flags & IN_TRANSACTION else b"")
        + (b"b" if session.flags & (BLOCKED | POSTPONED | WORKING) else b"")
        + tracking_letters(session)
        + (b"d" if session.dirty else b"")
        + (b"c" if session.flags & CLOSING else b"")
        + (b"A" if session.flags & KILLED else b"")
        + (b"e" if session.no_evict else b"")
        + (b"T" if session.no_touch else b"")
    )
    queued = len(session.queue) if session.flags & IN_TRANSACTION else -1
    args = session.postponed or request or []
    argument_bytes = sum(map(len, args))
    pending = session.parser.pending + (encoded_bytes(args) if args else 0)
    events = b"rw" if session.output_bytes else b"r"
    return (
        b"id=%d addr=%b laddr=%b fd=%d name=%b age=%d idle=%d flags=%b db=0 sub=%d psub=%d ssub=%d"
        b" multi=%d qbuf=%d qbuf-free=0 argv-mem=%d multi-mem=%d rbs=0 rbp=0 obl=0 oll=%d omem=%d"
        b" tot-mem=%d events=%b cmd=%b user=%b redir=%d resp=%d lib-name=%b lib-ver=%b"
    ) % (
        session.id,
        session.address,
        session.local_address,
        session.fd,
        session.name,
        (now - session.created_at) // 1000,
        (now - session.active_at) // 1000,
        letters or b"N",
        session.subscription_count(CHANNEL),
        session.subscription_count(PATTERN),
        session.subscription_count(SHARD_CHANNEL),
        queued,
        pending,
        argument_bytes,
        session.queue_bytes,
        len(session.out),
        session.output_bytes,
        session.memory_bytes + argument_bytes,
        events,
        session.last_command,
        session.user,
        -1 if session.tracking is None else session.tracking.redirect,
        session.protocol,
        session.library,
        session.library_version,
    )


def tracking_letters(session: Session) -> bytes:
    """Return the flags of CLIENT LIST for a client that tracks keys."""
    mode = session.tracking
    if mode is None:
        return b""
    return b"t" + (b"R" if mode.is_redirect_broken else b"") + (b"B" if mode.is_broadcast else b"")


def encoded_bytes(args: list[bytes]) -> int:
    """Return the length of a request in the form in which clients send it."""
    headers = len(b"*%d\r\n" % len(args)) + sum(len(b"$%d\r\n\r\n" % len(arg)) for arg in args)
    return headers + sum(map(len, args))
