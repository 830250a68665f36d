"""The administration commands CRDB.*."""

from __future__ import annotations

import pytest

from crdb.commands.table import build_table
from crdb.engine.client import Client
from crdb.engine.execution.executor import receive, run
from crdb.resp.decoder import ErrorReply, Reply, Status
from tests.crdb.links import FlowingLinks
from tests.crdb.redis_peer import decode, encode, request
from tests.crdb.regions import START_MS, Regions

TABLE = build_table().by_name

OK = Status(b"OK")
UNKNOWN = b"ERR unknown region '%b'; there are: 1 region-1, 2 region-2, 3 region-3"


class Caller:
    """A client whose replies may come later."""

    def __init__(self, regions: Regions, region: int = 1) -> None:
        self.regions = regions
        self.instance = regions.instances[region]
        self.client = Client(self.instance)

    def call(self, *words: str | int) -> Reply:
        """Run one command. Return its reply, or None if it waits."""
        self.instance.advance(self.regions.now)
        run(self.client, request(encode(words)))
        return self.reply()

    def reply(self) -> Reply:
        """Return the reply received since the last call."""
        raw = receive(self.client, b"")
        return decode(raw) if raw else None

    def tick(self, ms: int = 2) -> Reply:
        """Let time pass. Return the reply if it has come by then."""
        self.regions.now += ms
        self.instance.advance(self.regions.now)
        self.instance.tick()
        return self.reply()


@pytest.fixture
def regions() -> Regions:
    return Regions(3)


@pytest.fixture
def links(regions: Regions) -> FlowingLinks:
    return FlowingLinks(regions)


def test_all_of_them_are_for_administrators() -> None:
    ours = [command for name, command in TABLE.items() if name.startswith(b"crdb.")]
    assert len(ours) == 11
    children = [child for command in ours for child in command.subcommands.values()]
    assert all("admin" in each.declaration.categories for each in (*ours, *children))


# -- links -----------------------------------------------------------------------------------


def test_links_are_listed_with_state_and_lag(regions: Regions, links: FlowingLinks) -> None:
    links.cut("region-1", "region-3")
    listed = regions.run(1, "CRDB.LINKS")
    assert len(listed) == 6
    assert listed[0] == [
        *(b"from", b"region-1", b"to", b"region-2", b"state", b"streaming"),
        *(b"lag-ops", 3, b"lag-ms", b"1.5", b"delay-ms", b"40"),
    ]
    assert listed[1][5] == b"cut"


def test_links_are_maps_in_resp3(regions: Regions, links: FlowingLinks) -> None:
    regions.clients[1].protocol = 3
    kind, pairs = regions.run(1, "CRDB.LINKS")[0]
    assert kind == "map"
    assert [b"lag-ms", 1.5] in pairs
    assert [b"from", b"region-1"] in pairs
    assert links.asked == 0


@pytest.mark.parametrize(
    ("source", "sink"), [("region-2", "region-3"), ("2", "3"), (2, "region-3")]
)
def test_cut_is_one_way_and_regions_have_names_and_numbers(
    regions: Regions, links: FlowingLinks, source: str, sink: str
) -> None:
    assert regions.run(1, "CRDB.LINK", "CUT", source, sink) == OK
    assert [pair for pair, state in links.states.items() if state == "cut"] == [
        ("region-2", "region-3")
    ]
    assert regions.run(3, "crdb.link", "heal", source, sink) == OK
    assert set(links.states.values()) == {"streaming"}


def test_all_links_are_cut_and_healed_at_once(regions: Regions, links: FlowingLinks) -> None:
    assert regions.run(1, "CRDB.LINK", "CUT", "ALL") == OK
    assert set(links.states.values()) == {"cut"}
    assert regions.run(1, "CRDB.LINK", "HEAL", "all") == OK
    assert set(links.states.values()) == {"streaming"}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["CUT", "nowhere", "2"], UNKNOWN % b"nowhere"),
        (["CUT", "1", "4"], UNKNOWN % b"4"),
        (["HEAL", "0", "1"], UNKNOWN % b"0"),
        (["CUT", "1", "a\r\nb"], UNKNOWN % b"a  b"),
        (["CUT", "1", "1"], b"ERR there is no link from region-1 to region-1"),
        (["CUT", "1"], b"ERR wrong number of arguments for 'crdb.link|cut' command"),
        (["CUT"], b"ERR wrong number of arguments for 'crdb.link|cut' command"),
        (["HEAL", "1", "2", "3"], b"ERR wrong number of arguments for 'crdb.link|heal' command"),
        (["BEND", "1", "2"], b"ERR unknown subcommand 'BEND'. Try CRDB.LINK HELP."),
        ([], b"ERR wrong number of arguments for 'crdb.link' command"),
    ],
)
def test_link_that_cannot_be_cut_is_named(
    regions: Regions, links: FlowingLinks, words: list[str], text: bytes
) -> None:
    assert regions.run(1, "CRDB.LINK", *words) == ErrorReply(text)
    assert set(links.states.values()) == {"streaming"}


