"""The command `crdb`, and `python -m crdb`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line; the exit status. Until regions run, Ctrl-C ends it without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from crdb import cli  # noqa: PLC0415 - this is most of a start
    except ModuleNotFoundError as missing:
        remedy = "install crdb with its extra, crdb[server]"
        sys.stderr.write(f"crdb: the command needs the package {missing.name}: {remedy}\n")
        return 1
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
