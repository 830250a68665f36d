"""One region of the configuration."""

from __future__ import annotations

import pytest

from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.deployment.errors import ConfigError


def read(text: str) -> Config:
    return read_config(text, "r.toml")


def test_link_address_defaults_to_advertised_one() -> None:
    (here,) = read('[[region]]\nname = "us"\nhost = "10.0.0.1"\n').regions
    assert (here.host, here.bind, here.link_bind) == ("10.0.0.1", ("10.0.0.1",), ("10.0.0.1",))
    text = '[[region]]\nname = "us"\nhost = "us.example"\nbind = "0.0.0.0"\n'
    (here,) = read(text).regions
    assert (here.host, here.bind, here.link_bind) == ("us.example", ("0.0.0.0",), ("0.0.0.0",))
    (here,) = read(f'{text}link_bind = ["::1", "10.0.0.1"]\n').regions
    assert (here.bind, here.link_bind) == (("0.0.0.0",), ("::1", "10.0.0.1"))


def test_numbers_stay_when_regions_are_removed() -> None:
    config = read('[[region]]\nname = "us"\nid = 1\n[[region]]\nname = "ap"\nid = 3\n')
    assert [(region.name, region.id, region.port) for region in config.regions] == [
        ("us", 1, 7001),
        ("ap", 3, 7003),
    ]
    assert config.region("3").name == "ap"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bind = []", "bind: 0 addresses are not 1..16"),
        ("bind = 7", "bind: 7 is not an address to listen at"),
        ('bind = ["127.0.0.1", ""]', 'bind: "" is not an address to listen at'),
        ('link_bind = ["::1", "::1"]', 'link_bind: "::1" is listed twice'),
        ('bind = ["[::1]"]', 'bind: "[::1]" is not an address'),
        ('host = "a\\u001bb"', "is not an address or the name of a host"),
        ("id = 0", "id 0 is not 1..255"),
        ("id = 256", "id 256 is not 1..255"),
        ('id = 2\n[[region]]\nname = "eu"', "region 2: id 2 is that of region 1"),
        (
            'host = "0.0.0.0"\n[[region]]\nname = "eu"',
            'region 1: host "0.0.0.0" cannot be reached by other machines: set bind',
        ),
        ('host = "*"\n[[region]]\nname = "eu"', 'host "*" cannot be reached by'),
        ('host = "::"\n[[region]]\nname = "eu"', 'host "::" cannot be reached by'),
    ],
)
def test_errors_name_place_and_remedy(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f'[[region]]\nname = "us"\n{text}\n')
    assert words in str(caught.value)
    assert "r.toml: region" in str(caught.value)


def test_regions_may_be_reached_at_names_of_hosts() -> None:
    text = '[[region]]\nname = "us"\nhost = "us.example"\n[[region]]\nname = "eu"\n'
    assert [region.host for region in read(text).regions] == ["us.example", "127.0.0.1"]


def test_region_alone_may_be_reached_anywhere() -> None:
    (here,) = read('[[region]]\nname = "us"\nhost = "*"\n').regions
    assert here.bind == ("*",)


@pytest.mark.parametrize("name", ["../../escaped", "a\\nb", "a\\u001b[2J", "x" * 65, "-x"])
def test_unsafe_names_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is not valid: give it 1 to 64 characters"):
        read(f'[[region]]\nname = "{name}"\n')
    with pytest.raises(ConfigError, match=r"id .* is not valid"):
        read(f'id = "{name}"\n[[region]]\nname = "us"\n')
