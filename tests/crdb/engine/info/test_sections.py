"""INFO."""

from __future__ import annotations

import re

from crdb.engine.client import Client
from crdb.engine.execution.executor import receive
from crdb.engine.info.sections import DEFAULT, information
from crdt.causality.dots import make_origin
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.regions import Regions


def titles(text: str) -> list[str]:
    """Return the sections of an INFO."""
    return re.findall(r"^# (\w+)", text, re.MULTILINE)


def fields(text: str) -> dict[str, str]:
    """Return the fields of an INFO."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def test_everything_includes_optional_sections() -> None:
    database = instance()
    reported = set(titles(information(database, ["everything"])))
    assert {"Commandstats", "CRDT", "Latencystats"} <= reported
    assert titles(information(database, ["default"])) == titles(information(database, []))
    assert len(titles(information(database, []))) == len(DEFAULT)


def test_what_is_counted() -> None:
    database = instance()
    client, blocked = Client(database), Client(database)
    lines(blocked, "BLPOP l 5")
    lines(client, "WATCH k", "SET a 1", "EXPIRE a 100", "FOO")
    database.advance(NOW + 1000)
    database.tick()
    lines(client, "PING")
    database.advance(NOW + 2000)
    database.tick()
    found = fields(information(database, ["everything"]))
    assert found["connected_clients"] == "2"
    assert found["blocked_clients"] == found["clients_in_timeout_table"] == "1"
    assert found["expired_keys"] == "0"
    assert found["total_blocking_keys"] == found["total_watched_keys"] == "1"
    assert found["watching_clients"] == "1"
    assert found["total_commands_processed"] == "5", "all but FOO"
    assert found["instantaneous_ops_per_sec"] == "1"
    assert found["total_error_replies"] == "1"
    assert found["errorstat_ERR"] == "count=1"
    assert found["uptime_in_seconds"] == "2"
    assert found["db0"] == "keys=1,expires=1,avg_ttl=98000"
    assert receive(client, b"INFO keyspace\r\n").startswith(b"$")


def test_commandstats_are_in_microseconds() -> None:
    database = instance()
    client = Client(database)
    readings = iter([1.0, 1.000005])
    database.timing.clock = lambda: next(readings, 2.0)
    receive(client, b"SET a 1\r\nSET b 1\r\n")
    found = fields(information(database, ["commandstats"]))
    assert found["cmdstat_set"].startswith("calls=2,usec=5,usec_per_call=2.50,")
    lines(client, "CONFIG RESETSTAT")
    assert list(fields(information(database, ["commandstats"]))) == ["cmdstat_config|resetstat"]


def test_crdt_section() -> None:
    regions = Regions(2)
    regions.run(1, "SET", "k", "v")
    regions.run(2, "SET", "l", "v")
    regions.sync()
    found = fields(information(regions.instances[1], ["crdt"]))
    assert found["crdt_replid"] == "1"
    assert found["crdt_clock"] == "1"
    assert found["crdt_ovc"] == "{1=1,2=1}"
    assert found["crdt_effect_reqs"] == "1"
    assert found["crdt_ovc_filtered_effect_reqs"] == "0"
    regions.transaction(2, ["SET", "m", "v"], ["SET", "n", "v"])
    for op in regions.replicas[2].since(regions.replicas[1].vector) * 2:
        regions.replicas[1].accept(op)
    found = fields(information(regions.instances[1], ["crdt"]))
    assert found["crdt_effect_reqs"] == "3"
    assert found["crdt_ovc"] == "{1=1,2=3}"
    assert found["crdt_ovc_filtered_effect_reqs"] == "2", "effects, not operations (rule ORD-2)"
    assert found["crdt_stale"] == found["crdt_stale_released_with_merge"] == "0"


def test_clock_continues_in_next_incarnation() -> None:
    """D-19: `crdt_clock` continues through all incarnations of a region. CRDB.VECTOR lists them
    separately."""
    regions = Regions(2)
    regions.run(1, "SET", "k", "v")
    regions.replicas[1].reincarnate(make_origin(1, 7))
    regions.run(1, "SET", "l", "v")
    regions.sync()
    found = fields(information(regions.instances[1], ["crdt"]))
    assert found["crdt_replid"] == "1.7"
    assert found["crdt_clock"] == "2"
    assert found["crdt_ovc"] == "{1=2}"


def test_client_that_waits_for_other_regions_is_blocked_too() -> None:
    regions = Regions(2)
    waiting = Client(regions.instances[1])
    receive(waiting, b"CRDB.AWAIT 2=1 1000\r\n")
    found = fields(information(regions.instances[1], ["clients"]))
    assert found["blocked_clients"] == found["clients_in_timeout_table"] == "1"


def test_keys_that_were_made_to_last_do_not_count_as_ending() -> None:
    """Rule EXP-10."""
    regions = Regions(2)
    regions.run(1, "SADD", "s", "m")
    regions.run(1, "PERSIST", "s")
    regions.run(1, "SET", "k", "v", "PX", "500")
    found = fields(information(regions.instances[1], ["keyspace"]))
    assert found["db0"] == "keys=2,expires=1,avg_ttl=500"


def test_others_add_lines_and_sections() -> None:
    database = instance()
    database.info_sections["replication"] = [lambda: [("source0", "host=x")]]
    database.info_sections["links"] = [lambda: [("link0", "up")], lambda: [("link1", "down")]]
    text = information(database, ["links", "replication"])
    assert titles(text) == ["Replication", "Links"]
    assert fields(text)["source0"] == "host=x"
    assert fields(text)["link1"] == "down"
    database.info_sections["replication"].append(lambda: [("connected_slaves", 3)])
    text = information(database, ["replication"])
    assert text.count("connected_slaves") == 1
    assert fields(text)["connected_slaves"] == "3", "what others know better is theirs to tell"
    database.role = b"replica"
    assert fields(information(database, ["replication"]))["role"] == "slave"