def test_instance_without_links_has_converged(regions: Regions) -> None:
    assert regions.run(1, "CRDB.LINKS") == []
    refused = ErrorReply(b"ERR this instance has no links")
    assert regions.run(1, "CRDB.LINK", "CUT", "ALL") == refused
    assert regions.run(1, "CRDB.SETTLE", "1000") == 1


@pytest.mark.parametrize("name", ["CRDB.LINK", "CRDB.CLOCK"])
def test_help_names_every_subcommand(regions: Regions, name: str) -> None:
    text = b"\n".join(line.text for line in regions.run(1, name, "HELP"))
    assert text.startswith(name.encode())
    for subcommand in TABLE[name.encode()].subcommands:
        assert b"\n" + subcommand.upper() in text


# -- waiting ---------------------------------------------------------------------------------


def test_settle_replies_immediately_when_converged(regions: Regions, links: FlowingLinks) -> None:
    assert regions.run(1, "CRDB.SETTLE", "1000") == 1
    regions.run(2, "SET", "k", "v")
    links.flow()
    assert regions.run(1, "CRDB.SETTLE", "0") == 1


def test_settle_waits_until_all_has_arrived(regions: Regions, links: FlowingLinks) -> None:
    caller = Caller(regions)
    regions.run(2, "SET", "k", "v")
    assert caller.call("CRDB.SETTLE", "1000") is None
    assert caller.tick() is None
    links.flow()
    assert caller.tick() == 1


def test_settle_times_out(regions: Regions, links: FlowingLinks) -> None:
    caller = Caller(regions)
    regions.run(2, "SET", "k", "v")
    assert caller.call("CRDB.SETTLE", "10") is None
    assert caller.tick(9) is None
    assert caller.tick(1) == 0
    assert caller.call("CRDB.SETTLE", "0") == 0
    assert links.asked > 0


def test_settle_does_not_affect_other_clients(regions: Regions, links: FlowingLinks) -> None:
    caller, other = Caller(regions), Caller(regions)
    regions.run(2, "SET", "k", "v")
    assert caller.call("CRDB.SETTLE", "1000") is None
    assert other.call("SET", "mine", "x") == OK
    assert caller.call("GET", "mine") is None, "requests behind it wait their turn"
    links.flow()
    regions.now += 2
    caller.instance.advance(regions.now)
    caller.instance.tick()
    assert receive(caller.client, b"") == b":1\r\n$1\r\nx\r\n"


def test_settle_is_dropped_with_its_client(regions: Regions, links: FlowingLinks) -> None:
    caller = Caller(regions)
    regions.run(2, "SET", "k", "v")
    assert caller.call("CRDB.SETTLE", "1000") is None
    caller.client.leave()
    assert caller.instance.polling.deadline is None
    assert links.asked > 0


def test_nothing_waits_inside_transaction(regions: Regions, links: FlowingLinks) -> None:
    regions.run(2, "SET", "k", "v")
    replies = regions.transaction(1, ["MULTI"], ["CRDB.SETTLE", "1000"], ["EXEC"])
    assert replies[-1] == [0]
    assert links.asked > 0


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        ("x", b"ERR timeout is not an integer or out of range"),
        ("1.5", b"ERR timeout is not an integer or out of range"),
        ("9223372036854775807", b"ERR timeout is not an integer or out of range"),
        ("-1", b"ERR timeout is negative"),
    ],
)
def test_wait_is_in_whole_milliseconds(regions: Regions, ms: str, text: bytes) -> None:
    assert regions.run(1, "CRDB.SETTLE", ms) == ErrorReply(text)
    assert regions.run(1, "CRDB.AWAIT", "1=1", ms) == ErrorReply(text)


def test_await_reads_your_writes_in_another_region(regions: Regions) -> None:
    regions.run(1, "SET", "k", "v")
    wanted = regions.run(1, "CRDB.VECTOR").decode()
    caller = Caller(regions, 2)
    assert caller.call("CRDB.AWAIT", wanted, "1000") is None
    assert caller.tick() is None
    regions.send(1, 2)
    assert caller.reply() == 1, "as soon as it has been applied"
    assert caller.call("GET", "k") == b"v"


def test_await_times_out_or_replies_immediately(regions: Regions) -> None:
    caller = Caller(regions, 2)
    assert caller.call("CRDB.AWAIT", "", "1000") == 1
    assert caller.call("CRDB.AWAIT", "1=1", "0") == 0
    assert caller.call("CRDB.AWAIT", "1=1", "5") is None
    assert caller.tick(5) == 0
    assert caller.call("CRDB.AWAIT", "1:1", "5") == ErrorReply(
        b"ERR not a vector: write it as CRDB.VECTOR does, like 1=42,2.1=7"
    )


