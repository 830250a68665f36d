"""Make the configuration from the file or the options of a command line."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import attrs

from crdb.cli.command_line import DEFAULT_PORT
from crdb.deployment.config import DELAY_MS_MAX, Config
from crdb.deployment.config_file import read_config
from crdb.deployment.errors import ConfigError, hint, shown
from crdb.deployment.region_config import PORT_MAX
from crdb.region.core.link_secret import check_reach, resolve_secret
from crdb.region.core.users import resolve_acl_files
from geo import SHAPES


def configure(options: argparse.Namespace) -> tuple[Config, tuple[str, ...]]:
    """Return the configuration, and the regions of it that run here. Raises ConfigError."""
    if options.command == "serve":
        config = read_file(options.file)
        names: tuple[str, ...] = (config.region(options.region).name,)
    elif options.regions is not None and options.file is None:
        config = from_options(options)
        names = tuple(region.name for region in config.regions)
    elif options.file is not None and options.regions is None:
        if options.port is not None or options.topology or options.delay:
            raise ConfigError("--port, --topology and --delay go with --regions, not with a file")
        config = read_file(options.file)
        names = tuple(region.name for region in config.regions)
    else:
        raise ConfigError("give either a file or --regions, for instance --regions us,eu,ap")
    folder = Path() if options.file is None else options.file.parent
    config = resolve_secret(config, os.environ, folder, read_text)
    config = resolve_acl_files(config, folder)
    check_reach(config, names)
    if options.command == "serve":
        if options.serve_stale:
            config = attrs.evolve(config, serve_stale=True)
        config = attrs.evolve(config, start_empty=options.start_empty)
    if options.test_clock:
        config = attrs.evolve(config, test_clock=True)
    return config, names


def from_options(options: argparse.Namespace) -> Config:
    """Return the configuration that `--regions` and related options give. Raises ConfigError."""
    names = [name.strip() for name in options.regions.split(",")]
    port = DEFAULT_PORT if options.port is None else options.port
    if not 0 <= port <= PORT_MAX - len(names):
        raise ConfigError(
            f"--port {port}: region i listens on {port} + i, which must be 1..{PORT_MAX}"
        )
    shape: str = options.topology or "mesh"
    if shape not in SHAPES:
        known = ", ".join(SHAPES)
        raise ConfigError(f"--topology {shown(shape)} is not one of {known}{hint(shape, SHAPES)}")
    return Config.from_names(names, port, topology=shape, delay=parse_delay(options.delay))


def parse_delay(text: str | None) -> str | float | None:
    """Return the delay that `--delay` gives. Raises ConfigError."""
    if text in (None, "measured", "none"):
        return text
    try:
        delay = float(text)
    except ValueError:
        delay = -1.0
    if not 0 <= delay <= DELAY_MS_MAX:
        raise ConfigError(
            f'--delay {shown(text)} is not "measured", "none" or milliseconds, 0..{DELAY_MS_MAX}'
        )
    return delay


def read_file(path: Path) -> Config:
    """Return the configuration in a file. Raises ConfigError."""
    return read_config(read_text(path), str(path))


def read_text(path: Path) -> str:
    """Return the text of a file. Raises ConfigError."""
    try:
        return path.read_text(
            encoding="utf-8-sig"
        )  # some editors begin a file with a byte order mark
    except OSError as fault:
        raise ConfigError(f"{path}: {fault.strerror or fault}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file in UTF-8") from None


def state_directory(options: argparse.Namespace, names: tuple[str, ...]) -> Path | None:
    """Return the directory in which a region that runs alone counts its restarts."""
    if options.command != "serve":
        return None
    chosen: Path | None = options.state
    file: Path = options.file
    return file.parent / ".crdb" / names[0] if chosen is None else chosen
