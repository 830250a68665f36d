"""The `crdb` command: run regions, until a signal ends them.

    crdb up --regions us-east-1,eu-west-1,ap-southeast-1     all regions in this process
    crdb up regions.toml
    crdb serve regions.toml --region eu-west-1               one region of the file
    crdb demo                                                a story, told in 20 seconds

A bad option, a bad file or a port that is taken is one line on standard error and a status of 2 or
1. SIGINT, SIGTERM and SIGHUP close everything and end with status 0, and so does a reader of our
events that goes away (`crdb up --json | head -1`).
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from typing import Final

import trio

from crdb.cli.command_line import configure, parser, state_of
from crdb.cli.screen import Screen
from crdb.cli.stopping import Stopping
from crdb.deployment.toml_table import ConfigError
from crdb.net.open_files import TooFewFiles, allow_files
from crdb.net.ports import CannotListen
from crdb.region.incarnation import StateError
from crdb.region.runtime import Runtime
from crdb.version import DISTRIBUTION

GRACE_SECONDS: Final = 0.1
"""For the signal that has ended our reader to reach us as well."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process. Return the exit status."""
    return execute(parser().parse_args(argv))


def execute(options: argparse.Namespace) -> int:
    """Run what the options of a command line ask for. Return the exit status."""
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
        trio.run(run, runtime, screen)
    finally:
        runtime.close()
    return 0


def demo() -> int:
    """Tell the story of a cut. Return the exit status."""
    try:
        from crdb.cli import demo as story  # noqa: PLC0415 - its client is no part of a server
    except ModuleNotFoundError as fault:
        remedy = f"pip install '{DISTRIBUTION}[demo]'"
        print(f"crdb: the demo needs the package {fault.name}: {remedy}", file=sys.stderr)
        return 1
    return story.main()


async def run(runtime: Runtime, screen: Screen) -> None:
    """Run the regions until a signal comes or nobody is left who reads our events."""
    with trio.open_signal_receiver(*ending_signals()) as signals:
        async with trio.open_nursery() as writing:
            writing.start_soon(screen.outlet.run)
            try:
                async with trio.open_nursery() as serving:
                    screen.tell("listening", runtime.details)
                    stopping = Stopping(runtime, screen, [serving, writing])
                    writing.start_soon(stopping.obey, signals)
                    serving.start_soon(outlive, screen, serving)
                    serving.start_soon(stopping.obey_clients)
                    serving.start_soon(runtime.run)
                    if screen.is_live:
                        serving.start_soon(screen.watch, runtime)
                        serving.start_soon(screen.rest)
            finally:
                with trio.CancelScope(shield=True):
                    await screen.outlet.close()
            writing.cancel_scope.cancel()


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that end the regions. Under `nohup` a hangup does not."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


async def outlive(screen: Screen, serving: trio.Nursery) -> None:
    """Stop serving when nobody can read any more what happens."""
    await screen.outlet.gone.wait()
    await trio.sleep(GRACE_SECONDS)
    print("crdb: nobody reads our events any more, so we stop", file=sys.stderr)
    serving.cancel_scope.cancel()
