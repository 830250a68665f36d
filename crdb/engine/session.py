"""The state of one connection, without the database behind it.

`Session` is the base of `Client`: plain data that other clients may list (CLIENT LIST) or change
(CLIENT KILL). The executor checks `flags` before each request. In the common case they are 0, and
the command runs without further checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mypy_extensions import i64

from crdb.engine.pubsub.subscriptions import Subscriptions
from crdb.engine.tracking.modes import TrackingMode
from crdb.resp.parser import Parser

UNAUTHENTICATED: Final = 1
"""A login is required, and the client has not authenticated."""
IN_TRANSACTION: Final = 2
BLOCKED: Final = 4
CLOSING: Final = 8
"""No further request is read; the connection closes when `out` has been sent."""
KILLED: Final = 16
"""The connection closes immediately, and the replies in `out` are lost."""
MUTED: Final = 32
"""CLIENT REPLY OFF: replies are dropped."""
SKIPPING: Final = 64
"""CLIENT REPLY SKIP: the reply of this request is dropped."""
SKIP_NEXT: Final = 128
OBSERVED: Final = 256
"""Some client runs MONITOR and is shown the commands of this one."""
UNTOUCHING: Final = 512
"""CLIENT NO-TOUCH: its reads do not count as a use of a key."""
PAUSED: Final = 1024
"""CLIENT PAUSE is in force."""
POSTPONED: Final = 2048
"""`postponed` is a request that waits for the end of a CLIENT PAUSE, or of a command in slices."""
MONITORING: Final = 4096
"""The client runs MONITOR."""
WORKING: Final = 8192
"""The client's command runs in slices (see `crdb.engine.execution.slices`)."""
SUBSCRIBED: Final = 1 << 14
"""The client subscribes to a channel or a pattern."""
TRACKING: Final = 1 << 15
"""The client tracks keys (see `crdb.engine.tracking.tracking`)."""
RESTRICTED: Final = 1 << 20
"""The client's user may not make every request, so each is checked (see `crdb.security`)."""

ALOUD: Final = -1
"""The opposite of MUTED."""
SESSION_BYTES: Final = 2048
"""The approximate size of a connection without its buffers."""
OUTPUT_UNLIMITED: Final = 1 << 62


