"""The configuration: its regions, and the links between them."""

from __future__ import annotations

import pytest

from crdb.deployment.config import Config
from crdb.deployment.config_file import read_config
from crdb.deployment.errors import ConfigError

THREE = '[[region]]\nname = "a"\n[[region]]\nname = "b"\n[[region]]\nname = "c"\n'


def read(text: str) -> Config:
    return read_config(text)


def test_region_has_name_and_number() -> None:
    config = read(THREE)
    assert config.region("b") is config.region("2")
    with pytest.raises(ConfigError, match='unknown region "4"; there are: a, b, c'):
        config.region("4")
    near = Config.from_names(["us-east-1", "eu-west-1"])
    with pytest.raises(ConfigError, match='did you mean "us-east-1"'):
        near.region("us-eats-1")


@pytest.mark.parametrize(
    ("head", "peers"),
    [
        ("", {"a": "bc", "b": "ac", "c": "ab"}),
        ('topology = "ring"', {"a": "bc", "b": "ac", "c": "ab"}),
        ('topology = "line"', {"a": "b", "b": "ac", "c": "b"}),
        ('topology = "star"', {"a": "bc", "b": "a", "c": "a"}),
        ('topology = "star"\nhub = "c"', {"a": "c", "b": "c", "c": "ab"}),
        ('pairs = [["c", "a"], ["c", "b"]]', {"a": "c", "b": "c", "c": "ab"}),
    ],
)
def test_peers_are_those_that_topology_links(head: str, peers: dict[str, str]) -> None:
    config = read(f"{head}\n{THREE}")
    found = {name: "".join(peer.name for peer in config.peers(name)) for name in "abc"}
    assert found == peers
    assert config.peers("1") == config.peers("a")


def test_link_of_mesh_carries_ops_of_its_source() -> None:
    config = read(f'{THREE}[link]\ndelays = [["a", "c", 100]]')  # though it is quicker through b
    assert config.routes("a", "c") == (1,)
    assert config.routes("3", "1") == (3,)


def test_relay_carries_what_others_wrote() -> None:
    config = read(f'topology = "star"\nhub = "b"\n{THREE}')
    assert config.routes("b", "a") == (2, 3)
    assert config.routes("a", "b") == (1,)
    assert config.routes("a", "c") == ()
    with pytest.raises(ConfigError, match='unknown region "x"'):
        config.routes("a", "x")


def test_of_two_ways_of_one_length_quicker_relays() -> None:
    four = f'topology = "ring"\n{THREE}[[region]]\nname = "d"\n[link]\n'
    assert read(f'{four}delays = [["a", "b", 5]]').routes("d", "c") == (1, 4)
    assert read(f'{four}delays = [["a", "d", 5]]').routes("d", "c") == (4,)


def test_all_routes_are_found_in_one_look_at_every_link(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config.from_names([f"r{i}" for i in range(12)])
    asked: list[tuple[str, str]] = []

    def delay_ns(_: Config, source: str, sink: str) -> int:
        asked.append((source, sink))
        return 0

    monkeypatch.setattr(Config, "delay_ns", delay_ns)
    for region in config.regions:
        for peer in config.peers(region.name):
            assert config.routes(peer.name, region.name) == (peer.id,)
    assert sorted(asked) == sorted(config.topology.links)


def test_names_make_configuration() -> None:
    config = Config.from_names(["us-east-1", "eu-west-1"], 9000)
    assert [(region.id, region.port) for region in config.regions] == [(1, 9001), (2, 9002)]
    assert config.delay_ns("eu-west-1", "us-east-1") == 34_500_000


def test_own_names_have_no_default_delay() -> None:
    assert Config.from_names("abc").delay_ns("a", "b") == 0
    assert Config.from_names("abc", delay=7.5).delay_ns("a", "b") == 7_500_000
    assert Config.from_names(["us-east-1", "eu-west-1"], delay="none").delay_ns("1", "2") == 0


def test_misspelt_name_among_known_ones_is_refused() -> None:
    with pytest.raises(ConfigError, match="--regions: region 2: unknown region 'eu-wst-1'"):
        Config.from_names(["us-east-1", "eu-wst-1"])


def test_name_that_was_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match=r'name "a\\udcff" is not valid') as caught:
        Config.from_names(["a\udcff"])
    assert str(caught.value).isascii()


def test_names_take_shape_and_their_mistakes_name_option() -> None:
    assert Config.from_names("abc", topology="star").peers("b")[0].name == "a"
    with pytest.raises(ConfigError, match=r"--regions: region 2: port 65536 is not 1\.\.65535"):
        Config.from_names("ab", 65_534)
    with pytest.raises(ConfigError, match="--regions: no region is defined"):
        Config.from_names([])