# -- looking ---------------------------------------------------------------------------------


def test_vector_counts_what_was_applied(regions: Regions) -> None:
    assert regions.run(1, "CRDB.VECTOR") == b""
    regions.run(1, "SET", "k", "v")
    regions.run(1, "SADD", "s", "a", "b")
    regions.run(3, "SET", "k", "w")
    assert regions.run(1, "CRDB.VECTOR") == b"1=2"
    regions.sync()
    assert regions.everywhere("CRDB.VECTOR") == b"1=2,3=1"


def test_digest_is_equal_where_same_is_visible(regions: Regions) -> None:
    empty = regions.everywhere("CRDB.DIGEST")
    assert len(bytes.fromhex(empty.decode())) == 16
    regions.run(1, "SET", "k", "v")
    assert regions.run(1, "CRDB.DIGEST") != empty
    assert regions.run(2, "CRDB.DIGEST") == empty
    regions.sync()
    assert regions.everywhere("CRDB.DIGEST") != empty


def test_conflicts_are_listed_as_maps(regions: Regions) -> None:
    assert regions.run(1, "CRDB.CONFLICTS", "k") == []
    regions.run(1, "SET", "k", "one")
    regions.run(2, "SET", "k", "two")
    regions.sync()
    for region in (1, 2, 3):
        assert regions.run(region, "CRDB.CONFLICTS", "k") == [
            [
                *(b"type", b"string", b"element", None, b"value", value, b"origin", origin),
                *(b"seq", 1, b"stamp", START_MS, b"shown", shown),
            ]
            for value, origin, shown in ((b"one", b"1", 1), (b"two", b"2", 0))
        ]
    regions.clients[1].protocol = 3
    kind, pairs = regions.run(1, "CRDB.CONFLICTS", "k")[0]
    assert kind == "map"
    assert pairs[-1] == [b"shown", True]


def test_conflicts_of_expiry_have_no_stamp(regions: Regions) -> None:
    regions.run(1, "SADD", "s", "m")
    regions.sync()
    regions.run(1, "PEXPIRE", "s", "1000")
    regions.run(2, "PEXPIRE", "s", "5000")
    regions.sync()
    first = regions.run(3, "CRDB.CONFLICTS", "s")[0]
    assert first[:2] == [b"type", b"expiry"]
    assert first[10:12] == [b"stamp", None]


# -- the test clock --------------------------------------------------------------------------


def test_clock_is_real_unless_tests_are_allowed(regions: Regions) -> None:
    refused = ErrorReply(b"ERR the test clock is not enabled: start with --test-clock")
    assert regions.run(1, "CRDB.CLOCK", "SET", "1000") == refused
    assert regions.run(1, "CRDB.CLOCK", "REAL") == refused


def test_clock_of_one_region_decides_its_stamps(regions: Regions) -> None:
    regions.instances[2].allows_test_clock = True
    assert regions.run(2, "CRDB.CLOCK", "SET", "1000") == OK
    regions.run(1, "SET", "k", "later")
    regions.run(2, "SET", "k", "earlier")
    regions.sync()
    assert regions.everywhere("GET", "k") == b"later"
    assert regions.run(2, "CRDB.CONFLICTS", "k")[1][10:12] == [b"stamp", 1000]
    assert regions.run(2, "CRDB.CLOCK", "REAL") == OK
    regions.run(2, "SET", "mine", "x")
    assert regions.run(2, "CRDB.CONFLICTS", "mine")[0][10:12] == [b"stamp", START_MS]


def test_expiry_follows_test_clock_also_back(regions: Regions) -> None:
    regions.instances[1].allows_test_clock = True
    regions.run(1, "CRDB.CLOCK", "SET", "1000")
    regions.run(1, "SADD", "s", "m")
    regions.run(1, "PEXPIRE", "s", "500")
    assert regions.run(1, "PTTL", "s") == 500
    regions.run(1, "CRDB.CLOCK", "SET", "1501")
    assert regions.run(1, "EXISTS", "s") == 0
    regions.run(1, "CRDB.CLOCK", "SET", "1400")
    assert regions.run(1, "PTTL", "s") == 100


@pytest.mark.parametrize("ms", ["x", "-1", "281474976710657", "1.5"])
def test_clock_is_in_whole_milliseconds(regions: Regions, ms: str) -> None:
    regions.instances[1].allows_test_clock = True
    refused = ErrorReply(b"ERR the clock is in milliseconds since 1970, 0 to 2^48")
    assert regions.run(1, "CRDB.CLOCK", "SET", ms) == refused