class Session:
    """The state of a connection. Times are in ms of the instance's clock."""

    __slots__ = (
        "active_at",
        "address",
        "authenticated",
        "counted",
        "created_at",
        "dirty",
        "fd",
        "flags",
        "id",
        "in_exec",
        "last_command",
        "library",
        "library_version",
        "local_address",
        "name",
        "nested",
        "no_evict",
        "no_touch",
        "out",
        "output_bytes",
        "output_limit",
        "parser",
        "postponed",
        "protocol",
        "pushes",
        "queue",
        "queue_bytes",
        "queued_bits",
        "queued_keys",
        "queued_mode",
        "received_bytes",
        "sent_bytes",
        "soft_limit_since",
        "spoiled",
        "subscriptions",
        "tracking",
        "user",
        "watched",
    )

    def __init__(self, identity: int, address: bytes, local_address: bytes, now: int) -> None:
        self.id = identity
        self.fd = -1  # the file descriptor of the socket, for CLIENT LIST only
        self.address = address
        self.local_address = local_address
        self.created_at = now
        self.active_at = now
        self.name = b""
        self.library = b""
        self.library_version = b""
        self.user = b"default"
        self.protocol = 2
        self.flags = 0
        self.authenticated = True
        """False if a login was required when the client connected, and it has not done it since."""
        self.last_command = b"NULL"
        self.no_evict = False
        self.no_touch = False
        self.parser = Parser()

        self.out: list[bytes] = []
        """Encoded replies that the driver has not sent yet."""
        self.counted: i64 = 0  # the number of replies in `out` that are part of `output_bytes`
        self.output_bytes: i64 = 0
        """The size of the counted replies in `out`, and of what the driver has not sent yet."""
        self.pushes: list[bytes] = []  # messages that are sent behind the present reply
        self.output_limit = OUTPUT_UNLIMITED
        self.soft_limit_since = 0
        """Since when `output_bytes` has been above the soft limit, or 0 if it is below."""
        self.received_bytes = 0
        self.sent_bytes = 0

        self.queue: list[list[bytes]] = []
        """The requests of an open MULTI."""
        self.queue_bytes = 0
        self.queued_bits = 0  # the flags of all commands in the queue
        self.queued_keys: set[bytes] = set()  # of the commands in the queue, once it is long
        self.queued_mode = 0  # MUTED or ALOUD if the queue has CLIENT REPLY OFF or ON last
        self.spoiled = False  # a request was refused while queueing: EXEC will abort
        self.watched: dict[bytes, int] = {}
        """WATCHed keys, each with its state at that time (see `watch`)."""
        self.dirty = False  # a watched key has changed: EXEC will reply null
        self.subscriptions: Subscriptions | None = None  # None without any
        self.tracking: TrackingMode | None = None  # the mode in which it tracks keys, if it does
        self.in_exec = False
        self.nested: Iterator[None] | None = None
        """The slices of a command inside EXEC that has more to do."""
        self.postponed: list[bytes] | None = None
        """A request that waits for the end of a CLIENT PAUSE, or of a command in slices."""

    def require_login(self, is_required: bool) -> None:
        """Let the client do little but log in if that `is_required` and it has not done it."""
        self.flags &= ~UNAUTHENTICATED
        if is_required and not self.authenticated:
            self.flags |= UNAUTHENTICATED
        self.parser.trusted = not self.flags & UNAUTHENTICATED

    def mute(self, mark: int) -> None:
        """Drop the reply that begins at `mark`, after CLIENT REPLY OFF or SKIP. A command in slices
        drops each part of its reply."""
        if self.flags & (MUTED | SKIPPING):
            self.drop_replies(mark)
            if not self.flags & WORKING:
                self.flags &= ~SKIPPING

    def push(self, data: bytes) -> None:
        """Append a push that the present request has made. It is no reply, so CLIENT REPLY does not
        drop it (see `flush_pushes`)."""
        if self.flags & (MUTED | SKIPPING):
            self.pushes.append(data)
        else:
            self.out.append(data)

    def flush_pushes(self) -> None:
        """Send what has waited for the end of a reply."""
        self.out += self.pushes
        self.pushes.clear()

    def apply_queued_mode(self) -> None:
        """Send or drop replies as the queue of a transaction says at its end. They are sent, or
        dropped, as a whole."""
        if self.queued_mode == MUTED:
            self.flags |= MUTED
        elif self.queued_mode == ALOUD:
            self.flags &= ~(MUTED | SKIPPING)

    def count_output(self) -> bool:
        """Count the replies that have been added to `out` since the last call. Return whether there
        is now more to send than `output_limit`."""
        out = self.out
        counted: i64 = self.counted
        count: i64 = len(out)
        size: i64 = self.output_bytes
        while counted < count:
            size += len(out[counted])
            counted += 1
        self.counted = count
        self.output_bytes = size
        return size > self.output_limit

    def drop_replies(self, mark: int = 0) -> None:
        """Remove the replies in `out` from the index `mark` on."""
        while self.counted > mark:
            self.counted -= 1
            self.output_bytes -= len(self.out[self.counted])
        del self.out[mark:]

    def close_after_reply(self) -> None:
        """Read no more requests; close once the replies so far have been sent."""
        self.flags |= CLOSING

    def kill(self) -> None:
        """Close immediately, without sending the remaining replies."""
        self.flags |= CLOSING | KILLED
        self.pushes.clear()
        self.drop_replies()

    @property
    def memory_bytes(self) -> int:
        """The approximate memory of this connection."""
        names = self.subscriptions
        subscribed = 0 if names is None else names.size_bytes
        buffers = self.parser.pending + self.queue_bytes + self.output_bytes
        return SESSION_BYTES + buffers + subscribed

    def subscription_count(self, kind: int) -> int:
        """Return the number of channels, shard channels or patterns that the client subscribes
        to."""
        return 0 if self.subscriptions is None else self.subscriptions.count(kind)

    @property
    def blocked(self) -> bool:
        """True if the client waits in a blocking command, or its command runs in slices."""
        return self.flags & (BLOCKED | WORKING) != 0

    @property
    def is_waiting(self) -> bool:
        """True if the client may wait for ever without a request: it is blocked or subscribes."""
        return self.flags & (BLOCKED | WORKING | SUBSCRIBED) != 0

    @property
    def closing(self) -> bool:
        """True if the driver must close once everything is sent."""
        return self.flags & CLOSING != 0

    @property
    def killed(self) -> bool:
        """True if the driver must close now."""
        return self.flags & KILLED != 0
