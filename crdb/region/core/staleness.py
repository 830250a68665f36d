"""Refuse commands in a region that lacks what it wrote in an earlier incarnation
(rules STL-1 to STL-3), or whose peers accept another process in its place.

Until the region has caught up with its peers, clients get LOADING for every command that needs
data, as from a Redis that loads its file; client libraries retry it. With the parameter
`replica-serve-stale-data` clients may read what is there, and get STALE for writes. Either way the
garbage collector pauses, since its deletes are writes too.

If another process runs as the same region, peers accept the writes of one of the two. Clients of
the other one get STALE, with the reason, for the same commands.

Pure: regions and simulated regions both use it.
"""

from __future__ import annotations

from typing import Final

from crdb.engine.command import DENY_LOADING, WRITE
from crdb.engine.instance import Instance
from replication.mesh.links import Links

STALE: Final = b"STALE this region has restarted and has not caught up with its peers yet"
LOADING: Final = b"LOADING this region is loading its data from its peers"
RIVAL: Final = (
    b"STALE another process runs as this region, and peers accept only one: stop all but one"
)

Lines = list[tuple[str, object]]


class Staleness:
    """Decides whether clients of one region may read and write."""

    def __init__(self, instance: Instance, links: Links) -> None:
        self.instance = instance
        self.links = links
        self.merges = 0
        """The number of snapshots that had been merged when the region became stale."""
        self.began_at = 0
        """The wall clock at that time, in ms."""
        self.has_rival = False
        """True while peers accept another process in place of this one."""
        instance.config.on_change.append(self.refuse)
        instance.info_sections.setdefault("persistence", []).append(self.lines)

    def begin(self) -> None:
        """Refuse commands: the region lacks what it wrote."""
        if not self.instance.is_stale:
            self.began_at = self.instance.wall
        self.instance.is_stale = True
        self.merges = self.links.replica.merges
        self.refuse()
        self.instance.blocked.refuse_waiting(LOADING)

    def end(self) -> None:
        """Let clients write again: the region has recovered."""
        if self.instance.is_stale:
            self.instance.is_stale = False
            self.refuse()
            merged = self.links.replica.merges > self.merges
            self.instance.stale_released_with_merge = merged

    def set_rival(self, *, has_rival: bool) -> None:
        """Record whether peers accept another process in place of this one."""
        self.has_rival = has_rival
        self.refuse()
        if has_rival:
            self.instance.blocked.refuse_waiting(RIVAL)

    def refuse(self) -> None:
        """Set the errors that clients get at present, or none."""
        serves = self.instance.config.serves_stale
        is_refused = self.instance.is_stale or self.has_rival
        self.links.collects = not is_refused
        error = RIVAL if self.has_rival else LOADING
        self.instance.refuse(DENY_LOADING, error if is_refused and not serves else None)
        if is_refused:
            error = RIVAL if self.has_rival else STALE
            self.instance.refuse(WRITE, error if serves else None)
        elif self.instance.refuse_writes in (STALE, RIVAL):
            self.instance.refuse(WRITE, None)

    def progress(self) -> tuple[int, int]:
        """Return the number of effects here, and the number that connected peers have."""
        have = self.links.replica.keyspace.vector
        most: dict[int, int] = dict(have)
        for sink in self.links.sinks.values():
            for origin, seq in sink.vector.items():
                most[origin] = max(seq, most.get(origin, 0))
        return sum(have.values()), sum(most.values())

    def lines(self) -> Lines:
        """Return the lines of INFO while clients get LOADING. Sizes are numbers of effects, since
        the remaining bytes are not known."""
        if self.instance.refusals.get(DENY_LOADING) != LOADING:
            return []
        have, most = self.progress()
        seconds = max(0, self.instance.wall - self.began_at) // 1000
        left = (most - have) * seconds // have if have else 1
        return [
            ("loading", 1),
            ("loading_start_time", self.began_at // 1000),
            ("loading_total_bytes", most),
            ("loading_rdb_used_mem", 0),
            ("loading_loaded_bytes", have),
            ("loading_loaded_perc", f"{100 * have / most if most else 0:.2f}"),
            ("loading_eta_seconds", max(1, left)),
        ]
