"""One region's database and its clients, without sockets."""

from __future__ import annotations

from crdb.engine.client import Client
from crdb.engine.events.operator_events import PromotedEvent
from crdb.engine.execution.executor import receive, run
from crdb.engine.instance import REDIS_VERSION, Instance
from crdb.engine.metrics.statistics import RESTING_SAMPLE_MS, SAMPLE_MS
from tests.crdb.events import Named, collector
from tests.crdb.raw import NOW, instance, lines
from tests.crdb.regions import Regions


def test_refusal_holds_until_it_is_lifted() -> None:
    database = instance()
    client = Client(database)
    assert database.refuse_writes is None
    database.refuse_writes = b"READONLY no"
    assert database.refuse_writes == b"READONLY no"
    assert lines(client, "SET k v") == [b"-READONLY no\r\n"]
    database.refuse_writes = None
    assert database.refuse_writes is None
    assert lines(client, "SET k v") == [b"+OK\r\n"]


def test_push_data_wakes_client_once_and_counts() -> None:
    database = instance(client_output_buffer_limit="normal 10 0 0")
    client = Client(database)
    database.send(client, b"12345")
    database.send(client, b"6789")
    assert (client.out, client.output_bytes) == ([b"12345", b"6789"], 9)
    assert database.woken == [client]
    assert not client.killed
    database.send(client, b"xy")
    assert client.killed


def test_other_parameters_do_not_authenticate() -> None:
    database = instance(requirepass="secret")
    client = Client(database)
    refusal = [b"-NOAUTH Authentication required.\r\n"]
    database.config.set([(b"timeout", b"5")])
    assert lines(client, "PING") == refusal
    database.config.set([(b"requirepass", b"")])
    assert lines(client, "PING") == [b"+PONG\r\n"]


def test_time_comes_in() -> None:
    database = instance()
    assert database.started_at == database.now == database.keyspace.now == NOW
    database.advance(NOW + 10)
    assert (database.started_at, database.now) == (NOW, NOW + 10)


def test_test_clock_stops_data_and_not_waiting() -> None:
    database = instance()
    client = Client(database)
    lines(client, "SET k v PX 1000")
    database.set_test_clock(NOW + 2000)
    database.advance(NOW + 10)
    assert (database.now, database.keyspace.now) == (NOW + 10, NOW + 2000)
    assert lines(client, "GET k") == [b"$-1\r\n"]
    lines(client, "BLPOP l 0.1")
    database.advance(NOW + 200)
    database.tick()
    assert receive(client, b"") == b"*-1\r\n"
    database.set_test_clock(None)
    assert lines(client, "GET k") == [b"$1\r\nv\r\n"]


def test_next_deadline_is_tick_or_timeout() -> None:
    database = instance()
    database.advance(NOW)
    database.tick()
    assert database.deadline == NOW + SAMPLE_MS
    lines(Client(database), "BLPOP l 0.05")
    assert database.deadline == NOW + 50
    database.advance(NOW + 50)
    database.tick()
    assert database.deadline == NOW + SAMPLE_MS


def sampled(database: Instance, milliseconds: int) -> int:
    """Let time pass, with a tick at each deadline. Return the time until the next sample."""
    database.tick()
    ends = database.now + milliseconds
    while database.deadline < ends:
        database.advance(database.deadline)
        database.tick()
    return database.next_sample - database.now


def test_samples_are_rarer_while_clients_send_nothing() -> None:
    database = instance()
    database.advance(NOW)
    client = Client(database)
    lines(client, "PING")
    assert sampled(database, 1500) == SAMPLE_MS
    assert sampled(database, 2500) == RESTING_SAMPLE_MS
    began = database.now
    lines(client, "PING")
    database.advance(began + 1)
    assert database.next_sample == began + 1 + SAMPLE_MS
    assert sampled(database, SAMPLE_MS + 1) == SAMPLE_MS
    assert database.statistics.input_rate.per_second > 0


def test_samples_are_not_rarer_where_idle_clients_are_closed() -> None:
    database = instance(timeout="10")
    database.advance(NOW)
    assert sampled(database, 4000) == SAMPLE_MS


