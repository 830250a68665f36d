"""The lines about a region's links in the sections `crdt` and `replication` of INFO.

The fields are those of section 14 of the specification that describe something here: a region has
no slots, and its configuration no version. Lines are as D-19 proposes: a line for each
peer that is connected, one for the backlog, which all peers share, and one for each other region,
linked with this one or not. A full sync counts where it comes in. A partial one counts at both of
its ends: where it was served, and where it was asked for.

    crdt_peer_2:name=eu,in=streaming,out=streaming,lag_ms=35.2,rtt_ms=70.1,ops_behind=0,unsent_bytes=0,clock_skew_ms=3
    crdt_backlog0:size=16777216,histlen=688,first_op=0,ops=3
    crdt_waiting_0:origin=1,ops=2,ms=1500,for=3:17
    crdt_replica_2:name=eu,known=1,max_ops_lag=0,min_ops_lag=0
    crdt_lists_2:name=eu,only_there=ap,only_here=,from_others=

Those that follow this region (Replica Of) are the slaves that `replication` counts and lists. Where
they listen is not known, so their lines have names in place of addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from crdb.engine.instance import Instance
from crdt.causality.dots import Vector, name_origin
from replication.machines.receiving.sink import Sink
from replication.machines.sending.progress import Stage
from replication.machines.sending.source import Source
from replication.mesh.links import Links
from replication.protocol.peers import Direction

Lines = list[tuple[str, object]]


def add_link_lines(instance: Instance, links: Links, clock: Callable[[], int]) -> None:
    """Let INFO of `instance` show its links. `clock` is monotone, in nanoseconds."""
    text = {
        "crdt": lambda: [
            *peer_lines(links, clock()),
            *backlog_lines(links),
            *sync_lines(links),
            *replica_lines(links),
            *list_lines(links),
            *waiting_lines(links, clock()),
        ],
        "replication": lambda: follower_lines(links, clock()),
        "stats": lambda: [
            *[(name.removeprefix("crdt_"), value) for name, value in sync_lines(links)],
            *byte_lines(links),
        ],
    }
    for name, lines in text.items():
        instance.info_sections.setdefault(name, []).append(lines)
    instance.surroundings.count_acknowledged = partial(count_holders, links)
    instance.surroundings.count_copies = lambda: count_holders(links, links.replica.keyspace.seq)


def peer_lines(links: Links, now: int) -> Lines:
    """Return a line for each peer that is connected in at least one direction."""
    lines: Lines = []
    for name, peer in sorted(links.peers.items(), key=lambda item: item[1].region):
        sink, source = ends_of(links, name)
        ends = [end for end in (sink, source) if end is not None]
        if not ends:
            continue
        lag_ns = max(end.lag_ns(now) for end in ends)
        rtt_ns = max(end.rtt for end in ends)
        behind = 0 if source is None else source.behind()
        unsent = 0 if source is None else links.flow.unsent_bytes(source)
        text = (
            f"name={name},in={state_of(sink)},out={state_of(source)},"
            f"lag_ms={lag_ns / 1e6:.1f},rtt_ms={rtt_ns / 1e6:.1f},ops_behind={behind}"
        )
        text += f",unsent_bytes={unsent}"
        text += f",clock_skew_ms={links.skews.of.get(name, 0)}"
        lines.append((f"crdt_peer_{peer.region}", text))
    lines.append(("crdt_clock_skew_ms", links.skews.greatest))
    lines.append(("crdt_clock_skews", links.skews.reports))
    lines.append(("crdt_rivals", len(links.rivals.peers)))
    return lines


def waiting_lines(links: Links, now: int) -> Lines:
    """Return what waits in the causal buffer: a line for each origin, with the effects that its
    first operation waits for, as `origin:seq`, and then how many effects were given up."""
    links.losses.record_waiting(now)
    lines: Lines = []
    for number, row in enumerate(links.losses.waiting()):
        awaited = " ".join(f"{name_origin(origin)}:{seq}" for origin, seq in row.awaited)
        text = f"origin={name_origin(row.origin)},ops={row.operations}"
        text += f",ms={(now - row.since) // 1_000_000},for={awaited}"
        lines.append((f"crdt_waiting_{number}", text))
    lines.append(("crdt_dropped_effects", links.losses.dropped))
    return lines


def ends_of(links: Links, name: str) -> tuple[Sink | None, Source | None]:
    """Return the sink and the source of a peer; None for one that has not received a Hello."""
    sink, source = links.sinks.get(name), links.sources.get(name)
    return (
        None if sink is None or sink.hello is None else sink,
        None if source is None or source.hello is None else source,
    )


def state_of(end: Sink | Source | None) -> str:
    """Return the state of one direction."""
    if end is None:
        return "down"
    if isinstance(end, Source):
        return end.progress.stage.value.replace(" ", "-")
    return end.state.value


def backlog_lines(links: Links) -> Lines:
    """Return the lines about the backlog, and about peers that take less than is written."""
    history = links.replica.history
    text = (
        f"size={history.limit},histlen={history.bytes},"
        f"first_op={history.start},ops={history.stop - history.start}"
    )
    return [
        ("crdt_backlog0", text),
        ("crdt_peers_behind", links.flow.count_behind()),
        ("crdt_writes_slowed_ms", links.flow.slowed_ns // 1_000_000),
    ]


def sync_lines(links: Links) -> Lines:
    """Return the counts of full and partial resyncs since the start."""
    full = sum(
        tally.full for (_, direction), tally in links.tallies.items() if direction is Direction.IN
    )
    resumed = sum(tally.partial_ok for tally in links.tallies.values())
    failed = sum(tally.partial_err for tally in links.tallies.values())
    return [
        ("crdt_sync_full", full),
        ("crdt_sync_partial_ok", resumed),
        ("crdt_sync_partial_err", failed),
        ("crdt_links_refused", links.refused),
    ]


def byte_lines(links: Links) -> Lines:
    """Return the bytes of operations and snapshots that links have received and sent."""
    by_direction = dict.fromkeys(Direction, 0)
    for (_, direction), tally in links.tallies.items():
        by_direction[direction] += tally.bytes
    return [
        ("total_net_repl_input_bytes", by_direction[Direction.IN]),
        ("total_net_repl_output_bytes", by_direction[Direction.OUT]),
    ]


def replica_lines(links: Links) -> Lines:
    """Return a line for each other region: whether it is known, and how many of our effects it
    lacks. A region has one shard, so `max_ops_lag` and `min_ops_lag` are equal."""
    lines: Lines = []
    for region in sorted(links.replica.stability.members or ()):
        if region:  # 0 stands for the sources of a follower
            vectors, known = reported_vectors(links, region)
            lag = count_unseen(links, vectors)
            name = links.roster.name_of(region)
            shown = f"name={name}," if name else ""
            text = f"{shown}known={int(known)},max_ops_lag={lag},min_ops_lag={lag}"
            lines.append((f"crdt_replica_{region}", text))
    return lines


def list_lines(links: Links) -> Lines:
    """Return a line for each peer whose file lists other regions than ours."""
    lines: Lines = []
    for name, found in links.roster.differences.items():
        only_there, only_here = " ".join(found.only_there), " ".join(found.only_here)
        text = f"name={name},only_there={only_there},only_here={only_here}"
        text += f",from_others={' '.join(found.from_others)}"
        lines.append((f"crdt_lists_{links.known(name).region}", text))
    return sorted(lines)


def count_unseen(links: Links, vectors: list[Vector]) -> int:
    """Return the number of our own effects that a region lacks, by its reported vectors."""
    origin = links.replica.origin
    have = max((vector.get(origin, 0) for vector in vectors), default=0)
    return max(0, links.replica.keyspace.seq - have)


def count_holders(links: Links, seq: int, besides: Collection[int] = ()) -> int:
    """Return how many other regions have reported that they hold our effects up to `seq`, those
    not counted whose numbers are in `besides`."""
    own = links.replica.region
    origin = links.replica.origin
    return sum(
        any(vector.get(origin, 0) >= seq for vector in reported_vectors(links, region)[0])
        for region in links.replica.stability.members or ()
        if region not in {0, own, *besides}
    )


def reported_vectors(links: Links, region: int) -> tuple[list[Vector], bool]:
    """Return all vectors that a region has reported, and whether it is known to exist."""
    reports = links.replica.stability.vectors_of(region)
    name = next((peer.name for peer in links.peers.values() if peer.region == region), None)
    if name is None:
        return reports, bool(reports)
    sink, source = ends_of(links, name)
    if sink is not None:
        reports.append(sink.vector)
    if source is not None:
        reports += (source.vector, source.progress.acknowledged)
    return reports, sink is not None or source is not None


def follower_lines(links: Links, now: int) -> Lines:
    """Return a line for each follower, as Redis lists its replicas."""
    history = links.replica.history
    lines: Lines = [("connected_slaves", len(links.followers))]
    for number, end in enumerate(links.followers):
        state = "send_bulk" if end.progress.stage is Stage.SNAPSHOT else "online"
        offset = sum(end.progress.acknowledged.values())
        lag = end.lag_ns(now) // 1_000_000_000
        lines.append((f"slave{number}", f"name={end.peer},state={state},offset={offset},lag={lag}"))
    return [
        *lines,
        ("master_repl_offset", sum(links.replica.keyspace.vector.values())),
        ("repl_backlog_active", 1),
        ("repl_backlog_size", history.limit),
        ("repl_backlog_histlen", history.bytes),
    ]
