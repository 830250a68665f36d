"""The `crdb` command: run regions, until a signal ends them.

    crdb up --regions us-east-1,eu-west-1,ap-southeast-1     all regions in this process
    crdb up regions.toml
    crdb serve regions.toml --region eu-west-1               one region of the file
    crdb demo                                                a cut between regions, in 20 seconds

An error in the options, in the file or at a port is shown in one line on standard error. The exit
status is then 2 or 1. SIGINT, SIGTERM and SIGHUP close everything and end with status 0. So does a
reader of our events that closes its pipe (`crdb up --json | head -1`).
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

import trio

from crdb.cli.command_line import make_parser
from crdb.cli.configuring import configure, state_directory
from crdb.cli.screen import Screen
from crdb.cli.standard_output import checked_output
from crdb.cli.stopping import Stopping
from crdb.deployment.errors import ConfigError
from crdb.engine.events.operator_events import ListeningEvent
from crdb.net.open_files import TooFewFiles, allow_files
from crdb.net.ports import CannotListen, check_ports
from crdb.region.runtime import Runtime
from crdb.region.state_directory import StateError, locked_directory
from crdb.version import DISTRIBUTION

GRACE_SECONDS: Final = 0.1
"""Time for a signal that has ended our reader to reach this process as well."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, by default that of the process. Return the exit status."""
    return execute(make_parser().parse_args(argv))


def execute(options: argparse.Namespace) -> int:
    """Run the command that the options select. Return the exit status."""
    if options.command == "demo":
        return demo()
    with ExitStack() as stack:
        try:
            config, names = configure(options)
            state = state_directory(options, names)
            stack.enter_context(locked_directory(state))
            screen = Screen(options.json)
            clients_max = allow_files(config, names)
            check_ports([config.region(name) for name in names])
            runtime = Runtime(config, names, emit=screen.show_event, state=state)
            runtime.limit_clients(clients_max)
            runtime.open()
        except (ConfigError, CannotListen, StateError, TooFewFiles) as fault:
            print(f"crdb: {fault}", file=sys.stderr)
            return 1
        try:
            trio.run(run_regions, runtime, screen)
        finally:
            runtime.close()
    return 0


def demo() -> int:
    """Run the demo. Return the exit status."""
    try:
        from crdb.cli import demo as story  # noqa: PLC0415 - a server does not need its client
    except ModuleNotFoundError as fault:
        remedy = f"pip install '{DISTRIBUTION}[demo]'"
        print(f"crdb: the demo needs the package {fault.name}: {remedy}", file=sys.stderr)
        return 1
    with checked_output("crdb", 1):
        return story.main()


async def run_regions(runtime: Runtime, screen: Screen) -> None:
    """Run the regions until a signal comes or the reader of our events has gone."""
    with trio.open_signal_receiver(*ending_signals()) as signals:
        async with trio.open_nursery() as writing:
            writing.start_soon(screen.stdout.run)
            try:
                async with trio.open_nursery() as serving:
                    screen.show_event(ListeningEvent(regions=runtime.addresses))
                    stopping = Stopping(runtime, screen, [serving, writing])
                    writing.start_soon(stopping.stop_on_signals, signals)
                    serving.start_soon(stop_without_reader, screen, serving)
                    serving.start_soon(stopping.stop_on_request)
                    serving.start_soon(runtime.run)
                    if screen.is_live:
                        serving.start_soon(screen.keep_drawing, runtime)
                        serving.start_soon(screen.handle_suspend)
            finally:
                with trio.CancelScope(shield=True):
                    await screen.stdout.close()
            writing.cancel_scope.cancel()


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that end the regions: without SIGHUP under `nohup`."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return signal.SIGINT, signal.SIGTERM
    return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


async def stop_without_reader(screen: Screen, serving: trio.Nursery) -> None:
    """Stop serving when the reader of our events has gone."""
    await screen.stdout.gone.wait()
    await trio.sleep(GRACE_SECONDS)
    print(
        "crdb: the reader of the events has closed its pipe, so the regions stop", file=sys.stderr
    )
    serving.cancel_scope.cancel()