def test_idle_clients_are_closed_unless_blocked() -> None:
    database = instance(timeout="10")
    idle, waiting, busy = (Client(database) for _ in range(3))
    lines(waiting, "BLPOP l 0")
    database.advance(NOW + 9_000)
    lines(busy, "PING")
    database.advance(NOW + 10_001)
    database.tick()
    assert [client.killed for client in (idle, waiting, busy)] == [True, False, False]
    assert database.woken == [idle]
    database.advance(NOW + 10_101)
    database.tick()
    assert database.woken == [idle]


def test_soft_limit_gives_time() -> None:
    database = instance(client_output_buffer_limit="normal 100000 1000 5")
    client = Client(database)
    run(client, b"ECHO " + b"x" * 2000 + b"\r\n")
    assert client.soft_limit_since == NOW
    database.advance(NOW + 5_000)
    database.tick()
    assert not client.killed
    database.advance(NOW + 5_200)
    database.tick()
    assert client.killed
    assert database.statistics.dropped_output == 1


def test_soft_limit_time_restarts_below_it() -> None:
    database = instance(client_output_buffer_limit="normal 100000 1000 5")
    client = Client(database)
    run(client, b"ECHO " + b"x" * 2000 + b"\r\n")
    client.drop_replies()
    database.advance(NOW + 1_000)
    database.tick()
    assert client.soft_limit_since == 0
    database.advance(NOW + 9_000)
    database.tick()
    assert not client.killed


def test_number_of_clients_is_limited() -> None:
    database = instance(maxclients="2")
    first = Client(database)
    assert not database.is_full()
    Client(database)
    assert database.is_full()
    first.leave()
    assert not database.is_full()


def test_remote_operations_serve_blocked_clients() -> None:
    """Rule LST-10."""
    regions = Regions(2)
    waiter = Client(regions.instances[2])
    lines(waiter, "BLPOP l 0")
    regions.run(1, "RPUSH", "l", "a")
    regions.sync()
    assert receive(waiter, b"") == b"*2\r\n$1\r\nl\r\n$1\r\na\r\n"
    regions.sync()
    assert regions.everywhere("LLEN", "l") == 0


def test_events_go_to_present_reporter() -> None:
    database = instance()
    database.emit_event(PromotedEvent())
    events: list[str] = []
    database.report = lambda event: events.append(event.name)
    database.emit_event(PromotedEvent())
    assert events == ["promoted"]


def test_instances_differ() -> None:
    regions = Regions(2)
    assert regions.instances[1].run_id != regions.instances[2].run_id
    assert REDIS_VERSION.startswith("7.2.")


def test_step_of_wall_clock_is_reported_and_expiry_follows() -> None:
    database = instance()
    steps: list[Named] = []
    database.report = collector(steps)
    database.advance(NOW, NOW)
    lines(client := Client(database), "SET k v EX 60")
    database.advance(NOW + 10, NOW + 7_200_010)
    assert lines(client, "GET k") == [b"$-1\r\n"]
    database.advance(NOW + 2_000, NOW + 2_000)
    assert lines(client, "GET k") == [b"$1\r\nv\r\n"]
    database.advance(NOW + 3_000, NOW + 3_900)
    assert steps == [("clock stepped", {"ms": ms}) for ms in (7_200_000, -7_200_000)]
    assert (database.clock_steps.count, database.clock_steps.last_ms) == (2, -7_200_000)


def test_when_memory_is_full_greediest_clients_are_closed() -> None:
    database = instance(maxmemory="100mb")
    used = [0]
    database.memory.probe = lambda: (used[0], 1 << 60)
    reading, queueing, small, kept = (Client(database) for _ in range(4))
    reading.output_bytes = kept.output_bytes = 20 << 20
    kept.no_evict = True
    queueing.queue_bytes = 10 << 20
    small.output_bytes = 100_000
    for megabytes, closed in ((100, []), (110, [reading]), (150, [queueing]), (150, [])):
        used[0] = megabytes << 20
        database.advance(database.now + SAMPLE_MS)
        database.tick()
        assert [
            c for c in (reading, queueing, small, kept) if c.killed and c.id in database.clients
        ] == closed
        for client in closed:
            client.leave()
    assert database.statistics.dropped_memory == 2
