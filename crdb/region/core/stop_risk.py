"""The data that would be lost if this process ended now. Pure.

Data lives in memory, so data that no other region holds is lost with the process. Other regions
count while a link with them is open, by the vectors that they have acknowledged or reported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from crdb.engine.events.operator_events import DataAtRiskEvent
from crdt.causality.dots import Vector, join, lacking
from replication.machines.sending.source import Source
from replication.mesh.links import Links


def count_risks(here: Mapping[str, Links]) -> list[DataAtRiskEvent]:
    """Return the data that would be lost with the regions of this process. Regions without such
    data are left out."""
    risks: list[DataAtRiskEvent] = []
    for name, links in here.items():
        ours = links.memory.known_vector()
        disputed = links.memory.disputed_state
        keys = links.replica.keyspace.estimate_size() + (0 if disputed is None else disputed.keys)
        theirs = held_elsewhere(links, here.keys())
        writes = min((lacking(vector, ours) for vector in theirs), default=sum(ours.values()))
        is_last = not any(theirs)
        if writes and (keys or not is_last):
            risks.append(DataAtRiskEvent(region=name, keys=keys, writes=writes, is_last=is_last))
    return risks


def held_elsewhere(links: Links, here: Collection[str]) -> list[Vector]:
    """Return the known vector of each connected region of another process."""
    found: dict[str, Vector] = {}
    for end in links.ends():
        if end.membership is not None and end.peer not in here:
            vector = end.vector
            if isinstance(end, Source):
                vector = join(vector, end.progress.acknowledged)
            found[end.peer] = join(found.get(end.peer, {}), vector)
    return list(found.values())
