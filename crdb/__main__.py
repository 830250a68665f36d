"""The command `crdb`, and `python -m crdb`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line and return the exit status. Until regions run, Ctrl-C ends the process
    silently."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from crdb.cli.command_line import make_parser  # noqa: PLC0415 - after the line above
    from crdb.cli.standard_output import checked_output  # noqa: PLC0415
    from crdb.version import DISTRIBUTION  # noqa: PLC0415

    with checked_output("crdb", 1):
        options = make_parser().parse_args()  # ends the process for --help, --version and mistakes
    try:
        from crdb.cli import main as cli  # noqa: PLC0415 - this is most of a start
    except ModuleNotFoundError as missing:
        remedy = f"pip install '{DISTRIBUTION}[server]'"
        sys.stderr.write(f"crdb: this command needs the package {missing.name}: {remedy}\n")
        return 1
    return cli.execute(options)


if __name__ == "__main__":
    sys.exit(main())
