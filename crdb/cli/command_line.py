"""The options of the command line of `crdb`.

This module needs only the standard library, so that `crdb --help` and `crdb --version` work
wherever the package is installed. `crdb.cli.configuring` makes a configuration from the options.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final, NoReturn

from crdb.version import __version__

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
