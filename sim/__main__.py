"""`python -m sim`: see `sim.command_line`."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line and return the exit status. Ctrl-C ends the process silently until a run
    begins."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from sim.command_line import main as run  # noqa: PLC0415 - after the line above

    try:
        signal.signal(signal.SIGINT, handler)
        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
