"""The index of a database: 0 is accepted, and every other argument gives an error."""

from __future__ import annotations

from typing import Final

import pytest

from crdb.commands.shared.database_index import NO_SUCH_DATABASE, NOT_AN_INDEX, check_database
from crdb.engine.errors import NOT_AN_INTEGER, CommandError


def test_only_database_is_accepted() -> None:
    check_database(b"0")


REFUSED: Final = {
    b"1": NO_SUCH_DATABASE,
    b"-1": NO_SUCH_DATABASE,
    b"2147483647": NO_SUCH_DATABASE,
    b"-2147483648": NO_SUCH_DATABASE,
    b"2147483648": NOT_AN_INDEX,
    b"-2147483649": NOT_AN_INDEX,
    b"x": NOT_AN_INTEGER,
}


@pytest.mark.parametrize("text", REFUSED)
def test_other_index_is_refused(text: bytes) -> None:
    with pytest.raises(CommandError) as refused:
        check_database(text)
    assert refused.value.text == REFUSED[text]
