"""The command line of `crdb`: its options, and the configuration made from them.

This module needs neither trio nor a terminal, so that `crdb --help` and `crdb --version` work
wherever the package is installed. `crdb.cli.main` runs the command.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, Final, NoReturn

import attrs

from crdb.deployment.config import DELAY_MS_MAX, Config
from crdb.deployment.region_config import PORT_MAX
from crdb.deployment.toml_table import ConfigError, hint, shown
from crdb.region.core.link_secret import check_reach, resolve_secret
from crdb.version import __version__
from geo import SHAPES

DEFAULT_PORT: Final = 7000


class CommandLineParser(argparse.ArgumentParser):
    """Reports an error in one line, and accepts no abbreviated options: `up --region` is not
    `up --regions`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser() -> CommandLineParser:
    """Return the parser of the command line."""
    top = CommandLineParser(
        prog="crdb",
        description="An active-active database for the Redis protocol.",
        epilog="Try `crdb up --regions us-east-1,eu-west-1`, or `crdb demo`.",
    )
    top.add_argument("--version", action="version", version=f"crdb {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="run all regions in this process")
    up.add_argument("file", nargs="?", type=Path, help="a TOML file (or give --regions)")
    up.add_argument("--regions", metavar="A,B,...", help="names of regions, without a file")
    up.add_argument(
        "--port", type=int, metavar="N", help=f"region i listens on N + i ({DEFAULT_PORT})"
    )
    up.add_argument("--topology", metavar="SHAPE", help="mesh (default), ring, star or line")
    up.add_argument(
        "--delay",
        metavar="MS",
        help='one-way delay of links: milliseconds, "measured" (default for cloud regions) or '
        '"none" (default for other names)',
    )
    serve = commands.add_parser("serve", help="run one region of a file")
    serve.add_argument("file", type=Path, help="the TOML file that all regions share")
    serve.add_argument("--region", required=True, metavar="NAME", help="its name or number")
    serve.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="directory where the region counts its restarts (default: .crdb/NAME next to FILE)",
    )
    serve.add_argument(
        "--serve-stale",
        action="store_true",
        help="serve reads before the region has caught up with its peers after a restart",
    )
    serve.add_argument(
        "--start-empty",
        action="store_true",
        help="start even if no peer has the data that the region held, and lose that data",
    )
    commands.add_parser(
        "demo", help="show three regions, a cut and how they converge, in 20 seconds"
    )
    for command in (up, serve):
        command.add_argument("--json", action="store_true", help="one line of JSON per event")
        command.add_argument(
            "--test-clock", action="store_true", help="allow CRDB.CLOCK SET (for tests)"
        )
    return top


def configure(options: argparse.Namespace) -> tuple[Config, tuple[str, ...]]:
    """Return the configuration, and the regions of it that run here. Raises ConfigError."""
    if options.command == "serve":
        config = read(options.file)
        names: tuple[str, ...] = (config.region(options.region).name,)
    elif options.regions is not None and options.file is None:
        config = from_options(options)
        names = tuple(region.name for region in config.regions)
    elif options.file is not None and options.regions is None:
        if options.port is not None or options.topology or options.delay:
            raise ConfigError("--port, --topology and --delay go with --regions, not with a file")
        config = read(options.file)
        names = tuple(region.name for region in config.regions)
    else:
        raise ConfigError("give either a file or --regions, for instance --regions us,eu,ap")
    folder = Path() if options.file is None else options.file.parent
    config = resolve_secret(config, os.environ, folder, read_text)
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
    return Config.from_names(names, port, topology=shape, delay=delay_of(options.delay))


def delay_of(text: str | None) -> str | float | None:
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


def read(path: Path) -> Config:
    """Return the configuration in a file. Raises ConfigError."""
    return Config.from_toml(read_text(path), str(path))


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


def state_of(options: argparse.Namespace, names: tuple[str, ...]) -> Path | None:
    """Return the directory in which a region that runs alone counts its restarts."""
    if options.command != "serve":
        return None
    chosen: Path | None = options.state
    file: Path = options.file
    return file.parent / ".crdb" / names[0] if chosen is None else chosen
