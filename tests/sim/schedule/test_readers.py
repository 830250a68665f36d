"""The schedule of sessions."""

from __future__ import annotations

from random import Random

from crdb.commands.table import build_table
from crdb.engine.instance import Instance
from crdt.embed.replica import Replica
from crdt.types.set import Set
from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.client import Refusal, SimClient
from sim.nodes.session import CONNECTIONS
from sim.schedule.readers import (
    EDGE,
    EXPIRED_NS,
    LATER_PAGE,
    ROAMER,
    ReaderClients,
    draw_follower_reader_steps,
    draw_reader_steps,
)
from sim.schedule.step import ScheduleStep, merge_steps
from sim.schedule.writes import Load

END = 300 * SECOND
EDGES = (EDGE, EDGE + 1)


def drawn(load: Load, seed: int = 1) -> list[ScheduleStep]:
    """Draw the steps of all sessions but those that are tested in `test_edges` and in
    `test_connections`."""
    streams = draw_reader_steps(SeededRandom(seed, "readers"), load, ("eu", "us"), END)
    return [
        step
        for step in merge_steps(*streams)
        if step.value % 10 not in EDGES and step.value not in CONNECTIONS
    ]


def test_sessions_do_all_kinds_of_things() -> None:
    steps = drawn(Load(writes_per_second=5))
    assert {step.kind for step in steps} == {"client"}
    names = {words[0] for step in steps for words in step.commands}
    assert names >= {
        *("GET", "SMEMBERS", "HGETALL", "ZRANGE", "LRANGE", "PTTL", "EXISTS", "TYPE", "SETNX"),
        *("WATCH", "MULTI", "EXEC", "SADD", "CRDB.VECTOR", "SCAN", "SSCAN", "HSCAN", "ZSCAN"),
        *("BLPOP", "BRPOP", "BLMOVE", "BZPOPMIN", "WAIT", "QUIT", "XREADGROUP", "SUBSCRIBE"),
    }
    assert 2000 < len(steps) < 10_000
    assert drawn(Load(writes_per_second=5)) == steps


def test_each_region_has_edge_session() -> None:
    streams = draw_reader_steps(SeededRandom(1, "readers"), Load(), ("eu", "us"), END)
    steps = [step for step in merge_steps(*streams) if step.value % 10 in EDGES]
    sessions = {(18, "eu"), (19, "eu"), (28, "us"), (29, "us")}
    assert {(step.value, *step.regions) for step in steps} == sessions
    assert drawn(Load(requests=0)) == []


def test_roaming_session_moves_and_others_stay() -> None:
    where: dict[int, set[str]] = {}
    for step in drawn(Load(writes_per_second=5)):
        where.setdefault(step.value, set()).update(step.regions)
    assert where.pop(ROAMER) == {"eu", "us"}
    assert all(len(regions) == 1 for regions in where.values())


def test_without_requests_there_are_no_sessions() -> None:
    assert drawn(Load(requests=0)) == []


def test_sessions_wait_only_for_queues() -> None:
    names = {w[0] for step in drawn(Load(families=("set", "free"))) for w in step.commands}
    assert not names & {"BLPOP", "BRPOP", "BLMOVE", "BZPOPMIN", "SSCAN"}


def without_memory(word: str) -> str:
    """Return a word in place of one that stands for what a session has got before."""
    return "0-1" if word.startswith("$entry") else word.replace("$cursor", "0")


def test_database_accepts_drawn_commands() -> None:
    instance = Instance(Replica(1), build_table(), name="eu", rng=Random(0))
    instance.advance(1_000)
    waiting: dict[int, SimClient] = {}
    for step in drawn(Load(writes_per_second=5))[:1500]:
        sim_client = waiting.pop(step.value, None) or SimClient(instance)
        for reply in sim_client.send_commands(
            *[list(map(without_memory, words)) for words in step.commands]
        ):
            assert not (isinstance(reply, Refusal) and reply.text.startswith("ERR")), step
        if sim_client.client.blocked or sim_client.client.closing:
            instance.forget(sim_client.client)
        else:
            waiting[step.value] = sim_client


def test_followers_have_own_reading_sessions() -> None:
    def steps(load: Load) -> list[ScheduleStep]:
        rng = SeededRandom(1, "readers")
        return list(merge_steps(*draw_follower_reader_steps(rng, load, ("f", "g"), END)))

    found = steps(Load())
    assert {step.regions for step in found} == {("f",), ("g",)}
    of_regions = {step.value for step in drawn(Load())}
    assert not of_regions & {step.value for step in found}
    assert {words[0] for step in found for words in step.commands} >= {
        *("GET", "SCAN", "SSCAN", "WATCH", "EXEC", "ROLE")
    }
    assert steps(Load(requests=0)) == []


def test_some_scans_of_small_values_ask_for_later_page() -> None:
    scans = [w for step in drawn(Load()) for w in step.commands if w[0] in {"SSCAN", "HSCAN"}]
    later = [words for words in scans if words[2] == LATER_PAGE]
    assert len(scans) // 8 < len(later) < len(scans) // 2
    assert not any(LATER_PAGE in w for s in drawn(Load()) for w in s.commands if w[0] == "SCAN")


def test_scan_of_later_page_gives_small_set_an_order() -> None:
    replica = Replica(1)
    instance = Instance(replica, build_table(), name="eu", rng=Random(0))
    instance.advance(1_000)
    client = SimClient(instance)
    assert client.send_commands(["SADD", "k", "a"], ["SSCAN", "k", "0"]) == [1, [b"0", [b"a"]]]
    value = replica.keyspace.lookup(b"k")
    assert isinstance(value, Set)
    assert value.scan_order is None
    assert client.send_commands(["SSCAN", "k", LATER_PAGE]) == [[b"0", [b"a"]]]
    assert value.scan_order is not None


def test_another_region_often_writes_just_before_a_session_asks_for_arrival() -> None:
    steps = drawn(Load())
    asked = [step for step in steps if step.commands[0][0] == "CRDB.SETTLE"]
    near = [
        step
        for step in asked
        if any(
            other.regions != step.regions
            and other.commands[0][0] == "SADD"
            and 0 <= step.at - other.at <= 20 * MS
            for other in steps
        )
    ]
    assert len(asked) > 10
    assert len(near) > len(asked) // 2
    reader = ReaderClients(SeededRandom(1, "x/0"), Load(), ("eu",), 1)
    alone = {words[0] for step in reader.wait_for_arrival(END) for words in step.commands}
    assert alone == {"CRDB.SETTLE", "WAIT"}


def test_some_clients_watch_two_keys() -> None:
    watched = [set(w[1:]) for step in drawn(Load()) for w in step.commands if w[0] == "WATCH"]
    two = sum(len(keys) == 2 for keys in watched)
    assert len(watched) // 10 < two < len(watched) // 3
    assert max(map(len, watched)) == 2


def test_some_watched_keys_have_expired_or_are_flushed() -> None:
    steps = drawn(Load(expiry=20, flushes=0))
    ended = {step.at: step.commands[0][1] for step in steps if step.commands[0][-1:] == ("1",)}
    watched = [
        step for step in steps if step.commands[0] == ("WATCH", ended.get(step.at - EXPIRED_NS, ""))
    ]
    assert len(watched) > 5
    assert not any(words == ("FLUSHALL",) for step in steps for words in step.commands)
    flushing = [step for step in drawn(Load(flushes=20)) if step.commands == (("FLUSHALL",),)]
    assert len(flushing) > 5
