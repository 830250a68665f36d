"""The schedule of writes, and the properties on which checkers rely."""

from __future__ import annotations

from random import Random

import attrs
import pytest

from crdb.commands.table import build_table
from crdb.engine.instance import Instance
from crdt.embed.replica import Replica
from sim.engine.events import MS, SECOND
from sim.engine.rng import SeededRandom
from sim.nodes.client import Refusal, SimClient
from sim.schedule.step import ScheduleStep, Words
from sim.schedule.writes import (
    LARGE,
    NAMES_MAX,
    THIRDS,
    Load,
    WriterClients,
    draw_burst,
    make_writers,
)

FAMILIES = Load().families


def writer(seed: int = 1, **changes: object) -> WriterClients:
    """Return the clients of region 1, with the options of a test only."""
    quiet = {"expiry": 0, "deletes": 0, "transactions": 0}
    return WriterClients(
        SeededRandom(seed, "w"), attrs.evolve(Load(), **(quiet | changes)), "eu", 1
    )


def drawn(family: str, count: int = 400) -> list[Words]:
    """Return commands of one family."""
    clients = writer(families=(family,))
    return [clients.draw_command(0) for _ in range(count)]


def test_same_seed_writes_same() -> None:
    one, two = (list(writer().draw_steps(0, 20 * SECOND)) for _ in range(2))
    assert one == two
    assert one != list(writer(2).draw_steps(0, 20 * SECOND))


def test_steps_come_in_order_at_rate_that_was_asked_for() -> None:
    steps = list(writer(writes_per_second=40).draw_steps(SECOND, 51 * SECOND))
    times = [step.at for step in steps]
    assert times == sorted(set(times))
    assert SECOND <= times[0] < times[-1] < 51 * SECOND
    assert 1800 < len(steps) < 2200
    assert {(step.kind, step.regions) for step in steps} == {("write", ("eu",))}


@pytest.mark.parametrize(
    ("family", "names"),
    [
        ("count", {"INCRBY", "DECRBY"}),
        ("word", {"SET"}),
        ("tag", {"SADD", "SREM"}),
        ("all", {"SADD"}),
        ("log", {"RPUSH"}),
        ("set", {"SADD", "SPOP", "SREM"}),
        ("hash", {"HSET", "HDEL"}),
        ("zset", {"ZADD", "ZPOPMIN", "ZREMRANGEBYRANK", "ZREM"}),
        ("list", {"RPUSH", "LPUSH", "LINSERT", "LSET", "LREM", "LTRIM", "LPOP", "RPOP"}),
    ],
)
def test_family_has_its_commands_and_its_keys(family: str, names: set[str]) -> None:
    found = drawn(family)
    assert {words[0] for words in found} == names
    assert {words[1].partition(":")[0] for words in found} == {family}


@pytest.mark.parametrize("family", ["word", "all", "log"])
def test_values_are_unique(family: str) -> None:
    values = [words[2] for words in drawn(family)]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("family", ["set", "hash", "zset", "list"])
def test_names_used_once_are_added_once(family: str) -> None:
    places = {"SADD": (2, 3), "HSET": (2,), "ZADD": (3,), "RPUSH": (2, 3), "LPUSH": (2,)}
    places["LINSERT"] = (4,)
    added = [words[at] for words in drawn(family) for at in places.get(words[0], ())]
    assert len(set(added)) == len(added) > 100
    assert all(name.startswith("u1.") for name in added)


def test_no_other_command_adds_name_that_is_used_once() -> None:
    assert all(words[3].startswith("s") for words in drawn("list") if words[0] == "LSET")
    for words in drawn("free"):
        assert not any(word.startswith("u") for word in words[1:])


@pytest.mark.parametrize("family", ["count", "word", "tag"])
def test_keys_that_are_worked_out_change_with_time(family: str) -> None:
    clients = writer(families=(family,), keys=1)
    early, soon, late = (clients.draw_command(at)[1] for at in (0, SECOND, 20 * SECOND))
    assert early == soon == f"{family}:0.0"
    assert late == f"{family}:1.0"


