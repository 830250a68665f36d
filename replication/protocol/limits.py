"""The parameters of links, each with the reason for its value.

They are one value, so that the simulator can turn each of them to an extreme. Times are
nanoseconds of a monotone clock.
"""

from __future__ import annotations

from typing import Final

import attrs

from crdt.store.snapshot import PIECE_BYTES, PIECE_KEYS

MS: Final = 1_000_000
SECOND: Final = 1_000_000_000


@attrs.frozen
class Limits:
    """The tuning of one replica's links."""

    window_bytes_max: int = 16 << 20
    """Bytes of ops and pieces that may be unacknowledged: 50 MB/s over a round trip of 300 ms."""

    pinned_bytes_max: int = 0
    """Bytes of the history that are kept at most for peers that are connected and have not been
    sent them (see `replication.mesh.flow`); 0 if only the limit of the backlog counts."""

    backlog_bytes_max: int = 0
    """The size to which the backlog may grow with the rate of writes; 0 if its size is fixed."""

    batch_bytes_max: int = 32 << 10
    """Of one frame of ops, or part of an op or a piece, so that the receiver can serve others in
    between: about a thousand small effects, which take some milliseconds."""

    ack_bytes: int = 1 << 20
    """A sink acknowledges at the latest after so many bytes: a sixteenth of the window."""

    ack_ns: int = 50 * MS
    """... or so long after the first op that is not acknowledged. To take in an acknowledgement
    costs as much as to send the ops of some milliseconds: 20 a second are a percent or two."""

    heartbeat_ns: int = 200 * MS
    """Each end says something at least this often."""

    rest_ns: int = 0
    """... while nothing happens: the interval grows up to this, and at most to two fifths of the
    time of silence. Each message says when the next one comes. 0 if it does not grow."""

    silence_ns_max: int = 5 * SECOND
    """A peer that has said nothing for so long is dead: longer than any pause but a stopped
    process, shorter than people's patience."""

    idle_ns_max: int = 60 * SECOND
    """A peer that goes on speaking but has taken in nothing of what is under way for so long is
    stuck: it holds the window, and perhaps a snapshot that others wait for."""

    repair_delay_ns: int = 100 * MS
    """A gap must have stood for so long, and for three round trips, before it is repaired."""

    no_link_delay_ns: int = 50 * MS
    """The same for ops of regions that no live link of ours is there to bring."""

    stall_ns: int = 50 * MS
    """A sink whose gate was full asks again after so long, then after twice as long, ..."""

    scan_ops_max: int = 4096
    """Ops of the history that one call looks at: a quarter of a millisecond."""

    snapshots_max: int = 4
    """Snapshots that one replica sends at a time: each may hold back a copy of what is written
    meanwhile."""

    piece_keys_max: int = PIECE_KEYS
    """Keys in one piece of a snapshot; those of later pieces may change in between."""

    piece_bytes_max: int = PIECE_BYTES
    """Bytes of a piece before it is packed. A key that is larger goes by itself."""

    collect_ns: int = 1 * SECOND
    """Between two rounds of collecting garbage, at least."""

    collect_keys_max: int = 300
    """Keys that one collection looks at, and as many that it deletes since they have expired. A key
    that is not in the processor's cache takes up to 17 us, in which nobody else is served."""

    collect_key_ns: int = 20_000
    """... and between two collections this much for each key that one has dealt with, which bounds
    the share of time at a tenth."""

    @property
    def longest_ns(self) -> int:
        """The longest time between two messages of an end."""
        return max(self.heartbeat_ns, min(self.rest_ns, self.silence_ns_max * 2 // 5))
