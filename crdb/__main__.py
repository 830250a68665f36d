"""`python -m crdb` is the command `crdb`."""

from __future__ import annotations

import sys

from crdb.cli import main

if __name__ == "__main__":
    sys.exit(main())
