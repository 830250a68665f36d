"""Translate a region's configuration for its links and its clients. Pure."""

from __future__ import annotations

from crdb.deployment.config import Config
from crdb.deployment.region_config import RegionConfig
from crdb.engine.parameters.table import ParameterTable
from crdt.causality.dots import Origin
from replication.protocol.peers import Member, Peer


def member_of(config: Config, region: RegionConfig, origin: Origin) -> Member:
    """Return how a region presents itself to peers. They must be of the same CRDB, and their
    lists of regions must agree with ours."""
    members = tuple(sorted((each.id, each.name) for each in config.regions))
    return Member(region.name, region.id, origin, config.id, members)


def peers_of(config: Config, region: RegionConfig) -> list[Peer]:
    """Return the peers of a region, each with the regions whose operations its link carries."""
    return [
        Peer(peer.name, peer.id, config.routes(peer.name, region.name))
        for peer in config.peers(region.name)
    ]


def parameters(config: Config, region: RegionConfig) -> ParameterTable:
    """Return the parameters of CONFIG GET that the file sets."""
    return ParameterTable(
        {
            "port": str(region.port),
            "bind": " ".join(region.bind),
            "maxclients": str(config.maxclients),
            "maxmemory": str(config.maxmemory),
            "protected-mode": "yes" if config.protected_mode else "no",
            "requirepass": config.requirepass,
            "aclfile": region.aclfile,
            "replica-serve-stale-data": "yes" if serves_stale(config, region) else "no",
            "repl-backlog-size": str(config.link.backlog_least),
        }
    )


def serves_stale(config: Config, region: RegionConfig) -> bool:
    """Return whether clients may read while the region lacks data that exists elsewhere. By default
    a region with peers says LOADING until it has caught up, and a copy (Replica Of) serves what it
    has while its source is away, as Redis does."""
    if config.serve_stale is not None:
        return config.serve_stale
    return not config.peers(region.name)