def test_kept_keys_are_not_deleted_or_expired() -> None:
    clients = writer(expiry=30, deletes=30)
    found = [clients.draw_command(0) for _ in range(3000)]
    hit = {w[1].partition(":")[0] for w in found if w[0] in {"DEL", "PEXPIRE", "PERSIST"}}
    assert hit == set(FAMILIES) - {*THIRDS, *LARGE, "pair", "news"}
    assert {"DEL", "PEXPIRE", "PERSIST"} <= {words[0] for words in found}
    expiries = [words[3:] for words in found if words[0] == "PEXPIRE"]
    assert set(expiries) == {(), ("NX",), ("XX",), ("GT",), ("LT",)}
    assert expiries.count(()) > len(expiries) // 2


def test_transactions_and_flushes() -> None:
    assert writer(flushes=10_000).draw_request(0) == (("FLUSHALL",),)
    sent = writer(transactions=100).draw_request(0)
    assert (sent[0], sent[-1]) == (("MULTI",), ("EXEC",))
    assert 1 <= len(sent[1:-1]) <= 4
    assert len(writer().draw_request(0)) == 1


def test_pairs_are_written_together() -> None:
    clients = writer(families=("free", "pair"), keys=3)
    sent = [request for _ in range(200) if len(request := clients.draw_request(0)) > 1]
    assert {words[0] for request in sent for words in request[1:3]} == {
        *("SADD", "SREM", "SET", "INCRBY", "DEL", "PEXPIRE")
    }
    for begin, one, other, end in sent:
        assert (begin, end) == (("MULTI",), ("EXEC",))
        assert one == (other[0], other[1].replace("twin:", "pair:"), *other[2:])
    scripts = [clients.change_pair()[0] for _ in range(30)]
    keys = {words[3:5] for words in scripts if words[0] == "EVAL"}
    assert keys == {(f"pair:0.{number}", f"twin:0.{number}") for number in range(3)}


def test_number_of_remembered_names_is_limited() -> None:
    clients = writer()
    names = [clients.add_name("set:0") for _ in range(NAMES_MAX + 50)]
    kept = clients.added["set:0"]
    assert kept == names[-NAMES_MAX - 1 :]
    assert any(clients.draw_known_name("set:0") in kept for _ in range(20))


def test_burst_is_many_requests_within_moment() -> None:
    steps = draw_burst(writer(), 5 * SECOND, 50)
    assert [step.at for step in steps[:2]] == [5 * SECOND, 5 * SECOND + MS // 10]
    assert len(steps) == 50
    assert steps[-1].at < 5 * SECOND + 5 * MS


def test_every_region_has_clients_of_its_own() -> None:
    eu, us = make_writers(SeededRandom(1, "w"), Load(), ["eu", "us"])
    assert (eu.region, eu.number, us.region, us.number) == ("eu", 1, "us", 2)
    assert eu.unique_name() != us.unique_name()
    other: list[ScheduleStep] = list(us.draw_steps(0, SECOND))
    assert other != list(eu.draw_steps(0, SECOND))


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "pair"])
def test_database_accepts_drawn_commands(family: str) -> None:
    instance = Instance(Replica(1), build_table(), name="eu", rng=Random(0))
    instance.advance(1_000)
    sim_client = SimClient(instance)
    replies = sim_client.send_commands(*drawn(family))
    reasons = {reply.text for reply in replies if isinstance(reply, Refusal)}
    wrong = [text for text in reasons if "unknown command" in text or "syntax" in text]
    assert not wrong
    assert instance.replica.keyspace.pending_count() > 0


def test_old_keys_are_deleted_for_good() -> None:
    deleted: set[str] = set()
    written: set[str] = set()
    families = tuple(name for name in FAMILIES if name not in {"free", "sum"})
    for step in writer(writes_per_second=2, families=families).draw_steps(0, 400 * SECOND):
        for words in step.commands:
            name, *rest = words
            if name == "DEL" and len(rest) > 1:
                deleted.update(rest)
            elif rest:
                assert not deleted.intersection(rest)
                written.add(rest[0])
    assert len(written & deleted) > 100
    assert len(written - deleted) < len(written) // 2
