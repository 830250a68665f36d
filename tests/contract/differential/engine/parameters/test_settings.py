"""Compare the replies of CONFIG SET with those of a real redis-server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crdb.engine.parameters.parameter_effects import REFUSED
from crdb.engine.parameters.settings import load_parameters
from crdb.engine.parameters.table import NAMES
from tests.crdb.redis_peer import Peer, agree, decode

PARAMETERS = load_parameters()

SETTINGS = [
    "activerehashing YES",
    "activerehashing maybe",
    "maxmemory-policy ALLKEYS-LRU",
    "maxmemory-policy none",
    "maxmemory-policy noeviction",
    "oom-score-adj relative",
    "oom-score-adj no",
    "shutdown-on-sigint 'now force'",
    "shutdown-on-sigint 'save nosave'",
    "shutdown-on-sigint 'now default'",
    "shutdown-on-sigint sometimes",
    "shutdown-on-sigint default",
    "timeout 10",
    "timeout -1",
    "timeout 010",
    "timeout ten",
    "timeout 2147483648",
    "timeout 0",
    "hz 1000",
    "hz 0",
    "hz 10",
    "maxmemory 1gb",
    "maxmemory 2MB",
    "maxmemory 7k",
    "maxmemory 1b",
    "maxmemory b",
    "maxmemory -1",
    "maxmemory 1tb",
    "maxmemory 18446744073709551616",
    "maxmemory 0",
    "hash-max-listpack-entries -1",
    "hash-max-listpack-entries 10",
    "slowlog-log-slower-than -1",
    "slowlog-log-slower-than -2",
    "slowlog-log-slower-than 10000",
    "maxmemory-clients 5%",
    "maxmemory-clients 101%",
    "maxmemory-clients 1mb",
    "maxmemory-clients %",
    "maxmemory-clients -5%",
    "maxmemory-clients 0",
    "save '900 1 300 10'",
    "save '900'",
    "save '0 1'",
    "save '900 -1'",
    "save 'x 1'",
    "save ''",
    "client-output-buffer-limit 'normal 1mb 512kb 10'",
    "client-output-buffer-limit 'replica 256mb 64mb 60 pubsub 0 0 0'",
    "client-output-buffer-limit 'normal 1mb'",
    "client-output-buffer-limit 'master 0 0 0'",
    "client-output-buffer-limit 'normal x 0 0'",
    "client-output-buffer-limit 'normal 0 0 -1'",
    "client-output-buffer-limit 'normal 0 0 0'",
    "oom-score-adj-values '1 2 3'",
    "oom-score-adj-values '1 2'",
    "oom-score-adj-values '1 2 2001'",
    "oom-score-adj-values '0 200 800'",
    "notify-keyspace-events KEA",
    "notify-keyspace-events Kg$x",
    "notify-keyspace-events nmE",
    "notify-keyspace-events q",
    "notify-keyspace-events ''",
    "latency-tracking-info-percentiles '50 99.9 0.1'",
    "latency-tracking-info-percentiles '101'",
    "latency-tracking-info-percentiles x",
    "latency-tracking-info-percentiles ''",
    "lua-time-limit 5",
    "slave-priority 7",
    "requirepass ''",
    "masterauth 'with space'",
    "masterauth ''",
    "proto-max-bulk-len 512mb",
    "client-query-buffer-limit 1gb",
    "unixsocketperm 777",
    "databases 3",
    "dbfilename x.rdb",
    "nothing 1",
    "timeout 1 timeout 2",
    "timeout 1 nothing 2",
    "timeout 1 activerehashing maybe",
    "timeout 1 daemonize yes",
    "zset-max-ziplist-entries 1 zset-max-listpack-entries 2",
    "'no\nsuch' 1",
]


def words(text: str) -> list[str]:
    """Split a text into words. Words with spaces stand in single quotes."""
    parts = text.split("'")
    found: list[str] = []
    for at, part in enumerate(parts):
        found.extend([part] if at % 2 else part.split())
    return found


@pytest.fixture
def fresh(peer: Peer) -> Iterator[Peer]:
    """Yield both with the parameters of the server, and restore these afterwards."""
    names = {word for setting in SETTINGS for word in words(setting) if word in NAMES}
    asked = [[b"CONFIG", b"GET", name.encode()] for name in sorted(names)]
    before: list[list[bytes]] = [decode(raw) for raw in peer.server.run_all(asked)]
    for name, value in before:
        peer.ours.instance.config.put(NAMES[name.decode()].name, value.decode())
    yield peer
    peer.server.run_all([[b"CONFIG", b"SET", name, value] for name, value in before])


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_are_taken_and_given_back_as_by_redis(fresh: Peer, setting: str) -> None:
    arguments = words(setting)
    request = [b"CONFIG", b"SET", *(word.encode() for word in arguments)]
    theirs = fresh.server.run(request)
    if theirs == b"+OK\r\n" and NAMES[arguments[0]].name in REFUSED:
        fresh.ours.instance.config.put(NAMES[arguments[0]].name, arguments[1])
    else:
        agree(request, theirs, fresh.ours.run(request))
    fresh.same("CONFIG", "GET", arguments[0])
    fresh.same("CONFIG", "GET", "timeout")


def test_every_parameter_of_server_7_0_exists(peer: Peer) -> None:
    """The table adds the parameters of 7.2. `test_parameter_effects` checks their classes."""
    theirs: list[bytes] = decode(peer.server.run([b"CONFIG", b"GET", b"*"]))
    names = {name.decode() for name in theirs[::2]}
    assert len(names) > 150
    assert names - NAMES.keys() == set()


def test_aliases_of_server_7_0_exist(peer: Peer) -> None:
    for name, parameter in PARAMETERS.items():
        theirs = peer.server.run([b"CONFIG", b"GET", name.encode()])
        if parameter.alias and theirs != b"*0\r\n":
            assert peer.server.run([b"CONFIG", b"GET", parameter.alias.encode()]) != b"*0\r\n"
