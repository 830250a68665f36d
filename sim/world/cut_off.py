"""The invariant `one direction`: a region whose outgoing links are cut still receives everything.

In a healed, quiet world a client cuts all links that lead away from one region. That region and the
others write. Nothing that the region writes may leave it. What its neighbours write must arrive in
it, as before. CRDB.SETTLE in the region must reply in time. Both ends must show the cut links as
cut, and no others. When the links are healed, the region's write must arrive everywhere.
"""

from __future__ import annotations

from typing import Any, Final

from crdb.engine.environment.link_control import LinkState
from replication.protocol.backoff import WAIT_NS_MAX
from sim.engine.checker import Violation
from sim.nodes.region import SimRegion
from sim.world.freshness import FreshnessProbe, reported_links, wait_until_quiet
from sim.world.world import SimWorld

PROMISE: Final = "one direction"
TRIPS: Final = 8  # round trips of a connection: handshakes, resuming, and a full resync
KEY: Final = "cut off"


def check_cut_off(world: SimWorld) -> None:
    """In a third of the runs, cut off what one region writes, and heal the links again. Raises
    Violation."""
    rng = world.rng.substream("cut off")
    if rng.happens_in(1, 3):
        check_region(world, rng.choose_one(tuple(world.sites)))


def check_region(world: SimWorld, name: str) -> None:
    """Cut the links that lead away from a region, and heal them again. Raises Violation."""
    outgoing = [link for link in world.plan.config.topology.links if link[0] == name]
    probe = FreshnessProbe(world, world.sites[name])
    for source, sink in outgoing:
        world.cut_link(source, sink)
    world.run(name, "SADD", KEY, name)
    written = world.sites[name].replica.keyspace.seq
    for other in probe.others:
        world.run(other.name, "SADD", KEY, other.name)
    links = world.plan.config.topology.links
    neighbours = [other for other in probe.others if (other.name, name) in links]
    check_incoming(world, probe, neighbours)
    probe.ask_to_settle(0)
    probe.wait_for_replies(0, repair_ns=repair_limit_ns(world))
    if len(probe.regions_lacking(written)) < len(probe.others):
        raise Violation(PROMISE, f"all links from {name} are cut, and what it writes arrives")
    for site in world.sites.values():
        check_states(site, set(outgoing))
    for source, sink in outgoing:
        world.heal_link(source, sink)
    limit = 2 * probe.limit + WAIT_NS_MAX + TRIPS * 2 * world.network.worst_delay()
    if not world.wait_for(lambda: not probe.regions_lacking(written), limit):
        lacking = ", ".join(probe.regions_lacking(written))
        raise Violation(
            PROMISE, f"the links from {name} are healed, and {lacking} lacks what it has written"
        )
    wait_until_quiet(world)


def repair_limit_ns(world: SimWorld) -> int:
    """Return the time in which a region finds and repairs the gaps of the regions whose operations
    came over the cut links only. It looks for gaps `no_link_delay_ns` after a report, and again as
    long after it has found one."""
    limits = [site.tuning.limits for site in world.sites.values()]
    return max([each.heartbeat_ns + 2 * each.no_link_delay_ns for each in limits])


def check_incoming(world: SimWorld, probe: FreshnessProbe, neighbours: list[SimRegion]) -> None:
    """Wait until the region has what its neighbours have written. Raises Violation on timeout."""
    here = probe.site
    wanted = {other.replica.origin: other.replica.keyspace.seq for other in neighbours}

    def has_all() -> bool:
        vector = here.replica.keyspace.vector
        return all(vector.get(origin, 0) >= seq for origin, seq in wanted.items())

    if not world.wait_for(has_all, probe.limit):
        raise Violation(
            PROMISE,
            f"the links from {here.name} are cut, and what others write does not arrive in it"
            f" within {probe.limit // 1_000_000} ms",
        )


def check_states(site: SimRegion, cut: set[tuple[str, str]]) -> None:
    """Check that a region shows these links as cut, and its others as live. Raises Violation."""
    for row in reported_links(site):
        fields: dict[bytes, Any] = dict(zip(row[::2], row[1::2], strict=True))
        link = fields[b"from"].decode(), fields[b"to"].decode()
        state = fields[b"state"].decode()
        if (state == LinkState.CUT) != (link in cut):
            raise Violation(
                PROMISE,
                f"{site.name} shows the link from {link[0]} to {link[1]} as {state}, and it"
                f" {'is' if link in cut else 'is not'} cut",
            )
