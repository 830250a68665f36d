"""The invariant `figures`: what a process shows about its links matches the truth.

In a healed, quiet world each region and follower is asked for INFO, as monitoring does:

* A region shows each peer as connected in both directions, with nothing to send, a small lag, and a
  round trip that is possible on the ways. It shows how far the peer's wall clock differs from its
  own. Messages are under way for an unknown part of their round trip, so the figure may be too
  small by one round trip, but never too large.
* It shows all other regions as known and as lacking nothing, and no operation that waits.
* It lists the followers that are connected, each once, with all that the region has sent.
* A follower shows that its sources are up, that it receives from them, and what it has. It does
  not refuse reads.

A figure may be late by a regular message, so a wrong one is asked for again until the time limit.

Not checked: differences of clocks if a round trip may take longer than `TRIP_MS_MAX`, as such
exchanges measure nothing, and the exact sizes of backlogs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final, TypeAlias, cast

from replication.follow.follower import IN_SYNC_NS
from replication.mesh.skew import TRIP_MS_MAX
from sim.engine.checker import Violation
from sim.engine.events import MS, SECOND
from sim.nodes.client import Refusal, parse_fields
from sim.nodes.follower import SimFollower
from sim.nodes.region import SimRegion
from sim.world.freshness import SLACK_NS, arrival_limit_ns
from sim.world.world import SimWorld

PROMISE: Final = "figures"
ROUNDING_MS: Final = 2
BEATS: Final = 3  # regular messages until each figure is measured again

Info: TypeAlias = Mapping[str, str]


def check_figures(world: SimWorld) -> None:
    """Ask every region and follower for INFO, and check the figures. Raises Violation."""
    for site in world.sites.values():
        check_soon(world, site, partial(wrong_figures, world, site))
    for copy in world.copies.values():
        if copy.is_following:
            check_soon(world, copy, partial(wrong_figures_of_follower, world, copy))


def check_soon(
    world: SimWorld, place: SimRegion | SimFollower, wrong: Callable[[], Iterator[str]]
) -> None:
    """Wait until nothing is wrong. Raises Violation on timeout."""
    limits = place.tuning.limits
    limit = 2 * arrival_limit_ns(world) + BEATS * (limits.longest_ns + limits.ack_ns)
    if not world.wait_for(lambda: not any(wrong()), limit):
        raise Violation(PROMISE, f"all is quiet, and {place.name} shows {next(wrong(), 'more')}")


def read_info(place: SimRegion | SimFollower, section: str) -> Info:
    """Return the fields of a section of INFO."""
    (reply,) = place.run_commands(("INFO", section))
    lines = cast("bytes", reply).decode().splitlines()
    return dict(cast("tuple[str, str]", tuple(line.split(":", 1))) for line in lines if ":" in line)


def wrong_figures(world: SimWorld, site: SimRegion) -> Iterator[str]:
    """Yield what a region shows and what is not so."""
    info = read_info(site, "crdt")
    skews: list[int] = [0]
    for peer in site.links.peers.values():
        line = info.get(f"crdt_peer_{peer.region}")
        if line is None:
            yield f"no line for {peer.name}"
            continue
        row = parse_fields(line, ",")
        skews.append(int(row["clock_skew_ms"]))
        if row["name"] != peer.name or is_link_wrong(world, site, row):
            yield f"{line} for {peer.name}"
        if text := describe_wrong_skew(world, site, world.sites[peer.name], skews[-1]):
            yield text
    if abs(int(info["crdt_clock_skew_ms"])) != max(map(abs, skews)):
        greatest = info["crdt_clock_skew_ms"]
        yield f"{greatest} ms as the greatest difference of clocks, not one of {skews}"
    for other in world.sites.values():
        line = info.get(f"crdt_replica_{other.number}", "nothing")
        right = f"name={other.name},known=1,max_ops_lag=0,min_ops_lag=0"
        if other is not site and line != right:
            yield f"{line} for {other.name}"
    for name, value in info.items():
        if name.startswith("crdt_waiting") and value != "0":
            yield f"that operations wait, {name}:{value}"
    yield from wrong_followers(world, site)


def is_link_wrong(world: SimWorld, site: SimRegion, row: Info) -> bool:
    """Return whether the state, the lag, the round trip or the backlog of a link is not so."""
    limits = site.tuning.limits
    worst = world.network.worst_delay()
    lag_max = worst + 2 * limits.longest_ns + limits.ack_ns + SLACK_NS
    there = world.network.way(site.name, row["name"])
    back = world.network.way(row["name"], site.name)
    shortest = there.latency.floor_ns + back.latency.floor_ns
    return not (
        (row["in"], row["out"], row["ops_behind"]) == ("streaming", "streaming", "0")
        and 0 <= float(row["lag_ms"]) * MS <= lag_max
        and shortest <= (float(row["rtt_ms"]) + ROUNDING_MS) * MS <= 2 * worst + lag_max
    )


def describe_wrong_skew(world: SimWorld, site: SimRegion, peer: SimRegion, shown: int) -> str:
    """Describe a difference of two clocks that is not so; empty if it may be so."""
    trip_ms = 2 * world.network.worst_delay() // MS
    if trip_ms > TRIP_MS_MAX:
        return ""
    real = peer.clock.read_ms(world.now) - site.clock.read_ms(world.now)
    slack = ROUNDING_MS + max(site.clock.tick_ms, peer.clock.tick_ms)
    least, most = min(0, real) - slack, max(0, real) + slack
    if least <= shown <= most and abs(real - shown) <= trip_ms + SLACK_NS // MS + slack:
        return ""
    return f"that the clock of {peer.name} is ahead by {shown} ms, and it is {real} ms"


def wrong_followers(world: SimWorld, site: SimRegion) -> Iterator[str]:
    """Yield what a region shows of its followers and what is not so."""
    info = read_info(site, "replication")
    held = sum(site.replica.keyspace.vector.values())
    if info["master_repl_offset"] != str(held):
        yield f"an offset of {info['master_repl_offset']}, not {held}"
    follow = [each.name for each in world.copies.values() if each.is_following]
    wanted = sorted(name for name in follow if site.name in world.copies[name].sources)
    count = int(info["connected_slaves"])
    rows = [parse_fields(info[f"slave{number}"], ",") for number in range(count)]
    if sorted(row["name"] for row in rows) != wanted:
        yield f"{count} followers, {[row['name'] for row in rows]}, not {wanted}"
    for row in rows:
        if row["state"] != "online" or int(row["offset"]) != held or not 0 <= int(row["lag"]) <= 1:
            yield f"{dict(row)} of a follower that has {held} effects"


def wrong_figures_of_follower(world: SimWorld, copy: SimFollower) -> Iterator[str]:
    """Yield what a follower shows and what is not so."""
    info, limits = read_info(copy, "replication"), copy.tuning.limits
    held = sum(copy.replica.keyspace.vector.values())
    regular = max(each.tuning.limits.longest_ns for each in world.places.values())
    expected = {
        "role": "slave",
        "master_link_status": "up",
        "slave_repl_offset": str(held),
        "slave_read_only": "1",
    }
    for name, value in expected.items():
        if info.get(name) != value:
            yield f"{name}:{info.get(name)}, not {value}"
    if not 0 <= int(info["master_last_io_seconds_ago"]) <= (regular + SECOND) // SECOND:
        yield f"that it has heard nothing for {info['master_last_io_seconds_ago']} s"
    (reply,) = copy.run_commands(("EXISTS", "figures"))
    if isinstance(reply, Refusal):
        yield f"that it refuses reads: {reply.text}"
    worst = world.network.worst_delay()
    for number, source in enumerate(copy.sources):
        row = parse_fields(info[f"source{number}"], ",")
        is_current = 2 * regular + worst < IN_SYNC_NS
        lag_max = worst + 2 * regular + limits.ack_ns + SLACK_NS
        if row["name"] != source or not 0 <= float(row["lag_ms"]) * MS <= lag_max:
            yield f"{dict(row)} of its source {source}"
        if is_current and row["status"] != "in-sync":
            yield f"that it is {row['status']} with {source}"
