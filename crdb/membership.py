"""What a region's configuration means for its links and its clients. Pure."""

from __future__ import annotations

from hashlib import sha256

from crdb.config import Config, RegionConfig
from crdb.server.config import Config as Parameters
from crdt.dots import Origin
from replication.codec import TEXT_BYTES_MAX
from replication.member import Member, Peer


def member_of(config: Config, region: RegionConfig, origin: Origin) -> Member:
    """How a region presents itself to peers: they must be of the same CRDB."""
    return Member(region.name, region.id, origin, cluster_of(config))


def cluster_of(config: Config) -> str:
    """The names of all regions, by which peers know that they are of one CRDB; if these are more
    than a Hello can carry, what stands for them."""
    names = ",".join(region.name for region in config.regions)
    if len(names.encode()) <= TEXT_BYTES_MAX:
        return names
    return f"{len(config.regions)} regions, sha256 {sha256(names.encode()).hexdigest()}"


def peers_of(config: Config, region: RegionConfig) -> list[Peer]:
    """The regions that this one is linked with, and what each brings."""
    return [
        Peer(peer.name, peer.id, config.routes(peer.name, region.name))
        for peer in config.peers(region.name)
    ]


def parameters(config: Config, region: RegionConfig) -> Parameters:
    """What CONFIG GET shows of the file."""
    return Parameters(
        {
            "port": str(region.port),
            "bind": region.host,
            "maxclients": str(config.maxclients),
            "maxmemory": str(config.maxmemory),
            "requirepass": config.requirepass,
            "repl-backlog-size": str(config.link.backlog),
        }
    )
