"""Driver: the regions that run in this process, and the metrics that operators see."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import trio

from crdb.deployment.config import Config
from crdb.engine.environment.link_control import LinkInfo
from crdb.engine.events.event_bases import Emit, OperatorEvent
from crdb.engine.events.operator_events import ClientsLimitedEvent, ReadyEvent
from crdb.net.client_admission import limit_clients, report_exposure
from crdb.net.collector import calm_collector
from crdb.net.ports import CannotListen
from crdb.region.acl_file import AclFileOnDisk, draw_bits
from crdb.region.core.link_secret import report_secret
from crdb.region.core.users import start_users
from crdb.region.readiness import notify_ready
from crdb.region.region import RegionServer
from crdb.region.report.events import region_addresses
from crdb.region.report.link_info import ProcessLinks
from crdb.region.report.link_lines import count_holders
from crdb.region.report.view import RegionMetrics
from replication.drivers.stream import clock


class Runtime:
    """The regions of a CRDB that run in one process."""

    def __init__(
        self, config: Config, names: tuple[str, ...], *, emit: Emit, state: Path | None = None
    ) -> None:
        self.emit = emit
        self.early: list[OperatorEvent] | None = []
        """Events from before `run`, held back since the first event must be `listening`."""
        self.addresses = region_addresses(config, names)
        self.was_ready = False
        """True if all regions here have served correct reads at one moment."""
        self.regions = [RegionServer(config, name, emit=self.report, state=state) for name in names]
        self.by_name = {region.name: region for region in self.regions}
        self.control = ProcessLinks(
            config,
            {name: region.links for name, region in self.by_name.items()},
            clock=clock,
        )
        self.control.emit = self.report
        for region in self.regions:
            region.instance.links = self.control
            region.recovery.on_ready = partial(self.report_ready, region)
            open_users(region)
            report_exposure(region.instance, region.region.bind)
        report_secret(config.secret, self.report)
        self.stop_reason = ""
        self.stop_requested = trio.Event()
        """Set when a client has sent SHUTDOWN."""
        for region in self.regions:
            self._connect_to_process(region)
        self.moments: dict[str, tuple[float, int, int]] = {}

    def _connect_to_process(self, region: RegionServer) -> None:
        """Give a region's instance access to its process."""
        surroundings = region.instance.surroundings
        others = [each for each in self.regions if each is not region]
        surroundings.neighbours = [each.instance for each in others]
        surroundings.request_stop = self.request_stop
        surroundings.secret_bits = draw_bits
        links, numbers = region.links, [each.region.id for each in others]
        surroundings.count_copies = lambda: count_holders(
            links, links.replica.keyspace.seq, besides=numbers
        )

    def limit_clients(self, possible: int | None) -> None:
        """Let each region serve at most `possible` clients, if that is not None."""
        if possible is None:
            return
        asked = max([region.instance.config.clients_max for region in self.regions])
        lowered = [limit_clients(region.instance, possible) for region in self.regions]
        if any(lowered):
            self.report(ClientsLimitedEvent(asked=asked, maxclients=possible))

    def request_stop(self, reason: str) -> None:
        """Make the process end as after SIGTERM."""
        self.stop_reason = reason
        self.stop_requested.set()

    def report(self, event: OperatorEvent) -> None:
        """Emit an event, or hold it back until `run`."""
        if self.early is None:
            self.emit(event)
        else:
            self.early.append(event)

    def report_ready(self, region: RegionServer | None = None) -> None:
        """Report that a region serves correct reads. The first report waits until all regions of
        this process do."""
        if self.was_ready:
            assert region is not None
            self.report(ReadyEvent(region=region.name))
        elif self.early is None and all(each.recovery.is_ready for each in self.regions):
            self.was_ready = True
            self.report(ReadyEvent(regions=self.addresses))
            notify_ready()

    def open(self) -> None:
        """Take all ports. Raises CannotListen, with no port kept."""
        try:
            for region in self.regions:
                region.open()
        except CannotListen:
            self.close()
            raise

    def close(self) -> None:
        """Close the ports."""
        for region in self.regions:
            region.close()

    async def run(self) -> None:
        """Serve on the ports that were taken, until cancelled."""
        early, self.early = self.early, None
        for event in early or ():
            self.emit(event)
        self.report_ready()
        calm_collector()
        alone = len(self.regions) == 1
        async with trio.open_nursery() as nursery:
            for region in self.regions:
                nursery.start_soon(partial(region.run, alone=alone))

    def links(self) -> list[LinkInfo]:
        """Return all links with an end in this process."""
        return list(self.control.links())

    def metrics(self, now: float) -> list[RegionMetrics]:
        """Return the metrics of each region, with rates since the last call (`now` in seconds)."""
        return [self.region_metrics(region, now) for region in self.regions]

    def region_metrics(self, region: RegionServer, now: float) -> RegionMetrics:
        """Return the metrics of one region."""
        instance = region.instance
        commands, effects = instance.statistics.commands, region.replica.keyspace.seq
        before, commands_before, effects_before = self.moments.get(
            region.name, (now - 1.0, commands, effects)
        )
        self.moments[region.name] = (now, commands, effects)
        seconds = max(now - before, 1e-3)
        return RegionMetrics(
            name=region.name,
            number=region.region.id,
            host=region.region.host,
            port=region.region.port,
            clients=len(instance.clients),
            keys=region.replica.keyspace.estimate_size(),
            commands_per_second=(commands - commands_before) / seconds,
            effects_per_second=(effects - effects_before) / seconds,
            role=region.following.describe(),
            vector=dict(region.replica.keyspace.vector),
        )


def open_users(region: RegionServer) -> None:
    """Give a region its file of users, if it has one, and the users it starts with. Raises
    ConfigError."""
    surroundings = region.instance.surroundings
    if region.region.aclfile:
        surroundings.acl_file = AclFileOnDisk(region.region.aclfile)
    start_users(region.instance, region.config, region.region, surroundings.acl_file)
