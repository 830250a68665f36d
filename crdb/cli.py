"""The `crdb` command: run regions, until a signal ends them.

    crdb up --regions us-east-1,eu-west-1,ap-southeast-1     all regions in this process
    crdb up regions.toml
    crdb serve regions.toml --region eu-west-1               one region of the file

A bad option, a bad file or a port that is taken is one line on standard error and a status of 2 or
1; SIGINT and SIGTERM close everything and end with status 0.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs
import trio
from rich.console import Console
from rich.live import Live

from crdb.config import Config
from crdb.events import json_line, ready_details, text_line
from crdb.incarnation import StateError
from crdb.ports import CannotListen
from crdb.runtime import Runtime
from crdb.toml_table import ConfigError
from crdb.view import draw

REFRESH_SECONDS: Final = 0.5
EVENTS_SHOWN: Final = 8
DEFAULT_PORT: Final = 7000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    options = parser().parse_args(argv)
    try:
        config, names = configure(options)
        screen = Screen(options.json)
        runtime = Runtime(config, names, emit=screen.tell, state=state_of(options, names))
        runtime.open()
    except (ConfigError, CannotListen, StateError) as fault:
        print(f"crdb: {fault}", file=sys.stderr)
        return 1
    try:
        trio.run(run, runtime, screen, ready_details(config, names))
    finally:
        runtime.close()
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="crdb", description="An active-active database for the Redis protocol."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="run all regions in this process")
    up.add_argument("file", nargs="?", type=Path, help="a TOML file (or give --regions)")
    up.add_argument("--regions", metavar="A,B,...", help="names of regions, without a file")
    up.add_argument(
        "--port", type=int, metavar="N", help=f"region i listens on N + i ({DEFAULT_PORT})"
    )
    up.add_argument("--topology", default=None, help="mesh (default), ring, star or line")
    up.add_argument("--delay", help='one-way delay of links: "measured", "none" or milliseconds')
    serve = commands.add_parser("serve", help="run one region of a file")
    serve.add_argument("file", type=Path, help="the TOML file that all regions share")
    serve.add_argument("--region", required=True, metavar="NAME", help="its name or number")
    serve.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="where the region counts its restarts (.crdb/NAME beside the file)",
    )
    for command in (up, serve):
        command.add_argument("--json", action="store_true", help="one line of JSON per event")
        command.add_argument(
            "--test-clock", action="store_true", help="allow CRDB.CLOCK SET (for tests)"
        )
    return top


def configure(options: argparse.Namespace) -> tuple[Config, tuple[str, ...]]:
    """The configuration, and the regions of it that run here. Raises ConfigError."""
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
    if options.test_clock:
        config = attrs.evolve(config, test_clock=True)
    return config, names


def from_options(options: argparse.Namespace) -> Config:
    """A configuration made of `--regions` and its companions. Raises ConfigError."""
    delay: str | float | None = options.delay
    if isinstance(delay, str) and delay not in ("measured", "none"):
        try:
            delay = float(delay)
        except ValueError:
            raise ConfigError(
                f'--delay {delay!r} is not "measured", "none" or milliseconds'
            ) from None
    return Config.from_names(
        [name.strip() for name in options.regions.split(",")],
        DEFAULT_PORT if options.port is None else options.port,
        topology=options.topology or "mesh",
        delay=delay,
    )


def read(path: Path) -> Config:
    """The configuration in a file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise ConfigError(f"{path}: {fault.strerror or fault}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file in UTF-8") from None
    return Config.from_toml(text, str(path))


def state_of(options: argparse.Namespace, names: tuple[str, ...]) -> Path | None:
    """Where a region that runs alone counts its restarts."""
    if options.command != "serve":
        return None
    chosen: Path | None = options.state
    file: Path = options.file
    return file.parent / ".crdb" / names[0] if chosen is None else chosen


async def run(runtime: Runtime, screen: Screen, ready: Mapping[str, object]) -> None:
    """Run the regions until a signal comes."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            screen.tell("ready", ready)
            nursery.start_soon(runtime.run)
            if screen.is_live:
                nursery.start_soon(screen.watch, runtime)
            async for number in signals:
                screen.tell("stopping", {"signal": signal.Signals(number).name})
                break
            nursery.cancel_scope.cancel()


class Screen:
    """Where events go: lines of JSON, a live view on a terminal, or plain lines."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console()
        self.is_live = not as_json and self.console.is_terminal
        self.recent: list[str] = []

    def tell(self, event: str, details: Mapping[str, object]) -> None:
        """Show one event."""
        if self.as_json:
            print(json_line(time.time(), event, details), flush=True)
        elif self.is_live:
            line = f"{time.strftime('%H:%M:%S')} {text_line(event, details)}"
            self.recent = [*self.recent, line][-EVENTS_SHOWN:]
        else:
            print(text_line(event, details), flush=True)

    async def watch(self, runtime: Runtime) -> None:
        """Draw the view again and again."""
        with Live(console=self.console, auto_refresh=False) as live:
            while True:
                figures = runtime.figures(time.monotonic())
                live.update(draw(figures, runtime.links(), self.recent), refresh=True)
                await trio.sleep(REFRESH_SECONDS)
