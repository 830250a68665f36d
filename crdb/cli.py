"""The `crdb` command: run regions, until a signal ends them.

    crdb up --regions us-east-1,eu-west-1,ap-southeast-1     all regions in this process
    crdb up regions.toml
    crdb serve regions.toml --region eu-west-1               one region of the file
    crdb demo                                                a story, told in 20 seconds

A bad option, a bad file or a port that is taken is one line on standard error and a status of 2 or
1; SIGINT and SIGTERM close everything and end with status 0, and so does a reader of our events
that goes away (`crdb up --json | head -1`).
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NoReturn

import attrs
import trio

from crdb.config import DELAY_MS_MAX, PORT_MAX, Config
from crdb.events import ready_details
from crdb.incarnation import StateError
from crdb.open_files import TooFewFiles, allow_files
from crdb.ports import CannotListen
from crdb.runtime import Runtime
from crdb.screen import Screen
from crdb.toml_table import ConfigError, hint, shown
from geo import SHAPES

DEFAULT_PORT: Final = 7000
GRACE_SECONDS: Final = 0.1
"""For the signal that has ended our reader to reach us as well."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    options = parser().parse_args(argv)
    if options.command == "demo":
        return demo()
    try:
        config, names = configure(options)
        screen = Screen(options.json)
        runtime = Runtime(config, names, emit=screen.tell, state=state_of(options, names))
        allow_files(config, names)
        runtime.open()
    except (ConfigError, CannotListen, StateError, TooFewFiles) as fault:
        print(f"crdb: {fault}", file=sys.stderr)
        return 1
    try:
        trio.run(run, runtime, screen, ready_details(config, names))
    finally:
        runtime.close()
    return 0


def demo() -> int:
    """Tell the story of a cut; the exit status."""
    try:
        from crdb import demo as story  # noqa: PLC0415 - its client is no part of a server
    except ModuleNotFoundError as fault:
        print(f"crdb: the demo needs the package {fault.name}: pip install redis", file=sys.stderr)
        return 1
    return story.main()


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a call, and takes no option for another that begins
    alike: `up --region` is not `up --regions`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def parser() -> Parser:
    """The command line."""
    top = Parser(
        prog="crdb",
        description="An active-active database for the Redis protocol.",
        epilog="Try `crdb up --regions us-east-1,eu-west-1`, or `crdb demo`.",
    )
    top.add_argument("--version", action="version", version=f"crdb {version('crdb')}")
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
        help="where the region counts its restarts (.crdb/NAME beside the file)",
    )
    commands.add_parser("demo", help="three regions, a cut and what becomes of it, in 20 seconds")
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
    names = [name.strip() for name in options.regions.split(",")]
    port = DEFAULT_PORT if options.port is None else options.port
    if not 0 <= port <= PORT_MAX - len(names):
        raise ConfigError(
            f"--port {port}: region i listens on {port} + i, which must be 1..{PORT_MAX}"
        )
    shape: str = options.topology or "mesh"
    if shape not in SHAPES:
        known = ", ".join(SHAPES)
        raise ConfigError(f"--topology {shown(shape)} is none of {known}{hint(shape, SHAPES)}")
    return Config.from_names(names, port, topology=shape, delay=delay_of(options.delay))


def delay_of(text: str | None) -> str | float | None:
    """What `--delay` says. Raises ConfigError."""
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
    """The configuration in a file. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark before it
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
    """Run the regions until a signal comes or nobody is left who reads our events."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as writing:
            writing.start_soon(screen.outlet.run)
            try:
                async with trio.open_nursery() as serving:
                    screen.tell("ready", ready)
                    writing.start_soon(obey, signals, screen, [serving, writing])
                    serving.start_soon(outlive, screen, serving)
                    serving.start_soon(runtime.run)
                    if screen.is_live:
                        serving.start_soon(screen.watch, runtime)
                        serving.start_soon(screen.rest)
            finally:
                with trio.CancelScope(shield=True):
                    await screen.outlet.close()
            writing.cancel_scope.cancel()


async def obey(
    signals: AsyncIterator[int], screen: Screen, nurseries: Sequence[trio.Nursery]
) -> None:
    """The first signal stops serving, the second does not wait for what is still to be written."""
    left = list(nurseries)
    async for number in signals:
        if len(left) == len(nurseries):
            screen.tell("stopping", {"signal": signal.Signals(number).name})
        if left:
            left.pop(0).cancel_scope.cancel()


async def outlive(screen: Screen, serving: trio.Nursery) -> None:
    """Stop serving when nobody can read any more what happens."""
    await screen.outlet.gone.wait()
    await trio.sleep(GRACE_SECONDS)
    print("crdb: nobody reads our events any more, so we stop", file=sys.stderr)
    serving.cancel_scope.cancel()
