"""The options of the command line. `test_main` tests the messages of wrong calls."""

from __future__ import annotations

import pytest

from crdb.cli.command_line import make_parser


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("up --region us", "unrecognized arguments: --region; see crdb --help"),
        ("serve regions.toml", "the following arguments are required: --region; see crdb serve"),
        ("stop", "invalid choice: 'stop'"),
    ],
)
def test_bad_call_is_one_line(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        make_parser().parse_args(line.split())
    error = capsys.readouterr().err
    assert caught.value.code == 2
    assert message in error
    assert error.count("\n") == 1


def test_options_of_serve_have_defaults() -> None:
    options = make_parser().parse_args(["serve", "regions.toml", "--region", "us"])
    assert (options.command, options.region, options.state) == ("serve", "us", None)
    switches = (options.json, options.test_clock, options.serve_stale, options.start_empty)
    assert not any(switches)
