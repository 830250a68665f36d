"""The options of the command line of `crdb`.

This module needs only the standard library, so that `crdb --help` and `crdb --version` work
wherever the package is installed. `crdb.cli.configuring` makes a configuration from the options.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

from crdb.version import __version__

DEFAULT_PORT: Final = 7000


class PlainParser(argparse.ArgumentParser):
    """Raises OSError if help cannot be written, which argparse ignores if output is not
    buffered."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stdout:
            sys.stdout.write(message)
        else:
            super()._print_message(message, file)


class CommandLineParser(PlainParser):
    """Reports an error in one line, and accepts no abbreviated options: `up --region` is not
    `up --regions`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def make_parser() -> CommandLineParser:
    """Return the parser of the command line."""
    top = CommandLineParser(
        prog="crdb",
        description="An active-active database for the Redis protocol.",
        epilog="Try `crdb up --regions us-east-1,eu-west-1`, or `crdb demo`.",
    )
    top.add_argument("--version", action="version", version=f"crdb {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="run all regions in this process")
    _add_options_of_up(up)
    serve = commands.add_parser("serve", help="run one region of a file")
    _add_options_of_serve(serve)
    commands.add_parser(
        "demo", help="show three regions, a cut and how they converge, in 20 seconds"
    )
    for command in (up, serve):
        command.add_argument(
            "--json", action="store_true", help="print each event as a line of JSON"
        )
        command.add_argument(
            "--test-clock", action="store_true", help="allow CRDB.CLOCK SET, for tests"
        )
    return top


def _add_options_of_up(up: CommandLineParser) -> None:
    up.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a TOML file; or use --regions"
    )
    up.add_argument("--regions", metavar="A,B,...", help="run these regions without a file")
    up.add_argument(
        "--port",
        type=int,
        metavar="N",
        help=f"region i has port N + i (default: {DEFAULT_PORT})",
    )
    up.add_argument("--topology", metavar="SHAPE", help="mesh, ring, star or line (default: mesh)")
    up.add_argument(
        "--delay",
        metavar="MS",
        help='one-way delay of links: milliseconds, "measured" or "none" (default: "measured" if a '
        'name is a cloud region, else "none")',
    )


def _add_options_of_serve(serve: CommandLineParser) -> None:
    serve.add_argument(
        "file", type=Path, metavar="FILE", help="the TOML file that all regions share"
    )
    serve.add_argument(
        "--region", required=True, metavar="NAME", help="the name or number of the region"
    )
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
