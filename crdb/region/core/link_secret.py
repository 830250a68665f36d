"""Find the secret that the links of this process prove, and check whether one is needed.

The environment variable `CRDB_SECRET` overrides the file's `secret` or `secret_file`. No text that
is made here contains the secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from crdb.deployment.config import Config
from crdb.deployment.errors import ConfigError
from crdb.deployment.region_config import RegionConfig
from crdb.engine.events.event_bases import Emit
from crdb.engine.events.operator_events import NoLinkSecretEvent, WeakLinkSecretEvent
from replication.protocol.secret import HOW_TO_DRAW, is_loopback, weakness

VARIABLE: Final = "CRDB_SECRET"
REMEDY: Final = (
    f'Write secret = "..." at the top of the file, or set {VARIABLE}, the same for all regions and '
    f"followers. {HOW_TO_DRAW}"
)
ADDRESSES_REMEMBERED: Final = 64  # as many as may wait at a link port


def resolve_secret(
    config: Config, environment: Mapping[str, str], folder: Path, read: Callable[[Path], str]
) -> Config:
    """Return `config` with the secret to use. `read` returns the text of a file; a relative
    `secret_file` is looked for in `folder`. Raises ConfigError."""
    if given := environment.get(VARIABLE, ""):
        try:
            given.encode()
        except UnicodeEncodeError:
            raise ConfigError(f"{VARIABLE} is not UTF-8; use other characters") from None
        return attrs.evolve(config, secret=given)
    if not config.secret_file:
        return config
    path = folder / config.secret_file
    try:
        secret = read(path).rstrip("\r\n")
    except ConfigError as fault:
        raise ConfigError(f"secret_file: {fault}") from None
    if not secret:
        raise ConfigError(f"{path}: the secret_file is empty. {HOW_TO_DRAW}")
    return attrs.evolve(config, secret=secret)


def check_reach(config: Config, names: Sequence[str]) -> None:
    """Check that links beyond this machine have a secret. Raises ConfigError."""
    if config.secret:
        return
    for name in names:
        region = config.region(name)
        for host, use in link_hosts(config, region):
            if not is_loopback(host):
                raise ConfigError(
                    f"region {region.name} {use} {host}, which is not an address of this machine "
                    f"alone, and no secret is set. {REMEDY}"
                )


def link_hosts(config: Config, region: RegionConfig) -> list[tuple[str, str]]:
    """Return each host of a region's links, with its use."""
    found = [(host, "listens for links at") for host in region.link_bind]
    found += [(peer.host, f"links with {peer.name} at") for peer in config.peers(region.name)]
    found += [(host, "follows") for host, _ in region.replica_of]
    return found


def report_secret(secret: str, emit: Emit) -> None:
    """Report at the start of a process that its secret is missing or weak."""
    if not secret:
        emit(NoLinkSecretEvent(reach="this machine"))
    elif reason := weakness(secret):
        emit(WeakLinkSecretEvent(reason=f"{reason}. {HOW_TO_DRAW}"))


class ReportedAddresses:
    """The addresses whose refused links have been reported already."""

    def __init__(self) -> None:
        self.addresses: set[str] = set()

    def is_new(self, address: str) -> bool:
        """Return whether to report a refused link from `address`: the first one only, and only
        for as many addresses as are remembered."""
        if address in self.addresses or len(self.addresses) >= ADDRESSES_REMEMBERED:
            return False
        self.addresses.add(address)
        return True
