"""Run the commands of the README against a real `crdb up`."""

from __future__ import annotations

import pytest

from tests.documents import commands, text_of
from tests.e2e.checkout.served import replies_as_shown, served

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own

TEXT = text_of("README.md")


def test_redis_cli_replies_as_shown() -> None:
    (arguments,) = (line for line in commands(TEXT, "crdb up") if "--regions" in line)
    with served(["up", *arguments], 3) as ports:
        assert replies_as_shown(TEXT, ports) == 4
