"""The configuration made from command line options."""

from __future__ import annotations

from pathlib import Path

import pytest

from crdb.cli.command_line import make_parser
from crdb.cli.configuring import configure, state_directory


@pytest.mark.parametrize("delay", ["0", "12.5", "none", "measured"])
def test_delay_is_number_or_word(delay: str) -> None:
    options = make_parser().parse_args(["up", "--regions", "us-east-1,eu-west-1", "--delay", delay])
    config, names = configure(options)
    expected = {"0": 0.0, "12.5": 12.5}.get(delay, delay)
    assert (config.link.delay, names) == (expected, ("us-east-1", "eu-west-1"))


def test_file_may_begin_with_mark_of_its_encoding(tmp_path: Path) -> None:
    file = tmp_path / "regions.toml"
    file.write_text('\ufeff[[region]]\nname = "us"\n', encoding="utf-8")
    _, names = configure(make_parser().parse_args(["up", str(file)]))
    assert names == ("us",)


def test_options_of_serve_change_configuration(tmp_path: Path) -> None:
    file = tmp_path / "regions.toml"
    file.write_text('[[region]]\nname = "us"\n[[region]]\nname = "eu"\n', encoding="utf-8")
    call = ["serve", str(file), "--region", "2"]
    options = make_parser().parse_args([*call, "--serve-stale", "--start-empty", "--test-clock"])
    config, names = configure(options)
    assert names == ("eu",)
    assert (config.serve_stale, config.start_empty, config.test_clock) == (True, True, True)
    assert state_directory(options, names) == tmp_path / ".crdb" / "eu"
    plain = make_parser().parse_args([*call, "--state", "elsewhere"])
    assert (configure(plain)[0].serve_stale, configure(plain)[0].start_empty) == (None, False)
    assert state_directory(plain, names) == Path("elsewhere")
    assert state_directory(make_parser().parse_args(["up", str(file)]), names) is None
