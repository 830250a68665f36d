"""The index of a database, for SELECT and COPY. There is one database, with index 0."""

from __future__ import annotations

from typing import Final

from crdb.engine import arguments
from crdb.engine.errors import CommandError

NO_SUCH_DATABASE: Final = b"ERR DB index is out of range"
NOT_AN_INDEX: Final = b"ERR value is out of range, value must between -2147483648 and 2147483647"
INT_MAX: Final = (1 << 31) - 1


def check_database(argument: bytes) -> None:
    """Raise CommandError unless `argument` is the index of the only database."""
    if arguments.integer_between(argument, -INT_MAX - 1, INT_MAX, NOT_AN_INDEX) != 0:
        raise CommandError(NO_SUCH_DATABASE)
