"""The configuration file: the meaning of its keys, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdb.deployment.config import AUTO, Config, LinkConfig
from crdb.deployment.config_file import SCHEMA, read_config
from crdb.deployment.errors import ConfigError
from crdb.deployment.region_config import RegionConfig
from geo import Catalog, Topology

EXAMPLE = Path(__file__).parents[3] / "examples" / "regions.toml"
THREE = '[[region]]\nname = "a"\n[[region]]\nname = "b"\n[[region]]\nname = "c"\n'
MEASURED = '[[region]]\nname = "us-east-1"\n[[region]]\nname = "eu-west-1"\n'


def read(text: str) -> Config:
    return read_config(text)


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value)


def test_example_is_what_its_comments_say() -> None:
    config = read_config(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.name)
    names = ["us-east-1", "eu-west-1", "ap-southeast-1"]
    assert [region.name for region in config.regions] == names
    assert [region.id for region in config.regions] == [1, 2, 3]
    assert [region.port for region in config.regions] == [7001, 7002, 7003]
    assert [region.link_port for region in config.regions] == [17001, 17002, 17003]
    assert config.topology == Topology.mesh(names)
    assert config.delay_ns("us-east-1", "eu-west-1") == 35_000_000
    assert attrs.evolve(config, link=LinkConfig()).delay_ns("us-east-1", "eu-west-1") == 0


def test_one_name_is_configuration() -> None:
    config = read('[[region]]\nname = "here"')
    assert config.regions == (RegionConfig("here", 1, "127.0.0.1", 7001, 17001, "here"),)
    assert config.link == LinkConfig("none", (), AUTO)
    assert (config.requirepass, config.maxclients, config.test_clock) == ("", 10_000, False)
    assert (config.seed, config.shape, config.peers("here")) == (0, "mesh", ())


def test_every_key_arrives() -> None:
    config = read(
        'topology = "star"\nhub = "b"\nrequirepass = "secret"\nmaxclients = 5\n'
        'test_clock = true\nseed = 42\n[[region]]\nname = "a"\nhost = "::1"\nport = 9000\n'
        'link_port = 9001\nplace = "eu-west-1"\nreplica_of = ["db:6379", "[::1]:6380"]\n'
        '[[region]]\nname = "b"\n[link]\nbacklog = "2mb"\ndelay = 1.5\n'
    )
    followed = (("db", 6379), ("::1", 6380))
    assert config.region("a") == RegionConfig("a", 1, "::1", 9000, 9001, "eu-west-1", followed)
    assert (config.hub, config.requirepass, config.maxclients) == ("b", "secret", 5)
    assert (config.test_clock, config.seed) == (True, 42)
    assert (config.link.backlog, config.delay_ns("a", "b")) == (2 << 20, 1_500_000)


def test_delay_of_link_overrides_default() -> None:
    config = read(
        f'{THREE}[link]\ndelay = 10\ndelays = [["a", "b", 1.5], ["b", "c", 2], ["c", "b", 0]]'
    )
    delays = {(x, y): config.delay_ns(x, y) / 1e6 for x in "abc" for y in "abc" if x != y}
    assert delays["a", "b"] == delays["b", "a"] == 1.5
    assert (delays["b", "c"], delays["c", "b"]) == (2, 0)
    assert delays["a", "c"] == delays["c", "a"] == 10
    assert config.delay_ns("1", "2") == 1_500_000


def test_measured_delays_are_those_of_places() -> None:
    catalog = Catalog.shipped()
    config = read(
        f'{MEASURED}[[region]]\nname = "own"\nplace = "ibm:jp-tok"\n[link]\ndelay = "measured"'
    )
    assert config.delay_ns("own", "us-east-1") == catalog.one_way_ns("jp-tok", "us-east-1")
    assert config.delay_ns("eu-west-1", "us-east-1") == catalog.one_way_ns("eu-west-1", "us-east-1")


def test_place_need_not_be_known_where_nothing_is_measured() -> None:
    link = '[link]\ndelay = "measured"\ndelays = [["a", "b", 5]]'
    pair = '[[region]]\nname = "a"\n[[region]]\nname = "b"\n'
    assert read(pair + link).delay_ns("b", "a") == 5_000_000
    assert read(pair + '[link]\ndelay = "none"').delay_ns("b", "a") == 0


def test_link_port_stays_in_range() -> None:
    config = read('[[region]]\nname = "a"\nport = 60000')
    assert config.region("a").link_port == 50_000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no region is defined: begin one with [[region]]"),
        ('[region]\nname = "a"', "region is a list: write [[region]], with two brackets"),
        ("region = 1", "region must be a list of tables, not 1"),
        ("region = [1]", "region 1 must be a table, not 1"),
        ("[[region]]\nport = 1", 'region 1: name "" is not valid'),
        ('[[region]]\nname = "7"', 'region 1: name "7" is not valid'),
        ('[[region]]\nname = "a b"', 'region 1: name "a b" is not valid'),
        (f'[[region]]\nname = "{"a" * 65}"', 'region 1: name "aaaaaa'),
        ('[[region]]\nname = "a,b"', 'region 1: name "a,b" is not valid'),
        (
            '[[region]]\nname = "a"\n[[region]]\nname = "a"',
            'region 2: name "a" is that of region 1',
        ),
        (
            '[[region]]\nname = "a"\n[[region]]\nname = "b"\nport = 70000',
            "region 2: port 70000 is not 1..65535",
        ),
        ('[[region]]\nname = "a"\nlink_port = 0', "region 1: link_port 0 is not 1..65535"),
        ('[[region]]\nname = "a"\nhost = ""', 'region 1: host "" is not an address'),
        ('[[region]]\nname = "a"\nhost = "a b"', 'region 1: host "a b" is not an address'),
        ('[[region]]\nname = "a"\nprot = 1', 'region 1: unknown key "prot"; did you mean "port"?'),
        (
            '[[region]]\nname = "a"\n[[region]]\nname = "b"\nport = 7001',
            "region 2: port 7001 is already the port of region 1",
        ),
        (
            '[[region]]\nname = "a"\nport = 5\nlink_port = 5',
            "region 1: link_port 5 is already the port of region 1",
        ),
        ('[[region]]\nname = "a"\nreplica_of = "db:1"', "region 1: replica_of must be a list"),
        (
            '[[region]]\nname = "a"\nreplica_of = ["db"]',
            'region 1: replica_of: "db" is not "host:port"',
        ),
        ('[[region]]\nname = "a"\nreplica_of = ["db:0"]', 'region 1: replica_of: "db:0" is not'),
        ('[[region]]\nname = "a"\nreplica_of = ["::1:5"]', 'region 1: replica_of: "::1:5" is not'),
        ('[[region]]\nname = "a"\nreplica_of = [5]', "region 1: replica_of: 5 is not"),
        (
            f'topology = "msh"\n{THREE}',
            'topology "msh" is not one of mesh, ring, star, line; did you',
        ),
        (f'hub = "a"\n{THREE}', 'hub is for topology = "star" only'),
        (f'topology = "star"\nhub = "x"\n{THREE}', "topology: unknown region 'x'"),
        (f'topology = "mesh"\npairs = []\n{THREE}', "give either topology or pairs, not both"),
        (f"pairs = 1\n{THREE}", "pairs must be a list of pairs of regions, not 1"),
        (f'pairs = [["a"]]\n{THREE}', """pairs: ['a'] is not ["region", "region"]"""),
        (f'pairs = [["a", "x"]]\n{THREE}', "pairs: unknown region 'x'"),
        (
            f'pairs = [["a", "b"]]\n{THREE}',
            "pairs: not connected: a, b and c cannot reach each other",
        ),
        (
            f'topology = "line"\n{THREE}[link]\ndelays = [["c", "a", 1]]',
            "link: delays: the topology has no link from",
        ),
        (
            '[[region]]\nname = "a"\nplace = "us-eats-1"',
            "region 1: place \"us-eats-1\": unknown region 'us-eats-1'; did you mean us-east-1",
        ),
        (
            '[[region]]\nname = "mars-1"\nplace = "mars-1"\n[link]\ndelay = 40',
            'region 1: place "mars-1": unknown region',
        ),
        (f'{THREE}[link]\ndelay = "some"', 'link: delay "some" is not "none", "measured" or mill'),
        (
            f"{THREE}[link]\ndelay = true",
            "link: a delay must be a number of milliseconds, not true",
        ),
        (f"{THREE}[link]\ndelay = -1", "link: a delay of -1 ms is not 0..600000"),
        (f"{THREE}[link]\ndelay = nan", "link: a delay of nan ms is not 0..600000"),
        (f"{THREE}[link]\ndelays = [1]", 'link: delays: 1 is not ["from", "to", milliseconds]'),
        (f'{THREE}[link]\ndelays = [["a", "b", "c"]]', "link: delays: ['a', 'b', 'c'] is not"),
        (f'{THREE}[link]\ndelays = [["a", "b", -1]]', "link: a delay of -1 ms is not"),
        (f'{THREE}[link]\ndelays = [["a", "x", 1]]', 'link: delays: unknown region "x"'),
        (
            f'{THREE}[link]\ndelays = [["a", "a", 1]]',
            "link: delays: a has no link to itself",
        ),
        (
            f'{THREE}[link]\ndelays = [["a", "b", 1], ["a", "b", 2]]',
            "link: delays: from a to b is listed twice",
        ),
        (
            f'{THREE}[link]\nbacklog = "lots"',
            'link: backlog "lots" is not a size: give bytes, or "512kb", "1mb", or "auto"',
        ),
        (f"{THREE}[link]\nbacklog = 0", "link: backlog 0 is not a size"),
        (f'{THREE}[link]\nbacklog = "1kb"', "link: backlog 1024 is not 16384..1099511627776"),
        (f"{THREE}[link]\nbacklog = 1.5", "link: backlog must be a whole number, not 1.5"),
        (
            MEASURED.replace("us-east-1", "us-eats-1") + '[link]\ndelay = "measured"',
            "region 1: unknown region 'us-eats-1'; did you mean us-east-1 or us-east1 or",
        ),
        (f'maxmemory = "much"\n{THREE}', 'maxmemory "much" is not a size: give bytes, or'),
        (f"maxmemory = -1\n{THREE}", "maxmemory -1 is not 0..1125899906842624"),
        (f"maxclients = 0\n{THREE}", "maxclients 0 is not 1..1000000"),
        (f"secret = 7\n{THREE}", 'secret must be a string: put it between quotes (")'),
        (f'secret = "a"\nsecret_file = "b"\n{THREE}', "give either secret or secret_file, not"),
        ("users = 'alice on'", "users must be a list of strings, such as"),
        ("users = ['a', 1]", "users must be a list of strings, such as"),
        (f"users = ['a', ' ']\n{THREE}", "users: entry 2 is empty: give a name and rules"),
        (f"users = ['a']\n{THREE}aclfile = 'a'\n", "region 3: aclfile: give either users or"),
        (f"requirepass = 'a'\n{THREE}aclfile = 'a'\n", "region 3: aclfile: give either requirep"),
        (
            "[[region]]\nname = 'a'\naclfile = 'x'\n[[region]]\nname = 'b'\naclfile = 'x'",
            'region 2: aclfile "x" is that of region 1: give each region a file of its own',
        ),
        (f"seed = -1\n{THREE}", "seed -1 is not 0..9223372036854775807"),
        (f"{THREE}seed = 1", 'region 3: unknown key "seed"; it belongs at the top'),
        ("port = 1", 'unknown key "port"; it belongs under "region"'),
        ("zzzz = 1", 'unknown key "zzzz"'),
        ("maxclients = '3'", 'maxclients must be a whole number, not "3"'),
        ("maxclients = true", "maxclients must be a whole number, not true"),
        ("maxclients = 1.5", "maxclients must be a whole number, not 1.5"),
        (
            f"maxclients = 0x{'f' * 5_000}\n{THREE}",
            "maxclients a huge number is not 1..1000000",
        ),
        ("test_clock = 1", "test_clock must be true or false, not 1"),
        ("serve_stale = 'no'", 'serve_stale must be true or false, not "no"'),
        ("id = 1", "id must be a string, not 1"),
        ("topology = 1", "topology must be a string, not 1"),
        ("requirepass = 4711", 'requirepass must be a string: put it between quotes (")'),
        ("link = 1", "link must be a table, not 1"),
        ("start_empty = true", 'unknown key "start_empty"'),
        ("link = {dely = 1}", 'link: unknown key "dely"; did you mean "delay"?'),
        ("maxclients = 0\nzzzz = 1", 'unknown key "zzzz"'),
        ("id", "not TOML: "),
        (f"seed = {'9' * 5_000}", "not TOML: "),
        (f"pairs = {'[' * 5_000}", "not TOML: "),
        ("region = ", "not TOML: Invalid value"),
    ],
)
def test_mistake_is_one_line_with_its_place(text: str, message: str) -> None:
    found = refusal(text)
    assert found.startswith(f"regions.toml: {message}")
    assert "\n" not in found


def test_there_are_as_many_regions_as_origin_can_name() -> None:
    regions = [f'[[region]]\nname = "r{i}"\n' for i in range(256)]
    line = 'topology = "line"\n'
    assert len(read(line + "".join(regions[:255])).regions) == 255
    assert "256 regions are too many: at most 255 are possible" in refusal(line + "".join(regions))


VALUES = st.sampled_from(
    [
        *("1", "-1", "0x7f", "1e400", "nan", "true", '""', '"a"', '"mesh"', '"star"', "[]", "{}"),
        *('["a"]', '[["a", "b"]]', '[["a", "b", 1]]', "[{}]", '"measured"', '"1mb"', '"h:1"'),
    ]
)
LINES = st.sampled_from(sorted({key for keys in SCHEMA.values() for key in keys}))


@given(st.lists(st.tuples(LINES, VALUES) | st.sampled_from(["[link]", "[[region]]"]), max_size=12))
def test_any_file_is_configuration_or_clear_error(lines: list[str | tuple[str, str]]) -> None:
    text = "\n".join(line if isinstance(line, str) else " = ".join(line) for line in lines)
    try:
        outcome = f"regions.toml: {', '.join(region.name for region in read(text).regions)}"
    except ConfigError as error:
        outcome = str(error)
    assert outcome.startswith("regions.toml: ")
    assert outcome.isprintable()
