"""Processes that nobody expects at a link port.

A stranger introduces itself, or answers in place of the region that was dialled. It has another
name or number, belongs to another CRDB, or lists other regions. It must be refused, whatever it
says, and nothing else may change.

A crowd of followers takes all places of a region. A further one may take the place of another only
if that is better for fairness: not if its address then has more places than the other one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

import attrs

from crdt.causality.dots import make_origin
from replication.machines.sending.source import Source
from replication.machines.sending.source_states import SourceState
from replication.mesh.admission import FOLLOWERS_MAX
from replication.protocol.frames import FOLLOWER, Hello, Resume
from sim.engine.checker import Violation
from sim.nodes.region import SimRegion
from sim.schedule.step import Done, ScheduleStep
from sim.world.world import SimWorld

UNKNOWN_NUMBER: Final = 200
ADDRESSES: Final = 3
CROWD: Final = FOLLOWERS_MAX + 16


def of_other_cluster(hello: Hello) -> Hello:
    return attrs.evolve(hello, cluster="another")


def of_other_number(hello: Hello) -> Hello:
    """Return the Hello of a region that has taken another number."""
    number = UNKNOWN_NUMBER
    return attrs.evolve(hello, region=number, origin=make_origin(number))


def of_unknown_name(hello: Hello) -> Hello:
    return attrs.evolve(hello, name="nobody")


def of_other_list(hello: Hello) -> Hello:
    """Return the Hello of a region whose file gives its own number to another name."""
    others = tuple((number, f"{name}-2") for number, name in hello.members)
    return attrs.evolve(hello, members=others)


STRANGERS: Final[tuple[Callable[[Hello], Hello], ...]] = (
    of_other_cluster,
    of_other_number,
    of_unknown_name,
    of_other_list,
)


def introduce_stranger(world: SimWorld, step: ScheduleStep) -> Done:
    """Send a region the Hello of a stranger. `value` chooses the stranger, and whether it was
    dialled. The last value stands for a right region that was dialled at the address of another."""
    here, there, *others = (world.sites[name] for name in step.regions)
    if not here.can_write or not there.is_up or there.name not in here.connectors:
        return False, None
    if here.is_cut(there.name):
        return False, None
    if step.value < 2 * len(STRANGERS):
        hello = STRANGERS[step.value % len(STRANGERS)](there.links.log_reader.hello())
        meet_stranger(here, there.name if step.value >= len(STRANGERS) else "", hello)
        return True, None
    right = [other for other in others if other.is_up and other.name in here.links.peers]
    for other in right[:1]:
        meet_stranger(here, there.name, other.links.log_reader.hello())
    return bool(right), None


def meet_stranger(site: SimRegion, dialled: str, hello: Hello) -> None:
    """Let a region receive the Hello of a stranger, over a connection that it has `dialled` or not.
    Raises Violation if it is accepted."""
    now, links = site.engine.now, site.links
    site.add_trace_record("stranger", f"{hello.name} in place of {dialled or 'nobody'}")
    end = links.dial(dialled, now) if dialled else links.serve(now)
    site.handle_events(links.receive(end, hello, now))
    site.finish_turn()
    if not end.closed:
        raise Violation(
            "bad frames",
            f"{site.name} accepts region {hello.region}, {hello.name!r} of {hello.cluster!r},"
            f" in place of {dialled or 'a peer'}",
        )
    site.rejected += 1


# -- followers -------------------------------------------------------------------------------------


def crowd_followers(world: SimWorld, step: ScheduleStep) -> Done:
    """Let more followers connect to a region than it has places for, from several addresses, and
    leave again. The first ones come from one address, or from as many as `value` says."""
    site = world.sites[step.regions[0]]
    if not site.can_write:
        return False, None
    crowd: list[Source] = []
    site.add_trace_record("followers", f"{CROWD} come")
    for number in range(CROWD):
        count = step.value if number < FOLLOWERS_MAX else ADDRESSES
        admit_follower(site, crowd, f"10.0.0.{number % count}")
    for source in crowd:
        if not source.closed:
            site.handle_events(site.links.handle(source, source.close("it leaves"), world.now))
    site.finish_turn()
    return True, None


def admit_follower(site: SimRegion, crowd: list[Source], address: str) -> None:
    """Let a follower connect from an address, and check who keeps a place. Raises Violation."""
    now, links = site.engine.now, site.links
    is_idle_there = any(each.state is SourceState.READY for each in links.followers)
    before = Counter(each.address for each in links.followers)
    name = f"crowd-{len(crowd)}"
    source = links.serve(now, address)
    crowd.append(source)
    hello = Hello(name, 1, make_origin(1, len(crowd)), "", {}, role=FOLLOWER)
    site.handle_events(links.receive(source, hello, now))
    if not source.closed:
        site.handle_events(links.receive(source, Resume({}, None), now))
    after = Counter(each.address for each in links.followers)
    if is_idle_there:
        return
    gone = [each for each in before if after[each] < before[each]]
    most = max(before.values(), default=0)
    if source.closed and (sum(before.values()) < FOLLOWERS_MAX or most >= before[address] + 2):
        raise Violation(
            "fair places", f"{site.name} refuses a follower of {address}: {dict(before)} are there"
        )
    for each in gone:
        if after[each] < after[address]:
            raise Violation(
                "fair places",
                f"{site.name} gives a place of {each} to {address}, which has more: {dict(after)}",
            )
