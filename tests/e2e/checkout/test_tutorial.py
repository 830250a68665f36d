"""Run the session of the tutorial against a real `crdb up`."""

from __future__ import annotations

import doctest

import pytest

from tests.documents import commands, text_of, with_ports
from tests.e2e.checkout.served import served

pytestmark = pytest.mark.no_cover  # it plays through everything that has tests of its own

TEXT = text_of("docs/tutorial.md")


def test_session_shows_what_is_printed() -> None:
    (arguments,) = commands(TEXT, "crdb up")
    runner = doctest.DocTestRunner()
    with served(["up", *arguments], 2) as ports:
        text = with_ports(TEXT, ports)
        runner.run(doctest.DocTestParser().get_doctest(text, {}, "tutorial.md", "tutorial.md", 0))
    assert runner.tries > 20
    assert runner.failures == 0
