"""The invariant `freshness`: in a healed, quiet world, writes arrive as fast as the ways allow.

The regions write one after another. Each write must be accepted, arrive in every other region and
every follower within a time limit, wake the clients that block for it, and be acknowledged. A
missed wake-up loses no data, because the next regular message makes up for it. Only a time limit
can detect it.

The writing region must also reply to CRDB.SETTLE in time, but not before the write has arrived
everywhere. Two clients of one region that ask at the same time must both get a reply. Finally, the
links that CRDB.LINKS reports must match the state of the simulator.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, cast

from crdt.causality.op_log import ENTRY_BYTES
from replication.machines.sending.pacing import BATCH_BYTES_LEAST
from replication.protocol.backoff import WAIT_NS_MAX
from sim.engine.checker import Violation
from sim.engine.events import MS
from sim.nodes.client import Reply
from sim.nodes.formatting import format_reply
from sim.nodes.linked_process import LinkedProcess
from sim.nodes.region import SimRegion
from sim.schedule.step import Words
from sim.world.world import SimWorld

PROMISE: Final = "freshness"
FIRST_SESSION: Final = 2000
SLACK_NS: Final = 20 * MS
SMALL_BYTES: Final = 4096  # a smaller window or batch may need several rounds for one write
FILLINGS: Final = 40  # rounds for a write of some hundred bytes and its consequences
EFFECTS_BYTES: Final = 300  # the largest size of an op that a write causes
TRIPS: Final = 4  # round trips of a full resync: notice, request, begin and end
COMEBACK_TRIPS: Final = 12  # two connections: the first finds that the follower is out of date
WAIT_SECONDS: Final = "600"
CONVERGE_MS: Final = 60_000
QUESTIONS: Final = 4  # rounds of convergence queries until one finds that all has arrived
POLL_NS: Final = 100 * MS
CHECK_NS: Final = MS


def check_freshness(world: SimWorld) -> None:
    """Let each region write in turn, and check the arrival of each write. Raises Violation."""
    wait_until_quiet(world)
    for name in world.sites:
        FreshnessProbe(world, world.sites[name]).run_check()
        wait_until_quiet(world)
    name = world.rng.substream("settling").choose_one(tuple(world.sites))
    FreshnessProbe(world, world.sites[name]).check_two_clients()
    for site in world.sites.values():
        check_links(world, site)
    wait_until_quiet(world)  # a link that has just resumed stops its gap repair


class FreshnessProbe:
    """A write of `site`, with sessions in the other regions that block for it or watch it."""

    def __init__(self, world: SimWorld, site: SimRegion) -> None:
        self.world = world
        self.site = site
        self.others = [other for other in world.sites.values() if other is not site]
        self.seen = f"seen:{site.name}"
        self.limit: int = arrival_limit_ns(world)
        self.copy_limit: int = 2 * self.limit + comeback_limit_ns(world)

    def run_check(self) -> None:
        """Write twice, and check the arrival of both writes. Raises Violation."""
        for slot, other in enumerate(self.others):
            self.send_commands(other, 2 * slot + 1, ("BLPOP", queue_key(other), WAIT_SECONDS))
            self.send_commands(other, 2 * slot + 2, ("WATCH", self.seen))
        self.write_fresh(
            [("SADD", self.seen, "x")] + [("RPUSH", queue_key(o), "x") for o in self.others]
        )
        self.check_arrival(self.site.replica.keyspace.seq)
        for slot, other in enumerate(self.others):
            if self.is_waiting(2 * slot + 1):
                raise self.violation(
                    f"has written, but a client in {other.name} still waits for it"
                )
            self.send_commands(other, 2 * slot + 2, ("MULTI",), ("EXEC",))
        self.check_followers()
        self.write_fresh([("SADD", self.seen, "y")])
        self.ask_to_settle(0)
        self.check_settling(self.site.replica.keyspace.seq, 0)

    def check_two_clients(self) -> None:
        """Let two clients ask at the same time whether all has arrived, and a third one while they
        wait, after a write. Raises Violation."""
        self.ask_to_settle(0, 1)
        self.world.sleep(self.longest_trip() * 3 // 4)
        self.write_fresh([("SADD", self.seen, "z")])
        self.ask_to_settle(2)
        self.check_settling(self.site.replica.keyspace.seq, 2)
        self.wait_for_replies(0, 1)

    def longest_trip(self) -> int:
        """Return the greatest of the shortest possible round trips (ns) with the other regions."""
        network, here = self.world.network, self.site.name
        ways = [(network.way(here, o.name), network.way(o.name, here)) for o in self.others]
        return max([there.latency.floor_ns + back.latency.floor_ns for there, back in ways])

    def write_fresh(self, commands: list[Words]) -> None:
        """Run commands that must each reply 1. Raises Violation if not."""
        replies = self.world.run_all(self.site.name, *commands)
        if any(reply != 1 for reply in replies):
            raise self.violation(f"answers a fresh write with {format_reply(replies)}, not with 1")

    def send_commands(self, host: LinkedProcess, slot: int, *commands: Words) -> None:
        """Let a session of this check send commands to a process."""
        self.world.run_session(host.name, FIRST_SESSION + slot, *commands)

    def is_waiting(self, slot: int) -> bool:
        """Return whether a session is blocked."""
        return self.world.sessions.by_number[FIRST_SESSION + slot].waiting is not None

    def regions_lacking(self, seq: int) -> list[str]:
        """Return the regions that lack an effect of `site` up to `seq`."""
        origin = self.site.replica.origin
        return [o.name for o in self.others if o.replica.keyspace.vector.get(origin, 0) < seq]

    def check_arrival(self, seq: int) -> None:
        """Wait until the write is in all regions. Raises Violation on timeout."""
        if not self.world.wait_for(lambda: not self.regions_lacking(seq), self.limit):
            where = ", ".join(self.regions_lacking(seq))
            raise self.violation(
                f"has written, and after {self.limit // MS} ms {where} has not got it"
            )

    def ask_to_settle(self, *slots: int) -> None:
        """Let some clients ask at the same time whether all has arrived."""
        for slot in slots:
            self.send_commands(self.site, slot, ("CRDB.SETTLE", str(CONVERGE_MS)))

    def check_settling(self, seq: int, *slots: int) -> None:
        """Wait until CRDB.SETTLE replies to some clients, and check that the write is in all
        regions then."""
        self.wait_for_replies(*slots)
        if lacking := self.regions_lacking(seq):
            raise self.violation(f"says that all has arrived, but {', '.join(lacking)} lacks it")

    def wait_for_replies(self, *slots: int, repair_ns: int = 0) -> None:
        """Wait until CRDB.SETTLE replies to some clients, after gaps have been repaired if that
        takes `repair_ns`. Raises Violation on timeout."""
        world = self.world
        end = world.now + QUESTIONS * (2 * self.limit + POLL_NS) + repair_ns
        while waiting := sum(map(self.is_waiting, slots)):
            if world.now >= end:
                raise self.violation(
                    f"does not say to {waiting} of {len(slots)} clients that all has arrived"
                )
            world.sleep(CHECK_NS)

    def check_followers(self) -> None:
        """Wait until the followers have the write too. Raises Violation on timeout."""
        world = self.world
        for copy in world.copies.values():
            limit = self.copy_limit + sum(resync_limit_ns(world, name) for name in copy.sources)
            if not world.wait_for(partial(world.is_copied, copy), limit):
                raise self.violation(
                    f"has written, and after {limit // MS} ms {copy.name} lacks it"
                )

    def violation(self, text: str) -> Violation:
        """Return the violation to raise."""
        return Violation(PROMISE, f"{self.site.name} {text}")


def queue_key(site: SimRegion) -> str:
    """Return the key that a client in a region blocks for.

    Each region has its own key, because other regions may never see an element that is popped.
    """
    return f"fresh:{site.name}"


def arrival_limit_ns(world: SimWorld) -> int:
    """Return the time limit for a write to reach the farthest region, in a quiet world."""
    count = len(world.sites)
    links = world.plan.config.topology.links
    hops = 1 if len(links) == count * (count - 1) else count - 1
    limits = [site.tuning.limits for site in world.sites.values()]
    worst = world.network.worst_delay()
    filling = 0
    if min(min(each.window_bytes_max, each.batch_bytes_max) for each in limits) < SMALL_BYTES:
        filling = FILLINGS * (2 * worst + max(each.ack_ns for each in limits))
    resyncing = (count - 1) * max(snapshot_limit_ns(world, site) for site in world.sites.values())
    return hops * (worst + filling + resyncing) + SLACK_NS


def comeback_limit_ns(world: SimWorld) -> int:
    """Return the extra time for followers of sources that have lost everything.

    Such followers keep their copy until a source holds data again. Then they start empty.
    """
    if not any(
        claim and not world.sites[name].replica.keyspace.vector
        for copy in world.copies.values()
        for name, claim in copy.claims().items()
    ):
        return 0
    return 3 * WAIT_NS_MAX + COMEBACK_TRIPS * 2 * world.network.worst_delay()


def snapshot_limit_ns(world: SimWorld, site: SimRegion) -> int:
    """Return the time limit for a full resync from this region, or 0 if a write cannot cause one.

    A write can cause a full resync if the backlog is small: a client that the write wakes pops the
    element immediately. If the backlog cannot hold both ops, the first is lost before it is sent.
    """
    if site.tuning.history_bytes >= len(world.sites) * (ENTRY_BYTES + EFFECTS_BYTES):
        return 0
    limits = site.tuning.limits
    batch = min(limits.batch_bytes_max, BATCH_BYTES_LEAST)
    pieces = [len(piece) for piece in site.take_snapshot()]
    rests = sum(size // batch + 1 for size in pieces)
    windows = TRIPS + sum(pieces) // limits.window_bytes_max
    lasting = rests * site.tuning.snapshot_rest_ns
    return lasting + windows * (2 * world.network.worst_delay() + limits.ack_ns)


def resync_limit_ns(world: SimWorld, name: str) -> int:
    """Return the extra time for a write to reach a follower of this region.

    All followers may need a snapshot, one after another.
    """
    turns = sum(name in copy.sources for copy in world.copies.values())
    return turns * snapshot_limit_ns(world, world.sites[name])


def wait_until_quiet(world: SimWorld) -> None:
    """Wait until all sent data is acknowledged, and the acknowledgements have arrived.

    Raises Violation on timeout.
    """
    limits = [site.tuning.limits for site in world.sites.values()]
    regular = max(max(each.ack_ns, each.longest_ns) for each in limits)
    limit = 2 * arrival_limit_ns(world) + 2 * regular + 2 * world.network.worst_delay()

    def describe_in_flight() -> list[str]:
        return [
            f"{source.in_flight} bytes from {site.name} to {source.peer}"
            for site in world.sites.values()
            for source in site.links.sources.values()
            if source.in_flight
        ]

    if not world.wait_for(lambda: not describe_in_flight(), limit):
        raise Violation(
            PROMISE, f"after {limit // MS} ms of quiet: {', '.join(describe_in_flight())}"
        )
    world.sleep(2 * regular + 2 * world.network.worst_delay())


def check_links(world: SimWorld, site: SimRegion) -> None:
    """Wait until a region reports all its links as idle. Raises Violation on timeout."""
    count, regular = 2 * len(site.links.peers), site.tuning.limits
    limit = 2 * arrival_limit_ns(world) + regular.longest_ns + regular.ack_ns
    if len(reported_links(site)) != count:
        raise Violation(
            PROMISE, f"{site.name} tells of {len(reported_links(site))} links, not {count}"
        )

    def wrong_rows() -> list[Reply]:
        return [row for row in reported_links(site) if not is_row_idle(world, site, row)]

    if not world.wait_for(
        lambda: not wrong_rows(), limit
    ):  # the deletion of an expired key can still be in flight
        raise Violation(
            PROMISE,
            f"all is quiet, and {site.name} tells of its links: {format_reply(wrong_rows())}",
        )


def reported_links(site: SimRegion) -> list[Reply]:
    """Return the rows of CRDB.LINKS."""
    return cast("list[Reply]", site.run_commands(("CRDB.LINKS",))[0])


def is_row_idle(world: SimWorld, site: SimRegion, row: Reply) -> bool:
    """Return whether a link is reported as streaming, without missing ops and with a small lag."""
    fields: dict[bytes, Any] = dict(zip(row[::2], row[1::2], strict=True))
    limits = site.tuning.limits
    lag_max = world.network.worst_delay() + 2 * limits.longest_ns + limits.ack_ns + SLACK_NS
    is_live = fields[b"state"] == b"streaming" and fields[b"lag-ops"] == 0
    return is_live and 0 <= float(fields[b"lag-ms"]) * MS <= lag_max
