"""The secret of links: its sources, when it is optional, and that no text shows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from crdb.cli.main import main
from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.deployment.errors import ConfigError
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.region.core.link_secret import (
    ADDRESSES_REMEMBERED,
    VARIABLE,
    ReportedAddresses,
    check_reach,
    report_secret,
    resolve_secret,
)
from crdb.region.core.membership import parameters
from crdb.region.region import RegionServer
from replication.protocol.events import Unproven
from replication.protocol.peers import Direction
from tests.crdb.events import Named, collector

LONG = "0123456789abcdef-€"
REGIONS = '[[region]]\nname = "us"\n[[region]]\nname = "eu"\n'
FILES = {"dir/there": f"{LONG}\r\n", "dir/empty": "\n"}


def read(path: Path) -> str:
    name = path.as_posix()
    if name not in FILES:
        raise ConfigError(f"{name}: No such file or directory")
    return FILES[name]


def resolve(text: str, environment: Mapping[str, str] | None = None) -> Config:
    """Return the configuration of a file in the folder `dir`, with its secret."""
    return resolve_secret(read_config(text + REGIONS), environment or {}, Path("dir"), read)


def test_secret_is_read_from_environment_or_file() -> None:
    assert resolve("").secret == ""
    assert resolve(f'secret = "{LONG}"\n').secret == LONG
    assert resolve('secret_file = "there"\n').secret == LONG
    for text in ("", 'secret = "other"\n', 'secret_file = "there"\n'):
        assert resolve(text, {VARIABLE: "from outside"}).secret == "from outside"
        assert resolve(text, {VARIABLE: ""}) == resolve(text)


def test_error_for_bad_secret_does_not_show_it() -> None:
    with pytest.raises(ConfigError, match="dir/empty: the secret_file is empty"):
        resolve('secret_file = "empty"\n')
    with pytest.raises(ConfigError, match="secret_file: dir/gone: No such file"):
        resolve('secret_file = "gone"\n')
    with pytest.raises(ConfigError, match="give either secret or secret_file"):
        resolve('secret_file = "there"\nsecret = "x"\n')
    with pytest.raises(ConfigError, match="CRDB_SECRET is not UTF-8"):
        resolve("", {VARIABLE: "a\udcffb"})
    for key in ("secret", "requirepass"):
        with pytest.raises(ConfigError, match=f"{key} must be a string: put it") as caught:
            resolve(f"{key} = 123454321\n")
        assert "12345" not in str(caught.value)


def test_nothing_that_is_shown_holds_secret() -> None:
    config = resolve(f'secret = "{LONG}"\nrequirepass = "open sesame"\n')
    assert LONG not in repr(config)
    assert "sesame" not in repr(config)
    assert LONG not in str(parameters(config, config.region("us")).values)


def with_hosts(us: str, eu: str, more: str = "") -> Config:
    text = REGIONS.replace('"us"\n', f'"us"\nhost = "{us}"\n{more}')
    return read_config(text.replace('"eu"\n', f'"eu"\nhost = "{eu}"\n'))


@pytest.mark.parametrize(
    ("us", "eu", "output"),
    [
        ("10.0.0.1", "127.0.0.1", "region us listens for links at 10.0.0.1"),
        ("127.0.0.1", "eu.example", "region us links with eu at eu.example"),
    ],
)
def test_links_beyond_this_machine_need_secret(us: str, eu: str, output: str) -> None:
    config = with_hosts(us, eu)
    with pytest.raises(ConfigError, match=f"{output}, .* Write secret = .* or set CRDB_SECRET"):
        check_reach(config, ("us",))
    check_reach(attrs.evolve(config, secret="any"), ("us",))


def test_link_address_decides_about_secret() -> None:
    inside = 'bind = "0.0.0.0"\nlink_bind = ["127.0.0.1", "::1"]\n'
    check_reach(with_hosts("10.0.0.1", "127.0.0.1", inside), ("us",))
    with pytest.raises(ConfigError, match="region us listens for links at ::, "):
        check_reach(with_hosts("127.0.0.1", "127.0.0.1", 'link_bind = "::"\n'), ("us",))
    with pytest.raises(ConfigError, match=r"region us listens for links at 0\.0\.0\.0, "):
        check_reach(with_hosts("127.0.0.1", "127.0.0.1", 'bind = "0.0.0.0"\n'), ("us",))


def test_links_within_this_machine_need_none() -> None:
    check_reach(with_hosts("127.0.0.1", "::1"), ("us", "eu"))
    check_reach(with_hosts("localhost", "127.8.0.1"), ("us", "eu"))


def test_follower_of_another_machine_needs_secret() -> None:
    text = '[[region]]\nname = "copy"\nreplica_of = ["{}:7001"]\n'
    check_reach(read_config(text.format("127.0.0.1")), ("copy",))
    with pytest.raises(ConfigError, match=r"region copy follows 10\.0\.0\.1, "):
        check_reach(read_config(text.format("10.0.0.1")), ("copy",))


@pytest.mark.parametrize(
    ("secret", "events"),
    [("", ["no link secret"]), ("hunter2", ["weak link secret"]), (LONG, [])],
)
def test_no_secret_and_weak_one_are_reported(secret: str, events: list[str]) -> None:
    reported: list[Named] = []
    report_secret(secret, collector(reported))
    assert [event for event, _ in reported] == events
    assert "hunter2" not in str(reported)


def test_each_address_without_secret_is_reported_once() -> None:
    refusals = ReportedAddresses()
    assert refusals.is_new("10.0.0.1")
    assert not refusals.is_new("10.0.0.1")
    new = [refusals.is_new(f"10.1.0.{n}") for n in range(200)]
    assert sum(new) == ADDRESSES_REMEMBERED - 1


async def test_connection_without_secret_is_counted() -> None:
    events: list[Named] = []
    config = Config.from_names(["us", "eu"])
    region = RegionServer(config, "us", emit=collector(events), state=None)
    stranger = Unproven("", Direction.OUT, "10.0.0.7", "it does not know our secret")
    region.observe([stranger])
    region.observe([stranger, Unproven("eu", Direction.IN, "", "a peer that we have dialled")])
    details = {"region": "us", "address": "10.0.0.7", "reason": "it does not know our secret"}
    assert events == [("link refused", details)]
    client = Client(region.instance, b"there:1", b"here:1")
    assert b"\r\ncrdt_links_refused:0\r\n" in receive(client, b"INFO crdt\r\n")


@pytest.mark.parametrize("command", [["up"], ["serve", "--region", "us"]])
def test_file_that_needs_secret_is_refused_in_one_line(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "regions.toml"
    file.write_text(REGIONS.replace('"us"\n', '"us"\nlink_bind = "192.0.2.1"\n'), encoding="utf-8")
    assert main([command[0], str(file), *command[1:]]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "region us listens for links at 192.0.2.1" in error
    assert "CRDB_SECRET" in error
